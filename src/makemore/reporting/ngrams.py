"""The n-grams of a model as the page holds them: sorted as a tree of contexts, each as what it adds to the one before.

Shapes: K stored n-grams, D digits of an n-gram, V vocabulary.
"""

import reprlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from makemore.core.model import Arrays

Ints = NDArray[np.int64]

LARGE = 255  # counts from here on are stored apart, so that the others take a byte each


def packed(arrays: Arrays, config: Mapping[str, Any], vocab_size: int) -> Arrays:
    """Pack the `ngrams` and `counts` of a model. Raises ValueError if the file does not fit together.

    Returns:
        `shared`, (K,): how many leading digits an n-gram shares with the one before. `digits`: the other digits of
        every n-gram, one after the other. `counts`, (K,): at most 255, which stands for the next of `large`.
    """
    order, position = config.get("order"), config.get("position")
    if type(order) is not int or type(position) is not int or not (0 < order < 64 and 0 <= position < 1 << 31):
        raise ValueError(f"order {reprlib.repr(order)} and position {reprlib.repr(position)}")
    ngrams, counts = (arrays.get(name, np.zeros(0)) for name in ("ngrams", "counts"))
    if not ngrams.dtype == counts.dtype == np.int64 or ngrams.ndim != 1 or ngrams.shape != counts.shape:
        raise ValueError("n-grams without as many counts, both int64")
    if not len(counts) or counts.min() < 1:
        raise ValueError("no counts, or counts below 1")
    rows = digits(ngrams, order, position, vocab_size)  # (K, D)
    ascending = np.lexsort(rows.T[::-1])
    rows, counts = rows[ascending], counts[ascending]
    shared = np.zeros(len(rows), dtype=np.int64)
    shared[1:] = np.logical_and.accumulate(rows[1:] == rows[:-1], axis=1).sum(axis=1)
    added = rows[np.arange(rows.shape[1]) >= shared[:, None]]
    return {
        "shared": shared,
        "digits": added,
        "counts": np.minimum(counts, LARGE),
        "large": counts[counts >= LARGE],
    }


def digits(ngrams: Ints, order: int, position: int, vocab_size: int) -> Ints:
    """Split n-gram keys, (K,), into digits (see `ngram.span`): position, context from the nearest character on, token.

    Returns:
        (K, 1 + order). JavaScript's numbers have 53 bits, which the keys may exceed.
    """
    columns, quotient = [], ngrams
    for base in (vocab_size, position + 1, *[vocab_size] * (order - 1)):
        quotient, digit = np.divmod(quotient, base)
        columns.append(digit)
    if quotient.any():
        raise ValueError(f"n-grams that are not of order {order} over {vocab_size} tokens")
    return np.stack([*columns[1:], columns[0]], axis=1)
