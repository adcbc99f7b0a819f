"""Split a list of names into train, dev and test, as in the second lecture.

A list of more than `SHUFFLED` lines is not shuffled. Each line, or each name if the unit is `name`, goes to the split
that a hash of its number, or of its characters, selects. This reads the list once, in blocks, and needs no memory. The
names of a split keep the order of the list, and the sizes of the splits are the shares only up to chance. With the unit
`name`, a name stays in its split if the list grows. Without a seed, a list of any length is cut in its own order.
"""

import random
from array import array
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from makemore.core import names
from makemore.core.names import Text
from makemore.core.params import Section, Seed

NAMES = ("train", "dev", "test")
SHUFFLED = 1 << 22  # lines that are shuffled at most: the lecture's shuffle takes half a microsecond per line

Parts = tuple[Text, Text, Text]  # for train, dev and test


class SplitParams(Section):
    """How the list is split."""

    train: Annotated[float, Field(gt=0, lt=1, description="share of the list to train on")]
    dev: Annotated[float, Field(gt=0, lt=1, description="share to tune and compare models on; the rest is test")]
    seed: Annotated[Seed | None, Field(description="seed of the shuffle; null keeps the order of the list")]
    unit: Annotated[
        Literal["line", "name"],
        Field(description="unit to shuffle: line (the lecture), or name, which keeps all copies of a name together"),
    ]

    @model_validator(mode="after")
    def _test_is_left(self) -> Self:
        if self.train + self.dev >= 1:
            raise ValueError(f"dev: expected train + dev < 1, got {self.train} + {self.dev}")
        return self


def split_blocks(texts: Iterable[Text], source: str, params: SplitParams) -> Iterator[Parts]:
    """Split a list that is read in blocks, yielding some names of each split at a time.

    Raises:
        ValueError: one of the splits would be empty; the message starts with `source`.
    """
    first, lines = [], 0
    texts = iter(texts)
    for text in texts:
        first.append(text)
        lines += names.count(text)
        if lines > SHUFFLED and params.seed is not None:
            sizes = np.zeros(len(NAMES), dtype=np.int64)
            for parts in streamed(chain(first, texts), params):
                sizes += [names.count(part) for part in parts]
                yield parts
            if not sizes.all():
                raise ValueError(f"{source}: {_too_few(sizes.tolist())}")
            return
    try:
        yield split(np.concatenate(first), params)
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


def streamed(texts: Iterable[Text], params: SplitParams) -> Iterator[Parts]:
    """Split a list without shuffling it, by hashes."""
    assert params.seed is not None
    cuts = np.array([share * 2.0**64 for share in (params.train, params.train + params.dev)], dtype=np.uint64)
    before = 0
    for text in texts:
        _, lengths = names.bounds(text)  # (lines,)
        if params.unit == "name":
            hashes = names.hashes(text, params.seed)
        else:
            hashes = names.mixed(np.arange(before, before + len(lengths), dtype=np.uint64), params.seed)
        part = np.repeat(np.searchsorted(cuts, hashes, side="right"), lengths + 1)
        yield text[part == 0], text[part == 1], text[part == 2]
        before += len(lengths)


def split(text: Text, params: SplitParams) -> Parts:
    """Shuffle n units with `random.Random(seed)` and cut at int(train * n) and int((train + dev) * n).

    Without a seed the units keep their order, for lists that come with a split. With the unit `line`, copies of a name
    can be in both train and dev.

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
    if params.seed is not None:
        random.Random(params.seed).shuffle(order)
    position = np.empty(n, dtype=np.int64)  # (n,): the position of each unit after the shuffle
    position[np.asarray(order)] = np.arange(n)

    cuts = int(params.train * n), int(round(params.train + params.dev, 9) * n)  # 0.7 + 0.2 is slightly less than 0.9
    if not 0 < cuts[0] < cuts[1] < n:
        raise ValueError(_too_few([cuts[0], cuts[1] - cuts[0], n - cuts[1]]))
    positions = position[units]  # (lines,)
    lines = np.argsort(positions, kind="stable")
    train, dev, test = np.split(lines, np.searchsorted(positions[lines], cuts))
    return names.take(text, train), names.take(text, dev), names.take(text, test)


def _too_few(sizes: list[int]) -> str:
    """What is wrong with splits of these sizes, one of which is 0."""
    found = ", ".join(f"{name} {size}" for name, size in zip(NAMES, sizes, strict=True))
    return f"too few names, {sum(sizes)}, for three splits: {found}; add names or change train and dev"
