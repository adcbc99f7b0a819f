"""The one training loop, and what goes into it: batches, optimizer, learning rate.

Shapes: N examples of a batch, U distinct contexts, T context length, V vocabulary.
"""

import math
from collections.abc import Callable, Iterable
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from makemore.checkpoint import Checkpoint
from makemore.neural import Followers, Neural
from makemore.optimizers import SGD, AdamW, Group, Optimizer
from makemore.params import Section, Seed
from makemore.progress import progress
from makemore.vocab import Tokens

ROWS = 200  # of a learning curve, at the most
POWER = 0.7  # of how often a distinct context occurs: 1 is drawing tokens, 0 drawing contexts
DENSE = 1 << 23  # weights that are kept with their zeros: a batch is then drawn in less time
CURVE_HEADER = "step", "loss", "lr"

Batches = Callable[[], tuple[Tensor, Tensor]]
Curve = list[tuple[int, float, float]]  # step, mean loss since the row before in nats a token, learning rate


class StepParams(Section):
    """What a step of the training does."""

    batch_size: Annotated[int, Field(ge=1, description="examples in a step, drawn with replacement")]
    steps: Annotated[int, Field(ge=1, description="updates of the weights")]
    optimizer: Annotated[Literal["sgd", "adamw"], Field(description="sgd is the lecture's; adamw decays decoupled")]
    weight_decay: Annotated[float, Field(ge=0, description="pull of the weight matrices, not of biases, towards 0")]
    embedding_decay: Annotated[float, Field(ge=0, description="the same of the embeddings")]
    embedding_lr: Annotated[
        float, Field(gt=0, le=1e6, description="learning rate of the embeddings, as a multiple of the other weights'")
    ]
    seed: Annotated[Seed, Field(description="of the first weights and of the batches")]
    device: Annotated[Literal["auto", "cpu", "cuda"], Field(description="auto is cuda where there is one")]
    threads: Annotated[int, Field(ge=1, description="processor threads; another number may change the last digits")]


class TrainingParams(StepParams):
    """How a network is trained by minibatches."""

    lr: Annotated[float, Field(gt=0, le=1e30, description="learning rate at the start")]
    schedule: Annotated[
        Literal["constant", "step", "linear", "cosine"],
        Field(description="the rate stays, is a tenth from half-way on (the lecture), or falls to 0"),
    ]
    warmup: Annotated[int, Field(ge=0, description="steps in which the rate rises to what the schedule says")]
    ema: Annotated[
        float,
        Field(ge=0, lt=1, description="decay of the running mean of the weights, which is what is kept; 0: the last"),
    ]
    checkpoint_every: Annotated[int, Field(ge=0, description="steps between two checkpoints; 0 is none")]


def uniform_batches(contexts: Tensor, targets: Tensor, size: int, generator: torch.Generator) -> Batches:
    """Batches of rows, each equally likely, drawn with replacement, as in the second lecture."""

    def batch() -> tuple[Tensor, Tensor]:
        drawn = torch.randint(len(contexts), (size,), generator=generator).to(contexts.device)  # (N,)
        return contexts[drawn], targets[drawn]  # (N, T), (N,) or (N, V)

    return batch


def strata(size: int, generator: torch.Generator) -> Tensor:
    """Numbers in [0, 1), (N,), one in each N-th of it, so that of neighbours that are alike each gets its share."""
    return (torch.arange(size) + torch.rand(size, generator=generator, dtype=torch.float64)) / size


def stratified_batches(inputs: Tensor, targets: Tensor, size: int, generator: torch.Generator) -> Batches:
    """Batches of rows, each equally likely, the rows of a batch spread over all."""

    def batch() -> tuple[Tensor, Tensor]:
        drawn = (strata(size, generator) * len(inputs)).long().to(inputs.device)  # (N,)
        return inputs[drawn], targets[drawn]

    return batch


def weighted_batches(contexts: Tensor, followers: Followers, size: int, generator: torch.Generator) -> Batches:
    """Batches of distinct contexts, drawn with probability proportional to how often they occur to the power `POWER`,
    the rows of a batch spread over all.

    Each row's weights are divided by that probability, so that the weighted mean loss of a batch estimates that of the
    list (self-normalised importance sampling). The power lies between drawing what is frequent again and again, and
    rows that differ so much in weight that the estimate is noisy.
    """
    rows, weights = followers.rows(), followers.weights.double()  # (K,)
    chances = weights.new_zeros(len(contexts)).index_add(0, rows, weights) ** POWER  # (U,)
    cumulative = (chances / chances.sum()).cumsum(dim=0).cpu()  # (U,)
    scaled = followers._replace(weights=(weights / chances[rows]).float())
    dense = scaled.all() if len(contexts) * scaled.vocab_size <= DENSE else None  # (U, V)

    def batch() -> tuple[Tensor, Tensor]:
        drawn = torch.searchsorted(cumulative, strata(size, generator)).clamp(max=len(contexts) - 1)  # (N,)
        drawn = drawn.to(contexts.device)
        return contexts[drawn], scaled.of(drawn) if dense is None else dense[drawn]  # (N, T), (N, V)

    return batch


