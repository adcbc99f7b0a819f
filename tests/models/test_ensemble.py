from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result

from conftest import additive, encoded, load_stage, mlp_params, sample_params, text_of, tiny_names
from makemore.core.contexts import sliding
from makemore.core.model import Model, load_model, save_model, stateful
from makemore.core.vocab import Vocab
from makemore.models import ensemble
from makemore.models.ensemble import Ensemble, Gate, Seen, count_contexts, in_step
from makemore.models.mlp import MLP
from makemore.models.ngram.model import fit
from makemore.models.recurrent import Recurrent, RecurrentParams
from makemore.sampling.sampler import sample
from makemore.search.pooling import fit_weights

Run = Callable[..., Result]
NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
TOKENS = encoded(VOCAB, *NAMES)


def members() -> dict[str, Model]:
    """Models of different families, which look 1, 3 and all characters back."""
    generator = torch.Generator().manual_seed(1)
    params = RecurrentParams(cell="gru", embedding=2, hidden=4, layers=1, dropout=0.5)
    return {
        "counts": fit(additive(2, 1), TOKENS, len(VOCAB)),
        "network": MLP(mlp_params(), len(VOCAB), generator),
        "a_state": Recurrent(params, len(VOCAB), generator),
    }


def mixture_of(found: dict[str, Model], seed: int = 1) -> Ensemble:
    """A mixture whose weights differ between contexts."""
    seen = count_contexts(TOKENS, len(VOCAB))
    W = np.random.default_rng(seed).normal(size=(seen.features, len(found))) / 10
    return Ensemble(found, Gate(seen, W + 1 / len(found), len(VOCAB)))


def test_contexts_are_counted() -> None:
    vocab = Vocab.of(text_of("ab"))
    seen = count_contexts(encoded(vocab, "ab", "ab", "b"), len(vocab))
    gate = Gate(seen, np.zeros((seen.features, 1)), len(vocab))
    a, b = vocab.stoi["a"], vocab.stoi["b"]
    known = gate.features(np.array([[0] * 8, [0] * 7 + [a], [0] * 6 + [a, b], [0] * 6 + [b, b]], dtype=np.int32))
    assert known[:, 0].tolist() == [1, 1, 1, 1]
    assert known[:, 1].tolist() == [1, 1, 1, 1] and known[:, 2].tolist() == [1, 1, 1, 0]  # .b, ab, but not bb
    assert np.expm1(known[:, 9]).tolist() == pytest.approx([3, 2, 3, 3])  # names, a, b, b
    assert np.expm1(known[:, 10]).tolist() == pytest.approx([3, 2, 2, 0])  # .., .a, ab, bb


def test_it_is_the_weighted_product_of_probabilities(tmp_path: Path) -> None:
    mixture = mixture_of(members())
    contexts = sliding(TOKENS, 8)
    weights = mixture.gate.weights(contexts)  # (N, K)
    product = np.ones((len(TOKENS), len(VOCAB)))
    for weight, member in zip(weights.T, members().values(), strict=True):
        window = contexts if member.context is None else contexts[:, -member.context :]
        product *= np.exp(member.log_probs(window)) ** weight[:, None]
    expected = product / product.sum(axis=1, keepdims=True)
    assert np.exp(mixture.log_probs(contexts)) == pytest.approx(expected)
    assert mixture.token_log_probs(TOKENS) == pytest.approx(np.log(expected[np.arange(len(TOKENS)), TOKENS]), abs=1e-5)
    save_model(tmp_path / "m.safetensors", mixture, VOCAB)  # the file does not keep the order of the members
    loaded = load_model(tmp_path / "m.safetensors", VOCAB)
    assert np.exp(loaded.log_probs(contexts)) == pytest.approx(expected)


def test_a_context_that_was_seen_can_trust_another_model_than_a_new_one() -> None:
    seen = Seen(1, np.array([0, 1]), np.array([9, 9]))  # only `a` was seen
    gate = Gate(seen, np.array([[0.0, 1.0], [1.0, -1.0], [0.0, 0.0]]), 3)
    assert gate.weights(np.array([[1], [2]], dtype=np.int32)).tolist() == [[1, 0], [0, 1]]


def test_members_that_forbid_a_token_do_not_forbid_it_for_all() -> None:
    unsmoothed = fit(additive(2, 0), TOKENS, len(VOCAB))
    mixture = mixture_of({"counts": unsmoothed, "network": members()["network"]})
    every = np.repeat(np.arange(len(VOCAB), dtype=np.int32)[:, None], 8, axis=1)
    assert np.isfinite(mixture.log_probs(every)).all()


