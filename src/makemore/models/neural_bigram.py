"""The first lecture's network: one linear layer from a one-hot character to the logits of the next one.

It is equivalent to the counted bigram: row i of `W` describes what follows character i, and exp(W) corresponds to the
counts. Gradient descent converges to the solution that counting gives directly.

Shapes: N contexts, V vocabulary.
"""

import torch
from torch import Tensor, nn

from makemore.core.params import Section
from makemore.nn.neural import Neural, randn


class NeuralBigram(Neural):
    """logits = one_hot(character) @ W, computed by indexing row `character` of W (exercise E04)."""

    context = 1

    def __init__(self, params: Section, vocab_size: int, generator: torch.Generator | None):
        super().__init__(params, vocab_size, generator)
        self.W = nn.Parameter(randn(vocab_size, vocab_size, generator=generator))  # (V, V)

    def forward(self, contexts: Tensor) -> Tensor:
        return self.watch("logits", self.W[contexts[:, 0]])  # (N, V)

    def regularized_loss(self, contexts: Tensor, targets: Tensor, regularization: float) -> Tensor:
        """The lecture's loss: mean NLL (see `Neural.loss`) plus regularization * mean(W^2).

        The second term pulls the rows towards uniform, like the count added to each bigram in add-one smoothing.
        """
        return self.loss(contexts, targets) + regularization * self.W.square().mean()


MODEL = NeuralBigram
