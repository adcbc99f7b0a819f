"""What the model knows of the characters before each token, and the kinds of context made of it.

A context is a row of columns, from the most important to the least. Each order of a chain adds one column, so it is the
columns, not only the most recent characters, that are left off when a context is new.

Shapes: N contexts, M tokens, R recent tokens, T context length, V vocabulary.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from makemore.core.contexts import Contexts, name_bounds, sliding
from makemore.core.vocab import Tokens

Ints = NDArray[np.int64]

CLASS_COLUMNS = 12  # columns of the chain of classes
SKIP_REACH = 6  # characters back that the chains that skip one reach
MAX_RUNS = 6  # runs of characters of one class, capped
NONE = -1  # a column that a context does not have

KINDS = ("plain", "position", "runs", "first", "skip_1", "skip_2", "skip_3", "classes")


class History(NamedTuple):
    """The tokens before N tokens, in their names."""

    recent: Contexts  # (N, R) the last R tokens, padded with 0 before the name
    position: Ints  # (N,) characters so far
    first: Ints  # (N,) the first character, 0 if there is none
    runs: Ints  # (N,) runs of characters of the same class so far


def begin(count: int, reach: int) -> History:
    """The history at the beginning of `count` names."""
    zeros = np.zeros(count, dtype=np.int64)
    return History(np.zeros((count, reach), dtype=np.int32), zeros, zeros, zeros)


def advance(history: History, tokens: Tokens, classes: Ints) -> History:
    """The history one token later. The boundary token changes nothing."""
    recent, position, first, runs = history
    new = (tokens != 0) & (classes[tokens] != classes[recent[:, -1]])
    return History(
        np.column_stack((recent, tokens))[:, 1:],
        position + (tokens != 0),
        np.where(position == 0, tokens, first),
        runs + new,
    )


def of_contexts(contexts: Contexts, reach: int, classes: Ints) -> History:
    """The history that contexts, (N, T), describe."""
    history = begin(len(contexts), reach)
    for column in contexts.T:
        history = advance(history, column, classes)
    return history


def of_tokens(tokens: Tokens, reach: int, classes: Ints) -> History:
    """The history before each token of whole names, (M,)."""
    starts, lengths = name_bounds(tokens)
    recent = sliding(tokens, reach)
    position = np.arange(len(tokens)) - np.repeat(starts, lengths)
    first = np.where(position > 0, np.repeat(tokens[starts], lengths), 0)
    new = (tokens != 0) & (classes[tokens] != classes[recent[:, -1]])
    before = np.cumsum(new) - new  # runs in the tokens before each one, of all names
    return History(recent, position, first, before - np.repeat(before[starts], lengths))


def part(history: History, rows: slice | Ints) -> History:
    """The history before some of the tokens."""
    recent, position, first, runs = history
    return History(recent[rows], position[rows], first[rows], runs[rows])


def columns(kind: str, history: History, classes: Ints, order: int, position: int) -> Iterator[Ints]:
    """The columns of one kind of context, most important first, each (N,), at most `order` - 1 characters.

    They are made one at a time, since for a long list all of them together are large.
    """
    back = range(1, order)
    match kind:
        case "plain":
            yield from _characters(history, back)
        case "position":
            yield history.position.clip(max=position)
            yield from _characters(history, back[:-1])
        case "runs":
            yield history.runs.clip(max=MAX_RUNS)
            yield from _characters(history, back[:-1])
        case "first":
            yield history.first
            yield from _characters(history, back[:-1])
        case "classes":
            yield from _characters(history, range(1, CLASS_COLUMNS + 1), classes)
        case _:
            skipped = int(kind.removeprefix("skip_"))
            yield from _characters(history, [i for i in range(1, min(order, SKIP_REACH) + 1) if i != skipped])


def _characters(history: History, back: range | list[int], classes: Ints | None = None) -> Iterator[Ints]:
    """The tokens so many places back, up to the first boundary; all but the nearest as classes, if these are given."""
    begun = np.ones(len(history.recent), dtype=bool)
    for i in back:
        column = history.recent[:, -i].astype(np.int64)
        shown = column if classes is None or i == 1 else classes[column]
        yield np.where(begun, shown, NONE)
        begun &= column != 0
