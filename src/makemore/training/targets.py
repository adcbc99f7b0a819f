"""Smoothed targets: a network learns what is likely to follow a context, not only what followed it in the list.

Most contexts occur once, and a network that learns them by heart predicts nothing else there. `smoothing` adds that
many counts to those of each context, divided as an n-gram model of the *other* contexts predicts. The targets are the
resulting distributions, so they also have less noise than single tokens. Such smoothing is a prior, as in "Data Noising
as Smoothing in Neural Network Language Models" (Xie et al. 2017).

Shapes: M tokens, L names, U distinct contexts, K distinct (context, next token) pairs, N contexts of a batch, V
vocabulary.
"""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from makemore.core.contexts import name_bounds
from makemore.core.counts import Ints
from makemore.core.vocab import Tokens
from makemore.nn.neural import NextTokenWeights

RECENT = 5  # the n-gram model sees at most this many tokens
POSITIONS = 6  # and the position in the name up to this
DISCOUNT = 0.7  # times the fourth root of a count: power law discounting (Huang & Renals 2010)
FLOOR = 1e-3  # of what is left for the shorter context, where no other context has the same tokens


class Targets:
    """The next-token probabilities of contexts.

    Args:
        counts: the counts of the next tokens of each context.
        recent: (U, at most `RECENT`) the last tokens of each context, padded on the left with 0.
        positions: (U,) the number of tokens in the name before the next one.
        smoothing: the number of counts to add, > 0.
    """

    def __init__(
        self, counts: NextTokenWeights, recent: NDArray[np.integer], positions: NDArray[np.integer], smoothing: float
    ):
        self.counts, self.vocab_size, self.smoothing = counts, counts.vocab_size, smoothing
        self.levels: list[tuple[Tensor, NextTokenWeights]] = []  # the n-gram of each context, and the counts of n-grams
        ngrams = np.minimum(positions, POSITIONS).astype(np.int64)  # (U,)
        for tokens in (0, *recent.T[::-1]):
            ngrams = np.unique(ngrams * counts.vocab_size + tokens, return_inverse=True)[1]
            self.levels.append((torch.from_numpy(ngrams.astype(np.int32)), summed(counts, ngrams)))

    def __len__(self) -> int:
        return len(self.counts.starts) - 1

    def of(self, contexts: Tensor) -> Tensor:
        """The probabilities of the tokens that follow the contexts with these indices: (N,) -> (N, V)."""
        own = self.counts.of(contexts)  # (N, V)
        likely = torch.full_like(own, 1 / own.shape[1])
        for ngrams, counts in self.levels:
            others = counts.of(ngrams[contexts]) - own
            discounts = torch.minimum(others, DISCOUNT * others.sqrt().sqrt())
            left = discounts.sum(dim=1, keepdim=True) + FLOOR
            likely = (others - discounts + left * likely) / (others.sum(dim=1, keepdim=True) + FLOOR)
        return (own + self.smoothing * likely) / (own.sum(dim=1, keepdim=True) + self.smoothing)


def summed(counts: NextTokenWeights, groups: NDArray[np.int64]) -> NextTokenWeights:
    """The counts of groups of contexts, given the group of each, (U,)."""
    V = counts.vocab_size
    keys, place = np.unique(groups[counts.rows().numpy()] * V + counts.tokens.numpy(), return_inverse=True)
    weights = np.bincount(place, weights=counts.weights.numpy())
    starts = np.searchsorted(keys, np.arange(groups.max() + 2) * V)
    return _next_tokens(starts, keys % V, weights, V)


def _next_tokens(
    starts: NDArray[np.int64], tokens: NDArray[np.int64], counts: NDArray[Any], vocab_size: int
) -> NextTokenWeights:
    weights = torch.from_numpy(counts.astype(np.float32))
    return NextTokenWeights(torch.from_numpy(starts), torch.from_numpy(tokens), weights, vocab_size)


def context_targets(contexts: Tensor, following: NextTokenWeights, count: int, smoothing: float) -> Targets:
    """The targets of distinct contexts, (U, T), whose weights are scaled counts of `count` tokens."""
    cpu = following.to(torch.device("cpu"))
    counts = cpu._replace(weights=(cpu.weights * (count / len(contexts))).round())
    positions = (contexts != 0).sum(dim=1)  # (U,), up to T
    return Targets(counts, contexts[:, -RECENT:].numpy(), positions.numpy(), smoothing)


class NameTargets(NamedTuple):
    """The targets of all beginnings of names, the contexts of networks that read whole names."""

    prefixes: NDArray[np.int32]  # (M,) the index of the beginning before each token
    targets: Targets


def name_targets(tokens: Tokens, vocab_size: int, smoothing: float) -> NameTargets:
    starts, sizes = name_bounds(tokens)
    prefixes = prefixes_of(tokens, starts, sizes)
    pairs, counts = np.unique(prefixes.astype(np.int64) * vocab_size + tokens, return_counts=True)  # (K,)
    U = int(pairs[-1]) // vocab_size + 1
    bounds = np.searchsorted(pairs, np.arange(U + 1) * vocab_size)
    position = np.arange(len(tokens)) - np.repeat(starts, sizes)  # (M,)
    positions, recent = np.empty(U, dtype=np.int32), np.empty((U, RECENT), dtype=np.int32)
    positions[prefixes] = position
    for back in range(1, RECENT + 1):
        recent[prefixes, -back] = np.where(position >= back, np.roll(tokens, back), 0)
    following = _next_tokens(bounds, pairs % vocab_size, counts, vocab_size)
    return NameTargets(prefixes, Targets(following, recent, positions, smoothing))


def prefixes_of(tokens: Tokens, starts: Ints, sizes: Ints) -> NDArray[np.int32]:
    """The index of the beginning before each token of its name, (M,). Beginnings are numbered by length.

    In alphabetical order, a name begins like the one before it up to the first character that differs.
    """
    order = alphabetical(tokens, starts, sizes)
    starts, sizes = starts[order], sizes[order]
    prefixes = np.empty(len(tokens), dtype=np.int32)
    differs, count = np.arange(len(starts)) == 0, 0  # (L,): from the name before it
    for length in range(int(sizes.max())):
        if length:
            column = np.where(sizes >= length, tokens[np.minimum(starts + length - 1, len(tokens) - 1)], -1)
            differs[1:] |= column[1:] != column[:-1]
        (longer,) = np.nonzero(sizes > length)
        new = differs[longer].cumsum()
        prefixes[starts[longer] + length] = count - 1 + new
        count += int(new[-1])
    return prefixes


def alphabetical(tokens: Tokens, starts: Ints, sizes: Ints) -> Ints:
    """The indices of the names in alphabetical order, (L,). As many characters as fit are compared at once."""
    vocab_size = int(tokens.max(initial=0)) + 1
    fitting = max(1, int(62 / math.log2(max(2, vocab_size))))  # characters in an integer of 63 bits
    parts = []
    for first in range(0, int(sizes.max()), fitting):
        part = np.zeros(len(starts), dtype=np.int64)
        for place in range(first, min(first + fitting, int(sizes.max()))):
            part *= vocab_size
            (longer,) = np.nonzero(sizes > place)
            part[longer] += tokens[starts[longer] + place]
        parts.append(part)
    return np.lexsort(parts[::-1])
