"""Split a list of names into train, dev and test, as in the second lecture."""

import random
from array import array
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from makemore.core import names
from makemore.core.names import Text
from makemore.core.params import Section, Seed

NAMES = ("train", "dev", "test")


class SplitParams(Section):
    """How the list is split."""

    train: Annotated[float, Field(gt=0, lt=1, description="share of the list to train on")]
    dev: Annotated[float, Field(gt=0, lt=1, description="share to tune and compare models on; the rest is test")]
    seed: Annotated[Seed, Field(description="seed of the shuffle")]
    unit: Annotated[
        Literal["line", "name"],
        Field(description="unit to shuffle: line (the lecture), or name, which keeps all copies of a name together"),
    ]

    @model_validator(mode="after")
    def _test_is_left(self) -> Self:
        if self.train + self.dev >= 1:
            raise ValueError(f"dev: expected train + dev < 1, got {self.train} + {self.dev}")
        return self


def split(text: Text, params: SplitParams) -> tuple[Text, Text, Text]:
    """Shuffle n units with `random.Random(seed)` and cut at int(train * n) and int((train + dev) * n).

    With the unit `line`, copies of a name can be in both train and dev.

    Raises:
        ValueError: one of the splits would be empty.
    """
    if params.unit == "line":
        units = np.arange(names.count(text))  # (lines,)
    else:
        _, first, inverse = np.unique(names.identities(text), return_index=True, return_inverse=True)
        units = np.argsort(np.argsort(first))[inverse]  # (lines,) distinct names, numbered in order of appearance
    n = int(units.max()) + 1
    order = array("q", range(n))  # gives the same permutation as shuffling a list of n names
    random.Random(params.seed).shuffle(order)
    position = np.empty(n, dtype=np.int64)  # (n,): the position of each unit after the shuffle
    position[np.asarray(order)] = np.arange(n)

    cuts = int(params.train * n), int(round(params.train + params.dev, 9) * n)  # 0.7 + 0.2 is slightly less than 0.9
    if not 0 < cuts[0] < cuts[1] < n:
        sizes = f"train {cuts[0]}, dev {cuts[1] - cuts[0]}, test {n - cuts[1]}"
        raise ValueError(f"too few names, {n}, for three splits: {sizes}; add names or change train and dev")
    positions = position[units]  # (lines,)
    lines = np.argsort(positions, kind="stable")
    train, dev, test = np.split(lines, np.searchsorted(positions[lines], cuts))
    return names.take(text, train), names.take(text, dev), names.take(text, test)
