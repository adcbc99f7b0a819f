"""Mixed n-grams: the chains equal n-gram models, leaving out equals not counting, and the loss on the names."""

from pathlib import Path

import numpy as np
import pytest

from checkout import ROOT
from makemore.core import names
from makemore.core.contexts import sliding
from makemore.core.model import load_model, save_model, stateful
from makemore.core.vocab import Vocab
from makemore.lists.splits import SplitParams, split
from makemore.models.mixing import chain, classes, gate, history
from makemore.models.mixing.history import KINDS
from makemore.models.mixing.model import Mixing, MixingParams, fit
from makemore.models.ngram import model as ngram
from makemore.models.ngram.model import NgramParams

WORDS = "anna", "ann", "hanna", "emma", "emma", "amme", "em", "nahe", "hannah", "mahe", "a"
VOCAB = Vocab.of(names.parse("\n".join(WORDS).encode(), "words"))
TOKENS = VOCAB.tokens(*WORDS)
V = len(VOCAB)
PARAMS = MixingParams(order=5, position=3, classes=2, sample=1000, iterations=30)
GROUPS = classes.learn(TOKENS, V, 2)
TARGETS = TOKENS.astype(np.int64)


@pytest.fixture(scope="module")
def fitted() -> Mixing:
    return fit(PARAMS, TOKENS, V)


def columns(kind: str, rows: np.ndarray | slice = slice(None)) -> list[np.ndarray]:
    before = history.of_tokens(TOKENS, PARAMS.reach, GROUPS)
    return list(history.columns(kind, history.part(before, rows), GROUPS, PARAMS.order, PARAMS.position))


@pytest.mark.parametrize(("kind", "position"), [("plain", 0), ("position", 3)])
def test_a_chain_equals_an_ngram_model(kind: str, position: int) -> None:
    strengths = [0.1, 0.4, 0.6, 0.7, 0.8]
    levels = chain.count(columns(kind), TARGETS, V, strengths)
    probs, _ = chain.rows(levels, columns(kind), len(TOKENS), V)
    if position:  # the n-gram model has no order below that of the position
        strengths = strengths[1:]
    shape = {"order": len(strengths), "smoothing": "power_law", "strength": strengths, "position": position}
    reference = ngram.fit(NgramParams.model_validate(shape), TOKENS, V)
    if not position:
        assert np.allclose(probs, reference.probs(sliding(TOKENS, reference.context)), atol=1e-12)
    unseen = np.full((1, 4), V - 1, dtype=np.int64)
    rows, _ = chain.rows(levels, list(unseen.T), 1, V)
    assert rows.sum() == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_leaving_out_equals_not_counting(kind: str) -> None:
    own = columns(kind)
    levels = chain.count(own, TARGETS, V)
    strengths = [level.strength for level in levels]
    probs, known = chain.rows(levels, own, len(TOKENS), V, TARGETS)
    for i in range(0, len(TOKENS), 3):
        rest = np.delete(np.arange(len(TOKENS)), i)
        without = chain.count([column[rest] for column in own], TARGETS[rest], V, strengths)
        expected, features = chain.rows(without, [column[i : i + 1] for column in own], 1, V)
        assert np.allclose(probs[i], expected[0], atol=1e-12)
        assert np.allclose(known[i], features[0])


def test_all_ways_to_ask_agree(fitted: Mixing) -> None:
    rows = fitted.log_probs(sliding(TOKENS, 8))
    assert np.allclose(np.exp(rows).sum(axis=1), 1)
    assert np.isfinite(rows).all()
    assert np.allclose(fitted.token_log_probs(TOKENS), rows[np.arange(len(TOKENS)), TOKENS])
    state = stateful(fitted).begin(1)
    for i, token in enumerate((0, *VOCAB.tokens("hannah")[:-1])):
        log_probs, state = stateful(fitted).advance(state, np.array([token], dtype=np.int32))
        context = np.pad(VOCAB.tokens("hannah")[None, :i], ((0, 0), (8 - i, 0)))
        assert np.allclose(log_probs, fitted.log_probs(context))


