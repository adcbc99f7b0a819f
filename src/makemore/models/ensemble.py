"""A mixture of models of any family: the weighted mean of their probabilities (linear interpolation, Jelinek and Mercer
1980). N-gram models and networks make different errors, so their mixture is better than either.

Shapes: M tokens, N contexts, T context length, V vocabulary, K models.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from makemore.core.contexts import Contexts
from makemore.core.files import DIGITS
from makemore.core.model import Arrays, Model, State, family_of, from_family, stateful
from makemore.core.params import Section, from_config
from makemore.core.vocab import Tokens

Floats = NDArray[np.float64]

MAX_ITERATIONS = 1000
TOLERANCE = 1e-7  # the fit stops when no weight changes by this much


def fit_weights(log_probs: Floats) -> Floats:
    """Fit the mixture weights, (K,), by expectation maximization (Dempster et al. 1977).

    Starting from equal weights, each step computes how much of a token's probability comes from each model; the mean of
    these shares over the tokens are the new weights. The likelihood never decreases and has a single maximum.

    Args:
        log_probs: (K, M) the log-probability of each token under each model. Tokens to which all models give
            probability 0 are ignored.
    """
    log_probs = log_probs[:, log_probs.max(axis=0) > -np.inf]
    probs = np.exp(log_probs - log_probs.max(axis=0))  # (K, M), scaled so that the maximum for each token is 1
    weights = np.full(len(probs), 1 / len(probs))
    for _ in range(MAX_ITERATIONS):
        shares = weights[:, None] * probs  # (K, M)
        before, weights = weights, (shares / shares.sum(axis=0)).mean(axis=1)
        if np.abs(weights - before).max() < TOLERANCE:
            break
    weights = weights.round(DIGITS)  # further digits depend on the number of threads
    return np.asarray(weights / weights.sum())


def mixed(log_probs: Sequence[Floats], weights: Floats) -> Floats:
    """The log of the weighted mean of K arrays of probabilities, given and returned as natural logarithms."""
    with np.errstate(divide="ignore"):  # a weight of 0 has the logarithm -inf
        parts = np.stack([part + np.log(weight) for part, weight in zip(log_probs, weights, strict=True)])
    return np.asarray(np.logaddexp.reduce(parts, axis=0))


class Member(Section):
    """A member of an ensemble, as the configuration of the ensemble describes it."""

    weight: Annotated[float, Field(ge=0, le=1)]
    family: str
    config: dict[str, Any]


class Ensemble:
    """Models and their weights, which sum to 1. Raises ValueError if a model is itself an ensemble."""

    def __init__(self, members: Mapping[str, Model], weights: Floats):
        for name, member in members.items():
            _check_family(name, family_of(member))
        self.members, self.weights = dict(members), weights
        self.states = [stateful(member) for member in self.members.values()]
        contexts = [member.context for member in self.members.values()]
        self.context = None if None in contexts else max(context for context in contexts if context is not None)

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Arrays, vocab_size: int) -> Self:
        """The ensemble that `config` and `arrays` describe. Raises ValueError if they do not fit together."""
        entries = {name: from_config(Member, entry, f"config.{name}") for name, entry in config.items()}
        weights = np.array([entry.weight for entry in entries.values()], dtype=np.float64)
        if abs(weights.sum() - 1) > 10**-DIGITS:
            raise ValueError(
                f"an ensemble of {len(entries)} models whose weights sum to {weights.sum():g} instead of 1"
            )

        def member(name: str, entry: Member) -> Model:
            _check_family(name, entry.family)  # before its own members are made, which may be nested deeply
            own = {key.removeprefix(f"{name}."): array for key, array in arrays.items() if key.startswith(f"{name}.")}
            try:
                return from_family(entry.family, entry.config, own, vocab_size)
            except ValueError as error:
                raise ValueError(f"the member {name} with {error}") from None

        return cls({name: member(name, entry) for name, entry in entries.items()}, weights)

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


def _check_family(name: str, family: str) -> None:
    if family == "ensemble":
        raise ValueError(f"an ensemble within an ensemble ({name}); list its members instead")


def _fitted(contexts: Contexts, context: int | None) -> Contexts:
    """The last `context` columns, padded on the left with 0 where there are fewer."""
    if context is None:
        return contexts
    last = contexts[:, max(0, contexts.shape[1] - context) :]
    return np.pad(last, ((0, 0), (context - last.shape[1], 0)))


MODEL = Ensemble
