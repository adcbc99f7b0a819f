"""Cut a list of names into train, dev and test, as the second lecture does."""

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
    """How the list is cut."""

    train: Annotated[float, Field(gt=0, lt=1, description="share of the list to learn from")]
    dev: Annotated[float, Field(gt=0, lt=1, description="share to compare models on; test is the rest")]
    seed: Annotated[Seed, Field(description="of the shuffle alone")]
    unit: Annotated[
        Literal["line", "name"],
        Field(description="what is shuffled: lines (the lecture), or distinct names, all copies of one kept together"),
    ]

    @model_validator(mode="after")
    def _test_is_left(self) -> Self:
        if self.train + self.dev >= 1:
            raise ValueError(f"dev: expected train + dev < 1, got {self.train} + {self.dev}")
        return self


def split(text: Text, params: SplitParams) -> tuple[Text, Text, Text]:
    """Shuffle n units with `random.Random(seed)`, cut at int(train * n) and int((train + dev) * n); the rest is test.

    With the unit `line` a name that the list holds twice can be in train and in dev.

    Raises:
        ValueError: one of the three would be empty.
    """
    if params.unit == "line":
        units = np.arange(names.count(text))  # (lines,)
    else:
        _, first, inverse = np.unique(names.identities(text), return_index=True, return_inverse=True)
        units = np.argsort(np.argsort(first))[inverse]  # (lines,) distinct names, numbered as they first appear
    n = int(units.max()) + 1
    order = array("q", range(n))  # shuffled in place: the permutation that a list of n names would get
    random.Random(params.seed).shuffle(order)
    place = np.empty(n, dtype=np.int64)  # (n,): where the shuffle put each unit
    place[np.asarray(order)] = np.arange(n)

    cuts = int(params.train * n), int(round(params.train + params.dev, 9) * n)  # .7 + .2 is a hair below .9
    if not 0 < cuts[0] < cuts[1] < n:
        sizes = f"train {cuts[0]}, dev {cuts[1] - cuts[0]}, test {n - cuts[1]}"
        raise ValueError(f"expected enough names for three splits, found {n}, which makes {sizes}")
    places = place[units]  # (lines,)
    lines = np.argsort(places, kind="stable")
    train, dev, test = np.split(lines, np.searchsorted(places[lines], cuts))
    return names.take(text, train), names.take(text, dev), names.take(text, test)
