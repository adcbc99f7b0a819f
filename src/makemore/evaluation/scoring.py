"""Score names, one row per name, and write the rows as a table, CSV or JSON Lines.

Losses are in nats per predicted token; the end of a name is one of its tokens.

Shapes: N names, M tokens.
"""

import csv
import json
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, TextIO

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from rich.text import Text

from makemore.core import names
from makemore.core.contexts import name_bounds
from makemore.core.files import DIGITS
from makemore.core.terminal import visible
from makemore.core.vocab import Tokens, Vocab
from makemore.evaluation.losses import summary

CHUNK = 1 << 12  # names converted to Python objects at a time, and rows per table
NAME_WIDTH = 40  # maximum width of the name column
WIDTH = 200  # more than the whole table needs


class Row(NamedTuple):
    name: str
    tokens: int  # including the end
    log_likelihood: float  # sum of ln P(token); -inf if a token has the probability 0
    nll: float  # -log_likelihood / tokens
    perplexity: float  # exp(nll)
    losses: list[float]  # -ln P of each character and of the end
    symbols: str  # the characters and the boundary symbol


COLUMNS = Row._fields[:5]  # columns without --per-character


def rows(tokens: Tokens, nlls: NDArray[np.float64], vocab: Vocab) -> Iterator[Row]:
    """Yield one row per name, given the tokens, (M,), and the loss of each token, (M,)."""
    starts, sizes = name_bounds(tokens)  # (N,)
    totals = np.add.reduceat(nlls, starts)
    means = totals / sizes
    with np.errstate(over="ignore"):  # overflows become infinity
        perplexities = np.exp(means)
    for first in range(0, len(starts), CHUNK):
        chunk = slice(first, first + CHUNK)
        begin, end = starts[chunk][0], starts[chunk][-1] + sizes[chunk][-1]
        losses = iter(nlls[begin:end].tolist())
        columns = (column[chunk].tolist() for column in (sizes, -totals, means, perplexities))
        strings = names.to_string(vocab.decode(tokens[begin:end])).split("\n")[:-1]
        for name, size, log_likelihood, nll, perplexity in zip(strings, *columns, strict=True):
            name_losses = list(islice(losses, size))
            yield Row(name, size, log_likelihood, nll, perplexity, name_losses, name + vocab.boundary)


def total(tokens: Tokens, nlls: NDArray[np.float64]) -> str:
    """Summarize all names in one line."""
    metrics = summary(nlls, tokens)
    return (
        f"{np.count_nonzero(tokens == 0):,} names, {len(tokens):,} tokens: log-likelihood {-nlls.sum():z.4f}, "
        f"NLL {metrics['nll']:z.4f} nats per token, perplexity {metrics['perplexity']:,.2f}"
    )


def write_table(file: TextIO, scored: Iterable[Row], per_character: bool, vocab_size: int) -> None:
    """Write human-readable tables, of at most `CHUNK` rows each. Numbers are never truncated to the terminal's width.

    On a terminal, names and characters are green if they are more likely than under a uniform distribution, else red.
    """
    console = Console(file=file, width=WIDTH)
    remaining = iter(scored)
    while page := list(islice(remaining, CHUNK)):
        console.print(_table(page, per_character, math.log(vocab_size)))


def _table(page: list[Row], per_character: bool, uniform: float) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("name", overflow="fold", max_width=NAME_WIDTH)
    for column in ("tokens", *(["probability"] if per_character else []), "log-likelihood", "NLL", "perplexity"):
        table.add_column(column, justify="right", no_wrap=True)

    def add(name: str, nll: float, *cells: str, weight: str = "") -> None:
        style = f"{weight} {'green' if nll < uniform else 'red'}"
        cells = (visible(name), *cells)
        table.add_row(*(Text(cell, style) for cell in cells))  # Text: a name may look like rich's markup

    for name, tokens, log_likelihood, nll, perplexity, losses, symbols in page:
        cells = f"{log_likelihood:z.4f}", f"{nll:z.4f}", f"{perplexity:,.2f}"
        if not per_character:
            add(name, nll, f"{tokens}", *cells)
            continue
        add(name, nll, f"{tokens}", "", *cells, weight="bold")
        for character, loss in zip(symbols, losses, strict=True):
            add(f"  {character}", loss, "", f"{math.exp(-loss):.4f}", f"{-loss:z.4f}")
    return table


def write_csv(file: TextIO, scored: Iterable[Row], per_character: bool) -> None:
    """Write one line per name or, with `per_character`, per token. Positions start at 1; the last one is the end."""
    writer = csv.writer(file, lineterminator="\n")
    if per_character:
        writer.writerow(("name", "position", "character", "probability"))
        for row in scored:
            tokens = enumerate(zip(row.symbols, row.losses, strict=True), start=1)
            writer.writerows((row.name, i, character, _number(math.exp(-loss))) for i, (character, loss) in tokens)
    else:
        writer.writerow(COLUMNS)
        writer.writerows((row.name, row.tokens, *map(_number, row[2:5])) for row in scored)


def write_json(file: TextIO, scored: Iterable[Row], per_character: bool) -> None:
    """Write one JSON object per name and line. Infinite values are `Infinity`, as in the metrics files."""
    encode = json.JSONEncoder(ensure_ascii=False).encode
    for row in scored:
        fields: dict[str, object] = {"name": row.name, "tokens": row.tokens}
        fields |= {key: float(_number(value)) for key, value in zip(COLUMNS[2:], row[2:5], strict=True)}
        if per_character:
            fields["characters"] = list(row.symbols)
            fields["probabilities"] = [float(_number(math.exp(-loss))) for loss in row.losses]
        file.write(encode(fields) + "\n")


def _number(value: float) -> str:
    return f"{value:z.{DIGITS}g}"
