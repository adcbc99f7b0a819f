"""The one training loop, and what goes into it: batches, optimizer, learning rate. Shapes: M tokens, N examples of
a batch, U distinct contexts, T context length, V vocabulary."""

import math
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from makemore.checkpoint import Checkpoint
from makemore.contexts import counted, sliding
from makemore.params import Section, Seed
from makemore.progress import progress
from makemore.vocab import Tokens

ROWS = 200  # of a learning curve, at the most
CURVE_HEADER = "step", "loss", "lr"

Batches = Callable[[], tuple[Tensor, Tensor]]
Curve = list[tuple[int, float, float]]  # step, mean loss since the row before in nats a token, learning rate


class TrainingParams(Section):
    """How a network is trained by minibatches."""

    examples: Annotated[
        Literal["all", "distinct"],
        Field(
            description="what batches are drawn from: all tokens (the lecture), or distinct contexts with their counts"
        ),
    ]
    batch_size: Annotated[int, Field(ge=1, description="examples in a step, drawn with replacement")]
    steps: Annotated[int, Field(ge=1, description="updates of the weights")]
    optimizer: Annotated[Literal["sgd", "adamw"], Field(description="sgd is the lecture's; adamw decays decoupled")]
    lr: Annotated[float, Field(gt=0, description="learning rate at the start")]
    schedule: Annotated[
        Literal["constant", "step", "linear", "cosine"],
        Field(description="the rate stays, is a tenth from half-way on (the lecture), or falls to 0"),
    ]
    weight_decay: Annotated[float, Field(ge=0, description="pull of weights and embeddings, not biases, towards 0")]
    seed: Annotated[Seed, Field(description="of the first weights and of the batches")]
    device: Annotated[Literal["auto", "cpu", "cuda"], Field(description="auto is cuda where there is one")]
    threads: Annotated[int, Field(ge=1, description="processor threads; another number may change the last digits")]
    checkpoint_every: Annotated[int, Field(ge=0, description="steps between two checkpoints; 0 is none")]


def examples(tokens: Tokens, context: int) -> tuple[Tensor, Tensor]:
    """All contexts, (M, T), and the token that follows each, (M,): the lecture's X and Y."""
    return torch.from_numpy(sliding(tokens, context)).long(), torch.from_numpy(tokens).long()


def distinct_examples(tokens: Tokens, context: int, vocab_size: int) -> tuple[Tensor, Tensor]:
    """The distinct contexts, (U, T), and for each the weight of every next token, (U, V).

    A list has many tokens and few distinct contexts. The weights are counts, scaled so that the mean over the U rows of
    the cross-entropy with them is the mean NLL over all M tokens: the same loss, its equal terms gathered.
    """
    contexts, counts = counted(tokens, context, vocab_size)
    return torch.from_numpy(contexts).long(), torch.from_numpy(counts * (len(contexts) / len(tokens))).float()


def uniform_batches(contexts: Tensor, targets: Tensor, size: int, generator: torch.Generator) -> Batches:
    """Batches of rows, each equally likely, drawn with replacement, as in the second lecture."""

    def batch() -> tuple[Tensor, Tensor]:
        drawn = torch.randint(len(contexts), (size,), generator=generator).to(contexts.device)  # (N,)
        return contexts[drawn], targets[drawn]  # (N, T), (N,) or (N, V)

    return batch


def weighted_batches(contexts: Tensor, weights: Tensor, size: int, generator: torch.Generator) -> Batches:
    """Batches of distinct contexts, drawn with probability proportional to the square root of how often they occur.

    Each row's weights are divided by that probability, so that the weighted mean loss of a batch estimates that of the
    list (self-normalised importance sampling). The root lies between drawing what is frequent again and again, and rows
    that differ so much in weight that the estimate is noisy.
    """
    roots = weights.double().sum(dim=1).sqrt()  # (U,)
    cumulative = (roots / roots.sum()).cumsum(dim=0).cpu()  # (U,)
    weights = (weights / roots.unsqueeze(1)).float()  # (U, V)

    def batch() -> tuple[Tensor, Tensor]:
        u = torch.rand(size, generator=generator, dtype=torch.float64)  # (N,)
        drawn = torch.searchsorted(cumulative, u).clamp(max=len(contexts) - 1).to(contexts.device)  # (N,)
        return contexts[drawn], weights[drawn]  # (N, T), (N, V)

    return batch


