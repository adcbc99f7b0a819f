"""N-gram models of any order, after the first lecture: how often each character followed each context.

Only the n-grams of the highest order are counted and stored; the n-grams of lower orders are their suffixes. An n-gram
is encoded as one integer, its key, whose digits are its characters, the last one lowest. In sorted order the n-grams of
one context are adjacent, and binary search finds them.

A single start symbol precedes a name, as in KenLM. The second character has the context `.e` in every order, never
`..e` as with the lecture's n - 1 padding symbols. For a single order the two are equivalent. If orders are mixed,
padding adds contexts that carry no new information but still take part in the mixture, so an order above the longest
name would change the model. Dev losses on the default split, in nats per token:

                                               one start symbol   padding
    modified Kneser-Ney, order 6                         1.9656    1.9648
    modified Kneser-Ney, order 8                         1.9699    1.9745
    tuned power law, order 6                             1.9630    1.9578
    tuned power law, order 6, with positions             1.9360    1.9371

Shapes: N contexts or n-grams, T context length, V vocabulary, M tokens, K distinct n-grams of one order, C contexts, S
stored n-grams of all N contexts.
"""

import reprlib
from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from makemore.core import cluster
from makemore.core.cluster import Shard
from makemore.core.contexts import Contexts, keys, whole_names
from makemore.core.counts import Counts, Ints, count_keys, find, merge, merge_all
from makemore.core.model import Arrays
from makemore.core.params import Section, from_config
from makemore.core.vocab import Tokens, Vocab, encoded, token_blocks
from makemore.models.ngram.smoothing import MAX_STRENGTH, SINGLE, Floats, Smoothing, smooth

MAX_COUNT = 1 << 53  # up to here all integers are floats
LARGEST_STRENGTH = 1e300  # times any vocabulary size it is finite

CHUNK = 1 << 20  # tokens processed at a time, which bounds the memory


class NgramShape(Section):
    """The order of an n-gram model and its smoothing method."""

    order: Annotated[int, Field(ge=1, le=63, description="n; 2 is a bigram model, which sees one previous character")]
    smoothing: Annotated[Smoothing, Field(description="smoothing method, see src/makemore/models/ngram/smoothing.py")]
    position: Annotated[
        int,
        Field(ge=0, le=1000, description="contexts include the position in the name, capped at this value; 0: none"),
    ]

    @property
    def context(self) -> int:
        """The context length, T."""
        return max(self.order - 1, self.position)

    def with_strength(self, strength: object) -> "NgramParams":
        """The same model with this strength. Raises ValueError if its smoothing does not allow it."""
        shape = {key: getattr(self, key) for key in NgramShape.model_fields}
        return NgramParams.model_validate(shape | {"strength": strength})


