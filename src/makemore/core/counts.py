"""Counts of integer keys: counted in blocks and merged, so that a long list is never in memory at once.

Counts are sums of integers, so the result depends neither on the blocks nor on the order of the merges.

Shapes: M keys, K distinct keys, N values to look up.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


class Counts(NamedTuple):
    """Distinct keys, sorted, and how often each occurs."""

    keys: Ints  # (K,)
    counts: Ints  # (K,)


def find(array: Ints, values: Ints) -> Ints:
    """The index of each value in a sorted array, (N,); -1 if it is missing."""
    if not len(array):
        return np.full(len(values), -1)
    index = np.searchsorted(array, values).clip(max=len(array) - 1)
    return np.where(array[index] == values, index, -1)


def count_keys(keys: Ints) -> Counts:
    """Count keys, (M,), which are sorted in place."""
    keys.sort()
    first = np.flatnonzero(np.concatenate((keys[:1] == keys[:1], keys[1:] != keys[:-1])))  # (K,)
    return Counts(keys[first], np.diff(first, append=len(keys)))


def merge(one: Counts, other: Counts) -> Counts:
    """The counts of two lists together."""
    keys = np.concatenate((one.keys, other.keys))
    order = np.argsort(keys, kind="stable")  # merges two sorted parts in linear time
    keys, counts = keys[order], np.concatenate((one.counts, other.counts))[order]
    first = np.flatnonzero(np.concatenate((keys[:1] == keys[:1], keys[1:] != keys[:-1])))
    return Counts(keys[first], np.add.reduceat(counts, first) if len(first) else counts)


def merge_all(parts: Iterable[Counts]) -> Counts:
    """The counts of many lists together, merged as a tree: each key is copied a logarithmic number of times."""
    merged: list[Counts] = []
    for part in parts:
        merged.append(part)
        while len(merged) > 1 and len(merged[-2].keys) < 2 * len(merged[-1].keys):
            merged.append(merge(merged.pop(), merged.pop()))
    while len(merged) > 1:
        merged.append(merge(merged.pop(), merged.pop()))
    return merged[0] if merged else Counts(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
