"""A causal bag of words, as in makemore: each position sees the unweighted mean of all positions up to it.

It is the simplest network that reads a whole name: attention with uniform weights. Only the position embeddings, which
are added to the character embeddings before averaging, carry the order of the characters.

Shapes: N names, T positions, M prefixes, V vocabulary, C embedding, H hidden, P positions in the table.
"""

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from makemore.core.model import State
from makemore.core.params import Section
from makemore.nn.prefix_tree import PrefixTree
from makemore.nn.sequence import Dropout, Linear, Sequence, normal


class BagOfWordsParams(Section):
    """The shape of the network."""

    embedding: Annotated[int, Field(ge=1, le=10_000, description="size of the embeddings")]
    hidden: Annotated[int, Field(ge=1, le=100_000, description="number of hidden (tanh) units")]
    positions: Annotated[
        int, Field(ge=1, le=10_000, description="size of the position table; later positions share the last entry")
    ]
    dropout: Annotated[float, Field(ge=0, lt=1, description="dropout on the inputs and the hidden units of the MLP")]


class BagOfWords(Sequence):
    """Embeddings, their running mean and an MLP, both with residual connections, then logits."""

    Params = BagOfWordsParams
    params: BagOfWordsParams
    embeddings = ("C", "P")
    bounded = True

    def __init__(self, params: BagOfWordsParams, vocab_size: int, generator: torch.Generator | None):
        super().__init__(params, vocab_size, generator)
        self.drop = Dropout(params.dropout, generator)
        self.C = normal(vocab_size, params.embedding, scale=1, generator=generator)  # (V, C)
        self.P = normal(params.positions, params.embedding, scale=1, generator=generator)  # (P, C)
        self.hidden = Linear(params.embedding, params.hidden, generator)
        self.residual = Linear(params.hidden, params.embedding, generator)
        self.output = Linear(params.embedding, vocab_size, generator, gain=0.1)  # nearly uniform predictions at first

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        return F.embedding(tokens, self.C) + F.embedding(positions.clamp(max=len(self.P) - 1), self.P)  # (M, C)

    def head(self, x: Tensor, mean: Tensor) -> Tensor:
        x = self.drop(x + mean)  # (M, C)
        x = x + self.residual(self.drop(self.watch("tanh", torch.tanh(self.hidden(x)))))
        return self.output(x)  # type: ignore[no-any-return]

    def forward(self, tree: PrefixTree) -> Tensor:
        x = self.embed(tree.tokens, tree.depths)  # (M, C)
        sums = tree.once(tree.side_by_side(x).cumsum(dim=1))  # (M, C)
        return self.head(x, sums / (tree.depths + 1).unsqueeze(1))

    def begin(self, count: int) -> State:
        """The sum of the embeddings so far, (N, C), and their number, (N,)."""
        return self.C.new_zeros(count, self.C.shape[1]), torch.zeros(count, dtype=torch.int64, device=self.C.device)

    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        sums, positions = state
        x = self.embed(tokens, positions)
        sums, positions = sums + x, positions + 1
        return self.head(x, sums / positions.unsqueeze(1)), (sums, positions)


MODEL = BagOfWords
