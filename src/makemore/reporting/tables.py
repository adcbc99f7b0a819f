"""The tables of models, made from the metrics files. To show another metric in all of them, add it to `COLUMNS`."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from makemore.core import names
from makemore.core.files import write_bytes
from makemore.core.terminal import visible
from makemore.reporting.inputs import Inputs, Result

BEGIN, END = "<!-- results: python stages/results.py --write README.md -->", "<!-- end of results -->"
DOCUMENT = """# All models

<!-- made by: python stages/results.py --page docs/results.md -->

Losses are in nats per token, as in the [README](../README.md). `seconds` is the processor time of the whole training,
measured by `python benchmarks/models.py train`; for a tuned n-gram model it includes the tuning, for the ensemble the
training of its members.

{losses}
![Dev loss against the seconds of training](time.png)

## What is memorised

The share of the generated names that are in train, beside the share of the dev names that are: those are real names
that the model has not learned from.

{memorised}"""
SAMPLES = """
## Samples

The first names that each model generates; `data/samples/` holds all of them.

{samples}"""
SHOWN = 10  # samples per model

Rows = list[tuple[str, ...]]


class Column(NamedTuple):
    """A metric in the tables."""

    key: str  # its path in the metrics: `dev.nll` is `nll` under `dev` in metrics/losses/<model>.json
    header: str
    format: str
    meaning: str = ""

    def text(self, result: Result) -> str:
        value = result[self.key]
        return "-" if math.isnan(value) else "∞" if math.isinf(value) else format(value, self.format)


COLUMNS = (
    Column("parameters", "parameters", ",", "weights of a network, stored counts of an n-gram model"),
    Column("train.nll", "train", ".4f"),
    Column("dev.nll", "dev", ".4f"),
    Column("dev.nll_se", "± se", ".4f", "standard error of the dev loss, treating names as the sampling unit"),
    Column("dev.nll_unseen", "dev, unseen", ".4f", "the dev names that are not in train"),
    Column("test.nll", "test", ".4f"),
    Column("dev.perplexity", "perplexity", ".2f", "exp(dev loss)"),
    Column("dev.bits_per_char", "bits/char", ".3f", "bits per character: dev loss / ln 2"),
)
HEADER = ("model", *(column.header for column in COLUMNS))


def rows(results: Iterable[Result]) -> Rows:
    """One row per model, under `HEADER`."""
    return [(result.model, *(column.text(result) for column in COLUMNS)) for result in results]


def markdown(table: Rows, header: Sequence[str] = HEADER) -> str:
    lines = [header, ("---", *["---:"] * (len(header) - 1)), *table]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def escaped(name: str) -> str:
    """A name as Markdown that shows it as it is, also in a cell of a table."""
    return re.sub(r"[\\`*_\[\]<>|&~$:]", r"\\\g<0>", visible(name))


def rich_table(results: Iterable[Result]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, title="NLL in nats per token")
    for place, column in enumerate(HEADER):
        table.add_column(column.replace(" ", "\n"), justify="right" if place else "left", no_wrap=True)
    for row in rows(results):
        table.add_row(*(Text(visible(cell)) for cell in row))  # Text: a model's name may look like rich's markup
    return table


def insert(path: Path, text: str) -> None:
    """Replace the text between the two markers of a file. Raises ValueError if they are missing."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{path}: expected the lines {BEGIN} and {END}, found them missing")
    write_bytes(path, f"{before}{begin}\n{text}{end}{after}".encode())


def read_seconds(path: Path) -> dict[str, float]:
    """What `benchmarks/models.py train` writes: the seconds that each model's training takes."""
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    try:
        return {name: float(seconds) for name, seconds in lines}
    except ValueError as error:
        raise ValueError(f"{path}: expected one model and its seconds per line, found {error}") from None


def document(inputs: Inputs, seconds: Mapping[str, float]) -> str:
    """The comparison of all models as Markdown, from what is in git; `time.png` stands beside it.

    Args:
        seconds: the training time of each model, where it is known.
    """
    header = (*HEADER[:2], "seconds", *HEADER[2:])
    losses = [
        (model, first, f"{seconds[model]:.1f}" if model in seconds else "-", *others)
        for model, first, *others in rows(inputs.results)
    ]
    memorised = []
    for result in inputs.results:
        if (inputs.metrics / "samples" / f"{result.model}.json").exists():
            found = inputs.samples(result.model)
            memorised.append(_share(result.model, found["samples"] - found["new"], found["samples"]))
    train, dev = names.known(names.blocks(inputs.data / "splits/train.txt")), names.read(inputs.data / "splits/dev.txt")
    memorised.append(_share("*dev names*", int(names.have(train, dev).sum()), names.count(dev)))
    shares = markdown(memorised, ("names of", "in train, %", "± se"))
    return DOCUMENT.format(losses=markdown(losses, header), memorised=shares)


def _share(source: str, count: int, of: int) -> tuple[str, ...]:
    share = count / of
    return source, f"{100 * share:.1f}", f"{100 * math.sqrt(share * (1 - share) / of):.1f}"


def samples(inputs: Inputs) -> str:
    """The end of the document: the first samples of each model, where they are at hand."""
    table: Rows = []
    for result in inputs.results:
        path = inputs.data / "samples" / f"{result.model}.txt"
        if path.exists():
            generated = path.read_text(encoding="utf-8").split("\n")[:SHOWN]
            table.append((result.model, *map(escaped, generated)))
    return SAMPLES.format(samples=markdown(table, ("model", *map(str, range(1, SHOWN + 1)))))
