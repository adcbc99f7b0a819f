"""Strengths chosen on the dev names."""

from pathlib import Path

import pytest

from makemore.core import names
from makemore.core.vocab import Tokens, Vocab
from makemore.lists.splits import SplitParams, split
from makemore.models.ngram import model
from makemore.models.ngram.model import NgramParams
from makemore.search.tuning import Trials, tune

TEXT = names.read(Path(__file__).parents[1] / "data/names.txt")
VOCAB = Vocab.of(TEXT)


@pytest.fixture(scope="module")
def train_dev() -> tuple[Tokens, Tokens]:
    train, dev, _ = split(TEXT, SplitParams(train=0.8, dev=0.1, seed=42, unit="line"))
    return VOCAB.encode(train, "train"), VOCAB.encode(dev, "dev")


def params(order: int, smoothing: str, position: int = 0) -> NgramParams:
    values = {"order": order, "smoothing": smoothing, "strength": "tuned", "position": position}
    return NgramParams.model_validate(values)


def nll(params: NgramParams, strength: float | list[float], train: Tokens, tokens: Tokens) -> float:
    fixed = params.model_copy(update={"strength": strength})
    return -float(model.fit(fixed, train, len(VOCAB)).token_log_probs(tokens).mean())


def test_trigram(train_dev: tuple[Tokens, Tokens]) -> None:
    train, dev = train_dev
    trigram, strengths = params(3, "additive"), [0.01, 0.1, 0.2, 0.5, 1.0, 10.0]
    best, rows = tune(trigram, strengths[::-1], train, dev, len(VOCAB))
    assert [(row.order, row.strength) for row in rows] == [(0, strength) for strength in strengths]
    for row in rows:
        expected = (nll(trigram, row.strength, train, train), nll(trigram, row.strength, train, dev))
        assert (row.train, row.dev) == pytest.approx(expected, abs=1e-12)
    assert [row.train for row in rows] == sorted(row.train for row in rows)  # E03: train only gets worse,
    assert best == 0.2 == min(rows, key=lambda row: row.dev).strength  # and dev has a minimum between


@pytest.mark.parametrize(
    ("smoothing", "strengths"), [("power_law", [0.3, 0.5, 0.7, 0.9]), ("witten_bell", [1.0, 4, 9])]
)
def test_each_order(smoothing: str, strengths: list[float], train_dev: tuple[Tokens, Tokens]) -> None:
    train, dev = train_dev
    model = params(4, smoothing, position=5)
    best, rows = tune(model, strengths, train, dev, len(VOCAB))
    assert tune(model, strengths, train, dev, len(VOCAB)) == (best, rows)  # nothing is random
    assert isinstance(best, list)
    at_best = nll(model, best, train, dev)
    assert at_best < min(row.dev for row in rows if row.order == 0)
    for order in range(1, 5):
        of_order = [row for row in rows if row.order == order]
        assert [row.strength for row in of_order] == strengths
        lowest = min(of_order, key=lambda row: row.dev)
        assert lowest.strength == best[order - 1]
        assert lowest.dev == pytest.approx(at_best, abs=1e-12)


def test_unsmoothed_is_infinite(train_dev: tuple[Tokens, Tokens]) -> None:
    assert Trials(params(3, "additive"), *train_dev, len(VOCAB)).nll(0) == float("inf")


def test_without_strength(train_dev: tuple[Tokens, Tokens]) -> None:
    kneser_ney = NgramParams(order=2, smoothing="kneser_ney", strength=None, position=0)
    assert tune(kneser_ney, [], *train_dev, len(VOCAB)) == (None, [])
    with pytest.raises(ValueError, match=r"strength: expected a number from 0 to 1, .* got 2"):
        tune(params(2, "power_law"), [0.5, 2.0], *train_dev, len(VOCAB))
