"""Tune the smoothing strength of an n-gram model on the dev names: exercise E03 of the first lecture.

The counts do not depend on the strength. So the train names are counted once, the n-grams of both splits are looked up
once, and trying a strength costs a few vector operations. Losses are mean negative log-likelihoods in nats per token.
Of longer splits, they are computed on `sample` names.
"""

import math
from collections.abc import Sequence
from typing import Annotated, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from makemore.core.counts import Counts
from makemore.core.vocab import Tokens
from makemore.models.ngram.model import Known, NgramShape, count, locate, mix, tables, weigh
from makemore.models.ngram.smoothing import MAX_STRENGTH, SINGLE

Strength = float | list[float]  # one for all orders, or one per order from 1 up


class TunedNgramParams(NgramShape):
    """An n-gram model with smoothing tuned on dev, and the strengths to try."""

    lowest: Annotated[float, Field(ge=0, description="lowest strength to try; must be above 0 for additive smoothing")]
    highest: Annotated[float, Field(gt=0, description="highest strength to try")]
    count: Annotated[
        int,
        Field(
            ge=2,
            le=10_000,
            description="number of strengths, spaced geometrically for additive smoothing, else evenly",
        ),
    ]

    sample: Annotated[
        int, Field(ge=1, description="names of dev, and of train, that the losses are computed on, evenly spaced")
    ] = 100_000

    @model_validator(mode="after")
    def _can_be_tuned(self) -> Self:
        if self.smoothing not in MAX_STRENGTH:
            raise ValueError(f"smoothing: expected one of {', '.join(MAX_STRENGTH)}, got {self.smoothing}")
        if self.lowest == 0 and self.smoothing == "additive":
            raise ValueError("lowest: expected a number > 0 for additive smoothing, got 0")
        if not self.lowest <= self.highest <= MAX_STRENGTH[self.smoothing]:
            largest = MAX_STRENGTH[self.smoothing]
            bounds = f">= {self.lowest}" + f" and <= {largest}" * math.isfinite(largest)
            raise ValueError(f"highest: expected a number {bounds} for smoothing {self.smoothing}, got {self.highest}")
        return self

    def ladder(self) -> list[float]:
        """The strengths to try, ascending, rounded to 6 digits."""
        space = np.geomspace if self.smoothing == "additive" else np.linspace
        return sorted({float(f"{strength:.6g}") for strength in space(self.lowest, self.highest, self.count)})


class Row(NamedTuple):
    """The losses of one strength."""

    order: int  # the order with this strength, while the others have their best; 0 if all orders have it
    strength: float
    train: float
    dev: float


class Trials:
    """An n-gram model of the train names, scored at any strength. See `tune`."""

    def __init__(self, params: NgramShape, train: Tokens, dev: Tokens, vocab_size: int, counted: Counts | None = None):
        self.params, self.vocab_size = params, vocab_size
        self.known: Known = {}
        ngrams = {"train": count(params, train, vocab_size), "dev": count(params, dev, vocab_size)}
        self.tables = tables(params, *(counted or ngrams["train"]), vocab_size)
        self.scored = {
            name: (locate(params, self.tables, keys, vocab_size), counts / counts.sum())
            for name, (keys, counts) in ngrams.items()
        }

    def nll(self, strength: Strength, split: str = "dev") -> float:
        """The loss on the train or the dev names."""
        located, shares = self.scored[split]
        weights = weigh(self.params.with_strength(strength), self.tables, self.vocab_size, self.known)
        probs = mix(located, weights, self.vocab_size)
        with np.errstate(divide="ignore"):
            return -float((shares * np.log(probs)).sum())

    def row(self, order: int, value: float, strength: Strength) -> Row:
        return Row(order, value, self.nll(strength, "train"), self.nll(strength, "dev"))


def tune(
    params: TunedNgramParams, train: Tokens, dev: Tokens, vocab_size: int, counted: Counts | None = None
) -> tuple[Strength, list[Row]]:
    """Find the strength with the lowest dev loss; also return the losses of the strengths tried.

    First, all orders share one strength; these are the rows with order 0. If the smoothing uses a single order, this is
    the result. Otherwise a coordinate search starts from the best shared strength: each order in turn moves to the next
    strength up or down as long as the dev loss falls, until no order moves. Further rows give the losses of each
    strength of each order while the other orders keep their best.

    Args:
        train, dev: the names that the losses are computed on.
        counted: the n-grams of all train names, if `train` is a sample of them.
    """
    ladder = params.ladder()
    trials = Trials(params, train, dev, vocab_size, counted)
    rows = [trials.row(0, value, value) for value in ladder]
    start = min(range(len(ladder)), key=lambda index: rows[index].dev)
    if params.smoothing in SINGLE:
        return ladder[start], rows
    indices = _descend(trials, ladder, [start] * params.order)
    best = [ladder[index] for index in indices]
    for order in range(1, params.order + 1):
        rows += [trials.row(order, value, [*best[: order - 1], value, *best[order:]]) for value in ladder]
    return best, rows


def _descend(trials: Trials, ladder: Sequence[float], indices: list[int]) -> list[int]:
    """Coordinate descent: indices into the ladder, one per order, that no step of a single order improves."""
    best = trials.nll([ladder[index] for index in indices])
    moved = True
    while moved:
        moved = False
        for order in range(len(indices)):
            for step in (1, -1):
                while 0 <= indices[order] + step < len(ladder):
                    trial = [*indices[:order], indices[order] + step, *indices[order + 1 :]]
                    nll = trials.nll([ladder[index] for index in trial])
                    if not nll < best:
                        break
                    best, indices, moved = nll, trial, True
    return indices
