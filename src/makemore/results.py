"""The table of models, made from the metrics files, so that it cannot say anything else than they do."""

from pathlib import Path

from rich.table import Table

from makemore.files import read_json, write_bytes

HEADER = ("model", "parameters", "train", "dev", "± se", "dev, unseen", "test", "perplexity", "bits/char")
BEGIN, END = "<!-- results: python stages/results.py --write README.md -->", "<!-- end of results -->"

Rows = list[tuple[str, ...]]


def read(folder: Path) -> Rows:
    """One row a model, in the order of their dev loss, the best last. Raises ValueError where there is no model."""
    test_file = folder / "test.json"
    tested = read_json(test_file) if test_file.exists() else {}
    models = {path.stem: read_json(path) for path in sorted(folder.glob("*.json")) if path != test_file}
    if not models:
        raise ValueError(f"{folder}: expected the metrics of models, found none; dvc repro makes them")

    def row(name: str) -> tuple[str, ...]:
        dev, test = models[name]["dev"], tested.get(name)
        losses = (models[name]["train"]["nll"], dev["nll"], dev["nll_se"], dev.get("nll_unseen"), test and test["nll"])
        shown = ("-" if loss is None else f"{loss:.4f}" for loss in losses)
        return (
            name,
            f"{models[name]['parameters']:,}",
            *shown,
            f"{dev['perplexity']:.2f}",
            f"{dev['bits_per_char']:.3f}",
        )

    try:
        return [row(name) for name in sorted(models, key=lambda name: -models[name]["dev"]["nll"])]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{folder}: expected the metrics that evaluate writes, found {error!r}") from None


def markdown(rows: Rows) -> str:
    lines = [HEADER, ("---", *["---:"] * (len(HEADER) - 1)), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def rich_table(rows: Rows) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, title="NLL in nats a token")
    for place, column in enumerate(HEADER):
        table.add_column(column.replace(" ", "\n"), justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def insert(path: Path, text: str) -> None:
    """Replace what stands between the two markers of a file. Raises ValueError where they are missing."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{path}: expected the lines {BEGIN} and {END}, found them missing")
    write_bytes(path, f"{before}{begin}\n{text}{end}{after}".encode())
