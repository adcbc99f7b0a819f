"""Each optimizer against torch's own."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from makemore.training import optimizers
from makemore.training.optimizers import AdamW, Group, Optimizer


def weights() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(shape, generator=generator, requires_grad=True) for shape in ((3, 4), (4,), (2, 3))]


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (optimizers.SGD, lambda groups: torch.optim.SGD(groups, lr=1)),
        (AdamW, lambda groups: torch.optim.AdamW(groups, lr=1, betas=optimizers.BETAS)),
    ],
)
def test_it_is_torchs(
    ours: Callable[[list[Group]], Optimizer], reference: Callable[[list[object]], torch.optim.Optimizer]
) -> None:
    mine, theirs = weights(), weights()
    optimizer = ours([Group(mine[:1], decay=0.3), Group(mine[1:2]), Group(mine[2:], decay=0.1, speed=10)])
    other = reference(
        [
            {"params": theirs[:1], "weight_decay": 0.3},
            {"params": theirs[1:2], "weight_decay": 0},
            {"params": theirs[2:], "weight_decay": 0.01},  # times a rate that is ten times as high
        ]
    )
    for lr in 0.1, 0.05, 0.01:
        for own in mine, theirs:
            loss = torch.stack([(weight**3).sum() for weight in own]).sum()
            for weight, gradient in zip(own, torch.autograd.grad(loss, own), strict=True):
                weight.grad = gradient
        optimizer.step(lr)
        for group, speed in zip(other.param_groups, (1, 1, 10), strict=True):
            group["lr"] = lr * speed
        other.step()
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(mine, theirs, strict=True))
