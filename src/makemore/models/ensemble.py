"""A mixture of models of any family: a weighted product of their probabilities (a logarithmic opinion pool, Genest and
Zidek 1986), whose weights depend on how often the context occurs in train.

    P(next | context) is proportional to the product of P_k(next | context) ** w_k(context)

N-gram models memorise and networks generalise, so a context that was seen often calls for the first, a new one for the
others. The weights are linear in some features of the context, w = features @ W: for each length up to `LONGEST`,
whether the last characters were seen in train and the logarithm of how often. docs/models.md compares this with a
weighted mean of probabilities.

Shapes: N contexts, T context length, M tokens, V vocabulary, K models, F features, U distinct contexts of train.
"""

import reprlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from makemore.core.contexts import Contexts, keys, name_bounds
from makemore.core.counts import find
from makemore.core.model import Arrays, Model, State, Stateful, family_of, from_family, stateful
from makemore.core.params import Section, from_config
from makemore.core.vocab import Tokens
from makemore.models.ngram.model import NgramShape, count

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LONGEST = 8  # characters of the longest context that is counted; fewer for large vocabularies
FLOOR = -30.0  # log-probabilities are at least this, so that no member can forbid what the others predict
PARALLEL = 1 << 15  # names that are read side by side at most
NUMBERS = 1 << 20  # probabilities of each model that this computes at a time at most, which bounds the memory
MAX_WEIGHT = 1e9  # of the gate


class Seen(NamedTuple):
    """How often each context of `length` characters occurs in train."""

    length: int
    contexts: Ints  # (U,) sorted keys, see `contexts.keys`
    counts: Ints  # (U,)

    @property
    def features(self) -> int:
        """The number of features, F."""
        return 1 + 2 * self.length


def count_contexts(tokens: Tokens, vocab_size: int) -> Seen:
    """Count the contexts of the names of train, (M,) tokens."""
    length = max(length for length in range(1, LONGEST + 1) if length == 1 or vocab_size**length < 2**63)
    ngrams, counts = count(NgramShape(order=length, smoothing="none", position=0), tokens, vocab_size)
    ended = ngrams % vocab_size == 0  # after the end of a name is the empty context
    return Seen(length, np.append(0, ngrams[~ended]), np.append(counts[ended].sum(), counts[~ended]))


class Gate:
    """The weight of each model in a context: features @ W.

    Args:
        W: (F, K)
    """

    def __init__(self, seen: Seen, W: Floats, vocab_size: int):
        self.seen, self.W, self.vocab_size = seen, W, vocab_size

    @cached_property
    def tables(self) -> list[tuple[Ints, Floats]]:
        """For each length from 1 up, the sorted keys of the contexts and the logarithms of 1 + their counts.

        The last entry, 0, is for contexts that are not in the table.
        """
        result = []
        for length in range(1, self.seen.length + 1):
            contexts, index = np.unique(self.seen.contexts % self.vocab_size**length, return_inverse=True)
            result.append((contexts, np.append(np.log1p(np.bincount(index, self.seen.counts)), 0)))
        return result

    def features(self, contexts: Contexts) -> Floats:
        """(N, T) -> (N, F): 1, which lengths were seen, and the logarithms of 1 + their counts."""
        found = keys(fitted(contexts, self.seen.length), self.vocab_size)  # (N,)
        logs = [
            counts[find(known, found % self.vocab_size ** (i + 1))] for i, (known, counts) in enumerate(self.tables)
        ]
        counts = np.column_stack(logs)  # (N, length)
        return np.column_stack((np.ones(len(found)), counts > 0, counts))

    def weights(self, contexts: Contexts) -> Floats:
        """(N, T) -> (N, K)"""
        return np.asarray(self.features(contexts) @ self.W)


def pooled(log_probs: Floats, weights: Floats) -> Floats:
    """The log of the normalised product, (N, V), of K probabilities, (K, N, V), with the weights (N, K)."""
    logits = np.einsum("nk,knv->nv", weights, log_probs.clip(min=FLOOR))
    logits -= logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))