def pick_device(device: str) -> str:
    """Raises ValueError where `cuda` is asked for and there is none."""
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: expected a machine with CUDA, found none; auto takes what there is")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def make_optimizer(model: Neural, params: StepParams) -> Optimizer:
    """Weight matrices and embeddings decay, each by their own rate; biases do not (Bengio et al. 2003, section 3), and
    no matrix that the model exempts.
    """
    groups: dict[tuple[float, float], list[Tensor]] = {}
    for name, weight in model.named_parameters():
        owner = name.split(".")[0]
        embedding, matrix = owner in model.embeddings, weight.ndim > 1 and owner not in model.undecayed
        decay = params.embedding_decay if embedding else params.weight_decay if matrix else 0.0
        groups.setdefault((decay, params.embedding_lr if embedding else 1.0), []).append(weight)
    optimizer = SGD if params.optimizer == "sgd" else AdamW
    return optimizer([Group(weights, decay, speed) for (decay, speed), weights in groups.items()])


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
        return params.lr * factors[params.schedule] * min(1.0, (step + 1) / max(1, params.warmup))

    return rate


def batches(model: Neural, tokens: Tokens, params: StepParams, generator: torch.Generator) -> Batches:
    """The batches that a model learns from, on its device."""
    device = next(model.parameters()).device
    inputs, targets = model.examples(tokens)
    inputs, targets = inputs.to(device), targets.to(device)
    if isinstance(targets, Followers):
        return weighted_batches(inputs, targets, params.batch_size, generator)  # distinct contexts
    draw = stratified_batches if model.context is None else uniform_batches  # names, tokens
    return draw(inputs, targets, params.batch_size, generator)


class RunningMean:
    """The exponential moving average of the weights; young, it is the mean of about the last tenth of the steps."""

    def __init__(self, weights: list[Tensor], decay: float):
        self.weights, self.decay = weights, decay
        self.means = [weight.detach().clone() for weight in weights]

    @torch.no_grad()
    def update(self, step: int) -> None:
        torch._foreach_lerp_(self.means, self.weights, 1 - min(self.decay, step / (step + 9)))

    @torch.no_grad()
    def take(self) -> None:
        """The means become the weights."""
        torch._foreach_copy_(self.weights, self.means)


def train(
    model: nn.Module,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    next_batch: Batches,
    optimizer: Optimizer,
    rate: Callable[[int], float],
    steps: int,
    ema: float = 0.0,
    title: str = "train",
    checkpoint: Checkpoint | None = None,
) -> Curve:
    """The lectures' loop: forward, backward, update.

    Args:
        loss_of: (contexts, targets) -> the loss, in nats a token.
        next_batch: gives the next (contexts, targets).
        rate: the learning rate of each step.
        ema: decay of the running mean of the weights, which the model has in the end; 0: it has the last weights.
        checkpoint: where a training that was killed left off, and will again.

    Returns:
        The learning curve, at most `ROWS` rows.

    Raises:
        ValueError: the loss is no longer a finite number.
    """
    every = math.ceil(steps / ROWS)
    weights: list[Tensor] = list(model.parameters())
    average = RunningMean(weights, ema) if ema else None
    state = [*weights, *optimizer.state, *(average.means if average else [])]
    done, curve, losses = checkpoint.load(state) if checkpoint else (0, [], [])
    with progress(title, steps, "steps") as report:
        for step in range(done, steps):
            loss = loss_of(*next_batch())
            for weight in weights:
                weight.grad = None
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step(rate(step))
            if average:
                average.update(step)

            losses.append(loss.detach())
            if len(losses) == every or step == steps - 1:
                curve.append((step + 1, _mean(losses, step), rate(step)))
                report(step + 1, f"loss {curve[-1][1]:.4f}")
                losses = []
            if checkpoint and checkpoint.every and (step + 1) % checkpoint.every == 0:
                checkpoint.save(step + 1, state, curve, losses)
    if average:
        average.take()
    return curve


def _mean(losses: Iterable[Tensor], step: int) -> float:
    mean = float(torch.stack(list(losses)).mean())
    if not math.isfinite(mean):
        raise ValueError(f"step {step + 1}: the loss is {mean}: the training diverged; a smaller lr may mend it")
    return mean
