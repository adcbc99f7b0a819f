"""Count models of any order, after the first lecture: how often each character followed each context.

Only the n-grams of the highest order are counted and stored; those of the lower orders are their endings. An n-gram is
one number whose digits are its characters, the last one lowest: sorted, those of one context lie side by side, and
binary search finds them.

What precedes a name is one start symbol, as in KenLM: its second character has the context `.e` in every order, never
`..e`, as it would with the lecture's n - 1 paddings. For one order alone the two are the same. Where orders are mixed,
paddings are further contexts that say nothing new but take part in the mixing, so an order above the longest name would
still change the model. Nats on the dev names of the default split, one start symbol against paddings: modified
Kneser-Ney 1.9656 : 1.9648 at order 6 and 1.9699 : 1.9745 at order 8; the tuned power law of order 6 with positions, the
best here, 1.9360 : 1.9371. (Without positions paddings do better, 1.9630 : 1.9578, but positions better still.)

Shapes: N contexts or n-grams, T context length, V vocabulary, M tokens; K distinct n-grams of one order, C contexts.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from makemore.core.contexts import Contexts, keys, sliding
from makemore.core.model import Arrays
from makemore.core.params import Section
from makemore.core.vocab import Tokens
from makemore.models.ngram.smoothing import MAX_STRENGTH, SINGLE, Floats, Smoothing, smooth

Ints = NDArray[np.int64]

CHUNK = 1 << 20  # tokens at a time, which bounds the memory


class NgramShape(Section):
    """What an n-gram model counts, and how it smooths the counts."""

    order: Annotated[int, Field(ge=1, le=63, description="n: 2 is a bigram, which sees one character back")]
    smoothing: Annotated[Smoothing, Field(description="smoothing method, see src/makemore/models/ngram/smoothing.py")]
    position: Annotated[
        int, Field(ge=0, le=1000, description="contexts also hold the position in the name, up to this; 0: they do not")
    ]

    @property
    def context(self) -> int:
        """How many characters back the model looks, T."""
        return max(self.order - 1, self.position)

    def with_strength(self, strength: object) -> "NgramParams":
        """The same model with this strength. Raises ValueError if its smoothing cannot have it."""
        shape = {key: getattr(self, key) for key in NgramShape.model_fields}
        return NgramParams.model_validate(shape | {"strength": strength})


class NgramParams(NgramShape):
    """An n-gram model with fixed smoothing."""

    strength: Annotated[
        float | list[float] | None,
        Field(description="of the smoothing: one number, or a list with one per order from 1 up; null if it has none"),
    ]

    @model_validator(mode="after")
    def _strength_fits(self) -> Self:
        if self.smoothing not in MAX_STRENGTH:
            expected, fits = "null", self.strength is None
        else:
            largest, many = MAX_STRENGTH[self.smoothing], self.smoothing not in SINGLE
            bounds = ">= 0" if largest == np.inf else f"from 0 to {largest}"
            expected = f"a number {bounds}" + f", or a list of {self.order}" * many
            values = self.strength if many and isinstance(self.strength, list) else [self.strength] * self.order
            in_range = [isinstance(value, float | int) and 0 <= value <= largest for value in values]
            fits = all(in_range) and len(in_range) == self.order
        if not fits:
            raise ValueError(f"strength: expected {expected} for smoothing {self.smoothing}, got {self.strength}")
        return self

    def strengths(self) -> list[float]:
        """The strength of each order, from 1 up."""
        return self.strength if isinstance(self.strength, list) else [self.strength or 0.0] * self.order


def span(params: NgramShape, order: int, vocab_size: int) -> int:
    """How many n-grams of an order there can be.

    The digits of an n-gram, lowest first: the token; how many characters came before it, up to `position` (so always 0
    where that is 0); then these characters, the nearest first. The span of an order is the value of the digit after.
    """
    return int((params.position + 1) * vocab_size**order)


def context_keys(params: NgramShape, contexts: Contexts, vocab_size: int) -> Ints:
    """The numbers of contexts, (N, T) -> (N,): times V, plus the token, they are those of the n-grams."""
    nearest = contexts[:, contexts.shape[1] - params.order + 1 :]  # (N, order - 1)
    so_far = np.count_nonzero(contexts, axis=1).clip(max=params.position)  # (N,)
    return np.asarray(keys(nearest, vocab_size) * (params.position + 1) + so_far)


def ngram_keys(params: NgramShape, tokens: Tokens, vocab_size: int) -> Ints:
    """The number of the n-gram that ends at each token, (M,). Raises ValueError where it does not fit into 63 bits."""
    if span(params, params.order, vocab_size) >= 2**63:
        found = f"order {params.order} of {vocab_size} tokens; a lower order does"
        raise ValueError(f"expected n-grams that fit into 63 bits, got {found}")
    result = np.empty(len(tokens), dtype=np.int64)
    for start in range(0, len(tokens), CHUNK):
        stop, before = start + CHUNK, max(0, start - params.context)
        contexts = sliding(tokens[before:stop], params.context)[start - before :]  # (chunk, T)
        result[start:stop] = context_keys(params, contexts, vocab_size) * vocab_size + tokens[start:stop]
    return result


def count(params: NgramShape, tokens: Tokens, vocab_size: int) -> tuple[Ints, Ints]:
    """The distinct n-grams of the highest order, sorted, (K,), and how often each occurs, (K,)."""
    found = ngram_keys(params, tokens, vocab_size)  # (M,)
    found.sort()
    first = np.flatnonzero(np.concatenate(([True], found[1:] != found[:-1])))  # (K,)
    return found[first], np.diff(first, append=len(found))


class Table(NamedTuple):
    """The n-grams of one order, those of one context side by side.

    The first B begin with the start symbol (in the highest order B is K) and have counts of their own. The others end
    n-grams of the next order, which pass their counts on to them.
    """

    order: int
    ngrams: Ints  # (K,) sorted
    contexts: Ints  # (C,) sorted
    starts: Ints  # (C,) where the n-grams of each context begin
    own: Ints  # (B,) counts
    below: Ints  # (K,) where the end of each is in the table of the order below, counted from B there


def tables(params: NgramShape, ngrams: Ints, counts: Ints, vocab_size: int) -> list[Table]:
    """The orders that the smoothing mixes, lowest first, from what `count` found."""
    lowest = params.order if params.smoothing in SINGLE else 1
    orders = range(lowest, params.order + 1)
    # `..em` is no 4-gram but the trigram `.em`: where its two highest digits are 0, an n-gram is one of a lower order.
    least = [span(params, order - 2, vocab_size) if order > max(2, lowest) else 0 for order in orders]
    cuts = np.searchsorted(ngrams, least)  # where the n-grams of each order begin
    result = []
    ends = ngrams[:0]
    for order, start, stop in zip(reversed(orders), cuts[::-1], [len(ngrams), *cuts[:0:-1]], strict=True):
        found = np.concatenate((ngrams[start:stop], ends))  # (K,)
        shortened = found[: len(found) * (order > lowest)] % span(params, order - 1, vocab_size)
        ends, below = np.unique(shortened, return_inverse=True)
        contexts = found // vocab_size  # (K,)
        starts = np.flatnonzero(np.diff(contexts, prepend=-1))  # (C,)
        if len(found):  # no name may be as long as the highest orders
            result.append(Table(order, found, contexts[starts], starts, counts[start:stop], below))
    return result[::-1]


Weights = list[tuple[Floats, Floats]]


def weigh(params: NgramParams, counted: list[Table], vocab_size: int) -> Weights:
    """Smoothed: for each table the own share of each n-gram, (K + 1,), and the weight of the shorter context, (C + 1,).

    The last entries, 0 and 1, are for what a table does not hold.
    """
    strengths = params.strengths()
    result = []
    below, passed = np.zeros(0, dtype=np.int64), np.zeros(0)
    for table in reversed(counted):
        counts: Floats = np.concatenate((table.own, np.bincount(below, passed)), dtype=np.float64)  # (K,)
        own, rest, passed = smooth(params.smoothing, strengths[table.order - 1], counts, table.starts, vocab_size)
        result.append((np.append(own, 0), np.append(rest, 1)))
        below = table.below
    return result[::-1]


def find(ordered: Ints, wanted: Ints) -> Ints:
    """The place of each wanted number among sorted ones, (N,); -1 where it is not there."""
    place = np.searchsorted(ordered, wanted).clip(max=len(ordered) - 1)
    return np.where(ordered[place] == wanted, place, -1)


def locate(params: NgramShape, counted: list[Table], ngrams: Ints, vocab_size: int) -> list[tuple[Ints, Ints]]:
    """For each table the places in it of n-grams of the highest order, (N,), and of their contexts, (N,)."""
    ends = [ngrams % span(params, table.order, vocab_size) for table in counted]
    return [
        (find(table.ngrams, end), find(table.contexts, end // vocab_size))
        for table, end in zip(counted, ends, strict=True)
    ]


def mix(places: list[tuple[Ints, Ints]], weights: Weights, vocab_size: int) -> Floats:
    """The probability of the last token of each n-gram, (N,), given those before it."""
    probs = np.full(len(places[0][0]), 1 / vocab_size)
    for (ngram, context), (own, rest) in zip(places, weights, strict=True):
        probs = own[ngram] + rest[context] * probs
    return probs


class Ngram:
    """P(next | context) from counts, smoothed.

    Args:
        ngrams: (K,) the n-grams of the highest order that occur, as `count` gives them.
        counts: (K,) how often each occurs.
    """

    def __init__(self, params: NgramParams, ngrams: Ints, counts: Ints, vocab_size: int):
        self.params, self.ngrams, self.counts, self.vocab_size = params, ngrams, counts, vocab_size

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Arrays, vocab_size: int) -> Self:
        """The model that `config` and `arrays` describe. Raises ValueError if they do not fit together."""
        return cls(NgramParams(**config), arrays["ngrams"], arrays["counts"], vocab_size)

    @cached_property
    def tables(self) -> list[Table]:
        return tables(self.params, self.ngrams, self.counts, self.vocab_size)

    @cached_property
    def weights(self) -> Weights:
        return weigh(self.params, self.tables, self.vocab_size)

    @property
    def context(self) -> int:
        return self.params.context

    @property
    def parameter_count(self) -> int:
        return len(self.counts)

    def log_probs(self, contexts: Contexts) -> Floats:
        """See `model.Model`: shortest context first, each longer one scales the row and adds what it has seen."""
        full = context_keys(self.params, contexts, self.vocab_size)  # (N,)
        probs = np.full(len(full) * self.vocab_size, 1 / self.vocab_size)  # (N * V,), row by row
        rows = probs.reshape(len(full), self.vocab_size)  # (N, V): the same memory
        for table, (own, rest) in zip(self.tables, self.weights, strict=True):
            end = full % (span(self.params, table.order, self.vocab_size) // self.vocab_size)
            place = find(table.contexts, end)  # (N,)
            rows *= rest[place][:, None]
            sizes = np.diff(table.starts, append=len(table.ngrams))[place] * (place >= 0)  # (N,)
            ahead = table.starts[place] - np.cumsum(sizes) + sizes  # (N,)
            seen = np.arange(sizes.sum()) + np.repeat(ahead, sizes)  # (S,): the n-grams of all N contexts
            row = np.repeat(np.arange(len(full)) * self.vocab_size, sizes)  # (S,)
            probs[row + table.ngrams[seen] % self.vocab_size] += own[seen]
        with np.errstate(divide="ignore"):  # log 0 is -inf: what never occurs, unsmoothed
            return np.asarray(np.log(rows))

    def token_log_probs(self, tokens: Tokens) -> Floats:
        """Natural logarithm of the probability of each token after those before it in its name, (M,).

        The same as picking them from `log_probs`, without the memory for the other V - 1 of each row.
        """
        ngrams = ngram_keys(self.params, tokens, self.vocab_size)  # (M,)
        result = np.empty(len(ngrams))
        for start in range(0, len(ngrams), CHUNK):
            places = locate(self.params, self.tables, ngrams[start : start + CHUNK], self.vocab_size)
            with np.errstate(divide="ignore"):
                result[start : start + CHUNK] = np.log(mix(places, self.weights, self.vocab_size))
        return result

    def config(self) -> Mapping[str, object]:
        return self.params.model_dump()

    def arrays(self) -> Arrays:
        return {"ngrams": self.ngrams, "counts": self.counts}


def fit(params: NgramParams, tokens: Tokens, vocab_size: int) -> Ngram:
    """Count the n-grams of the tokens. Raises ValueError if there are too many possible n-grams to number."""
    return Ngram(params, *count(params, tokens, vocab_size), vocab_size)