class NgramParams(NgramShape):
    """An n-gram model with fixed smoothing."""

    strength: Annotated[
        float | list[float] | None,
        Field(description="smoothing strength: one number, or a list with one per order from 1 up; null if unused"),
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
            found = reprlib.repr(self.strength)
            raise ValueError(f"strength: expected {expected} for smoothing {self.smoothing}, got {found}")
        if max(self.strengths()) > LARGEST_STRENGTH:
            raise ValueError(f"strength: expected at most {LARGEST_STRENGTH}, got {max(self.strengths())}")
        return self

    def strengths(self) -> list[float]:
        """The strength of each order, from 1 up."""
        return self.strength if isinstance(self.strength, list) else [self.strength or 0.0] * self.order


def span(params: NgramShape, order: int, vocab_size: int) -> int:
    """The number of possible n-grams of an order; their keys are below it.

    The digits of a key, lowest first, are the token, the position in the name, capped at `position` (so always 0 if
    that is 0), and the previous characters, nearest first.
    """
    return int((params.position + 1) * vocab_size**order)


def check_span(params: NgramShape, vocab_size: int) -> None:
    """Raise ValueError if the keys of the highest order do not fit into 63 bits."""
    if span(params, params.order, vocab_size) >= 2**63:
        raise ValueError(
            f"order: {params.order} is too high for a vocabulary of {vocab_size} tokens; try a lower order"
        )


def possible(params: NgramShape, ngrams: Ints, vocab_size: int) -> NDArray[np.bool_]:
    """Which integers are keys of n-grams that a name can contain, (K,).

    Before the start of a name there is no character, and the position is the number of characters so far.
    """
    rest, position = np.divmod(ngrams // vocab_size, params.position + 1)
    length, begun, fits = np.zeros_like(rest), np.ones(rest.shape, dtype=bool), np.ones(rest.shape, dtype=bool)
    for _ in range(params.order - 1):
        rest, character = np.divmod(rest, vocab_size)
        fits &= begun | (character == 0)
        begun &= character != 0
        length += begun
    least = length.clip(max=params.position)
    most = np.where(begun, params.position, least)  # the name may have begun before the context
    return np.asarray(fits & (rest == 0) & (least <= position) & (position <= most))


def context_keys(params: NgramShape, contexts: Contexts, vocab_size: int) -> Ints:
    """The keys of contexts, (N, T) -> (N,). The key of an n-gram is the key of its context times V, plus the token."""
    nearest = contexts[:, contexts.shape[1] - params.order + 1 :]  # (N, order - 1)
    so_far = np.count_nonzero(contexts, axis=1).clip(max=params.position)  # (N,)
    return np.asarray(keys(nearest, vocab_size) * (params.position + 1) + so_far)


def ngram_keys(params: NgramShape, tokens: Tokens, vocab_size: int) -> Ints:
    """The key of the n-gram that ends at each token, (M,). Raises ValueError if keys do not fit into 63 bits."""
    check_span(params, vocab_size)
    index = np.arange(len(tokens))
    begins = np.concatenate(([True], tokens[:-1] == 0))[: len(tokens)]
    so_far = index - np.maximum.accumulate(np.where(begins, index, 0))  # (M,) characters of the name before each token
    result = np.zeros(len(tokens), dtype=np.int64)
    for back in range(params.order - 1, 0, -1):
        result *= vocab_size
        result[back:] += np.where(so_far[back:] >= back, tokens[:-back], 0)
    result *= params.position + 1
    result += so_far.clip(max=params.position)
    result *= vocab_size
    result += tokens
    return result


def count(params: NgramShape, tokens: Tokens, vocab_size: int) -> Counts:
    """The distinct n-grams of the highest order, sorted, (K,), and how often each occurs, (K,)."""
    return count_blocks(params, [tokens], vocab_size)


def count_blocks(params: NgramShape, blocks: Iterable[Tokens], vocab_size: int) -> Counts:
    """The same of a list that is read in blocks of whole names."""
    chunks = (block[part] for block in blocks for part in whole_names(block, CHUNK))
    return merge_all(count_keys(ngram_keys(params, chunk, vocab_size)) for chunk in chunks)


def count_file(params: NgramShape, path: Path, vocab: Vocab) -> Counts:
    """The same of the names in a file, counted on a cluster if the environment asks for one (see `core/cluster.py`)."""
    if not cluster.is_wanted():
        return count_blocks(params, token_blocks(path, vocab), len(vocab))
    check_span(params, len(vocab))
    return cluster.reduce_shards(path, partial(count_shard, params, vocab), merge)


def count_shard(params: NgramShape, vocab: Vocab, shard: Shard) -> Counts:
    return count_blocks(params, encoded(shard.blocks(), vocab, shard.source), len(vocab))


class Table(NamedTuple):
    """The n-grams of one order, sorted by context.

    The first B begin with the start symbol and have their own counts (in the highest order B is K). The others are
    suffixes of n-grams of the next higher order, from which they receive their counts.
    """

    order: int
    ngrams: Ints  # (K,) sorted
    contexts: Ints  # (C,) sorted
    starts: Ints  # (C,) the index of the first n-gram of each context
    counts: Ints  # (B,)
    suffixes: Ints  # (K,) the index of each suffix in the table of the next lower order, counted from its B


def tables(params: NgramShape, ngrams: Ints, counts: Ints, vocab_size: int) -> list[Table]:
    """The tables of the orders that the smoothing mixes, lowest first, from the result of `count`."""
    lowest = params.order if params.smoothing in SINGLE else 1
    orders = range(lowest, params.order + 1)
    # `..em` is not a 4-gram but the trigram `.em`: an n-gram whose two highest digits are 0 belongs to a lower order.
    smallest = [span(params, order - 2, vocab_size) if order > max(2, lowest) else 0 for order in orders]
    cuts = np.searchsorted(ngrams, smallest)  # the index of the first n-gram of each order
    result = []
    inherited = ngrams[:0]  # the suffixes of the n-grams of the order above
    for order, start, stop in zip(reversed(orders), cuts[::-1], [len(ngrams), *cuts[:0:-1]], strict=True):
        keys = np.concatenate((ngrams[start:stop], inherited))  # (K,)
        shortened = keys[: len(keys) * (order > lowest)] % span(params, order - 1, vocab_size)
        inherited, suffixes = np.unique(shortened, return_inverse=True)
        contexts = keys // vocab_size  # (K,)
        starts = np.flatnonzero(np.diff(contexts, prepend=-1))  # (C,)
        if len(keys):  # empty if the order is higher than all names are long
            result.append(Table(order, keys, contexts[starts], starts, counts[start:stop], suffixes))
    return result[::-1]


Weights = list[tuple[Floats, Floats]]


# By order, what `smooth` returned for the strengths of that order and those above, with the last entries of `weigh`.
Known = dict[int, tuple[list[float], tuple[Floats, Floats, Floats]]]


def weigh(
    params: NgramParams,
    counted: list[Table],
    vocab_size: int,
    known: Known | None = None,
) -> Weights:
    """Smooth each table: the mass of each n-gram, (K + 1,), and the backoff weight of each context, (C + 1,).

    The backoff weight is the factor of the shorter context's distribution. The last entries, 0 and 1, are for n-grams
    and contexts that are not in the table.

    Args:
        known: the result of the last call for these tables, by order; filled here. A table depends on the strengths of
            its order and of those above, so only the orders up to one whose strength has changed are smoothed anew.
    """
    known = {} if known is None else known
    strengths = params.strengths()
    suffixes, passed = np.zeros(0, dtype=np.int64), np.zeros(0)
    for table in reversed(counted):
        own = strengths[table.order - 1 :]
        if table.order not in known or known[table.order][0] != own:
            counts: Floats = np.concatenate((table.counts, np.bincount(suffixes, passed)), dtype=np.float64)  # (K,)
            mass, backoff, passed = smooth(params.smoothing, own[0], counts, table.starts, vocab_size)
            known[table.order] = own, (np.append(mass, 0), np.append(backoff, 1), passed)
        passed, suffixes = known[table.order][1][2], table.suffixes
    return [known[table.order][1][:2] for table in counted]


def locate(params: NgramShape, counted: list[Table], ngrams: Ints, vocab_size: int) -> list[tuple[Ints, Ints]]:
    """Look up n-grams of the highest order: in each table the index of their suffix, (N,), and of its context, (N,)."""
    suffixes = [ngrams % span(params, table.order, vocab_size) for table in counted]
    return [
        (find(table.ngrams, suffix), find(table.contexts, suffix // vocab_size))
        for table, suffix in zip(counted, suffixes, strict=True)
    ]


def mix(located: list[tuple[Ints, Ints]], weights: Weights, vocab_size: int) -> Floats:
    """The probability of the last token of each n-gram, (N,), given the others, from the result of `locate`."""
    probs = np.full(len(located[0][0]), 1 / vocab_size)
    for (ngram, context), (mass, backoff) in zip(located, weights, strict=True):
        probs = mass[ngram] + backoff[context] * probs
    return probs


class Ngram:
    """P(next | context) from smoothed counts.

    Args:
        ngrams: (K,) the distinct n-grams of the highest order, from `count`.
        counts: (K,) how often each occurs.
    """

    def __init__(self, params: NgramParams, ngrams: Ints, counts: Ints, vocab_size: int):
        self.params, self.ngrams, self.counts, self.vocab_size = params, ngrams, counts, vocab_size

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Arrays, vocab_size: int) -> Self:
        """The model that `config` and `arrays` describe. Raises ValueError if they do not fit together."""
        params = from_config(NgramParams, config)
        check_span(params, vocab_size)
        if sorted(arrays) != ["counts", "ngrams"]:
            raise ValueError(f"the arrays {reprlib.repr(sorted(arrays))} instead of counts and ngrams")
        ngrams, counts = arrays["ngrams"], arrays["counts"]
        for name, array in arrays.items():
            if array.dtype != np.int64 or array.ndim != 1:
                raise ValueError(f"{name} of type {array.dtype} and shape {array.shape} instead of int64 and (K,)")
        if len(ngrams) != len(counts) or not len(ngrams):
            raise ValueError(f"{len(ngrams):,} n-grams with {len(counts):,} counts")
        if (ngrams[1:] <= ngrams[:-1]).any():
            raise ValueError("n-grams that are not sorted and distinct")
        fits = possible(params, ngrams, vocab_size)
        if not fits.all():
            raise ValueError(f"the n-gram {ngrams[~fits][0]}, which no name contains")
        if counts.min() < 1 or counts.max() > MAX_COUNT:
            raise ValueError(f"counts from {counts.min()} to {counts.max()} instead of 1 to {MAX_COUNT}")
        return cls(params, ngrams, counts, vocab_size)

    @cached_property
    def tables(self) -> list[Table]:
        return tables(self.params, self.ngrams, self.counts, self.vocab_size)

    @cached_property
    def weights(self) -> Weights:
        return weigh(self.params, self.tables, self.vocab_size)

    @cached_property
    def seen(self) -> Floats:
        """The log-probability of the last token of each stored n-gram, (K,), given the others."""
        probs, own = np.array([1 / self.vocab_size]), 0
        seen: list[Floats] = []
        for table, (mass, backoff) in zip(self.tables, self.weights, strict=True):
            sizes = np.diff(table.starts, append=len(table.ngrams))  # (C,)
            shorter = probs[table.suffixes + own] if seen else probs  # (K,), or (1,) in the lowest order
            probs = mass[:-1] + np.repeat(backoff[:-1], sizes) * shorter
            own = len(table.counts)
            seen.append(probs[:own])
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(np.concatenate(seen)))

    @property
    def context(self) -> int:
        return self.params.context

    @property
    def parameter_count(self) -> int:
        return len(self.counts)

    def log_probs(self, contexts: Contexts) -> Floats:
        with np.errstate(divide="ignore"):  # without smoothing, unseen n-grams have the logarithm -inf
            return np.asarray(np.log(self.probs(contexts)))

    def probs(self, contexts: Contexts) -> Floats:
        """The probabilities of the next token, (N, V).

        From the lowest order up, each table multiplies the rows by its backoff weights and adds its probability masses.
        """
        keys = context_keys(self.params, contexts, self.vocab_size)  # (N,)
        probs = np.full(len(keys) * self.vocab_size, 1 / self.vocab_size)  # (N * V,)
        rows = probs.reshape(len(keys), self.vocab_size)  # (N, V), a view
        for table, (mass, backoff) in zip(self.tables, self.weights, strict=True):
            suffix = keys % (span(self.params, table.order, self.vocab_size) // self.vocab_size)
            index = find(table.contexts, suffix)  # (N,)
            rows *= backoff[index][:, None]
            sizes = np.diff(table.starts, append=len(table.ngrams))[index] * (index >= 0)  # (N,)
            shift = table.starts[index] - np.cumsum(sizes) + sizes  # (N,)
            ngrams = np.arange(sizes.sum()) + np.repeat(shift, sizes)  # (S,)
            row = np.repeat(np.arange(len(keys)) * self.vocab_size, sizes)  # (S,)
            probs[row + table.ngrams[ngrams] % self.vocab_size] += mass[ngrams]
        return rows

    def token_log_probs(self, tokens: Tokens) -> Floats:
        """See `model.Model`. Unlike `log_probs`, this does not compute whole rows of V probabilities.

        Each distinct n-gram is looked up once, and computed if it is not stored.
        """
        result = np.empty(len(tokens))
        for part in whole_names(tokens, CHUNK):
            ngrams, place = np.unique(ngram_keys(self.params, tokens[part], self.vocab_size), return_inverse=True)
            index = find(self.ngrams, ngrams)
            log_probs, new = self.seen[index], index < 0
            located = locate(self.params, self.tables, ngrams[new], self.vocab_size)
            with np.errstate(divide="ignore"):
                log_probs[new] = np.log(mix(located, self.weights, self.vocab_size))
            result[part] = log_probs[place]
        return result

    def config(self) -> Mapping[str, object]:
        return self.params.model_dump()

    def arrays(self) -> Arrays:
        return {"ngrams": self.ngrams, "counts": self.counts}


def fit(params: NgramParams, tokens: Tokens, vocab_size: int) -> Ngram:
    """Count the n-grams of the tokens. Raises ValueError if the keys of the n-grams do not fit into 63 bits."""
    return Ngram(params, *count(params, tokens, vocab_size), vocab_size)


def fit_file(params: NgramParams, path: Path, vocab: Vocab) -> Ngram:
    """The same of the names in a file. Raises ValueError also like `vocab.token_blocks`."""
    return Ngram(params, *count_file(params, path, vocab), len(vocab))