def pick_device(device: str) -> str:
    """Raises ValueError where `cuda` is asked for and there is none."""
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: expected a machine with CUDA, found none; auto takes what there is")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def make_optimizer(model: nn.Module, params: TrainingParams) -> Optimizer:
    """Weights and embeddings decay, biases do not (Bengio et al. 2003, section 3)."""
    weights = list(model.parameters())
    groups = [
        {"params": [weight for weight in weights if weight.ndim > 1], "weight_decay": params.weight_decay},
        {"params": [weight for weight in weights if weight.ndim == 1], "weight_decay": 0.0},
    ]
    return SGD(groups, lr=params.lr) if params.optimizer == "sgd" else AdamW(groups, lr=params.lr, fused=True)


def learning_rate(params: TrainingParams) -> Callable[[int], float]:
    """The learning rate of each step, counted from 0."""

    def rate(step: int) -> float:
        gone = step / params.steps
        factors = {
            "constant": 1.0,
            "step": 1.0 if gone < 0.5 else 0.1,
            "linear": 1 - gone,
            "cosine": (1 + math.cos(math.pi * gone)) / 2,
        }
        return params.lr * factors[params.schedule]

    return rate


def batches(
    tokens: Tokens, context: int, vocab_size: int, params: TrainingParams, generator: torch.Generator
) -> Batches:
    """The batches that `params` asks for, on the device that it asks for."""
    device = pick_device(params.device)
    if params.examples == "all":
        contexts, targets = examples(tokens, context)
        return uniform_batches(contexts.to(device), targets.to(device), params.batch_size, generator)
    contexts, weights = distinct_examples(tokens, context, vocab_size)
    return weighted_batches(contexts.to(device), weights.to(device), params.batch_size, generator)


def train(
    model: nn.Module,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    next_batch: Batches,
    optimizer: Optimizer,
    rate: Callable[[int], float],
    steps: int,
    title: str = "train",
    checkpoint: Checkpoint | None = None,
) -> Curve:
    """The lectures' loop: forward, backward, update.

    Args:
        loss_of: (contexts, targets) -> the loss, in nats a token.
        next_batch: gives the next (contexts, targets).
        rate: the learning rate of each step.
        checkpoint: where a training that was killed left off, and will again.

    Returns:
        The learning curve, at most `ROWS` rows.

    Raises:
        ValueError: the loss is no longer a finite number.
    """
    every = math.ceil(steps / ROWS)
    done, curve, losses = checkpoint.load(model, optimizer) if checkpoint else (0, [], [])
    with progress(title, steps, "steps") as report:
        for step in range(done, steps):
            for group in optimizer.param_groups:
                group["lr"] = rate(step)
            loss = loss_of(*next_batch())
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

            losses.append(loss.detach())
            if len(losses) == every or step == steps - 1:
                curve.append((step + 1, _mean(losses, step), rate(step)))
                report(step + 1, f"loss {curve[-1][1]:.4f}")
                losses = []
            if checkpoint and checkpoint.every and (step + 1) % checkpoint.every == 0:
                checkpoint.save(step + 1, model, optimizer, curve, losses)
    return curve


def _mean(losses: Iterable[Tensor], step: int) -> float:
    mean = float(torch.stack(list(losses)).mean())
    if not math.isfinite(mean):
        raise ValueError(f"step {step + 1}: the loss is {mean}: the training diverged; a smaller lr may mend it")
    return mean
