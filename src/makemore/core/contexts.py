"""From tokens to what the models see: for each token the characters before it, its context.

Shapes: M tokens, N contexts, T context length, V vocabulary, U distinct contexts, K distinct pairs of one and a token.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from makemore.core.vocab import Tokens

Contexts = NDArray[np.int32]  # (N, T): the T tokens before the one to predict, 0 where the name has not begun yet


def sliding(tokens: Tokens, context: int) -> Contexts:
    """For each token the `context` tokens of its name before it, (M, T), padded on the left with 0.

    The lectures' `block_size` is `context`. Row i is what predicts `tokens[i]`.
    """
    contexts = np.zeros((len(tokens), context), dtype=np.int32)
    begun = np.ones(len(tokens), dtype=bool)  # (M,): no boundary yet on the way back
    for back in range(1, context + 1):
        column = np.zeros(len(tokens), dtype=np.int32)
        column[back:] = tokens[:-back]
        begun &= column != 0
        contexts[:, -back] = np.where(begun, column, 0)
    return contexts


def name_bounds(tokens: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each name starts, (names,), and how many tokens it is with its end, (names,)."""
    ends = np.flatnonzero(tokens == 0) + 1
    starts = np.concatenate(([0], ends[:-1]))
    return starts, ends - starts


def keys(contexts: Contexts, vocab_size: int) -> NDArray[np.int64]:
    """Each context as one number, (N,): its tokens are the digits in base V, so the order is that of the rows.

    Raises:
        ValueError: V to the power T does not fit into 63 bits.
    """
    length = contexts.shape[1]
    if vocab_size**length >= 2**63:
        raise ValueError(f"expected a context that fits into 63 bits, got {length} tokens of {vocab_size}")
    key = np.zeros(len(contexts), dtype=np.int64)
    for column in contexts.T:
        key = key * vocab_size + column
    return key


def distinct(contexts: Contexts, vocab_size: int) -> tuple[Contexts, NDArray[np.int64]]:
    """The distinct rows, (U, T), and for each row its place among them, (N,)."""
    ranks = np.zeros(len(contexts), dtype=np.int64)
    first = np.zeros(min(1, len(contexts)), dtype=np.int64)
    for column in contexts.T:  # one column at a time: a rank times V never outgrows 63 bits, whatever the length
        _, first, ranks = np.unique(ranks * vocab_size + column, return_index=True, return_inverse=True)
    return contexts[first], ranks


class Counted(NamedTuple):
    """How often each token follows each context, of those that do: the pairs of one context side by side."""

    contexts: Contexts  # (U, T) the distinct ones
    starts: NDArray[np.int64]  # (U + 1,) where the pairs of each begin, and the end
    tokens: NDArray[np.int64]  # (K,)
    counts: NDArray[np.int64]  # (K,)


def counted(tokens: Tokens, context: int, vocab_size: int) -> Counted:
    rows, ranks = distinct(sliding(tokens, context), vocab_size)
    pairs, counts = np.unique(ranks * vocab_size + tokens, return_counts=True)  # (K,)
    starts = np.searchsorted(pairs, np.arange(len(rows) + 1) * vocab_size)
    return Counted(rows, starts, pairs % vocab_size, counts)
