"""Which characters the bigram table and the embedding show, and how often one follows another.

Shapes: M tokens, V vocabulary, S characters that are shown.
"""

import numpy as np
from numpy.typing import NDArray

from makemore.core.vocab import Tokens

SHOWN = 40  # at the most, so that a table of them stays readable


def frequent(tokens: Tokens, vocab_size: int) -> NDArray[np.int64]:
    """The ids of the most frequent tokens, the boundary among them, in their order, (S,)."""
    return np.sort(np.argsort(-np.bincount(tokens, minlength=vocab_size), kind="stable")[:SHOWN])


def counts(tokens: Tokens, shown: NDArray[np.int64], vocab_size: int) -> NDArray[np.int64]:
    """How often each of these, (S,), is followed by each token, (S, V)."""
    place = np.full(vocab_size, -1)
    place[shown] = np.arange(len(shown))
    rows = place[np.roll(tokens, 1)]  # (M,): before the first token is a boundary, which the last one is
    pairs = (rows * vocab_size + tokens)[rows >= 0]
    return np.bincount(pairs, minlength=len(shown) * vocab_size).reshape(len(shown), vocab_size)
