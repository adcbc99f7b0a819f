"""n-gram models on real names, compared with the figures of KenLM and of the lecture."""

from pathlib import Path

import numpy as np
import pytest

from checkout import ROOT
from conftest import LECTURE
from makemore.core import names
from makemore.core.contexts import sliding
from makemore.core.model import load_model, save_model
from makemore.core.params import check
from makemore.core.vocab import Tokens, Vocab
from makemore.evaluation.losses import summary, token_nlls
from makemore.lists.splits import SplitParams, split
from makemore.models.ngram import model as ngram
from makemore.models.ngram.model import Ngram, NgramParams, fit

TEXT = names.read(ROOT / "data/names.txt")
VOCAB = Vocab.of(TEXT)

Splits = dict[str, Tokens]


def params(order: int, smoothing: str, strength: object = None, position: int = 0) -> NgramParams:
    return NgramParams.model_validate(
        {"order": order, "smoothing": smoothing, "strength": strength, "position": position}
    )


def tokens_of(path: Path) -> Splits:
    parts = split(names.read(path), SplitParams(train=0.8, dev=0.1, seed=42, unit="line"))
    return {name: VOCAB.encode(part, name) for name, part in zip(("train", "dev", "test"), parts, strict=True)}


@pytest.fixture(scope="module")
def splits() -> Splits:
    return tokens_of(ROOT / "data/names.txt")


def nll(model: Ngram, tokens: Tokens) -> float:
    return -float(model.token_log_probs(tokens).mean())


def kenlm(order: int, train: Tokens) -> Ngram:
    """Modified Kneser-Ney with KenLM's vocabulary, which has one more token than ours: the unknown, <unk>."""
    return fit(params(order, "kneser_ney"), train, len(VOCAB) + 1)


# lmplz --discount_fallback, one token per character; mean NLL in nats, the end token counts
@pytest.mark.parametrize(
    ("order", "train", "dev", "test"),
    [
        (2, 2.45484, 2.46054, 2.44998),
        (3, 2.19371, 2.22247, 2.21689),
        (4, 1.92851, 2.05287, 2.06188),
        (5, 1.71789, 1.97547, 1.98827),
        (6, 1.61745, 1.96558, 1.98105),
    ],
)
def test_kneser_ney_equals_kenlm(order: int, train: float, dev: float, test: float, splits: Splits) -> None:
    reference = kenlm(order, splits["train"])
    assert [nll(reference, tokens) for tokens in splits.values()] == pytest.approx([train, dev, test], abs=1e-5)
    ours = fit(params(order, "kneser_ney"), splits["train"], len(VOCAB))  # without KenLM's unknown token
    assert nll(ours, splits["dev"]) == pytest.approx(dev, abs=5e-5)


@pytest.mark.skipif(not LECTURE.exists(), reason=f"needs the lecture's own list, {LECTURE}")
@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (2, {"dev": 2.45283, "test": 2.45782}),
        (3, {"dev": 2.2185}),
        (4, {"dev": 2.0564}),
        (5, {"train": 1.71673, "dev": 1.98414, "test": 1.98536}),
        (6, {"train": 1.61779, "dev": 1.97460, "test": 1.97785}),
    ],
)
def test_kneser_ney_equals_kenlm_on_the_lecture_split(order: int, expected: dict[str, float]) -> None:
    splits = tokens_of(LECTURE)
    model = kenlm(order, splits["train"])
    assert {name: nll(model, splits[name]) for name in expected} == pytest.approx(expected, abs=5e-5)


EXERCISES = (ROOT / "docs/exercises.md").read_text(encoding="utf-8")


def test_the_best_ngram_model_beats_kenlm_by_0_015_nats(splits: Splits) -> None:
    strong = fit(params(6, "power_law", [0.05, 0.5, 0.75, 0.75, 0.75, 0.9], 6), splits["train"], len(VOCAB))
    reference = kenlm(6, splits["train"])
    for name in ("dev", "test"):
        tokens = splits[name]
        gain = summary(strong.token_log_probs(tokens) - reference.token_log_probs(tokens), tokens)  # the same tokens
        assert gain["nll"] - 2 * gain["nll_se"] > 0.015, name
        assert f"-{gain['nll']:.4f} ± {gain['nll_se']:.4f}" in EXERCISES, name


