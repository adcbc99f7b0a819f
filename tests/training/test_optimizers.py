"""Each optimizer compared with PyTorch's own."""

from collections.abc import Callable

import torch
from torch import Tensor

from conftest import network
from makemore.training.optimizers import BETAS, SGD, AdamW, Group, Muon, Optimizer, make_optimizer, orthogonal
from makemore.training.params import StepParams

RATES = 0.1, 0.05, 0.01, 0.2, 0.001
SCALES = 1, 1, 10  # of the learning rate of each group


def weights() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(shape, generator=generator, requires_grad=True) for shape in ((3, 40), (4,), (20, 3))]


def trained(step: Callable[[float], None], own: list[Tensor]) -> list[Tensor]:
    """The weights after some steps, each with another learning rate."""
    for lr in RATES:
        loss = torch.stack([(weight**3).sum() for weight in own]).sum()
        for weight, gradient in zip(own, torch.autograd.grad(loss, own), strict=True):
            weight.grad = gradient
        step(lr)
    return own


def ours(make: Callable[[list[Group]], Optimizer]) -> list[Tensor]:
    own = weights()
    groups = [Group(own[:1], decay=0.3), Group(own[1:2]), Group(own[2:], decay=0.1, lr_scale=10)]
    return trained(make(groups).step, own)


def torchs(make: Callable[[list[dict[str, object]]], torch.optim.Optimizer]) -> list[Tensor]:
    """PyTorch multiplies the decay by the scaled learning rate, so that of the last group is a tenth of ours."""
    own = weights()
    optimizer = make([{"params": [w], "weight_decay": decay} for w, decay in zip(own, (0.3, 0, 0.01), strict=True)])

    def step(lr: float) -> None:
        for group, scale in zip(optimizer.param_groups, SCALES, strict=True):
            group["lr"] = lr * scale
        optimizer.step()

    return trained(step, own)


def test_adamw_equals_torchs() -> None:
    expected = torchs(lambda groups: torch.optim.AdamW(groups, lr=1, betas=BETAS, fused=True))
    assert all(torch.equal(a, b) for a, b in zip(ours(AdamW), expected, strict=True))


def test_sgd_equals_torchs() -> None:
    expected = torchs(lambda groups: torch.optim.SGD(groups, lr=1))
    assert all(torch.allclose(a, b, rtol=1e-5, atol=1e-6) for a, b in zip(ours(SGD), expected, strict=True))
    assert not any(torch.allclose(a, b) for a, b in zip(ours(AdamW), expected, strict=True))


def test_muon_equals_torchs() -> None:
    """PyTorch's Newton-Schulz iterations are in bfloat16."""
    found, expected = weights(), weights()
    optimizer = torch.optim.Muon([expected[0], expected[2]], lr=1, weight_decay=0.3, adjust_lr_fn="match_rms_adamw")
    others = torch.optim.AdamW(expected[1:2], lr=1, betas=BETAS, weight_decay=0, fused=True)

    def step(lr: float) -> None:
        optimizer.param_groups[0]["lr"] = others.param_groups[0]["lr"] = lr
        optimizer.step()
        others.step()

    trained(Muon([Group([found[0], found[2]], decay=0.3, hidden=True), Group(found[1:2])]).step, found)
    trained(step, expected)
    assert all(torch.allclose(a, b, atol=0.03) for a, b in zip(found, expected, strict=True))
    assert torch.equal(found[1], expected[1]) and not torch.allclose(found[0], weights()[0], atol=0.1)


def test_orthogonal_keeps_the_singular_vectors_and_evens_out_the_values() -> None:
    x = weights()[0].detach()
    U, S, V = torch.linalg.svd(x, full_matrices=False)
    found = U.T @ orthogonal(x) @ V.T  # (3, 3)
    assert torch.allclose(found, torch.diag(found.diagonal()), atol=1e-5)
    assert S[0] > 1.2 * S[-1] and 0.6 < found.diagonal().min() <= found.diagonal().max() < 1.3
    assert torch.allclose(orthogonal(x.T), orthogonal(x).T)


def test_muon_leaves_embeddings_biases_and_the_output_to_adamw() -> None:
    params = StepParams.model_construct(optimizer="muon", weight_decay=0.3, embedding_decay=0.0, embedding_lr_scale=2.0)

    def hidden(family: str, **changes: object) -> set[str]:
        model = network(family, 27, **changes)
        optimizer = make_optimizer(model, params)
        assert isinstance(optimizer, Muon)
        own = {id(weight) for group in optimizer.groups for weight in group.weights}
        return {name for name, weight in model.named_parameters() if id(weight) in own}

    assert hidden("mlp", direct=True, layers=2) == {"W1", "W2"}
    assert hidden("bow") == {"hidden.W", "residual.W"}
    assert hidden("wavenet", layers=1) == {"layers.0.taps.W", "layers.0.output.W", "hidden.W"}


def hyperparameters(family: str, **changes: object) -> dict[str, tuple[float, float]]:
    """Weight decay and relative learning rate of each parameter."""
    model = network(family, 27, **changes)
    params = StepParams.model_construct(
        optimizer="adamw", weight_decay=0.3, embedding_decay=0.1, embedding_lr_scale=10.0
    )
    optimizer = make_optimizer(model, params)
    assert isinstance(optimizer, AdamW)
    found = {id(weight): (group.decay, group.lr_scale) for group in optimizer.groups for weight in group.weights}
    return {name: found[id(weight)] for name, weight in model.named_parameters()}


def test_weights_embeddings_and_biases_have_their_own_hyperparameters() -> None:
    matrix, bias = (0.3, 1.0), (0.0, 1.0)
    expected = {"C": (0.1, 10.0), "W1": matrix, "b1": bias, "W2": matrix, "b2": bias, "direct": matrix}
    assert hyperparameters("mlp", direct=True) == expected


def test_the_output_layer_of_sequence_models_has_no_decay() -> None:
    found = hyperparameters("bow")
    assert found["hidden.W"] == (0.3, 1.0)
    assert found["C"] == found["P"] == (0.1, 10.0)
    assert found["output.W"] == found["output.b"] == found["hidden.b"] == (0.0, 1.0)


def test_the_state_is_updated_in_place() -> None:
    """A checkpoint restores an optimizer through `state`."""
    own = weights()
    optimizer = AdamW([Group(own)])
    state = optimizer.state
    assert len(state) == 3 * len(own) and not any(tensor.any() for tensor in state)
    trained(optimizer.step, own)
    assert optimizer.state is state and all(tensor.any() for tensor in state)
