"""A mixture of models, of any families: the weighted mean of their probabilities (linear interpolation, Jelinek and
Mercer 1980). What a count model and a network get wrong differs, so their mean is better than either.

Shapes: M tokens, N contexts, T context length, V vocabulary, K models.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from makemore.core.contexts import Contexts
from makemore.core.files import DIGITS
from makemore.core.model import Arrays, Model, State, family_of, from_family, stateful
from makemore.core.vocab import Tokens

Floats = NDArray[np.float64]

ITERATIONS = 1000  # of the fit, at the most
TOLERANCE = 1e-7  # the largest change of a weight at which the fit is done


def fit_weights(log_probs: Floats) -> Floats:
    """The weights, (K,), that make some tokens most probable, by expectation maximization (Dempster et al. 1977).

    From equal weights: each token is shared out among the models in proportion to what they gave it, and the shares
    are the new weights. No step makes the tokens less probable, and there is one maximum.

    Args:
        log_probs: (K, M) of each token under each model. Tokens that all of them rule out have no say.
    """
    log_probs = log_probs[:, log_probs.max(axis=0) > -np.inf]
    probs = np.exp(log_probs - log_probs.max(axis=0))  # (K, M), scaled so that the best model of each token has 1
    weights = np.full(len(probs), 1 / len(probs))
    for _ in range(ITERATIONS):
        shares = weights[:, None] * probs  # (K, M)
        before, weights = weights, (shares / shares.sum(axis=0)).mean(axis=1)
        if np.abs(weights - before).max() < TOLERANCE:
            break
    weights = weights.round(DIGITS)  # the rest is noise, which another number of threads changes
    return np.asarray(weights / weights.sum())


def mixed(log_probs: Sequence[Floats], weights: Floats) -> Floats:
    """ln of the weighted mean of probabilities, (...), from their logarithms, K arrays of that shape."""
    with np.errstate(divide="ignore"):  # ln 0 is -inf: a model without weight
        parts = np.stack([part + np.log(weight) for part, weight in zip(log_probs, weights, strict=True)])
    return np.asarray(np.logaddexp.reduce(parts, axis=0))


class Ensemble:
    """Models and their weights, which sum to 1."""

    def __init__(self, members: Mapping[str, Model], weights: Floats):
        self.members, self.weights = dict(members), weights
        self.states = [stateful(member) for member in self.members.values()]
        contexts = [member.context for member in self.members.values()]
        self.context = None if None in contexts else max(context for context in contexts if context is not None)

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Arrays, vocab_size: int) -> Self:
        """The ensemble that `config` and `arrays` describe. Raises ValueError if they do not fit together."""

        def member(name: str) -> Model:
            own = {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}
            return from_family(config[name]["family"], config[name]["config"], own, vocab_size)

        weights = np.array([entry["weight"] for entry in config.values()], dtype=np.float64)
        return cls({name: member(name) for name in config}, weights)

    @property
    def parameter_count(self) -> int:
        return sum(member.parameter_count for member in self.members.values()) + len(self.weights) - 1

    def log_probs(self, contexts: Contexts) -> Floats:
        parts = [member.log_probs(_fitted(contexts, member.context)) for member in self.members.values()]
        return mixed(parts, self.weights)

    def token_log_probs(self, tokens: Tokens) -> Floats:
        return mixed([member.token_log_probs(tokens) for member in self.members.values()], self.weights)

    def begin(self, count: int) -> State:
        return tuple(part for member in self.states for part in member.begin(count))

    def advance(self, state: State, tokens: Tokens) -> tuple[Floats, State]:
        parts, after, rest = [], State(), state
        for member in self.states:
            size = len(member.begin(0))
            log_probs, own = member.advance(rest[:size], tokens)
            parts.append(log_probs)
            after, rest = after + own, rest[size:]
        return mixed(parts, self.weights), after

    def config(self) -> Mapping[str, object]:
        return {
            name: {"weight": weight, "family": family_of(member), "config": dict(member.config())}
            for (name, member), weight in zip(self.members.items(), self.weights.tolist(), strict=True)
        }

    def arrays(self) -> Arrays:
        return {f"{name}.{key}": array for name, own in self.members.items() for key, array in own.arrays().items()}


def _fitted(contexts: Contexts, context: int | None) -> Contexts:
    """The last `context` columns, padded on the left with 0 where there are fewer."""
    if context is None:
        return contexts
    last = contexts[:, max(0, contexts.shape[1] - context) :]
    return np.pad(last, ((0, 0), (context - last.shape[1], 0)))


MODEL = Ensemble
