from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result

from conftest import additive, encoded, mlp_params, sample_params, text_of, tiny_names
from makemore.core.contexts import sliding
from makemore.core.model import Model, load_model, save_model
from makemore.core.vocab import Vocab
from makemore.models.ensemble import Ensemble, fit_weights
from makemore.models.mlp import MLP
from makemore.models.ngram.model import fit
from makemore.models.recurrent import Recurrent, RecurrentParams
from makemore.sampling.sampler import sample

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


WEIGHTS = np.array([0.5, 0.3, 0.2])


def test_it_is_the_weighted_mean_of_probabilities(tmp_path: Path) -> None:
    mixture = Ensemble(members(), WEIGHTS)
    contexts = sliding(TOKENS, 6)
    expected = 0.0
    for weight, member in zip(WEIGHTS, members().values(), strict=True):
        window = contexts if member.context is None else contexts[:, -member.context :]
        expected = expected + weight * np.exp(member.log_probs(window))
    assert np.exp(mixture.log_probs(contexts)) == pytest.approx(expected)
    assert mixture.token_log_probs(TOKENS) == pytest.approx(np.log(expected[np.arange(len(TOKENS)), TOKENS]), abs=1e-5)
    save_model(tmp_path / "m.safetensors", mixture, VOCAB)  # the file does not keep the order of the members
    loaded = load_model(tmp_path / "m.safetensors", VOCAB)
    assert np.exp(loaded.log_probs(contexts)) == pytest.approx(expected)
    assert loaded.parameter_count == sum(member.parameter_count for member in members().values()) + 2


def test_sampling_with_the_members_states_equals_sampling_from_its_probabilities() -> None:
    mixture = Ensemble(members(), WEIGHTS)

    class Naive:
        """The same probabilities, computed from the whole name each time."""

        context = 12
        log_probs = mixture.log_probs

    params = sample_params(count=40, max_length=11)
    kept, naive = (np.concatenate([*sample(model, params, VOCAB)]) for model in (mixture, Naive()))
    assert np.array_equal(kept, naive)


def test_the_fit_recovers_the_weights_that_the_tokens_were_drawn_with() -> None:
    generator = np.random.default_rng(1)
    tables = generator.dirichlet(np.ones(5), size=2)  # (K, V)
    drawn = generator.choice(5, size=200_000, p=0.7 * tables[0] + 0.3 * tables[1])
    assert fit_weights(np.log(tables[:, drawn])) == pytest.approx([0.7, 0.3], abs=0.02)


def test_the_fit_gives_useless_models_no_weight_and_accepts_impossible_tokens() -> None:
    never = -np.inf
    weights = fit_weights(np.array([[-1.0, -1.0, never], [-9.0, never, never], [-1.5, -1.5, never]]))
    assert weights == pytest.approx([1, 0, 0], abs=1e-3)


def test_the_stage(run: Run, folder: Path) -> None:
    for stage in ["clean"], ["vocab"], ["split"], ["fit_ngram", "bigram"], ["train_mlp"]:
        assert run(*stage).exit_code == 0
    assert run("fit_ensemble", "--models", "bigram", "--models", "mlp").exit_code == 0
    for name in "bigram", "mlp", "ensemble":
        assert run("evaluate", name).exit_code == 0
    assert run("sample", "ensemble").exit_code == 0
    twice = run("fit_ensemble", "--models", "mlp", "--models", "mlp")
    assert twice.exit_code == 1 and twice.stderr == "ensemble.models: a model is listed twice: mlp, mlp\n"
