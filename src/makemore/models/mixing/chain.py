"""Counts of the tokens after each context of one kind, for all its orders, smoothed by power law discounting.

A chain is a tree: each order adds a column to the contexts of the order before, so a context is found from its parent.
With count c of a token and strength s of the order, the discount is s * c^s, and c^s is passed on to the order below
(Huang & Renals 2010, see ngram/smoothing.py). The strengths are not tuned: they are `FACTOR` times the estimate of the
absolute discount from the numbers of n-grams that occur once and twice (Ney, Essen & Kneser 1994).

To learn from the train tokens themselves, each is predicted as if it had not been counted (leave-one-out). Leaving one
occurrence out changes one count in each order, so this is exact and costs no more than looking the counts up.

Shapes: N contexts, M tokens, V vocabulary, C contexts of one order, K n-grams of one order, S n-grams of N contexts.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from makemore.core.counts import find
from makemore.models.mixing.history import NONE, Ints

Floats = NDArray[np.float64]

FACTOR = 1.2  # of the estimated discount: the strength that is best on dev is about this much larger
STRENGTHS = 0.02, 0.95  # limits
TINY = 1e-9  # counts below this are rounding errors
FEATURES = 8  # what `rows` tells of a context


class Level(NamedTuple):
    """The counts of one order."""

    size: int  # values that the column of this order can have, with NONE
    contexts: Ints  # (C,) sorted: the index of the parent, times size, plus the column
    ngrams: Ints  # (K,) sorted: the index of the context, times V, plus the token
    starts: Ints  # (C + 1,) the index of the first n-gram of each context, then K
    counts: Floats  # (K,)
    strength: float
    mass: Floats  # (K,) the discounted counts, as shares of the total
    totals: Floats  # (C,)
    backoff: Floats  # (C,) the weight of the order below


def estimate(counts: Floats) -> float:
    """The strength of an order, from its counts, (K,)."""
    once = int(np.count_nonzero(counts < 1.5))
    twice = int(np.count_nonzero((counts >= 1.5) & (counts < 2.5)))
    lowest, highest = STRENGTHS
    return min(max(round(FACTOR * once / max(once + 2 * twice, 1), 6), lowest), highest)


def sums(index: Ints, values: Floats, size: int) -> Floats:
    """The sum of the values that have each index, (size,)."""
    return np.asarray(np.bincount(index, values, minlength=size), dtype=np.float64)


def power(counts: Floats, exponent: float) -> Floats:
    """counts to the power of the exponent, but 0 for 0."""
    return np.where(counts > TINY, np.maximum(counts, TINY) ** exponent, 0.0)


def count(columns: Iterable[Ints], tokens: Ints, vocab_size: int, strengths: list[float] | None = None) -> list[Level]:
    """Count the tokens, (M,), after their contexts, and smooth the counts.

    Args:
        columns: each (M,), see `history.columns`.
        strengths: one per order, instead of the estimated ones.
    """
    sizes, contexts = [1], [np.zeros(1, dtype=np.int64)]
    owned = []  # of each order, the n-grams of the tokens whose contexts end there
    ids, rest, alive = np.zeros(len(tokens), dtype=np.int64), tokens.astype(np.int64), np.arange(len(tokens))
    for column in columns:
        extended = column[alive] != NONE
        owned.append(ids[~extended] * vocab_size + rest[~extended])
        ids, rest, alive = ids[extended], rest[extended], alive[extended]
        if not len(ids):  # no name is as long
            break
        sizes.append(int(column.max(initial=0)) + 1)
        keys, ids = np.unique(ids * sizes[-1] + column[alive], return_inverse=True)
        contexts.append(keys)
    else:
        owned.append(ids * vocab_size + rest)

    levels = []
    inherited, passed = np.zeros(0, dtype=np.int64), np.zeros(0)
    for order in reversed(range(len(contexts))):
        keys = np.concatenate((owned[order], inherited))
        ngrams, index = np.unique(keys, return_inverse=True)
        counts = sums(index, np.concatenate((np.ones(len(owned[order])), passed)), len(ngrams))
        strength = strengths[order] if strengths else estimate(counts)
        levels.append(smooth(sizes[order], contexts[order], ngrams, counts, strength, vocab_size))
        parents = contexts[order] // sizes[order]  # (C,)
        inherited = parents[ngrams // vocab_size] * vocab_size + ngrams % vocab_size
        passed = power(counts, strength)
    return levels[::-1]


def smooth(size: int, contexts: Ints, ngrams: Ints, counts: Floats, strength: float, vocab_size: int) -> Level:
    starts = np.searchsorted(ngrams, np.arange(len(contexts) + 1) * vocab_size)
    owner = ngrams // vocab_size  # (K,)
    discounts = strength * power(counts, strength)
    totals = sums(owner, counts, len(contexts))
    backoff = sums(owner, discounts, len(contexts)) / totals
    mass = (counts - discounts) / totals[owner]
    return Level(size, contexts, ngrams, starts, counts, strength, mass, totals, backoff)


def locate(levels: list[Level], columns: Iterable[Ints], size: int) -> list[Ints]:
    """The index of each context in each order, (N,) each; -1 if it was not seen."""
    found = [np.zeros(size, dtype=np.int64)]
    for level, column in zip(levels[1:], columns, strict=False):
        known = (found[-1] >= 0) & (column != NONE) & (column < level.size)
        found.append(find(level.contexts, np.where(known, found[-1] * level.size + column, -1)))
    return found


def without(levels: list[Level], found: list[Ints], tokens: Ints, vocab_size: int) -> list[tuple[Ints, Floats]]:
    """Of each order the n-gram that ends with each token, (N,), and how much of its count one occurrence makes up."""
    result = []
    share = np.zeros(len(tokens))
    above = np.full(len(tokens), -1)  # the context in the order above
    for level, context in zip(reversed(levels), reversed(found), strict=True):
        share[(above < 0) & (context >= 0)] = 1
        ngram = find(level.ngrams, np.where(context >= 0, context * vocab_size + tokens, -1))
        result.append((ngram, share.copy()))
        counts = level.counts[ngram]
        lost = power(counts, level.strength) - power(counts - share, level.strength)
        share, above = np.where(context >= 0, lost, 0), context
    return result[::-1]


def rows(
    levels: list[Level], columns: Iterable[Ints], size: int, vocab_size: int, left_out: Ints | None = None
) -> tuple[Floats, Floats]:
    """The probabilities of the next token, (N, V), and what is known of the context, (N, FEATURES).

    The features are the order of the longest context that was seen, whether only one token followed it, and, of it and
    of the next two shorter ones, ln(1 + n) of the total count and of the number of distinct tokens.

    Args:
        columns: each (N,), see `history.columns`.
        size: N.
        left_out: (N,) train tokens, each of which is predicted as if this occurrence had not been counted.
    """
    found = locate(levels, columns, size)
    lost = without(levels, found, left_out, vocab_size) if left_out is not None else []
    table = np.full((size, vocab_size), 1 / vocab_size)
    known = np.zeros((len(table), FEATURES))
    for order, (level, context) in enumerate(zip(levels, found, strict=True)):
        row = np.flatnonzero(context >= 0)
        if left_out is None:
            totals, distinct = level.totals[context[row]], np.diff(level.starts)[context[row]]
            add(table, level, row, context[row], level.backoff[context[row]], np.ones(len(row)))
        else:
            ngram, share = lost[order]
            row = row[level.totals[context[row]] - share[row] > TINY]
            totals, distinct = _add_without(table, level, row, context[row], ngram[row], share[row], left_out[row])
        known[row, 4:] = known[row, 2:-2]
        known[row, 0], known[row, 1] = order, distinct == 1
        known[row, 2], known[row, 3] = np.log1p(totals), np.log1p(distinct)
    return table, known


def add(table: Floats, level: Level, row: Ints, context: Ints, backoff: Floats, scale: Floats) -> None:
    """Multiply rows of the table by the backoff weights, and add the scaled masses of the n-grams of their contexts."""
    table[row] *= backoff[:, None]
    start = level.starts[context]
    sizes = level.starts[context + 1] - start
    ngrams = np.arange(sizes.sum()) + np.repeat(start - np.cumsum(sizes) + sizes, sizes)  # (S,)
    vocab_size = table.shape[1]
    flat = table.reshape(-1)  # a view
    flat[np.repeat(row * vocab_size, sizes) + level.ngrams[ngrams] % vocab_size] += level.mass[ngrams] * np.repeat(
        scale, sizes
    )


def _add_without(
    table: Floats, level: Level, row: Ints, context: Ints, ngram: Ints, share: Floats, tokens: Ints
) -> tuple[Floats, Ints]:
    """The same, with the count of one n-gram of each row lower by its share; returns totals and distinct tokens."""
    own, before = level.counts[ngram], level.totals[context]
    left, totals = own - share, before - share
    left[left < TINY] = 0
    discount, less = level.strength * power(left, level.strength), level.strength * power(own, level.strength)
    backoff = (level.backoff[context] * before - less + discount) / totals
    target = table[row, tokens] * backoff + (left - discount) / totals
    add(table, level, row, context, backoff, before / totals)
    table[row, tokens] = target
    return totals, np.diff(level.starts)[context] - (left == 0)
