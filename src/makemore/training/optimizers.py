"""Optimizers: stochastic gradient descent as the lectures write it, AdamW and Muon.

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
MOMENTUM = 0.95  # of Muon
UPDATE = 0.2  # root mean square of Muon's updates at a learning rate of 1: about that of AdamW's
ITERATIONS = 5  # of Newton-Schulz
QUINTIC = 3.4445, -4.7750, 2.0315  # its coefficients, from Jordan et al.: small singular values grow fastest


@dataclass(frozen=True)
class Group:
    """Parameters that share their hyperparameters."""

    weights: list[Tensor]
    decay: float = 0.0  # weight decay per step, as a multiple of the learning rate
    lr_scale: float = 1.0  # their learning rate, relative to that of the step
    hidden: bool = False  # matrices between hidden layers, which Muon updates

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


class Muon:
    """Muon (Jordan et al. 2024) for the matrices between hidden layers, AdamW for all other weights.

    An update is the momentum with all its singular values made about equal, so that directions with small gradients are
    learned as fast as others. It has the scale of AdamW's updates (Liu et al. 2025), so both use one learning rate.
    """

    def __init__(self, groups: list[Group]):
        self.groups = [group for group in groups if group.hidden]
        self.means = [[torch.zeros_like(weight) for weight in group.weights] for group in self.groups]
        self.others = AdamW([group for group in groups if not group.hidden])
        self.state = [*self.others.state, *(mean for own in self.means for mean in own)]

    @torch.no_grad()
    def step(self, lr: float) -> None:
        self.others.step(lr)
        for group, means in zip(self.groups, self.means, strict=True):
            for weight, gradient, mean in zip(group.weights, group.gradients(), means, strict=True):
                mean.lerp_(gradient, 1 - MOMENTUM)
                update = orthogonal(gradient.lerp(mean, MOMENTUM))  # Nesterov's momentum
                weight.mul_(1 - lr * group.decay)
                weight.add_(update, alpha=-lr * group.lr_scale * UPDATE * max(weight.shape) ** 0.5)


def orthogonal(x: Tensor) -> Tensor:
    """A matrix with the singular vectors of `x` and singular values of about 1, by Newton-Schulz iterations."""
    a, b, c = QUINTIC
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.square().sum().sqrt() + EPSILON)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


OPTIMIZERS: dict[str, Callable[[list[Group]], Optimizer]] = {"sgd": SGD, "adamw": AdamW, "muon": Muon}


def make_optimizer(model: Neural, params: "StepParams") -> Optimizer:
    """The optimizer that the params name. Biases have no weight decay (Bengio et al. 2003, section 3)."""
    groups: dict[tuple[float, float, bool], list[Tensor]] = {}
    for name, weight in model.named_parameters():
        owner = name.split(".")[0]
        if owner in model.embeddings:
            key = params.embedding_decay, params.embedding_lr_scale, False
        else:
            decay = params.weight_decay if weight.ndim > 1 and owner not in model.no_decay else 0.0
            key = decay, 1.0, weight.ndim == 2 and owner not in model.readout
        groups.setdefault(key, []).append(weight)
    return OPTIMIZERS[params.optimizer]([Group(weights, *key) for key, weights in groups.items()])