def test_names_are_read_side_by_side() -> None:
    model = members()["a_state"]
    read = np.full((len(TOKENS), len(VOCAB)), np.nan)
    for places, log_probs in in_step(stateful(model), TOKENS, len(VOCAB)):
        read[places] = log_probs
    assert read == pytest.approx(model.log_probs(sliding(TOKENS, 20)), abs=1e-5)


def test_a_large_vocabulary_is_read_with_fewer_names_side_by_side() -> None:
    counted = encoded(VOCAB, *NAMES * 3)
    sizes = [len(rows) for _, rows in in_step(stateful(members()["counts"]), counted, len(VOCAB))]
    some = [len(rows) for _, rows in in_step(stateful(members()["counts"]), counted, ensemble.NUMBERS // 4)]
    assert max(sizes) == 3 * len(NAMES) and max(some) == 4


def test_sampling_with_the_members_states_equals_sampling_from_its_probabilities() -> None:
    mixture = mixture_of(members())

    class Naive:
        """The same probabilities, computed from the whole name each time."""

        context = 12
        log_probs = mixture.log_probs

    params = sample_params(count=40, max_length=11)
    kept, naive = (np.concatenate([*sample(model, params, VOCAB)]) for model in (mixture, Naive()))
    assert np.array_equal(kept, naive)


def test_the_fit_recovers_the_weights_that_the_tokens_were_drawn_with() -> None:
    generator = np.random.default_rng(1)
    log_probs = np.log(generator.dirichlet(np.ones(5), size=(2, 20_000)))  # (K, M, V)
    features = np.column_stack((np.ones(20_000), generator.integers(2, size=20_000)))
    W = np.array([[0.7, 0.2], [-0.4, 0.9]])
    logits = np.einsum("mk,kmv->mv", features @ W, log_probs)
    drawn = (logits + generator.gumbel(size=logits.shape)).argmax(axis=1)
    assert fit_weights(log_probs, features, drawn) == pytest.approx(W, abs=0.06)


def test_with_few_tokens_the_weights_stay_equal() -> None:
    log_probs = np.log(np.random.default_rng(1).dirichlet(np.ones(5), size=(3, 2)))
    assert fit_weights(log_probs, np.ones((2, 1)), np.array([1, 2])) == pytest.approx(np.full((1, 3), 1 / 3), abs=0.1)


def test_the_fit_accepts_impossible_tokens() -> None:
    log_probs = np.log(np.full((2, 50, 4), 0.25))
    log_probs[0, :, 1:] = -np.inf
    W = fit_weights(log_probs, np.ones((50, 1)), np.full(50, 2))
    assert np.isfinite(W).all() and W[0, 0] < W[0, 1]


def test_the_names_that_the_weights_are_fitted_on_are_from_all_of_the_list() -> None:
    some_of = load_stage("fit_ensemble").some_of
    tokens = np.repeat(np.arange(1, 11, dtype=np.int32), 2) * np.tile(np.array([1, 0], dtype=np.int32), 10)
    assert some_of(tokens, 7).tolist() == [1, 0, 4, 0, 7, 0]
    assert some_of(tokens, 1).tolist() == [1, 0]
    assert np.array_equal(some_of(tokens, 20), tokens)


def test_the_stage(run: Run, folder: Path) -> None:
    for stage in ["clean"], ["vocab"], ["split"], ["fit_ngram", "bigram"], ["train_mlp"]:
        assert run(*stage).exit_code == 0
    assert run("fit_ensemble", "--models", "bigram", "--models", "mlp").exit_code == 0
    for name in "bigram", "mlp", "ensemble":
        assert run("evaluate", name).exit_code == 0
    assert run("sample", "ensemble").exit_code == 0
    twice = run("fit_ensemble", "--models", "mlp", "--models", "mlp")
    assert twice.exit_code == 1 and twice.stderr == "ensemble.models: a model is listed twice: mlp, mlp\n"


def test_a_mixture_of_a_unigram_model_alone() -> None:
    mixture = mixture_of({"counts": fit(additive(1, 1), TOKENS, len(VOCAB))})
    assert mixture.context == mixture.gate.seen.length
    assert np.isfinite(mixture.token_log_probs(TOKENS)).all()
