"""Count models of any order, after the first lecture: how often each character followed each context.

Shapes: N contexts, T = order - 1 context length, V vocabulary, K distinct n-grams.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from makemore.contexts import Contexts, keys, sliding
from makemore.model import Arrays
from makemore.params import Section
from makemore.smoothing import additive
from makemore.vocab import Tokens


class NgramParams(Section):
    """One count model."""

    order: Annotated[
        int, Field(ge=1, le=63, description="n of the n-gram: 2 is a bigram, which sees one character back")
    ]
    strength: Annotated[float, Field(ge=0, description="added to each count; 0 is maximum likelihood")]


class Ngram:
    """P(next | context) from counts, smoothed.

    Args:
        ngrams: (K,) sorted keys, see `contexts.keys`, of the n-grams that occur.
        counts: (K,) how often each occurs.
    """

    def __init__(self, params: NgramParams, ngrams: NDArray[np.int64], counts: NDArray[np.int64], vocab_size: int):
        self.params, self.ngrams, self.counts, self.vocab_size = params, ngrams, counts, vocab_size

    @property
    def context(self) -> int:
        return self.params.order - 1

    @property
    def parameter_count(self) -> int:
        return len(self.counts)

    def log_probs(self, contexts: Contexts) -> NDArray[np.float64]:
        wanted = keys(contexts, self.vocab_size)[:, None] * self.vocab_size + np.arange(self.vocab_size)  # (N, V)
        place = np.searchsorted(self.ngrams, wanted).clip(max=len(self.ngrams) - 1)  # (N, V)
        counts = np.where(self.ngrams[place] == wanted, self.counts[place], 0)  # (N, V)
        with np.errstate(divide="ignore"):  # log 0 is -inf: what never occurs, unsmoothed
            return np.log(additive(counts, self.params.strength))  # (N, V)

    def config(self) -> Mapping[str, object]:
        return self.params.model_dump()

    def arrays(self) -> Arrays:
        return {"ngrams": self.ngrams, "counts": self.counts}


def fit(params: NgramParams, tokens: Tokens, vocab_size: int) -> Ngram:
    """Count. Raises ValueError where the order is so high that an n-gram's key does not fit into 63 bits."""
    grams = np.column_stack((sliding(tokens, params.order - 1), tokens))  # (M, order)
    ngrams, counts = np.unique(keys(grams, vocab_size), return_counts=True)  # (K,), (K,)
    return Ngram(params, ngrams, counts, vocab_size)


def load(config: dict[str, Any], arrays: Arrays, vocab_size: int) -> Ngram:
    return Ngram(NgramParams(**config), arrays["ngrams"], arrays["counts"], vocab_size)
