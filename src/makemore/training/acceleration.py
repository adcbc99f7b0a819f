"""What makes a training step fast on a GPU: bfloat16 and compilation, where the params ask for them."""

from collections.abc import Callable

import torch
from torch import Tensor

from makemore.nn.neural import Neural
from makemore.training.batches import Batches
from makemore.training.params import StepParams


def make_loss(
    network: Neural, next_batch: Batches, params: StepParams, generator: torch.Generator
) -> Callable[[], Tensor]:
    """A function that returns the loss on the next batch.

    Raises:
        ValueError: the params ask for a compilation that this network cannot have.
    """
    device = network.device.type
    if params.compile:
        compile_loss(network)

    def loss() -> Tensor:
        batch = next_batch()
        if device == "cuda":  # the seed of this step's dropout
            torch.cuda.manual_seed(int(torch.randint(1 << 62, (), generator=generator)))
        return network.loss(*batch)

    def in_bfloat16() -> Tensor:
        with torch.autocast(device, torch.bfloat16):
            return loss()

    return loss if params.precision == "float32" else in_bfloat16


def compile_loss(network: Neural) -> None:
    """Let a network use compiled code, except in the steps that it records."""
    method = network.compilable
    if not method:
        raise ValueError("compile: a recurrent network uses kernels of cuDNN; set it to false")
    eager = getattr(network, method)
    compiled = torch.compile(eager, dynamic=False)
    setattr(network, method, lambda *batch: (compiled if network.watched is None else eager)(*batch))
