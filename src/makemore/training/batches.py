"""Minibatches: what each training step learns from.

Shapes: N examples per batch, U distinct contexts, T context length, V vocabulary, K nonzero next-token weights.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from makemore.core.vocab import Tokens
from makemore.nn.neural import Neural, NextTokenWeights
from makemore.training.params import StepParams

POWER = 0.7  # exponent on the count of a distinct context: 1 samples tokens, 0 samples contexts uniformly
DENSE = 1 << 23  # largest number of next-token weights that is stored densely, which makes batches faster

Batches = Callable[[], tuple[Tensor, Tensor]]  # returns the next batch: inputs and targets, as `Neural.loss` takes them


def make_batches(model: Neural, tokens: Tokens, params: StepParams, generator: torch.Generator) -> Batches:
    """The batches that a model learns from, on its device."""
    device = next(model.parameters()).device
    inputs, targets = model.examples(tokens)
    inputs, targets = inputs.to(device), targets.to(device)
    if isinstance(targets, NextTokenWeights):
        return weighted_batches(inputs, targets, params.batch_size, generator)  # distinct contexts
    draw = stratified_batches if model.context is None else uniform_batches  # names, tokens
    return draw(inputs, targets, params.batch_size, generator)


def uniform_batches(inputs: Tensor, targets: Tensor, size: int, generator: torch.Generator) -> Batches:
    """Batches of rows sampled uniformly with replacement, as in the second lecture."""

    def batch() -> tuple[Tensor, Tensor]:
        drawn = torch.randint(len(inputs), (size,), generator=generator).to(inputs.device)  # (N,)
        return inputs[drawn], targets[drawn]  # (N, T), (N,) or (N, V)

    return batch


def stratified_batches(inputs: Tensor, targets: Tensor, size: int, generator: torch.Generator) -> Batches:
    """Batches of rows, each equally likely; the rows of one batch are spread evenly over the list."""

    def batch() -> tuple[Tensor, Tensor]:
        drawn = (stratified_uniform(size, generator) * len(inputs)).long().to(inputs.device)  # (N,)
        return inputs[drawn], targets[drawn]

    return batch


def stratified_uniform(size: int, generator: torch.Generator) -> Tensor:
    """N stratified uniform samples from [0, 1), (N,): one per interval of width 1/N."""
    return (torch.arange(size) + torch.rand(size, generator=generator, dtype=torch.float64)) / size


def weighted_batches(contexts: Tensor, targets: NextTokenWeights, size: int, generator: torch.Generator) -> Batches:
    """Batches of distinct contexts, sampled (stratified) in proportion to their count to the power `POWER`.

    The weights of each row are divided by its sampling probability, so that the weighted mean loss of a batch estimates
    the loss on the list (self-normalised importance sampling). `POWER` is a compromise: at 1 the same frequent contexts
    are drawn again and again; at 0 the weights within a batch differ so much that the estimate is noisy.
    """
    rows, weights = targets.rows(), targets.weights.double()  # (K,)
    counts = weights.new_zeros(len(contexts)).index_add(0, rows, weights)  # (U,)
    chances = counts**POWER
    cumulative = (chances / chances.sum()).cumsum(dim=0).cpu()  # (U,)
    scaled = targets._replace(weights=(weights / chances[rows]).float())
    dense = scaled.all() if len(contexts) * scaled.vocab_size <= DENSE else None  # (U, V)

    def batch() -> tuple[Tensor, Tensor]:
        drawn = torch.searchsorted(cumulative, stratified_uniform(size, generator)).clamp(max=len(contexts) - 1)  # (N,)
        drawn = drawn.to(contexts.device)
        return contexts[drawn], scaled.of(drawn) if dense is None else dense[drawn]  # (N, T), (N, V)

    return batch
