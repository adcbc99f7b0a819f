import json
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from click.testing import Result

from conftest import additive, encoded, lines_of, sample_params, text_of, tiny_names
from makemore.core.vocab import Vocab
from makemore.models.ngram import model
from makemore.sampling import markov
from makemore.sampling.sampler import adjusted, categorical, describe, sample, tempered

Run = Callable[..., Result]
NAMES = tiny_names()
TRAIN = text_of(*NAMES)
VOCAB = Vocab.of(TRAIN)
TRIGRAM = model.fit(additive(3, 0.01), encoded(VOCAB, *NAMES), len(VOCAB))


@pytest.fixture(params=["chains", "batches"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which names are made: from a table of all contexts, and by asking the model at each step."""
    if request.param == "batches":
        monkeypatch.setattr(chains, "LARGEST", 0)
    return str(request.param)


def sampled(**changes: object) -> list[str]:
    return [name for text in sample(TRIGRAM, sample_params(**changes), VOCAB, TRAIN) for name in lines_of(text)]


def test_the_same_seed_gives_the_same_names_another_seed_others(way: str) -> None:
    assert sampled() == sampled()
    assert sampled() != sampled(seed=2)
    assert len(sampled(count=1234)) == 1234


def test_draws_have_the_probabilities_given() -> None:
    draws = np.bincount(categorical(np.tile([0.5, 0.0, 0.3, 0.2], (20_000, 1)), np.random.default_rng(0)), minlength=4)
    assert draws[1] == 0
    assert draws / 20_000 == pytest.approx([0.5, 0, 0.3, 0.2], abs=0.015)


def test_an_alias_table_holds_the_probabilities_exactly() -> None:
    probs = np.random.default_rng(0).dirichlet(np.full(8, 0.3), 500)
    probs[:, 5] = 0
    probs /= probs.sum(axis=1, keepdims=True)
    kept, other = markov.alias_table(probs)
    stored = kept.copy()
    np.add.at(stored, (np.arange(500)[:, None], other), 1 - kept)
    assert stored / 8 == pytest.approx(probs, abs=1e-12)
    assert not kept[:, 5].any() and not (other == 5)[kept < 1].any()


def test_names_have_the_probabilities_that_the_model_gives_them(way: str) -> None:
    """Short and long ones alike: names that end early must not crowd out the others."""
    count = 20_000
    found = Counter(sampled(count=count, seed=3))
    for name, often in found.most_common(30):
        prob = np.exp(TRIGRAM.token_log_probs(encoded(VOCAB, name)).sum())
        assert often / count == pytest.approx(prob, abs=5 * np.sqrt(prob / count))
    lengths = np.array([len(name) for name in sampled(count=count, seed=4)])
    other = np.array([len(name) for name in found.elements()])
    assert lengths.mean() == pytest.approx(other.mean(), abs=5 * other.std() * np.sqrt(2 / count))


def test_both_ways_make_names_of_the_same_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = np.array([len(name) for name in sampled(count=20_000)])
    monkeypatch.setattr(chains, "LARGEST", 0)
    plain = np.array([len(name) for name in sampled(count=20_000)])
    assert quick.mean() == pytest.approx(plain.mean(), abs=5 * plain.std() * np.sqrt(2 / 20_000))


def test_temperature() -> None:
    log_probs = np.log([[0.5, 0.3, 0.2]])
    assert tempered(log_probs, 1)[0] == pytest.approx([0.5, 0.3, 0.2])
    assert tempered(log_probs, 0.5)[0] == pytest.approx(np.array([0.25, 0.09, 0.04]) / 0.38)
    assert tempered(log_probs, 0)[0].tolist() == [1, 0, 0]
    assert tempered(log_probs, 1e-300)[0].tolist() == [1, 0, 0]
    with np.errstate(divide="ignore"):
        assert tempered(np.log([[0.5, 0.5, 0.0]]), 2)[0] == pytest.approx([0.5, 0.5, 0])


def test_temperature_zero_is_one_name(way: str) -> None:
    assert len(set(sampled(temperature=0))) == 1


def test_only_the_likeliest() -> None:
    log_probs = np.log([[0.1, 0.4, 0.2, 0.3], [0.25, 0.25, 0.25, 0.25]])
    assert adjusted(log_probs, sample_params(top_k=2)) == pytest.approx(
        np.array([[0, 4 / 7, 0, 3 / 7], [1 / 2, 1 / 2, 0, 0]])
    )
    assert adjusted(log_probs, sample_params(top_k=9)) == pytest.approx(np.exp(log_probs))
    assert adjusted(log_probs, sample_params(top_p=0.6))[0] == pytest.approx([0, 4 / 7, 0, 3 / 7])
    assert adjusted(log_probs, sample_params(top_p=1e-9))[0] == pytest.approx([0, 1, 0, 0])
    assert adjusted(log_probs, sample_params(top_p=0.6, top_k=1, temperature=0))[0] == pytest.approx([0, 1, 0, 0])


def test_names_are_as_they_are_wanted(way: str) -> None:
    assert {len(name) for name in sampled(min_length=4, max_length=6)} == {4, 5, 6}
    assert all(name.startswith("ab") for name in sampled(prefix="ab"))
    assert all(name.endswith("ea") for name in sampled(suffix="ea"))
    assert all(name[0] == "b" and name[2:].startswith(("a", "c")) for name in sampled(pattern="b?[ac]*"))
    assert set(sampled(count=300)) & set(NAMES) and not set(sampled(count=300, new=True)) & set(NAMES)
    assert len(set(sampled(count=300, distinct=True))) == 300


def test_wanted_names_have_the_models_probabilities_among_themselves(way: str) -> None:
    count = 5_000
    every = Counter(name for name in sampled(count=10 * count, seed=5) if name.startswith("a") and len(name) < 4)
    found = Counter(sampled(count=count, prefix="a", max_length=3))
    for name, often in every.most_common(10):
        share = often / every.total()
        assert found[name] / count == pytest.approx(share, abs=5 * np.sqrt(share / every.total() + share / count))


def test_what_cannot_be_met_ends_with_a_line(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "PATIENCE", 2000)
    with pytest.raises(ValueError, match=r"^expected 5 names with length 0 to 50, suffix aaaaaaaa; found 0 and gave"):
        sampled(count=5, suffix="aaaaaaaa")
    with pytest.raises(ValueError, match="distinct; found 1 and gave up"):
        sampled(temperature=0, distinct=True)
    with pytest.raises(ValueError, match="length 0 to 1; found 0"):
        sampled(temperature=0, max_length=1)
    with pytest.raises(ValueError, match="prefix: expected characters of the vocabulary, got 'z' in 'az'"):
        sampled(prefix="az")
    with pytest.raises(ValueError, match=r"suffix: expected characters of the vocabulary, got '\.' in 'a\.'"):
        sampled(suffix="a.")


def test_a_prefix_that_the_model_rules_out() -> None:
    unsmoothed = model.fit(
        model.NgramParams(order=2, smoothing="none", strength=None, position=0), encoded(VOCAB, "ab"), 6
    )
    assert [*map(lines_of, sample(unsmoothed, sample_params(count=2, prefix="a"), VOCAB))] == [["ab", "ab"]]
    with pytest.raises(ValueError, match="prefix: expected one that the model does not rule out, got 'ba'"):
        next(sample(unsmoothed, sample_params(prefix="ba"), VOCAB))


def test_memory_stays_bounded_and_names_come_at_once() -> None:
    first = next(sample(TRIGRAM, sample_params(count=10**9), VOCAB))
    assert len(first) < 5_000_000


def test_describe() -> None:
    assert describe(text_of("ab", "ab", "abc"), text_of("ab", "abcd")) == {
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
