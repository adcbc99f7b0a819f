"""What all networks have in common: their weights as arrays, and counted examples."""

from typing import Annotated

import numpy as np
import pytest
import torch
from pydantic import Field
from torch import Tensor, nn

from conftest import encoded, mlp_params, text_of, tiny_names
from makemore.core.params import Section
from makemore.core.vocab import Vocab
from makemore.models.mlp import MLP
from makemore.nn.neural import Neural, distinct_examples, examples, randn

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
TOKENS = encoded(VOCAB, *NAMES)
V = len(VOCAB)


class NormalizedParams(Section):
    hidden: Annotated[int, Field(ge=1)]


class Normalized(Neural):
    """A bigram network with batch normalization, as in the third lecture."""

    Params = NormalizedParams
    params: NormalizedParams
    context = 1

    def __init__(self, params: NormalizedParams, vocab_size: int, generator: torch.Generator | None):
        super().__init__(params, vocab_size, generator)
        self.C = nn.Parameter(randn(vocab_size, params.hidden, generator=generator))  # (V, H)
        self.norm = nn.BatchNorm1d(params.hidden)
        self.W = nn.Parameter(randn(params.hidden, vocab_size, generator=generator))  # (H, V)

    def forward(self, contexts: Tensor) -> Tensor:
        return torch.tanh(self.norm(self.C[contexts[:, 0]])) @ self.W  # (N, V)


def trained_normalized() -> Normalized:
    """Its running statistics are those of some batches."""
    network = Normalized(NormalizedParams(hidden=5), V, torch.Generator().manual_seed(1))
    for start in 0, 100:
        network.loss(*examples(TOKENS[start : start + 100], 1))
    return network


def test_batch_norm_keeps_its_running_statistics() -> None:
    network = trained_normalized()
    arrays = network.arrays()
    assert arrays["norm.num_batches_tracked"] == 2
    assert not np.allclose(arrays["norm.running_mean"], 0) and not np.allclose(arrays["norm.running_var"], 1)
    loaded = Normalized.from_arrays(network.config(), arrays, V)
    assert {name: array.tolist() for name, array in loaded.arrays().items()} == {
        name: array.tolist() for name, array in arrays.items()
    }
    contexts = np.arange(V, dtype=np.int32)[:, None]
    assert np.array_equal(loaded.log_probs(contexts), network.log_probs(contexts))


def test_predictions_use_the_running_statistics_and_do_not_change_them() -> None:
    network = trained_normalized()
    before = network.norm.running_mean.clone()
    contexts = np.arange(V, dtype=np.int32)[:, None]
    alone = np.concatenate([network.log_probs(row[None]) for row in contexts])  # a batch of one has no variance
    assert network.log_probs(contexts) == pytest.approx(alone, abs=1e-6)
    assert torch.equal(network.norm.running_mean, before) and network.training


@pytest.mark.parametrize("missing", ["norm.running_var", "W"])
def test_missing_arrays_are_refused(missing: str) -> None:
    network = trained_normalized()
    arrays = {name: array for name, array in network.arrays().items() if name != missing}
    with pytest.raises(ValueError, match=r"^weights of shapes .* instead of .*"):
        Normalized.from_arrays(network.config(), arrays, V)


def test_buffers_are_not_counted_as_parameters() -> None:
    assert trained_normalized().parameter_count == V * 5 + 5 + 5 + 5 * V


def test_distinct_examples_have_the_loss_and_gradient_of_all() -> None:
    model = MLP(mlp_params(), V, torch.Generator().manual_seed(1))
    losses, gradients = [], []
    contexts, weights = distinct_examples(TOKENS, 3, V)
    for batch in examples(TOKENS, 3), (contexts, weights.all()):
        model.zero_grad()
        loss = model.loss(*batch)
        loss.backward()
        losses.append(loss.item())
        gradients.append(model.W1.grad.clone())
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert torch.allclose(*gradients, atol=1e-7)
