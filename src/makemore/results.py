"""The tables of models, made from the metrics files, so that they cannot say anything else than those do."""

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.table import Table

from makemore import names
from makemore.files import read_json, write_bytes
from makemore.names import Text

HEADER = ("model", "parameters", "train", "dev", "± se", "dev, unseen", "test", "perplexity", "bits/char")
BEGIN, END = "<!-- results: python stages/results.py --write README.md -->", "<!-- end of results -->"
LOSSES = ("model", "parameters", "seconds", "train", "dev", "± se", "dev, unseen", "test", "± se")
PAGE = """# All models

<!-- made by: python stages/results.py --page docs/results.md -->

Losses in nats a token as in the [README](../README.md); `seconds` are the processor's for the whole training, measured
by `python benchmarks/models.py train`: a tuned count model's with the tuning, the ensemble's with its parts.

{losses}
![Dev loss against the seconds of training](time.png)

## What is memorised

How many of the names that a model makes up are in train, beside how many of the dev names are: those are real, and it
has not learned from them.

{known}"""
SAMPLES = """
## Samples

The first names that each model makes up, drawn with the same random numbers: the others are in `data/samples/`.

{samples}"""
SHOWN = 10  # samples of each model

Rows = list[tuple[str, ...]]


class Result(NamedTuple):
    """What a model reached: losses in nats a predicted token, the end of a name included, and their standard errors."""

    model: str
    parameters: int
    train: float
    dev: float
    dev_se: float
    unseen: float | None
    test: float | None
    test_se: float | None
    perplexity: float
    bits: float


def read(folder: Path, wanted: Sequence[str] | None = None) -> list[Result]:
    """Models in the order of their dev loss, the best last: these, or all. Raises ValueError where there is none."""
    test_file = folder / "test.json"
    tested = read_json(test_file) if test_file.exists() else {}
    if wanted is None:
        found = sorted(path for path in folder.glob("*.json") if path != test_file)
    else:
        found = [folder / f"{name}.json" for name in wanted]
    models = {path.stem: read_json(path) for path in found}
    if not models:
        raise ValueError(f"{folder}: expected the metrics of models, found none; dvc repro makes them")

    def result(name: str) -> Result:
        dev, test = models[name]["dev"], tested.get(name, {})
        losses = models[name]["train"]["nll"], dev["nll"], dev["nll_se"], dev.get("nll_unseen")
        tests = test.get("nll"), test.get("nll_se")
        return Result(name, models[name]["parameters"], *losses, *tests, dev["perplexity"], dev["bits_per_char"])

    try:
        return sorted(map(result, models), key=lambda model: -model.dev)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: expected the metrics that evaluate writes, found {error!r}") from None


def table(models: Iterable[Result]) -> Rows:
    """One row a model, under `HEADER`."""
    rows = []
    for model in models:
        losses = map(_loss, (model.train, model.dev, model.dev_se, model.unseen, model.test))
        rows.append((model.model, f"{model.parameters:,}", *losses, f"{model.perplexity:.2f}", f"{model.bits:.3f}"))
    return rows


def _loss(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def markdown(rows: Rows, header: Sequence[str] = HEADER) -> str:
    lines = [header, ("---", *["---:"] * (len(header) - 1)), *rows]
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


def read_seconds(path: Path) -> dict[str, float]:
    """What `benchmarks/models.py train` writes: the seconds that each model's training takes."""
    rows = [row.split(",") for row in path.read_text(encoding="utf-8").splitlines()[1:]]
    try:
        return {name: float(seconds) for name, seconds in rows}
    except ValueError as error:
        raise ValueError(f"{path}: expected a model and its seconds a line, found {error}") from None


def page(models: list[Result], seconds: Mapping[str, float], samples: Path, train: Text, dev: Text) -> str:
    """The comparison of models as Markdown, from what is in git: losses, `time.png`, what is memorised.

    Args:
        seconds: that the training of each model takes, where they are known.
        samples: where the metrics of the samples are.
    """
    losses, known = [], []
    for model in models:
        taken = f"{seconds[model.model]:.1f}" if model.model in seconds else "-"
        nlls = map(_loss, (model.train, model.dev, model.dev_se, model.unseen, model.test, model.test_se))
        losses.append((model.model, f"{model.parameters:,}", taken, *nlls))
        path = samples / f"{model.model}.json"
        if path.exists():
            figures = read_json(path)
            known.append(_known(model.model, figures["samples"] - figures["new"], figures["samples"]))
    known.append(_known("*dev names*", int(names.is_in(dev, train).sum()), names.count(dev)))
    return PAGE.format(losses=markdown(losses, LOSSES), known=markdown(known, ("names of", "in train, %", "± se")))


def _known(source: str, count: int, of: int) -> tuple[str, ...]:
    share = count / of
    return source, f"{share:.1%}"[:-1], f"{math.sqrt(share * (1 - share) / of):.1%}"[:-1]


def samples(models: list[Result], folder: Path) -> str:
    """The end of the page: the first samples of each model, side by side, where they are at hand."""
    rows: Rows = []
    for model in models:
        path = folder / f"{model.model}.txt"
        if path.exists():
            rows.append((model.model, *path.read_text(encoding="utf-8").split("\n")[:SHOWN]))
    return SAMPLES.format(samples=markdown(rows, ("model", *map(str, range(1, SHOWN + 1)))))
