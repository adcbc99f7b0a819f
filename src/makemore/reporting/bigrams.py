"""The characters shown in the bigram table and the embedding chart, and their bigram counts.

Shapes: M tokens, V vocabulary, S shown characters.
"""

import numpy as np
from numpy.typing import NDArray

from makemore.core.vocab import Tokens

SHOWN = 40  # maximum number of characters, so that the table stays readable


def frequent(tokens: Tokens, vocab_size: int) -> NDArray[np.int64]:
    """The ids of the most frequent tokens, including the boundary, in ascending order, (S,)."""
    return np.sort(np.argsort(-np.bincount(tokens, minlength=vocab_size), kind="stable")[:SHOWN])


def counts(tokens: Tokens, shown: NDArray[np.int64], vocab_size: int) -> NDArray[np.int64]:
    """How often each shown character, (S,), is followed by each token, (S, V)."""
    index = np.full(vocab_size, -1)
    index[shown] = np.arange(len(shown))
    rows = index[np.roll(tokens, 1)]  # (M,): the last token is the boundary, so it also precedes the first name
    pairs = (rows * vocab_size + tokens)[rows >= 0]
    return np.bincount(pairs, minlength=len(shown) * vocab_size).reshape(len(shown), vocab_size)
