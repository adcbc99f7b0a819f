"""How probable names are, one row a name, and how rows are written: as a table, CSV or JSON Lines.

Losses are in nats a predicted token, and a name's end is one of its tokens.
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
from makemore.core.vocab import Tokens, Vocab
from makemore.evaluation.losses import summary

CHUNK = 1 << 12  # names that are Python objects at a time, and rows of one table
NAME_WIDTH, WIDTH = 40, 200  # of the name's column, and more than the whole table takes


class Row(NamedTuple):
    name: str
    tokens: int  # with the end
    log_likelihood: float  # sum of ln P(token), -inf where the model rules the name out
    nll: float  # its mean a token, negated
    perplexity: float  # exp(nll)
    losses: list[float]  # -ln P of each character and of the end
    symbols: str  # which these are


COLUMNS = Row._fields[:5]  # of a table of names


def rows(tokens: Tokens, nlls: NDArray[np.float64], vocab: Vocab) -> Iterator[Row]:
    """One row a name, from the names' tokens and the loss of each, both (M,)."""
    starts, sizes = name_bounds(tokens)  # (N,)
    totals = np.add.reduceat(nlls, starts)
    means = totals / sizes
    with np.errstate(over="ignore"):  # infinite then
        perplexities = np.exp(means)
    for first in range(0, len(starts), CHUNK):
        some = slice(first, first + CHUNK)
        begin, end = starts[some][0], starts[some][-1] + sizes[some][-1]
        losses = iter(nlls[begin:end].tolist())
        columns = (column[some].tolist() for column in (sizes, -totals, means, perplexities))
        strings = names.to_string(vocab.decode(tokens[begin:end])).split("\n")[:-1]
        for name, size, log_likelihood, nll, perplexity in zip(strings, *columns, strict=True):
            own = list(islice(losses, size))
            yield Row(name, size, log_likelihood, nll, perplexity, own, name + vocab.boundary)


def total(tokens: Tokens, nlls: NDArray[np.float64]) -> str:
    """All names in one line."""
    figures = summary(nlls, tokens)
    return (
        f"{np.count_nonzero(tokens == 0):,} names, {len(tokens):,} tokens: log-likelihood {-nlls.sum():z.4f}, "
        f"NLL {figures['nll']:z.4f} nats a token, perplexity {figures['perplexity']:,.2f}"
    )


def write_table(file: TextIO, scored: Iterable[Row], per_character: bool, vocab_size: int) -> None:
    """For people: a long list as several tables, with no number cut short, however narrow the terminal.

    Where the file is a terminal, what is likelier than if all tokens were equally likely is green, what is less is red.
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
        table.add_row(*(Text(cell, style) for cell in (name, *cells)))  # Text: a name may look like rich's markup

    for name, tokens, log_likelihood, nll, perplexity, losses, symbols in page:
        figures = f"{log_likelihood:z.4f}", f"{nll:z.4f}", f"{perplexity:,.2f}"
        if not per_character:
            add(name, nll, f"{tokens}", *figures)
            continue
        add(name, nll, f"{tokens}", "", *figures, weight="bold")
        for character, loss in zip(symbols, losses, strict=True):
            add(f"  {character}", loss, "", f"{math.exp(-loss):.4f}", f"{-loss:z.4f}")
    return table


def write_csv(file: TextIO, scored: Iterable[Row], per_character: bool) -> None:
    """One line a name; or one line a token, where position counts from 1 in each name; the last is its end."""
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
    """One object a line and name; what is infinite is `Infinity`, as in the metrics files."""
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
