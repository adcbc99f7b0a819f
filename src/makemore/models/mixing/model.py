"""Mixed n-grams: chains of counts with several kinds of context, mixed for each prediction by how much was seen.

The kinds of context are the recent characters, these with the position in the name, with the number of runs of
characters of the same class (in names: of vowel groups and consonant groups), or with the first character, the recent
characters with one left out, and classes of characters. Every chain uses all its orders (`chain.py`), and a
gate weighs the chains (`gate.py`). The classes, the strengths and the gate are learned from the train names alone.

The model keeps the train names, and counts them again when it is loaded: they are smaller than the counts.

Shapes: N contexts, M tokens, T context length, V vocabulary, K chains, F features with a leading 1.
"""

import reprlib
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from makemore.core.contexts import Contexts
from makemore.core.model import Arrays, State
from makemore.core.params import Section, from_config
from makemore.core.vocab import Tokens
from makemore.models.mixing import chain, classes, gate, history
from makemore.models.mixing.chain import FEATURES, Level
from makemore.models.mixing.history import CLASS_COLUMNS, KINDS, SKIP_REACH, History, Ints

Floats = NDArray[np.float64]

NUMBERS = 1 << 22  # probabilities of all chains computed at a time, which bounds the memory
MAX_SAMPLE = 1 << 25  # probabilities of all chains that the gate is fitted to, at most
MAX_WEIGHT = 1e9  # of the gate


class MixingShape(Section):
    """The contexts of a mixed n-gram model."""

    order: Annotated[int, Field(ge=2, le=63, description="the longest context has order - 1 characters")]
    position: Annotated[int, Field(ge=1, le=1000, description="largest position in the name that is distinguished")]
    classes: Annotated[int, Field(ge=1, le=20, description="classes of characters to learn")]

    @property
    def reach(self) -> int:
        """How many recent tokens contexts are made of."""
        return max(self.order - 1, CLASS_COLUMNS, SKIP_REACH)


class MixingParams(MixingShape):
    """A mixed n-gram model, and how its gate is fitted."""

    sample: Annotated[int, Field(ge=1, description="train tokens that the weights are fitted to")]
    iterations: Annotated[int, Field(ge=1, description="most steps of that fit")]


