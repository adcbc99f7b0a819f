"""The contexts of tokens: the tokens before each token, which a model predicts it from.

Shapes: M tokens, N contexts, T context length, V vocabulary, U distinct contexts, K distinct (context, next token)
pairs, L names.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from makemore.core.counts import count_keys, merge_all
from makemore.core.vocab import Tokens

CHUNK = 1 << 20  # tokens processed at a time, which bounds the memory

Contexts = NDArray[np.int32]  # (N, T): the T tokens before the one to predict, padded with 0 before the name


def sliding(tokens: Tokens, context: int) -> Contexts:
    """The `context` tokens before each token in its name, (M, T), padded on the left with 0.

    `context` is the lectures' `block_size`. Row i is the context of `tokens[i]`.
    """
    contexts = np.zeros((len(tokens), context), dtype=np.int32)
    begun = np.ones(len(tokens), dtype=bool)  # (M,): no boundary between this position and the token
    for back in range(1, context + 1):
        column = np.zeros(len(tokens), dtype=np.int32)
        column[back:] = tokens[:-back]
        begun &= column != 0
        contexts[:, -back] = np.where(begun, column, 0)
    return contexts


def whole_names(tokens: Tokens, size: int) -> Iterator[slice]:
    """Parts of tokens that consist of whole names, each of at most `size` tokens or of a single longer name."""
    _, sizes = name_bounds(tokens)
    ends = np.cumsum(sizes)
    start = 0
    while start < len(tokens):
        last = np.searchsorted(ends, start + size, side="right") - 1  # the last name that fits
        stop = int(ends[max(last, np.searchsorted(ends, start, side="right"))])
        yield slice(start, stop)
        start = stop


def name_bounds(tokens: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The index of the first token of each name, (L,), and its number of tokens, end included, (L,)."""
    ends = np.flatnonzero(tokens == 0) + 1
    starts = np.concatenate(([0], ends[:-1]))
    return starts, ends - starts


def keys(contexts: Contexts, vocab_size: int) -> NDArray[np.int64]:
    """Encode each context as one integer, (N,), with its tokens as digits in base V, so that sorting order is kept.

    Raises:
        ValueError: V to the power of T does not fit into 63 bits.
    """
    length = contexts.shape[1]
    if vocab_size**length >= 2**63:
        raise ValueError(
            f"context: {length} is too long for a vocabulary of {vocab_size} tokens; try a shorter context"
        )
    key = np.zeros(len(contexts), dtype=np.int64)
    for column in contexts.T:
        key = key * vocab_size + column
    return key


def distinct(contexts: Contexts, vocab_size: int) -> tuple[Contexts, NDArray[np.int64]]:
    """The distinct contexts, (U, T), and the index of each context among them, (N,)."""
    ranks = np.zeros(len(contexts), dtype=np.int64)
    first = np.zeros(min(1, len(contexts)), dtype=np.int64)
    for column in contexts.T:  # column by column, rank * V fits into 63 bits for any context length
        _, first, ranks = np.unique(ranks * vocab_size + column, return_index=True, return_inverse=True)
    return contexts[first], ranks


class Counted(NamedTuple):
    """The distinct (context, next token) pairs, sorted by context, and their counts."""

    contexts: Contexts  # (U, T)
    starts: NDArray[np.int64]  # (U + 1,) the index of the first pair of each context, then K
    tokens: NDArray[np.int64]  # (K,)
    counts: NDArray[np.int64]  # (K,)


def counted(tokens: Tokens, context: int, vocab_size: int) -> Counted:
    """Count the (context, next token) pairs of a list of names.

    If a pair fits into an integer, this needs little more memory than the distinct pairs.
    """
    if vocab_size ** (context + 1) < 2**63:
        return _counted_keys(tokens, context, vocab_size)
    rows, ranks = distinct(sliding(tokens, context), vocab_size)
    pairs, counts = np.unique(ranks * vocab_size + tokens, return_counts=True)  # (K,)
    starts = np.searchsorted(pairs, np.arange(len(rows) + 1) * vocab_size)
    return Counted(rows, starts, pairs % vocab_size, counts)


def _counted_keys(tokens: Tokens, context: int, vocab_size: int) -> Counted:
    chunks = (tokens[part] for part in whole_names(tokens, CHUNK))
    found = (keys(sliding(chunk, context), vocab_size) * vocab_size + chunk for chunk in chunks)
    pairs, counts = merge_all(map(count_keys, found))  # (K,)
    starts = np.flatnonzero(np.diff(pairs // vocab_size, prepend=-1))  # (U,)
    rest = pairs[starts] // vocab_size
    rows = np.empty((len(starts), context), dtype=np.int32)
    for place in reversed(range(context)):
        rest, rows[:, place] = np.divmod(rest, vocab_size)
    return Counted(rows, np.append(starts, len(pairs)), pairs % vocab_size, counts)
