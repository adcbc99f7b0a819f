"""The first lecture's network: one layer, from a one-hot character to the logits of the next.

It has the form of the counted bigram: row i of `W` is what follows character i, exp(W) plays the counts, and its
gradient descent finds what counting finds at once. Shapes: N contexts, V vocabulary.
"""

from typing import Any

import torch
from torch import Tensor, nn

from makemore.model import Arrays
from makemore.neural import Neural
from makemore.params import Section


class NeuralBigram(Neural):
    """logits = one_hot(character) @ W, which is row `character` of W: indexing gives it without the product (E04)."""

    context = 1

    def __init__(self, vocab_size: int, generator: torch.Generator | None = None):
        super().__init__()
        self.architecture = Section()
        self.W = nn.Parameter(torch.randn((vocab_size, vocab_size), generator=generator))  # (V, V)

    def forward(self, contexts: Tensor) -> Tensor:
        return self.W[contexts[:, 0]]  # (N, V)

    def regularized_loss(self, contexts: Tensor, targets: Tensor, regularization: float) -> Tensor:
        """The lecture's loss: mean NLL (see `Neural.loss`) plus regularization * mean(W^2).

        The second term pulls the rows towards uniform, as a count added to each does in the counted model.
        """
        return self.loss(contexts, targets) + regularization * self.W.square().mean()


def load(config: dict[str, Any], arrays: Arrays, vocab_size: int) -> NeuralBigram:
    model = NeuralBigram(vocab_size)
    model.set_arrays(arrays)
    return model
