import random
from collections.abc import Iterable
from itertools import chain

import numpy as np
import pytest

from conftest import lines_of, text_of, tiny_names
from makemore.core import names
from makemore.core.vocab import Vocab
from makemore.lists import splits
from makemore.lists.splits import SplitParams, split, split_blocks, streamed

LECTURE = SplitParams(train=0.8, dev=0.1, seed=42, unit="line")


def lectures_split(words: list[str]) -> list[list[str]]:
    words = list(words)
    random.seed(42)
    random.shuffle(words)
    n1, n2 = int(0.8 * len(words)), int(0.9 * len(words))
    return [words[:n1], words[n1:n2], words[n2:]]


@pytest.mark.parametrize("count", [11, 60, 137])
def test_it_is_the_lectures_split(count: int) -> None:
    words = tiny_names(count)
    assert [lines_of(part) for part in split(text_of(*words), LECTURE)] == lectures_split(words)


def test_the_splits_of_the_projects_list(real: names.Text) -> None:
    parts = split(real, LECTURE)
    vocab = Vocab.of(real)
    assert [names.count(part) for part in parts] == [25_626, 3_203, 3_204]
    assert [len(vocab.encode(part, "part")) for part in parts] == [182_518, 22_939, 22_689]


def test_the_splits_of_the_lectures_list(lecture: names.Text) -> None:
    parts = split(lecture, LECTURE)
    vocab = Vocab.of(lecture)
    assert [len(vocab.encode(part, "part")) for part in parts] == [182_625, 22_655, 22_866]


def test_splitting_by_line_leaks_names() -> None:
    train, dev, _ = split(text_of(*tiny_names(300)), LECTURE)
    assert names.is_in(dev, train).any()


def test_splitting_by_name_leaks_and_loses_nothing() -> None:
    words = tiny_names(300)
    parts = split(text_of(*words), LECTURE.model_copy(update={"unit": "name"}))
    train, dev, test = (set(lines_of(part)) for part in parts)
    assert not train & dev and not train & test and not dev & test
    assert sorted(np.concatenate([lines_of(part) for part in parts])) == sorted(words)
    assert len(train) == int(0.8 * len(set(words)))


def test_without_duplicates_both_units_give_the_same_splits() -> None:
    text = text_of(*sorted(set(tiny_names(100))))
    by_line, by_name = (split(text, LECTURE.model_copy(update={"unit": unit})) for unit in ("line", "name"))
    assert all(np.array_equal(a, b) for a, b in zip(by_line, by_name, strict=True))


def test_another_seed_gives_another_split() -> None:
    text = text_of(*tiny_names())
    assert not np.array_equal(split(text, LECTURE)[1], split(text, LECTURE.model_copy(update={"seed": 43}))[1])


def test_shares_are_not_affected_by_binary_rounding() -> None:  # 0.7 + 0.2 is 0.8999...
    parts = split(text_of(*tiny_names(10)), LECTURE.model_copy(update={"train": 0.7, "dev": 0.2}))
    assert [names.count(part) for part in parts] == [7, 2, 1]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_too_few_names_are_an_error(count: int) -> None:
    with pytest.raises(ValueError, match=f"too few names, {count}, for three splits: train"):
        split(text_of(*tiny_names(60)[:count]), LECTURE)


def joined(parts: Iterable[splits.Parts]) -> list[list[str]]:
    return [[name for text in texts for name in lines_of(text)] for texts in zip(*parts, strict=True)]


def test_a_list_in_blocks_is_shuffled_if_it_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    words = tiny_names(60)
    blocks = [text_of(*words[:25]), text_of(*words[25:])]
    assert joined(split_blocks(blocks, "f", LECTURE)) == lectures_split(words)
    monkeypatch.setattr(splits, "SHUFFLED", 59)
    assert joined(split_blocks(blocks, "f", LECTURE)) == joined(streamed(blocks, LECTURE)) != lectures_split(words)


@pytest.mark.parametrize("unit", ["line", "name"])
def test_a_long_list_is_split_by_hashes(unit: str) -> None:
    words = [f"{i * i % 7919:x}" for i in range(20_000)]  # copies, in no order
    params = LECTURE.model_copy(update={"unit": unit})
    parts = joined(streamed([text_of(*words)], params))
    assert parts == joined(streamed([text_of(*words[:7]), text_of(*words[7:])], params))  # blocks do not matter
    assert sorted(chain(*parts)) == sorted(words)
    assert [len(part) for part in parts] == pytest.approx([16_000, 2_000, 2_000], abs=600)
    assert bool(set(parts[0]) & set(parts[1])) == (unit == "line")
    assert parts != joined(streamed([text_of(*words)], params.model_copy(update={"seed": 43})))


def test_a_long_list_without_names_for_a_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "SHUFFLED", 5)
    params = LECTURE.model_copy(update={"unit": "name"})
    with pytest.raises(ValueError, match=r"^f: too few names, 9, for three splits: train \d, dev \d, test \d; add"):
        list(split_blocks([text_of(*["ava"] * 9)], "f", params))


def test_with_the_unit_name_a_longer_list_moves_no_name() -> None:
    params = LECTURE.model_copy(update={"unit": "name"})
    words = tiny_names(300)
    before, after = (joined(streamed([text_of(*some)], params)) for some in (words[:100], words))
    assert all(set(one) <= set(other) for one, other in zip(before, after, strict=True))


def test_without_a_seed_the_order_is_kept_in_lists_of_any_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splits, "SHUFFLED", 5)
    words = tiny_names(40)
    blocks = [text_of(*words[:20]), text_of(*words[20:])]
    (parts,) = splits.split_blocks(blocks, "list", LECTURE.model_copy(update={"seed": None}))
    assert [lines_of(part) for part in parts] == [words[:32], words[32:36], words[36:]]
