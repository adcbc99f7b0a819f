"""The training loop of every network."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from makemore.core.progress import Update, silent
from makemore.nn.neural import Neural
from makemore.training.checkpoint import Checkpoint
from makemore.training.optimizers import Optimizer
from makemore.training.record import Record, matrices, update_sizes
from makemore.training.schedule import Schedule

ROWS = 200  # maximum length of a learning curve
CURVE_HEADER = "step", "loss", "lr"

# step, mean loss since the previous row in nats per token, learning rate, and the size of the update of each matrix
Curve = list[tuple[float, ...]]


@dataclass(frozen=True)
class Plan:
    """How long to train, and how fast."""

    steps: int
    rate: Schedule
    ema: float = 0.0  # decay of the moving average of the weights, which replaces them at the end; 0: no average


def train_network(
    model: Neural,
    next_loss: Callable[[], Tensor],
    optimizer: Optimizer,
    plan: Plan,
    checkpoint: Checkpoint | None = None,
    update: Update = silent,
    record: Record | None = None,
) -> Curve:
    """The lectures' loop: forward, backward, update.

    Args:
        next_loss: returns the loss on the next batch, in nats per token. A loss that requires no gradient says that
            the gradients are set already, as those of `distributed.py` are.
        checkpoint: where to resume from, and where to save progress.
        update: called with the number of finished steps and the current loss.
        record: filled with what the last step shows.

    Returns:
        The learning curve, at most `ROWS` rows. `header` names its columns.

    Raises:
        ValueError: the loss is no longer finite.
    """
    every = math.ceil(plan.steps / ROWS)
    weights: list[Tensor] = list(model.parameters())
    average = WeightAverage([*weights, *model.buffers()], plan.ema) if plan.ema else None
    state = [*weights, *model.buffers(), *optimizer.state, *(average.means if average else [])]
    done, curve, losses = checkpoint.load(state) if checkpoint else (0, [], [])
    for step in range(done, plan.steps):
        last = step == plan.steps - 1
        model.watched = {} if record and last else None
        loss = next_loss()
        if loss.requires_grad:
            for weight in weights:
                weight.grad = None
            loss.backward()  # type: ignore[no-untyped-call]
        if record and last:
            record.fill(model)

        row = last or len(losses) + 1 == every
        before = {name: weight.detach().clone() for name, weight in matrices(model).items()} if row else {}
        optimizer.step(plan.rate(step))
        if average:
            average.update(step)

        losses.append(loss.detach())
        if row:
            sizes = update_sizes(before, matrices(model))
            curve.append((step + 1, _mean(losses, step), plan.rate(step), *sizes))
            update(step + 1, f"loss {curve[-1][1]:.4f}")
            losses = []
        if checkpoint and checkpoint.every and (step + 1) % checkpoint.every == 0 and not last:
            checkpoint.save(step + 1, state, curve, losses)
    if average:
        average.copy_to_weights()
    model.watched = None
    return curve


def header(model: Neural) -> list[str]:
    """The columns of the learning curve."""
    return [*CURVE_HEADER, *(f"update.{name}" for name in matrices(model))]


def _mean(losses: Sequence[Tensor], step: int) -> float:
    mean = float(torch.stack([*losses]).mean())
    if not math.isfinite(mean):
        raise ValueError(f"step {step + 1}: the loss is {mean}: training diverged; try a smaller lr")
    return mean


class WeightAverage:
    """Exponential moving average of the weights. Early on it averages about the last tenth of the steps."""

    def __init__(self, weights: list[Tensor], decay: float):
        self.weights, self.decay = weights, decay
        self.means = [weight.detach().clone() for weight in weights]

    @torch.no_grad()
    def update(self, step: int) -> None:
        for mean, weight in zip(self.means, self.weights, strict=True):
            mean.lerp_(weight, 1 - min(self.decay, step / (step + 9)))

    @torch.no_grad()
    def copy_to_weights(self) -> None:
        for mean, weight in zip(self.means, self.weights, strict=True):
            weight.copy_(mean)
