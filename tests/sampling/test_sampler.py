import json
from collections import Counter
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from click.testing import Result

from conftest import additive, encoded, lines_of, sample_params, text_of, tiny_names
from makemore.core import names
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import Ngram, NgramParams, fit
from makemore.sampling import markov, sampler
from makemore.sampling.sampler import adjusted, categorical, describe, sample, tempered

Run = Callable[..., Result]
NAMES = tiny_names()
TRAIN = text_of(*NAMES)
KNOWN = names.known([TRAIN])
VOCAB = Vocab.of(TRAIN)


def ngram(order: int) -> Ngram:
    return fit(additive(order, 0.01), encoded(VOCAB, *NAMES), len(VOCAB))


TRIGRAM = ngram(3)


@pytest.fixture(params=["table", "batches"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of sampling: from a table of all contexts, and in batches that ask the model at each step."""
    if request.param == "batches":
        monkeypatch.setattr(markov, "MAX_TABLE_ENTRIES", 0)
    return str(request.param)


def sampled(model: Ngram = TRIGRAM, /, **changes: object) -> list[str]:
    return [name for text in sample(model, sample_params(**changes), VOCAB, KNOWN) for name in lines_of(text)]


def test_the_seed_determines_the_names(way: str) -> None:
    assert sampled() == sampled()
    assert sampled() != sampled(seed=2)
    assert len(sampled(count=1234)) == 1234


def test_draws_have_the_probabilities_given() -> None:
    draws = np.bincount(categorical(np.tile([0.5, 0.0, 0.3, 0.2], (20_000, 1)), np.random.default_rng(0)), minlength=4)
    assert draws[1] == 0
    assert draws / 20_000 == pytest.approx([0.5, 0, 0.3, 0.2], abs=0.015)


def stored(probs: np.ndarray) -> np.ndarray:
    """The probabilities that an alias table has stored."""
    kept, other = markov.alias_table(probs)
    assert ((kept >= 0) & (kept <= 1)).all()
    cells = kept.copy()
    np.add.at(cells, (np.arange(len(probs))[:, None], other), 1 - kept)
    return cells / probs.shape[1]


def test_an_alias_table_holds_the_probabilities_exactly() -> None:
    probs = np.random.default_rng(0).dirichlet(np.full(8, 0.3), 500)
    probs[:, 5] = 0
    probs /= probs.sum(axis=1, keepdims=True)
    assert stored(probs) == pytest.approx(probs, abs=1e-12)
    assert not stored(probs)[:, 5].any()


def test_an_alias_table_holds_equal_probabilities_exactly() -> None:
    """Ties are frequent: characters with the same count, and all that were never seen."""
    counts = np.random.default_rng(0).integers(0, 3, (500, 8)) + np.array([[0.0]] * 250 + [[1.0]] * 250)
    counts[:9] = [[0, 0, 0, 0, 1, 1, 0, 0], *np.eye(8)[:7], np.ones(8)]
    counts[counts.sum(axis=1) == 0] = 1
    probs = counts / counts.sum(axis=1, keepdims=True)
    assert stored(probs) == pytest.approx(probs, abs=1e-12)
    assert not stored(probs)[probs == 0].any()
    alike = np.pad(np.full((1, 27), 1 / 27), ((0, 0), (0, 5)))  # an unseen context of the lecture's vocabulary
    assert stored(alike) == pytest.approx(alike, abs=1e-12)


def test_names_have_the_probabilities_of_the_model(way: str) -> None:
    """Short and long names alike: names that end early must not be preferred."""
    count = 20_000
    found = Counter(sampled(count=count, seed=3))
    for name, often in found.most_common(30):
        prob = np.exp(TRIGRAM.token_log_probs(encoded(VOCAB, name)).sum())
        assert often / count == pytest.approx(prob, abs=5 * np.sqrt(prob / count))
    lengths = np.array([len(name) for name in sampled(count=count, seed=4)])
    other = np.array([len(name) for name in found.elements()])
    assert lengths.mean() == pytest.approx(other.mean(), abs=5 * other.std() * np.sqrt(2 / count))


def deviation(some: Iterable[object], others: Iterable[object]) -> float:
    """How far two samples of one distribution differ: chi-square, in standard deviations above its mean.

    Values that both samples together have fewer than 20 times are counted as one.
    """
    counts = np.array([[a[key], b[key]] for a, b in [(Counter(some), Counter(others))] for key in a | b])  # (K, 2)
    rare = counts.sum(axis=1) < 20
    cells = np.concatenate((counts[~rare], counts[rare].sum(axis=0, keepdims=True)))
    cells = cells[cells.sum(axis=1) > 0]
    expected = np.outer(cells.sum(axis=1), cells.sum(axis=0)) / cells.sum()
    freedom = len(cells) - 1
    chi_square = float(((cells - expected) ** 2 / expected).sum())
    return (chi_square - freedom) / np.sqrt(2 * max(1, freedom))


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"temperature": 0.6},
        {"temperature": 1.7, "max_length": 9},
        {"top_k": 3},
        {"top_k": 2, "temperature": 2, "min_length": 2},
        {"top_p": 0.7},
    ],
)
def test_both_ways_of_sampling_have_the_same_distribution(
    order: int, changes: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ngram(order)
    assert markov.fits(model.context, len(VOCAB), 50)
    from_table = sampled(model, count=30_000, **changes)
    monkeypatch.setattr(markov, "MAX_TABLE_ENTRIES", 0)
    in_batches = sampled(model, count=30_000, seed=2, **changes)
    assert deviation(from_table, in_batches) < 5
    assert deviation(map(len, from_table), map(len, in_batches)) < 5
    hotter = sampled(model, count=30_000, seed=2, **changes | {"temperature": changes.get("temperature", 1) * 2})
    assert deviation(from_table, hotter) > 5  # the bound is tight enough to notice another temperature


def test_a_model_without_context_can_be_sampled() -> None:
    found = Counter("".join(f"{name}." for name in sampled(ngram(1), count=5_000)))
    probs = np.exp(ngram(1).log_probs(np.zeros((1, 0), dtype=np.int32)))[0]
    shares = [found[character] / found.total() for character in VOCAB.itos]
    assert shares == pytest.approx(probs.tolist(), abs=0.02)


def test_temperature_by_hand() -> None:
    probs = np.array([[0.5, 0.3, 0.2]])
    assert tempered(probs, 1)[0].tolist() == [0.5, 0.3, 0.2]
    assert tempered(probs, 0.5)[0] == pytest.approx(np.array([0.25, 0.09, 0.04]) / 0.38)
    assert tempered(probs, 0)[0].tolist() == [1, 0, 0]
    assert tempered(probs, 1e-300)[0].tolist() == [1, 0, 0]
    assert tempered(np.array([[0.5, 0.5, 0.0]]), 2)[0] == pytest.approx([0.5, 0.5, 0])
    assert tempered(np.array([[0.9, 0.1, 0.0]]), 1e300)[0] == pytest.approx([0.5, 0.5, 0])


def test_temperature_zero_always_gives_the_same_name(way: str) -> None:
    assert len(set(sampled(temperature=0))) == 1


def test_top_k_and_top_p_by_hand() -> None:
    probs = np.array([[0.1, 0.4, 0.2, 0.3], [0.25, 0.25, 0.25, 0.25]])
    assert adjusted(probs, sample_params(top_k=2)) == pytest.approx(
        np.array([[0, 4 / 7, 0, 3 / 7], [1 / 2, 1 / 2, 0, 0]])
    )
    assert adjusted(probs, sample_params(top_k=9)) == pytest.approx(probs)
    assert adjusted(probs, sample_params(top_p=0.6))[0] == pytest.approx([0, 4 / 7, 0, 3 / 7])
    assert adjusted(probs, sample_params(top_p=1e-9))[0] == pytest.approx([0, 1, 0, 0])
    assert adjusted(probs, sample_params(top_p=0.6, top_k=1, temperature=0))[0] == pytest.approx([0, 1, 0, 0])


def test_names_match_the_options(way: str) -> None:
    assert {len(name) for name in sampled(min_length=4, max_length=6)} == {4, 5, 6}
    assert all(name.startswith("ab") for name in sampled(prefix="ab"))
    assert all(name.endswith("ea") for name in sampled(suffix="ea"))
    assert all(name[0] == "b" and name[2:].startswith(("a", "c")) for name in sampled(pattern="b?[ac]*"))
    assert set(sampled(count=300)) & set(NAMES) and not set(sampled(count=300, new=True)) & set(NAMES)
    assert len(set(sampled(count=300, distinct=True))) == 300


def test_matching_names_keep_their_relative_probabilities(way: str) -> None:
    count = 5_000
    every = Counter(name for name in sampled(count=10 * count, seed=5) if name.startswith("a") and len(name) < 4)
    found = Counter(sampled(count=count, prefix="a", max_length=3))
    for name, often in every.most_common(10):
        share = often / every.total()
        assert found[name] / count == pytest.approx(share, abs=5 * np.sqrt(share / every.total() + share / count))


def test_options_that_no_name_matches_are_an_error(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampler, "MAX_REJECTIONS", 2000)
    with pytest.raises(ValueError, match=r"^found 0 of 5 names with length 0 to 50, suffix aaaaaaaa; the last"):
        sampled(count=5, suffix="aaaaaaaa")
    with pytest.raises(ValueError, match=r"^found 1 of .* distinct; the last"):
        sampled(temperature=0, distinct=True)
    with pytest.raises(ValueError, match=r"^found 0 of .* length 0 to 1; the last"):
        sampled(temperature=0, max_length=1)
    with pytest.raises(ValueError, match="prefix: expected characters of the vocabulary, got 'z' in 'az'"):
        sampled(prefix="az")
    with pytest.raises(ValueError, match=r"suffix: expected characters of the vocabulary, got '\.' in 'a\.'"):
        sampled(suffix="a.")


def test_a_prefix_that_the_model_rules_out_is_an_error() -> None:
    unsmoothed = fit(NgramParams(order=2, smoothing="none", strength=None, position=0), encoded(VOCAB, "ab"), 6)
    assert [*map(lines_of, sample(unsmoothed, sample_params(count=2, prefix="a"), VOCAB))] == [["ab", "ab"]]
    with pytest.raises(ValueError, match="prefix: the model gives 'ba' the probability 0"):
        next(sample(unsmoothed, sample_params(prefix="ba"), VOCAB))


def test_names_are_returned_in_chunks_of_bounded_size() -> None:
    first = next(sample(TRIGRAM, sample_params(count=10**9), VOCAB))
    assert len(first) < 5_000_000


def test_describe() -> None:
    assert describe(text_of("ab", "ab", "abc"), names.known([text_of("ab", "abcd")]), 3) == {
        "samples": 3,
        "distinct": 2,
        "new": 1,
        "mean_length": pytest.approx(7 / 3),
        "train_mean_length": 3,
    }


def test_the_command(run: Run) -> None:
    for stage in ["clean"], ["vocab"], ["split"], ["fit_ngram", "bigram"]:
        assert run(*stage).exit_code == 0
    printed = run("sample", "bigram", "--count", "3", "--prefix", "a")
    assert printed.exit_code == 0 and [name[0] for name in printed.stdout.splitlines()] == ["a"] * 3
    lines = run("sample", "bigram", "--count", "3", "--prefix", "a", "--new", "--json").stdout.splitlines()
    assert [json.loads(line)["new"] for line in lines] == [True] * 3
    usage = run("sample", "bigram", "--min-length", "9", "--max-length", "8")
    assert usage.exit_code == 2 and "--min-length: expected at most max_length, 8, got 9" in usage.stderr
    failed = run("sample", "bigram", "--prefix", "X", "--output", "made.txt")
    assert failed.exit_code == 1 and failed.stderr.count("\n") == 1