def in_step(model: Stateful, tokens: Tokens, vocab_size: int) -> Iterator[tuple[Ints, Floats]]:
    """Read names side by side, one token at a time, and each prefix that several of them share only once.

    Yields the places of N tokens, and the log-probabilities of all tokens there, (N, V).
    """
    starts, sizes = name_bounds(tokens)
    order = np.argsort(-sizes, kind="stable")
    parallel = max(1, min(PARALLEL, NUMBERS // vocab_size))
    for first in range(0, len(order), parallel):
        names = order[first : first + parallel]
        state, prefix, last = model.begin(1), np.zeros(len(names), dtype=np.int64), np.zeros(len(names), tokens.dtype)
        for step in range(sizes[names[0]]):
            names = names[: np.count_nonzero(sizes[names] > step)]  # the longest come first
            longer = prefix[: len(names)] * vocab_size + last[: len(names)]
            distinct, prefix = np.unique(longer, return_inverse=True)  # (P,) prefixes
            parents, appended = np.divmod(distinct, vocab_size)
            state = tuple(part[parents] for part in state)
            log_probs, state = model.advance(state, appended.astype(tokens.dtype))
            places = starts[names] + step
            yield places, log_probs[prefix]
            last = tokens[places]


class Member(Section):
    """A member of an ensemble, as the configuration of the ensemble describes it."""

    weights: list[float]
    family: str
    config: dict[str, Any]


class Ensemble:
    """Models and the gate that weighs them. Raises ValueError if a model is itself an ensemble."""

    def __init__(self, members: Mapping[str, Model], gate: Gate):
        for name, member in members.items():
            _check_family(name, family_of(member))
        self.members, self.gate = dict(members), gate
        self.states = [stateful(member) for member in self.members.values()]
        contexts = [member.context for member in self.members.values()]
        whole = None in contexts
        self.context = None if whole else max([gate.seen.length, *(context for context in contexts if context)])

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Arrays, vocab_size: int) -> Self:
        """The ensemble that `config` and `arrays` describe. Raises ValueError if they do not fit together."""
        entries = {name: from_config(Member, entry, f"config.{name}") for name, entry in config.items()}
        seen = _seen(arrays, {len(entry.weights) for entry in entries.values()}, vocab_size)
        W = np.array([entry.weights for entry in entries.values()], dtype=np.float64).T  # (F, K)
        if np.abs(W).max() > MAX_WEIGHT:
            raise ValueError(f"weights that are not from -{MAX_WEIGHT:g} to {MAX_WEIGHT:g}")

        def member(name: str, entry: Member) -> Model:
            _check_family(name, entry.family)  # before its own members are made, which may be nested deeply
            own = {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}
            try:
                return from_family(entry.family, entry.config, own, vocab_size)
            except ValueError as error:
                raise ValueError(f"the member {name} with {error}") from None

        return cls({name: member(name, entry) for name, entry in entries.items()}, Gate(seen, W, vocab_size))

    @property
    def parameter_count(self) -> int:
        gate = self.gate.W.size + len(self.gate.seen.counts)
        return gate + sum(member.parameter_count for member in self.members.values())

    def log_probs(self, contexts: Contexts) -> Floats:
        parts = [member.log_probs(fitted(contexts, member.context)) for member in self.members.values()]
        return pooled(np.stack(parts), self.gate.weights(contexts))

    def token_log_probs(self, tokens: Tokens) -> Floats:
        """See `model.Model`. The product has to be normalised, so this computes whole rows of V probabilities."""
        result = np.empty(len(tokens))
        for places, log_probs in in_step(self, tokens, self.gate.vocab_size):
            result[places] = log_probs[np.arange(len(places)), tokens[places]]
        return result

    def begin(self, count: int) -> State:
        own = np.zeros((count, self.gate.seen.length), dtype=np.int32)
        return (own, *(part for member in self.states for part in member.begin(count)))

    def advance(self, state: State, tokens: Tokens) -> tuple[Floats, State]:
        contexts = np.column_stack((state[0], tokens))[:, 1:]
        parts, rest = [], state[1:]
        after: State = (contexts,)
        for member in self.states:
            size = len(member.begin(0))
            log_probs, own = member.advance(rest[:size], tokens)
            parts.append(log_probs)
            after, rest = after + own, rest[size:]
        return pooled(np.stack(parts), self.gate.weights(contexts)), after

    def config(self) -> Mapping[str, object]:
        return {
            name: {"weights": weights, "family": family_of(member), "config": dict(member.config())}
            for (name, member), weights in zip(self.members.items(), self.gate.W.T.tolist(), strict=True)
        }

    def arrays(self) -> Arrays:
        seen = {"contexts": self.gate.seen.contexts, "counts": self.gate.seen.counts}
        members = self.members.items()
        return seen | {f"{name}.{key}": array for name, own in members for key, array in own.arrays().items()}


def _seen(arrays: Arrays, features: set[int], vocab_size: int) -> Seen:
    """The counted contexts of a model file, given how many weights its members have."""
    contexts, counts = arrays.get("contexts"), arrays.get("counts")
    if contexts is None or counts is None:
        raise ValueError(f"the arrays {reprlib.repr(sorted(arrays))} instead of contexts, counts and those of members")
    for name, array in ("contexts", contexts), ("counts", counts):
        if array.dtype != np.int64 or array.ndim != 1:
            raise ValueError(f"{name} of type {array.dtype} and shape {array.shape} instead of int64 and (U,)")
    if len(contexts) != len(counts) or not len(contexts):
        raise ValueError(f"{len(contexts):,} contexts with {len(counts):,} counts")
    length = (max(features, default=0) - 1) // 2
    if len(features) != 1 or features != {1 + 2 * length} or not 1 <= length <= LONGEST:
        raise ValueError(f"members with {reprlib.repr(sorted(features))} weights")
    if contexts[0] < 0 or contexts[-1] >= vocab_size**length or (contexts[1:] <= contexts[:-1]).any():
        raise ValueError("contexts that are not sorted and distinct")
    if counts.min() < 1:
        raise ValueError(f"a count of {counts.min()} instead of at least 1")
    return Seen(length, contexts, counts)


def _check_family(name: str, family: str) -> None:
    if family == "ensemble":
        raise ValueError(f"an ensemble within an ensemble ({name}); list its members instead")


def fitted(contexts: Contexts, context: int | None) -> Contexts:
    """The last `context` columns, padded on the left with 0 where there are fewer."""
    if context is None:
        return contexts
    last = contexts[:, max(0, contexts.shape[1] - context) :]
    return np.pad(last, ((0, 0), (context - last.shape[1], 0)))


MODEL = Ensemble
