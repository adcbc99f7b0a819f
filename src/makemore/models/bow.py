"""A causal bag of words, as makemore has it: each position sees the mean of all so far, all with the same weight.

The simplest way to look at a whole name: attention without attending. Order enters through the positions alone, which
are embedded and added to the characters before the mean is taken.

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

    embedding: Annotated[int, Field(ge=1, le=10_000, description="numbers that stand for a character")]
    hidden: Annotated[int, Field(ge=1, le=100_000, description="tanh units")]
    positions: Annotated[int, Field(ge=1, le=10_000, description="that have an embedding; those beyond share the last")]
    dropout: Annotated[float, Field(ge=0, lt=1, description="share of the MLP's inputs and units dropped in training")]


class BagOfWords(Sequence):
    """Embeddings, their mean so far and an MLP, each added to what it reads, logits."""

    Params = BagOfWordsParams
    params: BagOfWordsParams
    embeddings = ("C", "P")

    def __init__(self, params: BagOfWordsParams, vocab_size: int, generator: torch.Generator | None = None):
        super().__init__(params, vocab_size, generator)
        self.drop = Dropout(params.dropout, generator)
        self.C = normal(vocab_size, params.embedding, scale=1, generator=generator)  # (V, C)
        self.P = normal(params.positions, params.embedding, scale=1, generator=generator)  # (P, C)
        self.hidden = Linear(params.embedding, params.hidden, generator)
        self.residual = Linear(params.hidden, params.embedding, generator)
        self.output = Linear(params.embedding, vocab_size, generator, gain=0.1)  # all tokens nearly as likely at first

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        return F.embedding(tokens, self.C) + F.embedding(positions.clamp(max=len(self.P) - 1), self.P)  # (M, C)

    def head(self, x: Tensor, mean: Tensor) -> Tensor:
        x = self.drop(x + mean)  # (M, C)
        x = x + self.residual(self.drop(torch.tanh(self.hidden(x))))
        return self.output(x)  # type: ignore[no-any-return]

    def forward(self, tree: PrefixTree) -> Tensor:
        x = self.embed(tree.tokens, tree.depths)  # (M, C)
        sums = tree.once(tree.side_by_side(x).cumsum(dim=1))  # (M, C)
        return self.head(x, sums / (tree.depths + 1).unsqueeze(1))

    def begin(self, count: int) -> State:
        """The sum of the embeddings so far, (N, C), and how many they are, (N,)."""
        return self.C.new_zeros(count, self.C.shape[1]), torch.zeros(count, dtype=torch.int64, device=self.C.device)

    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        sums, positions = state
        x = self.embed(tokens, positions)
        sums, positions = sums + x, positions + 1
        return self.head(x, sums / positions.unsqueeze(1)), (sums, positions)


MODEL = BagOfWords
