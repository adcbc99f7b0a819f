import numpy as np
import pytest

from conftest import additive, encoded, lines_of, text_of, tiny_names
from makemore import ngram
from makemore.sampling import SampleParams, categorical, describe, sample, tempered
from makemore.vocab import Vocab

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
TRIGRAM = ngram.fit(additive(3, 0.01), encoded(VOCAB, *NAMES), len(VOCAB))


def sampled(count: int = 50, temperature: float = 1, max_length: int = 50, seed: int = 1) -> list[str]:
    params = SampleParams(count=count, temperature=temperature, max_length=max_length, seed=seed)
    return lines_of(VOCAB.decode(sample(TRIGRAM, params)))


def test_the_same_seed_gives_the_same_names_another_seed_others() -> None:
    assert sampled() == sampled()
    assert sampled() != sampled(seed=2)
    assert len(sampled(count=1234)) == 1234


def test_frequencies_are_the_models_probabilities() -> None:
    draws = np.bincount(categorical(np.tile([0.5, 0.0, 0.3, 0.2], (20_000, 1)), np.random.default_rng(0)), minlength=4)
    assert draws[1] == 0
    assert draws / 20_000 == pytest.approx([0.5, 0, 0.3, 0.2], abs=0.015)


def test_temperature() -> None:
    log_probs = np.log([[0.5, 0.3, 0.2]])
    assert tempered(log_probs, 1)[0] == pytest.approx([0.5, 0.3, 0.2])
    assert tempered(log_probs, 0.5)[0] == pytest.approx(np.array([0.25, 0.09, 0.04]) / 0.38)
    assert tempered(log_probs, 0)[0].tolist() == [1, 0, 0]
    assert tempered(log_probs, 1e-300)[0].tolist() == [1, 0, 0]
    with np.errstate(divide="ignore"):
        assert tempered(np.log([[0.5, 0.5, 0.0]]), 2)[0] == pytest.approx([0.5, 0.5, 0])


def test_temperature_zero_is_one_name() -> None:
    assert len(set(sampled(temperature=0))) == 1


def test_names_are_cut_at_the_maximum_length() -> None:
    lengths = [len(name) for name in sampled(count=300, max_length=3)]
    assert max(lengths) == 3


def test_describe() -> None:
    assert describe(text_of("ab", "ab", "abc"), text_of("ab", "abcd")) == {
        "samples": 3,
        "distinct": 2,
        "new": 1,
        "mean_length": pytest.approx(7 / 3),
        "train_mean_length": 3,
    }