def test_the_lectures_bigram_and_trigram(splits: Splits) -> None:
    whole, size = VOCAB.encode(TEXT, "names"), len(VOCAB)
    assert nll(fit(params(2, "none"), whole, size), whole) == pytest.approx(559_873.6 / 228_146, abs=1e-4)
    assert nll(fit(params(2, "additive", 1), whole, size), whole) == pytest.approx(2.4546, abs=5e-5)
    assert nll(fit(params(3, "additive", 1), splits["train"], size), splits["dev"]) == pytest.approx(2.2408, abs=5e-5)


def test_an_unseen_bigram_has_infinite_loss_without_smoothing() -> None:
    bigram = fit(params(2, "none"), VOCAB.encode(TEXT, "names"), len(VOCAB))
    jq = VOCAB.encode(names.from_string("andrejq\n"), "jq")
    assert np.isneginf(bigram.token_log_probs(jq)).sum() == 1


@pytest.mark.parametrize(("smoothing", "strength"), [("additive", 1), ("kneser_ney", None), ("power_law", 0.75)])
def test_scores_do_not_depend_on_the_method_or_the_chunk_size(
    smoothing: str, strength: float | None, splits: Splits, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = splits["dev"][:3000]
    model = fit(params(4, smoothing, strength, 5), some, len(VOCAB))
    scores = model.token_log_probs(some)
    rows = model.log_probs(sliding(some, model.context))  # (M, V)
    assert np.array_equal(rows[np.arange(len(some)), some], scores)
    assert np.array_equal(-token_nlls(model, some), scores)
    monkeypatch.setattr(ngram, "CHUNK", 7)
    again = fit(model.params, some, len(VOCAB))
    assert np.array_equal(again.ngrams, model.ngrams) and np.array_equal(again.counts, model.counts)
    assert np.array_equal(again.token_log_probs(some), scores)


@pytest.mark.parametrize("strength", [0.5, [0.1, 0.5, 0.9]])
def test_a_loaded_model_equals_the_saved_one(strength: float | list[float], splits: Splits, tmp_path: Path) -> None:
    model = fit(params(3, "power_law", strength, 4), splits["dev"], len(VOCAB))
    save_model(tmp_path / "model.safetensors", model, VOCAB)
    loaded = load_model(tmp_path / "model.safetensors", VOCAB)
    assert (loaded.context, loaded.parameter_count) == (4, len(model.counts))
    contexts = sliding(splits["test"][:100], 4)
    assert np.array_equal(loaded.log_probs(contexts), model.log_probs(contexts))


def test_orders_above_the_longest_name_change_nothing() -> None:
    tokens = np.array([1, 2, 0, 2, 0], dtype=np.int32)
    low, high = (fit(params(order, "kneser_ney"), tokens, 3) for order in (4, 12))
    assert np.array_equal(low.token_log_probs(tokens), high.token_log_probs(tokens))


def test_an_order_that_is_too_high_is_an_error() -> None:
    tokens = np.array([1, 0], dtype=np.int32)
    fit(params(13, "witten_bell", 1), tokens, 27)
    with pytest.raises(ValueError, match="order: 14 is too high for a vocabulary of 27 tokens"):
        fit(params(14, "witten_bell", 1), tokens, 27)


@pytest.mark.parametrize(
    ("smoothing", "strength", "found"),
    [
        ("additive", -1, "expected a number >= 0 for smoothing additive, got -1"),
        ("additive", None, "expected a number >= 0 for smoothing additive, got None"),
        ("additive", [1.0, 1.0, 1.0], "expected a number >= 0 for smoothing additive, got [1.0, 1.0, 1.0]"),
        ("power_law", 1.5, "expected a number from 0 to 1, or a list of 3 for smoothing power_law, got 1.5"),
        (
            "power_law",
            [0.5, 0.5],
            "expected a number from 0 to 1, or a list of 3 for smoothing power_law, got [0.5, 0.5]",
        ),
        ("witten_bell", [1.0, 1.0, -1.0], "expected a number >= 0, or a list of 3 for smoothing witten_bell, got"),
        ("kneser_ney", 0.75, "expected null for smoothing kneser_ney, got 0.75"),
        ("none", 1, "expected null for smoothing none, got 1"),
        ("additive", "best", "expected a number or a list, each entry a number or null, got 'best'"),
    ],
)
def test_a_strength_that_does_not_fit_the_smoothing_is_an_error(smoothing: str, strength: object, found: str) -> None:
    values = {"order": 3, "smoothing": smoothing, "strength": strength, "position": 0}
    with pytest.raises(ValueError, match=r"^ngram\.x\.strength: ") as error:
        check(NgramParams, values, lambda key: f"ngram.x.{key}")
    assert found in str(error.value)
