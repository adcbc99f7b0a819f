"""Smoothing strengths tuned on the dev names."""

import numpy as np
import pytest

from checkout import ROOT
from makemore.core import names
from makemore.core.params import check
from makemore.core.vocab import Tokens, Vocab
from makemore.lists.splits import SplitParams, split
from makemore.models.ngram.model import fit
from makemore.search.tuning import Trials, TunedNgramParams, tune

TEXT = names.read(ROOT / "data/names.txt")
VOCAB = Vocab.of(TEXT)


@pytest.fixture(scope="module")
def train_dev() -> tuple[Tokens, Tokens]:
    train, dev, _ = split(TEXT, SplitParams(train=0.8, dev=0.1, seed=42, unit="line"))
    return VOCAB.encode(train, "train"), VOCAB.encode(dev, "dev")


def params(
    order: int, smoothing: str, lowest: float, highest: float, count: int, position: int = 0
) -> TunedNgramParams:
    values = {"order": order, "smoothing": smoothing, "position": position}
    ladder = {"lowest": lowest, "highest": highest, "count": count}
    return check(TunedNgramParams, values | ladder, lambda key: f"tuned_ngram.x.{key}")


def nll(params: TunedNgramParams, strength: float | list[float], train: Tokens, tokens: Tokens) -> float:
    return -float(fit(params.with_strength(strength), train, len(VOCAB)).token_log_probs(tokens).mean())


def test_the_trigram_of_e03(train_dev: tuple[Tokens, Tokens]) -> None:
    train, dev = train_dev
    trigram = params(3, "additive", 0.01, 10, 7)
    best, rows = tune(trigram, train, dev, len(VOCAB))
    assert [row.strength for row in rows] == pytest.approx([0.01, 0.0316228, 0.1, 0.316228, 1, 3.16228, 10])
    assert {row.order for row in rows} == {0}
    for row in rows:
        expected = (nll(trigram, row.strength, train, train), nll(trigram, row.strength, train, dev))
        assert (row.train, row.dev) == pytest.approx(expected, abs=1e-12)
    assert [row.train for row in rows] == sorted(row.train for row in rows)  # more smoothing is worse on train,
    assert best == 0.1 == min(rows, key=lambda row: row.dev).strength  # and has an optimum on dev


@pytest.mark.parametrize(("smoothing", "ladder"), [("power_law", (0.3, 0.9, 4)), ("witten_bell", (1, 9, 3))])
def test_each_order_has_its_own_strength(
    smoothing: str, ladder: tuple[float, float, int], train_dev: tuple[Tokens, Tokens]
) -> None:
    train, dev = train_dev
    model = params(4, smoothing, *ladder, position=5)
    best, rows = tune(model, train, dev, len(VOCAB))
    assert tune(model, train, dev, len(VOCAB)) == (best, rows)  # nothing is random
    assert isinstance(best, list)
    at_best = nll(model, best, train, dev)
    assert at_best < min(row.dev for row in rows if row.order == 0)
    for order in range(1, 5):
        of_order = [row for row in rows if row.order == order]
        assert [row.strength for row in of_order] == pytest.approx(np.linspace(*ladder))
        lowest = min(of_order, key=lambda row: row.dev)
        assert lowest.strength == best[order - 1]
        assert lowest.dev == pytest.approx(at_best, abs=1e-12)


def test_an_unsmoothed_trigram_has_infinite_loss_on_dev(train_dev: tuple[Tokens, Tokens]) -> None:
    assert Trials(params(3, "additive", 1, 1, 2), *train_dev, len(VOCAB)).nll(0) == float("inf")


def test_strengths_are_spaced_evenly_or_geometrically() -> None:
    assert params(2, "additive", 0.001, 10, 5).ladder() == [0.001, 0.01, 0.1, 1, 10]
    assert params(2, "power_law", 0, 1, 5).ladder() == [0, 0.25, 0.5, 0.75, 1]
    assert params(2, "witten_bell", 3, 3, 5).ladder() == [3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("kneser_ney", 0.1, 1, 3), "smoothing: expected one of additive, jelinek_mercer, witten_bell, power_law, got"),
        (("none", 0.1, 1, 3), "smoothing: expected one of additive, jelinek_mercer, witten_bell, power_law, got none"),
        (("additive", 0, 1, 3), "lowest: expected a number > 0 for additive smoothing, got 0"),
        (("power_law", 0, 2, 3), "highest: expected a number >= 0.0 and <= 1 for smoothing power_law, got 2.0"),
        (("witten_bell", 3, 2, 3), "highest: expected a number >= 3.0 for smoothing witten_bell, got 2.0"),
        (("additive", 0.1, 1, 1), "count: expected an integer >= 2 and <= 10000, got 1"),
    ],
)
def test_a_range_that_does_not_fit_the_smoothing_is_an_error(
    arguments: tuple[str, float, float, int], message: str
) -> None:
    with pytest.raises(ValueError, match=f"^tuned_ngram.x.{message}"):
        params(2, *arguments)
