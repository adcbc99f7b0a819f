"""How a gradient changes the weights: plain descent, as the lectures write it, and Adam with decoupled weight decay.

Written out in place of `torch.optim`, whose bookkeeping is a sixth of a step at the size of these networks and a second
of imports: see docs/log.md. The state of a training is then a list of tensors.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

BETAS = 0.9, 0.99  # of AdamW: a shorter memory than the usual 0.999, since trainings here are short
EPSILON = 1e-8


@dataclass(frozen=True)
class Group:
    """Weights that are treated alike."""

    weights: list[Tensor]
    decay: float = 0.0  # share of themselves that they lose in a step, times the learning rate
    speed: float = 1.0  # their learning rate, as a multiple of the step's

    def gradients(self) -> list[Tensor]:
        return [weight.grad for weight in self.weights if weight.grad is not None]


class Optimizer(Protocol):
    state: list[Tensor]  # what it remembers from step to step, changed in place

    def step(self, lr: float) -> None:
        """Update all weights by their gradients."""


class SGD:
    """weights -= lr * gradients"""

    def __init__(self, groups: list[Group]):
        self.groups = groups
        self.state: list[Tensor] = []

    @torch.no_grad()
    def step(self, lr: float) -> None:
        for group in self.groups:
            if group.decay:
                torch._foreach_mul_(group.weights, 1 - lr * group.decay)
            torch._foreach_add_(group.weights, group.gradients(), alpha=-lr * group.speed)


class AdamW:
    """Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019), in torch's fused kernel."""

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
            torch._foreach_add_(steps, 1)
            torch._fused_adamw_(
                group.weights,
                group.gradients(),
                means,
                squares,
                [],
                steps,
                lr=lr * group.speed,
                beta1=beta1,
                beta2=beta2,
                weight_decay=group.decay / group.speed,
                eps=EPSILON,
                amsgrad=False,
                maximize=False,
            )
