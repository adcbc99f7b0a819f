"""Optimizers: stochastic gradient descent as the lectures write it, and AdamW.

AdamW calls `torch.optim.adamw.adamw`, the functional form of `torch.optim.AdamW`. The class itself imports
`torch._dynamo`, which costs each training a second, see docs/log.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from makemore.nn.neural import Neural

if TYPE_CHECKING:
    from makemore.training.params import StepParams

BETAS = 0.9, 0.99  # of AdamW; beta2 is below the usual 0.999 because training runs are short
EPSILON = 1e-8


@dataclass(frozen=True)
class Group:
    """Parameters that share their hyperparameters."""

    weights: list[Tensor]
    decay: float = 0.0  # weight decay per step, as a multiple of the learning rate
    lr_scale: float = 1.0  # their learning rate, relative to that of the step

    def gradients(self) -> list[Tensor]:
        return [weight.grad for weight in self.weights if weight.grad is not None]


class Optimizer(Protocol):
    state: list[Tensor]  # everything it remembers between steps; updated in place

    def step(self, lr: float) -> None:
        """Update all parameters from their gradients."""


class SGD:
    """weights -= lr * gradients"""

    def __init__(self, groups: list[Group]):
        self.groups = groups
        self.state: list[Tensor] = []

    @torch.no_grad()
    def step(self, lr: float) -> None:
        for group in self.groups:
            for weight, gradient in zip(group.weights, group.gradients(), strict=True):
                weight.mul_(1 - lr * group.decay)
                weight.add_(gradient, alpha=-lr * group.lr_scale)


class AdamW:
    """Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019)."""

    def __init__(self, groups: list[Group]):
        self.groups = groups
        self.means = [[torch.zeros_like(weight) for weight in group.weights] for group in groups]
        self.squares = [[torch.zeros_like(weight) for weight in group.weights] for group in groups]
        self.steps = [[torch.zeros((), device=weight.device) for weight in group.weights] for group in groups]
        self.state = [tensor for part in (self.means, self.squares, self.steps) for own in part for tensor in own]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        beta1, beta2 = BETAS
        for group, means, squares, steps in zip(self.groups, self.means, self.squares, self.steps, strict=True):
            adamw(
                group.weights,
                group.gradients(),
                means,
                squares,
                [],
                steps,
                fused=True,
                lr=lr * group.lr_scale,
                beta1=beta1,
                beta2=beta2,
                weight_decay=group.decay / group.lr_scale,  # so that decay does not depend on lr_scale
                eps=EPSILON,
                amsgrad=False,
                maximize=False,
            )


OPTIMIZERS: dict[str, Callable[[list[Group]], Optimizer]] = {"sgd": SGD, "adamw": AdamW}


def make_optimizer(model: Neural, params: "StepParams") -> Optimizer:
    """The optimizer that the params name. Biases have no weight decay (Bengio et al. 2003, section 3)."""
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, weight in model.named_parameters():
        owner = name.split(".")[0]
        if owner in model.embeddings:
            key = params.embedding_decay, params.embedding_lr_scale
        else:
            key = (params.weight_decay if weight.ndim > 1 and owner not in model.no_decay else 0.0), 1.0
        groups.setdefault(key, []).append(weight)
    return OPTIMIZERS[params.optimizer](
        [Group(weights, decay, lr_scale) for (decay, lr_scale), weights in groups.items()]
    )