def test_the_gradient_of_the_gate() -> None:
    random = np.random.default_rng(1)
    log_probs = np.log(random.dirichlet(np.ones(V), size=(3, 20))).astype(np.float32)
    inputs = random.normal(size=(3, 4, 20)).astype(np.float32)
    tokens = random.integers(V, size=20).astype(np.int32)
    weights = random.normal(size=(3, 4))
    _, gradient = gate.loss(weights, log_probs, inputs, tokens)
    for i in np.ndindex(weights.shape):
        step = np.zeros_like(weights)
        step[i] = 1e-2
        higher, lower = (gate.loss(weights + sign * step, log_probs, inputs, tokens)[0] for sign in (1, -1))
        assert gradient[i] == pytest.approx((higher - lower) / 2e-2, abs=2e-3)


def test_minimize_finds_the_minimum_of_a_quadratic() -> None:
    scale, center = np.array([1.0, 10, 100]), np.array([3.0, -2, 1])
    found = gate.minimize(
        lambda x: (float((scale * (x - center) ** 2).sum()), 2 * scale * (x - center)), np.zeros(3), 50
    )
    assert np.allclose(found, center, atol=1e-3)


def test_saved_and_loaded(fitted: Mixing, tmp_path: Path) -> None:
    save_model(tmp_path / "m.safetensors", fitted, VOCAB)
    loaded = load_model(tmp_path / "m.safetensors", VOCAB)
    assert np.array_equal(loaded.token_log_probs(TOKENS), fitted.token_log_probs(TOKENS))
    assert loaded.parameter_count == fitted.parameter_count


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"names": TOKENS[:0]}, "names that are not tokens"),
        ({"names": TOKENS[:-1]}, "names that are not tokens"),
        ({"names": TOKENS + V}, "names that are not tokens"),
        ({"names": TOKENS[:, None]}, "names of type int32 and shape"),
        ({"names": TOKENS.astype(np.float64)}, "names of type float64"),
        ({"classes": GROUPS + 1}, "classes that are not from 1 to 2"),
        ({"classes": GROUPS[1:]}, "classes of type int64 and shape"),
        ({"weights": np.full((len(KINDS), chain.FEATURES + 1), np.nan)}, "weights that are not"),
        ({"other": TOKENS}, "the arrays"),
    ],
)
def test_arrays_that_do_not_fit(fitted: Mixing, changes: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mixing.from_arrays(fitted.config(), fitted.arrays() | changes, V)


def test_a_list_of_one_name_and_of_names_without_repeats() -> None:
    for word in "a", "abcdefgh":
        vocab = Vocab.of(names.parse(word.encode(), "word"))
        model = fit(PARAMS, vocab.tokens(word), len(vocab))
        assert np.isfinite(model.token_log_probs(vocab.tokens(word))).all()


def test_the_names() -> None:
    text = names.read(ROOT / "data/names.txt")
    vocab = Vocab.of(text)
    parts = split(text, SplitParams(train=0.8, dev=0.1, seed=42, unit="line"))
    train, dev, _ = (vocab.encode(part, "names") for part in parts)
    groups = classes.learn(train, len(vocab), 2)
    vowels = {"".join(np.array(vocab.itos)[groups == group]) for group in (1, 2)}
    assert "aeiouy" in vowels
    model = fit(MixingParams(order=9, position=8, classes=2, sample=10_000, iterations=30), train, len(vocab))
    assert -model.token_log_probs(dev).mean() < 1.905


@pytest.mark.parametrize("words", [["anna", "otto"] * 50, ["a"] * 3000 + ["b"], ["a"], list(map(chr, range(97, 123)))])
def test_a_list_whose_features_hardly_vary(words: list[str], tmp_path: Path) -> None:
    vocab = Vocab.of(names.parse("\n".join(words).encode(), "words"))
    made = fit(PARAMS.model_copy(update={"order": 2}), vocab.tokens(*words), len(vocab))
    save_model(tmp_path / "m.safetensors", made, vocab)
    read = load_model(tmp_path / "m.safetensors", vocab)
    assert np.isfinite(read.token_log_probs(vocab.tokens(*words))).all()
    assert np.abs(made.weights[:, 1:]).max() < 1e4  # divided by a tiny spread, it was above 1e5
