"""The first lecture's network: one layer, from a one-hot character to the logits of the next.

It has the form of the counted bigram: row i of `W` is what follows character i, exp(W) plays the counts, and its
gradient descent finds what counting finds at once. Shapes: N contexts, V vocabulary.
"""

import torch
from torch import Tensor, nn

from makemore.core.params import Section
from makemore.nn.neural import Neural


class NeuralBigram(Neural):
    """logits = one_hot(character) @ W, which is row `character` of W: indexing gives it without the product (E04)."""

    context = 1

    def __init__(self, params: Section, vocab_size: int, generator: torch.Generator | None = None):
        super().__init__(params, vocab_size, generator)
        self.W = nn.Parameter(torch.randn((vocab_size, vocab_size), generator=generator))  # (V, V)

    def forward(self, contexts: Tensor) -> Tensor:
        return self.W[contexts[:, 0]]  # (N, V)

    def regularized_loss(self, contexts: Tensor, targets: Tensor, regularization: float) -> Tensor:
        """The lecture's loss: mean NLL (see `Neural.loss`) plus regularization * mean(W^2).

        The second term pulls the rows towards uniform, as a count added to each does in the counted model.
        """
        return self.loss(contexts, targets) + regularization * self.W.square().mean()


MODEL = NeuralBigram
