import math

import pytest
import torch

from conftest import network
from makemore.models.mlp import MLP

V = 6


@pytest.mark.parametrize("size", [10, 1000])  # below and above where the first layer becomes a lookup
@pytest.mark.parametrize("direct", [False, True])
def test_it_is_the_lectures_network(size: int, direct: bool) -> None:
    model = network("mlp", V, direct=direct)
    contexts = torch.randint(V, (size, 3), generator=torch.Generator().manual_seed(2))
    targets = contexts[:, 0]
    emb = model.C[contexts]
    h = torch.tanh(emb.view(size, -1) @ model.W1 + model.b1)
    logits = h @ model.W2 + model.b2
    if direct:
        logits = logits + emb.view(size, -1) @ model.direct
    assert torch.allclose(model(contexts), logits, atol=1e-5)
    expected = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, targets), list(model.parameters()))
    found = torch.autograd.grad(model.loss(contexts, targets), list(model.parameters()))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, expected, strict=True))


def test_scaled_initialization_starts_near_the_uniform_loss() -> None:
    contexts = torch.randint(27, (500, 3), generator=torch.Generator().manual_seed(2))
    shape = {"embedding": 10, "hidden": 200, "direct": True}
    scaled, randn = (network("mlp", 27, initialization=name, **shape) for name in ("scaled", "randn"))
    assert scaled.loss(contexts, contexts[:, 0]).item() == pytest.approx(math.log(27), abs=0.05)
    assert randn.loss(contexts, contexts[:, 0]).item() > 10


def test_the_diagnosis_is_the_share_of_saturated_units() -> None:
    model = network("mlp", V)
    assert isinstance(model, MLP)
    contexts = torch.randint(V, (100, 3), generator=torch.Generator().manual_seed(2))
    model.W1.data.zero_()
    model.b1.data = torch.tensor([9.0, -9, 9, 0, 0.5, 1, 2, 2.6])  # tanh 2.6 is 0.989
    assert model.diagnosis(contexts) == {"saturated": pytest.approx(3 / 8)}
