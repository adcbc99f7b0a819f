"""Names that a model makes up, one character at a time."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from makemore import names
from makemore.model import Model, Stateful, stateful
from makemore.names import Text
from makemore.params import Section, Seed
from makemore.vocab import Tokens

BATCH = 1000  # names that are made side by side


class SampleParams(Section):
    """How names are sampled."""

    count: Annotated[int, Field(ge=1, description="names to sample")]
    temperature: Annotated[
        float,
        Field(ge=0, description="1: the model as it is; less: it dares less; 0: always the likeliest"),
    ]
    max_length: Annotated[int, Field(ge=1, le=100_000, description="characters after which a name is cut off")]
    seed: Annotated[Seed, Field(description="of the sampler alone")]


def categorical(probs: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.int64]:
    """One draw from each row of probabilities, (B, V) -> (B,): the first place where they sum to more than u."""
    cumulative = probs.cumsum(axis=1)
    u = generator.random((len(probs), 1)) * cumulative[:, -1:]
    return np.asarray((cumulative <= u).sum(axis=1))


def sample(
    model: Model,
    params: SampleParams,
    *,
    batch: int = BATCH,
    draw: Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.int64]] = categorical,
) -> Tokens:
    """Sample names, as tokens with an end token after each. The same seed and parameters give the same names."""
    generator = np.random.default_rng(params.seed)
    sizes = [min(batch, params.count - done) for done in range(0, params.count, batch)]
    return np.concatenate([_batch(stateful(model), params, size, generator, draw) for size in sizes])


def _batch(
    model: Stateful,
    params: SampleParams,
    count: int,
    generator: np.random.Generator,
    draw: Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.int64]],
) -> Tokens:
    made = np.zeros((count, params.max_length + 1), dtype=np.int32)  # (B, max_length + 1): 0 ends a name
    live = np.arange(count)  # the names that have not ended
    token: Tokens = np.zeros(count, dtype=np.int32)  # (live,): the boundary, then what was drawn last
    state = model.begin(count)
    for position in range(params.max_length):
        log_probs, state = model.advance(state, token)  # (live, V)
        token = draw(tempered(log_probs, params.temperature), generator).astype(np.int32)
        made[live, position] = token
        going = np.flatnonzero(token)
        live, token, state = live[going], token[going], tuple(part[going] for part in state)
        if not len(live):
            break
    through_end = np.arange(made.shape[1]) <= (made == 0).argmax(axis=1)[:, None]  # (B, max_length + 1)
    return np.asarray(made[through_end])


def tempered(log_probs: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities, (B, V), raised to 1 / temperature and normalised; at 0 all on the likeliest token."""
    if temperature == 0:
        return np.asarray(np.eye(log_probs.shape[1])[log_probs.argmax(axis=1)])
    with np.errstate(over="ignore"):  # divided by next to nothing, all but the likeliest become -inf: that is right
        probs = np.exp((log_probs - log_probs.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(probs / probs.sum(axis=1, keepdims=True))


def describe(samples: Text, train: Text) -> dict[str, float]:
    """How many samples there are, how many distinct, how many new (not in train), and mean lengths in characters."""
    return {
        "samples": names.count(samples),
        "distinct": len(np.unique(names.identities(samples))),
        "new": int((~names.is_in(samples, train)).sum()),
        "mean_length": float(names.bounds(samples)[1].mean()),
        "train_mean_length": float(names.bounds(train)[1].mean()),
    }
