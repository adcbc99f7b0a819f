"""Minibatches: what each training step learns from.

Shapes: N examples per batch, M tokens, L names, U distinct contexts, T context length or tokens of the longest name, V
vocabulary, K nonzero next-token weights.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from makemore.core.contexts import name_bounds
from makemore.core.vocab import Tokens
from makemore.nn.neural import Neural, NextTokenWeights
from makemore.training.params import StepParams
from makemore.training.targets import NameTargets, Targets, alphabetical, context_targets, name_targets

POWER = 0.7  # exponent on the count of a distinct context: 1 samples tokens, 0 samples contexts uniformly
STORED = 1 << 26  # largest number of tokens in contexts that is stored, which makes batches faster
SMOOTHED = 1 << 24  # largest number of tokens whose targets are smoothed; in longer lists, most contexts occur often
DENSE = 1 << 23  # largest number of next-token weights that is stored densely, which makes batches faster

Batches = Callable[[], tuple[Tensor, ...]]  # returns the next batch: inputs and targets, as `Neural.loss` takes them


def make_batches(model: Neural, tokens: Tokens, params: StepParams, generator: torch.Generator) -> Batches:
    """The batches that a model learns from, on its device.

    Raises:
        ValueError: `smoothing` of targets that are single tokens.
    """
    device, size = model.device, params.batch_size
    smoothing = params.smoothing if len(tokens) <= SMOOTHED else 0
    if model.context is None:
        expected = name_targets(tokens, model.vocab_size, smoothing) if smoothing else None
        return name_batches(tokens, size, generator, device, expected)
    if params.smoothing and not model.distinct:
        raise ValueError("smoothing: needs examples: distinct")
    if not model.distinct and len(tokens) * model.context > STORED:
        return window_batches(tokens, model.context, size, generator, device)
    inputs, targets = model.examples(tokens)
    if isinstance(targets, NextTokenWeights):
        smoothed = context_targets(inputs, targets, len(tokens), smoothing) if smoothing else None
        return weighted_batches(inputs.to(device), targets.to(device), size, generator, smoothed)
    return uniform_batches(inputs.to(device), targets.to(device), size, generator)


def uniform_batches(inputs: Tensor, targets: Tensor, size: int, generator: torch.Generator) -> Batches:
    """Batches of rows sampled uniformly with replacement, as in the second lecture."""

    def batch() -> tuple[Tensor, Tensor]:
        drawn = torch.randint(len(inputs), (size,), generator=generator).to(inputs.device)  # (N,)
        return inputs[drawn], targets[drawn]  # (N, T), (N,) or (N, V)

    return batch


def window_batches(
    tokens: Tokens, context: int, size: int, generator: torch.Generator, device: torch.device
) -> Batches:
    """The batches of `uniform_batches` over all tokens and their contexts, of which only those drawn are computed."""
    flat, back = torch.from_numpy(tokens), torch.arange(context, 0, -1)  # (M,), (T,)

    def batch() -> tuple[Tensor, Tensor]:
        drawn = torch.randint(len(flat), (size,), generator=generator)  # (N,)
        place = drawn.unsqueeze(1) - back  # (N, T)
        window = flat[place.clamp(min=0)] * (place >= 0)
        inside = (window != 0).flip(1).cumprod(1).flip(1)  # no boundary between this position and the token
        return (window * inside).long().to(device), flat[drawn].long().to(device)

    return batch


def name_batches(
    tokens: Tokens, size: int, generator: torch.Generator, device: torch.device, expected: NameTargets | None = None
) -> Batches:
    """Batches of whole names, each equally likely, as rows of `Sequence.examples`.

    The names of one batch are spread evenly over the list in alphabetical order, so that all parts of it are in each.

    Args:
        expected: what to learn instead of the tokens of the names.
    """
    starts, sizes = name_bounds(tokens)  # (L,)
    order, columns = alphabetical(tokens, starts, sizes), np.arange(sizes.max())
    following = looked_up(expected.targets, device) if expected else None

    def batch() -> tuple[Tensor, ...]:
        drawn = order[(stratified_uniform(size, generator) * len(order)).long().numpy()]  # (N,)
        inside = columns < sizes[drawn, None]  # (N, T)
        places = (starts[drawn, None] + columns)[inside]  # (K,)
        rows = np.zeros(inside.shape, dtype=np.int32)
        rows[inside] = tokens[places]
        names = torch.from_numpy(sizes[drawn]).to(device), torch.from_numpy(rows).to(device)
        if not expected or not following:
            return names
        probabilities = torch.zeros(*rows.shape, expected.targets.vocab_size, device=device)  # (N, T, V)
        probabilities[torch.from_numpy(inside).to(device)] = following(torch.from_numpy(expected.prefixes[places]))
        return *names, probabilities

    return batch


def looked_up(targets: Targets, device: torch.device) -> Callable[[Tensor], Tensor]:
    """`targets.of`, from a table if that is small."""
    if len(targets) * targets.vocab_size > DENSE:
        return lambda contexts: targets.of(contexts).to(device)
    table = targets.of(torch.arange(len(targets))).to(device)  # (U, V)
    return lambda contexts: table[contexts.to(device)]


def stratified_uniform(size: int, generator: torch.Generator) -> Tensor:
    """N stratified uniform samples from [0, 1), (N,): one per interval of width 1/N."""
    return (torch.arange(size) + torch.rand(size, generator=generator, dtype=torch.float64)) / size


def weighted_batches(
    contexts: Tensor, targets: NextTokenWeights, size: int, generator: torch.Generator, smoothed: Targets | None = None
) -> Batches:
    """Batches of distinct contexts, sampled (stratified) in proportion to their count to the power `POWER`.

    The weights of each row are divided by its sampling probability, so that the weighted mean loss of a batch estimates
    the loss on the list (self-normalised importance sampling). `POWER` is a compromise: at 1 the same frequent contexts
    are drawn again and again; at 0 the weights within a batch differ so much that the estimate is noisy.

    Args:
        smoothed: probabilities that replace those of `targets`.
    """
    rows, weights = targets.rows(), targets.weights.double()  # (K,)
    counts = weights.new_zeros(len(contexts)).index_add(0, rows, weights)  # (U,)
    chances = counts**POWER
    cumulative = (chances / chances.sum()).cumsum(dim=0).cpu()  # (U,)
    scaled = targets._replace(weights=(weights / chances[rows]).float())
    importance = (counts / chances).float().unsqueeze(1)  # (U, 1)
    probabilities = looked_up(smoothed, contexts.device) if smoothed else None
    dense = scaled.all() if not smoothed and len(contexts) * scaled.vocab_size <= DENSE else None  # (U, V)

    def batch() -> tuple[Tensor, Tensor]:
        drawn = torch.searchsorted(cumulative, stratified_uniform(size, generator)).clamp(max=len(contexts) - 1)  # (N,)
        here = drawn.to(contexts.device)
        if probabilities:
            return contexts[here], probabilities(drawn) * importance[here]  # (N, T), (N, V)
        return contexts[here], scaled.of(here) if dense is None else dense[here]

    return batch
