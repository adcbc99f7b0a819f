"""The strength of a count model's smoothing, chosen on the dev names: the first lecture's exercise E03.

The counts do not depend on the strength. So they are made once, the n-grams of the names to score are looked up once,
and a strength then costs a few vector operations. Losses are mean negative log-likelihoods in nats a token.
"""

import math
from collections.abc import Sequence
from typing import Annotated, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from makemore.core.vocab import Tokens
from makemore.models.ngram.model import NgramShape, count, locate, mix, tables, weigh
from makemore.models.ngram.smoothing import MAX_STRENGTH, SINGLE

Strength = float | list[float]  # for all orders, or one for each from 1 up


class TunedNgramParams(NgramShape):
    """An n-gram model whose smoothing is tuned on dev, and the strengths to try."""

    lowest: Annotated[float, Field(ge=0, description="lowest strength to try; additive smoothing needs one above 0")]
    highest: Annotated[float, Field(gt=0, description="highest strength to try")]
    count: Annotated[
        int,
        Field(ge=2, le=10_000, description="how many to try: spaced geometrically for additive smoothing, else evenly"),
    ]

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
    """The losses at one strength."""

    order: int  # the order that has this strength, while the others have their best; 0 where all have it
    strength: float
    train: float
    dev: float


class Trials:
    """A count model of the train names whose strength is open."""

    def __init__(self, params: NgramShape, train: Tokens, dev: Tokens, vocab_size: int):
        self.params, self.vocab_size = params, vocab_size
        ngrams = {"train": count(params, train, vocab_size), "dev": count(params, dev, vocab_size)}
        self.tables = tables(params, *ngrams["train"], vocab_size)
        self.scored = {
            name: (locate(params, self.tables, found, vocab_size), counts / counts.sum())
            for name, (found, counts) in ngrams.items()
        }

    def nll(self, strength: Strength, split: str = "dev") -> float:
        """The loss on the train or dev names."""
        places, shares = self.scored[split]
        probs = mix(places, weigh(self.params.with_strength(strength), self.tables, self.vocab_size), self.vocab_size)
        with np.errstate(divide="ignore"):
            return -float((shares * np.log(probs)).sum())

    def row(self, order: int, value: float, strength: Strength) -> Row:
        return Row(order, value, self.nll(strength, "train"), self.nll(strength, "dev"))


def tune(params: TunedNgramParams, train: Tokens, dev: Tokens, vocab_size: int) -> tuple[Strength, list[Row]]:
    """The strength that is best on the dev names, and the losses of those tried.

    First all orders share one strength: the rows with order 0, one per strength. For a smoothing that looks at a single
    order, that is all. For the others, a coordinate search starts from the best of these: one order after another moves
    to the next strength up or down as long as the dev loss falls, until no order moves. Further rows give the losses at
    each strength of each order while the other orders have their best.
    """
    ladder = params.ladder()
    trials = Trials(params, train, dev, vocab_size)
    rows = [trials.row(0, value, value) for value in ladder]
    start = min(range(len(ladder)), key=lambda rung: rows[rung].dev)
    if params.smoothing in SINGLE:
        return ladder[start], rows
    rungs = _descend(trials, ladder, [start] * params.order)
    best = [ladder[rung] for rung in rungs]
    for order in range(1, params.order + 1):
        rows += [trials.row(order, value, [*best[: order - 1], value, *best[order:]]) for value in ladder]
    return best, rows


def _descend(trials: Trials, ladder: Sequence[float], rungs: list[int]) -> list[int]:
    """Coordinate search: the rungs of the ladder, one an order, from which no single step of one order helps."""
    best = trials.nll([ladder[rung] for rung in rungs])
    moved = True
    while moved:
        moved = False
        for order in range(len(rungs)):
            for step in (1, -1):
                while 0 <= rungs[order] + step < len(ladder):
                    trial = [*rungs[:order], rungs[order] + step, *rungs[order + 1 :]]
                    nll = trials.nll([ladder[rung] for rung in trial])
                    if not nll < best:
                        break
                    best, rungs, moved = nll, trial, True
    return rungs
