"""Classes of characters, learned from which characters follow which.

The exchange algorithm of Kneser & Ney 1993, "Improved Clustering Techniques for Class-Based Statistical Language
Modelling", on characters instead of words. On lists of names or words in Latin script, two classes are close to vowels
and consonants.

Shapes: M tokens, V vocabulary.
"""

import numpy as np
from numpy.typing import NDArray

from makemore.core.vocab import Tokens

MAX_EXCHANGED = 200  # the most frequent characters are classified, the others go to the first class
MAX_SWEEPS = 20


def learn(tokens: Tokens, vocab_size: int, count: int) -> NDArray[np.int64]:
    """The class of each token, (V,): 0 for the boundary token, 1 to `count` for characters.

    Characters move between classes while that raises the mutual information of the classes of adjacent tokens.
    """
    before = np.concatenate((tokens[-1:], tokens[:-1]))
    frequent = np.argsort(-np.bincount(tokens, minlength=vocab_size)[1:], kind="stable")[:MAX_EXCHANGED] + 1
    kept = np.zeros(vocab_size, dtype=np.int64)  # the rank of each frequent character, 0 for the boundary token
    kept[frequent] = np.arange(len(frequent)) + 1
    pairs = kept[before] * (len(frequent) + 1) + kept[tokens]
    used = (kept[before] > 0) | (before == 0)
    used &= (kept[tokens] > 0) | (tokens == 0)
    size = len(frequent) + 1
    counts = np.bincount(pairs[used], minlength=size * size).reshape(size, size)
    classes = np.concatenate(([0], 1 + np.arange(len(frequent)) % count))
    best = _information(counts, classes, count)
    for _ in range(MAX_SWEEPS):
        start = best
        for character in range(1, size):
            own = classes[character]
            for other in range(1, count + 1):
                trial = classes.copy()
                trial[character] = other
                information = _information(counts, trial, count)
                if information > best + 1e-6:  # not by rounding
                    best, own = information, other
            classes[character] = own
        if best == start:
            break
    result = np.ones(vocab_size, dtype=np.int64)
    result[0] = 0
    result[frequent] = classes[1:]
    return result


def _information(counts: NDArray[np.int64], classes: NDArray[np.int64], count: int) -> float:
    """The mutual information of the classes of adjacent tokens, times the number of pairs, up to a constant."""
    members = np.arange(count + 1)[:, None] == classes  # (count + 1, V)
    joint = np.array([[counts[row][:, column].sum() for column in members] for row in members], dtype=np.float64)
    return _entropy(joint) - _entropy(joint.sum(axis=0)) - _entropy(joint.sum(axis=1))


def _entropy(counts: NDArray[np.float64]) -> float:
    positive = counts[counts > 0]
    return float((positive * np.log(positive)).sum())