class Mixing:
    """P(next | name so far) from mixed counts.

    Args:
        tokens: (M,) the train names.
        groups: (V,) the class of each token.
        weights: (K, F) of the gate.
    """

    context = None

    def __init__(self, shape: MixingShape, tokens: Tokens, groups: Ints, weights: Floats):
        self.shape, self.tokens, self.groups, self.weights = shape, tokens, groups, weights
        self.vocab_size = len(groups)

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Arrays, vocab_size: int) -> Self:
        """The model that `config` and `arrays` describe. Raises ValueError if they do not fit together."""
        shape = from_config(MixingShape, config)
        if sorted(arrays) != ["classes", "names", "weights"]:
            raise ValueError(f"the arrays {reprlib.repr(sorted(arrays))} instead of classes, names and weights")
        groups, tokens, weights = arrays["classes"], arrays["names"], arrays["weights"]
        expected = {"classes": ("int64", (vocab_size,)), "weights": ("float64", (len(KINDS), FEATURES + 1))}
        expected["names"] = ("int32", (tokens.size,))
        for name, (dtype, size) in expected.items():
            if arrays[name].dtype != dtype or arrays[name].shape != size:
                found = f"{arrays[name].dtype} and shape {arrays[name].shape}"
                raise ValueError(f"{name} of type {found} instead of {dtype} and {size}")
        if not len(tokens) or tokens.min() < 0 or tokens.max() >= vocab_size or tokens[-1] != 0:
            raise ValueError(f"names that are not tokens from 0 to {vocab_size - 1}, or do not end with 0")
        if groups[0] != 0 or (groups[1:] < 1).any() or groups.max() > shape.classes:
            raise ValueError(f"classes that are not from 1 to {shape.classes}, or 0 for the boundary token")
        if not (np.abs(weights) <= MAX_WEIGHT).all():
            raise ValueError(f"weights that are not from -{MAX_WEIGHT:g} to {MAX_WEIGHT:g}")
        return cls(shape, tokens, groups, weights)

    @cached_property
    def chains(self) -> dict[str, list[Level]]:
        return count(self.shape, self.tokens, self.groups)

    @property
    def parameter_count(self) -> int:
        return sum(len(level.ngrams) for levels in self.chains.values() for level in levels) + self.weights.size

    def log_probs(self, contexts: Contexts) -> Floats:
        return self._rows(history.of_contexts(contexts, self.shape.reach, self.groups))

    def token_log_probs(self, tokens: Tokens) -> Floats:
        result = np.empty(len(tokens))
        before = history.of_tokens(tokens, self.shape.reach, self.groups)
        for part in self._parts(len(tokens)):
            rows = self._rows(history.part(before, part))
            result[part] = rows[np.arange(len(rows)), tokens[part]]
        return result

    def begin(self, count: int) -> State:
        return tuple(history.begin(count, self.shape.reach))

    def advance(self, state: State, tokens: Tokens) -> tuple[Floats, State]:
        after = history.advance(History(*state), tokens, self.groups)
        return self._rows(after), tuple(after)

    def _rows(self, before: History) -> Floats:
        """The log-probabilities of the next token, (N, V)."""
        result = np.empty((len(before.position), self.vocab_size))
        for part in self._parts(len(result)):
            log_probs, features = predict(self.shape, self.chains, history.part(before, part), self.groups)
            result[part] = gate.mix(log_probs, gate.exponents(self.weights, features))
        return result

    def _parts(self, count: int) -> list[slice]:
        step = max(1, NUMBERS // (len(KINDS) * self.vocab_size))
        return [slice(start, start + step) for start in range(0, count, step)]

    def config(self) -> Mapping[str, object]:
        return {key: getattr(self.shape, key) for key in MixingShape.model_fields}

    def arrays(self) -> Arrays:
        return {"names": self.tokens, "classes": self.groups, "weights": self.weights}


def count(shape: MixingShape, tokens: Tokens, groups: Ints) -> dict[str, list[Level]]:
    """Count the tokens after their contexts of each kind."""
    before = history.of_tokens(tokens, shape.reach, groups)
    return {
        kind: chain.count(
            history.columns(kind, before, groups, shape.order, shape.position), cast(Ints, tokens), len(groups)
        )
        for kind in KINDS
    }


def predict(
    shape: MixingShape, chains: dict[str, list[Level]], before: History, groups: Ints, left_out: Ints | None = None
) -> tuple[NDArray[np.float32], Floats]:
    """The log-probabilities of each chain, (K, N, V), and the features of its contexts, (K, N, F - 1)."""
    log_probs = np.empty((len(KINDS), len(before.position), len(groups)), dtype=np.float32)
    features = np.empty((len(KINDS), len(before.position), FEATURES))
    for index, (kind, levels) in enumerate(chains.items()):
        columns = history.columns(kind, before, groups, shape.order, shape.position)
        probs, features[index] = chain.rows(levels, columns, len(before.position), len(groups), left_out)
        np.log(probs, out=probs)
        log_probs[index] = probs
    return log_probs, features


def fit(params: MixingParams, tokens: Tokens, vocab_size: int) -> Mixing:
    """Count the train names, and fit the gate to some of their tokens, left out of the counts one at a time."""
    groups = classes.learn(tokens, vocab_size, params.classes)
    model = Mixing(params, tokens, groups, np.zeros((len(KINDS), FEATURES + 1)))
    size = min(params.sample, len(tokens), max(1, MAX_SAMPLE // (len(KINDS) * vocab_size)))
    chosen = np.arange(size) * len(tokens) // size  # evenly spread over the list
    before = history.part(history.of_tokens(tokens, params.reach, groups), chosen)
    targets = tokens[chosen].astype(np.int64)
    model.weights = gate.fit(*predict(params, model.chains, before, groups, targets), tokens[chosen], params.iterations)
    return model
