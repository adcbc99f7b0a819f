"""The strength of a count model's smoothing, chosen on the dev names: the first lecture's exercise E03.

The counts do not depend on the strength. So they are made once, the n-grams of the names to score are looked up once,
and a strength then costs a few vector operations. Losses are mean negative log-likelihoods in nats a token.
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field

from makemore.ngram import NgramParams, count, locate, mix, tables, weigh
from makemore.params import Section
from makemore.smoothing import LARGEST, SINGLE, Smoothing
from makemore.vocab import Tokens

Strength = float | list[float] | None  # for all orders, or one for each from 1 up; None where there is none


class TuneParams(Section):
    """The strengths to try: for additive smoothing by equal factors, for the others in equal steps."""

    additive_lowest: Annotated[float, Field(gt=0, description="the lowest for additive smoothing")]
    additive_highest: Annotated[float, Field(gt=0, description="the highest for additive smoothing")]
    additive_count: Annotated[int, Field(ge=2, le=10_000, description="how many for additive smoothing")]
    others_lowest: Annotated[float, Field(ge=0, description="the lowest for other smoothings")]
    others_highest: Annotated[float, Field(gt=0, description="the highest for other smoothings")]
    others_count: Annotated[int, Field(ge=2, le=10_000, description="how many for other smoothings")]

    def strengths(self, smoothing: Smoothing) -> list[float]:
        """The ladder for a smoothing, rounded to 6 digits; empty where it takes no strength."""
        if smoothing not in LARGEST:
            return []
        if smoothing == "additive":
            ladder = np.geomspace(self.additive_lowest, self.additive_highest, self.additive_count)
        else:
            ladder = np.linspace(self.others_lowest, self.others_highest, self.others_count)
        return [float(f"{strength:.6g}") for strength in ladder]


class Row(NamedTuple):
    """The losses at one strength."""

    order: int  # the order that has this strength, while the others have their best; 0 where all have it
    strength: float
    train: float
    dev: float


class Trials:
    """A count model of the train names whose strength is open."""

    def __init__(self, params: NgramParams, train: Tokens, dev: Tokens, vocab_size: int):
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


def tune(
    params: NgramParams, strengths: Sequence[float], train: Tokens, dev: Tokens, vocab_size: int
) -> tuple[Strength, list[Row]]:
    """The best strength on the dev names among some, and the losses that show why.

    First all orders have the same one: the rows with order 0, one for each strength. That is all there is for a
    smoothing that looks at one order. For the others the best one is where a coordinate search begins: one order after
    the other moves to the next strength up or down as long as the dev loss falls, until none moves. What it found is
    the answer; further rows give the losses at each strength of each order while the other orders have their best.

    Args:
        params: of the model; its own strength is not looked at.

    Raises:
        ValueError: the smoothing cannot have one of these.
    """
    if params.smoothing not in LARGEST:
        return None, []
    ladder = sorted(set(strengths))
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
