"""The transformer: Vaswani et al. 2017, "Attention Is All You Need", in the form of GPT-2 (Radford et al. 2019).

Each block consists of causal self-attention and an MLP, both with a layer norm before them and a residual connection.
Positions beyond the position table share its last entry, so that names can have any length.

Shapes: N names, T positions, M prefixes, V vocabulary, C embedding, P size of the position table, A heads, D = C / A.
"""

from typing import Annotated, Self

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from makemore.core.model import State
from makemore.core.params import Section
from makemore.nn.prefix_tree import PrefixTree
from makemore.nn.sequence import Dropout, Linear, Sequence, normal, stack


class TransformerParams(Section):
    """The shape of the network."""

    layers: Annotated[int, Field(ge=1, le=100, description="number of blocks")]
    heads: Annotated[int, Field(ge=1, le=1000, description="attention heads; must divide the size of the embeddings")]
    embedding: Annotated[int, Field(ge=1, le=100_000, description="size of the embeddings, and width of each block")]
    positions: Annotated[
        int, Field(ge=1, le=10_000, description="size of the position table; later positions share the last entry")
    ]
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="dropout on the embeddings and on the output of each sublayer")
    ]

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.embedding % self.heads:
            raise ValueError(f"heads: expected a divisor of embedding, {self.embedding}, got {self.heads}")
        return self


class Block(nn.Module):
    """Attention, then an MLP, both with a layer norm before them and a residual connection.

    Their output weights start smaller, so that the sum over all blocks keeps its scale (GPT-2).
    """

    def __init__(self, params: TransformerParams, drop: Dropout, generator: torch.Generator | None):
        super().__init__()
        C, small = params.embedding, (2 * params.layers) ** -0.5
        self.heads, self.drop = params.heads, drop
        self.norm1, self.norm2 = nn.LayerNorm(C), nn.LayerNorm(C)
        self.qkv = Linear(C, 3 * C, generator)
        self.attended = Linear(C, C, generator, gain=small)
        self.hidden = Linear(C, 4 * C, generator)
        self.output = Linear(4 * C, C, generator, gain=small)

    def forward(self, x: Tensor, tree: PrefixTree) -> Tensor:
        q, k, v = tree.side_by_side(self.qkv(self.norm1(x))).chunk(3, dim=2)  # (N, T, C)
        y = self.attend(q, k, v, causal=True)  # padding follows the name, so no token attends to it
        return self.add(x, tree.once(y))  # (M, C)

    def step(self, x: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """Process the next position, (N, C), given the keys and values of earlier ones, (N, T, 2 * C).

        Returns:
            The output, (N, C), and the keys and values up to this position, (N, T + 1, 2 * C).
        """
        q, k, v = self.qkv(self.norm1(x)).unsqueeze(1).chunk(3, dim=2)  # (N, 1, C)
        seen = torch.cat((before, torch.cat((k, v), dim=2)), dim=1)  # (N, T + 1, 2 * C)
        k, v = seen.chunk(2, dim=2)  # (N, T + 1, C)
        y = self.attend(q, k, v, causal=False)  # (N, 1, C)
        return self.add(x, y.squeeze(1)), seen

    def attend(self, q: Tensor, k: Tensor, v: Tensor, causal: bool) -> Tensor:
        q, k, v = (x.view(*x.shape[:2], self.heads, -1).transpose(1, 2) for x in (q, k, v))  # (N, A, T, D)
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(2)  # (N, T, C)

    def add(self, x: Tensor, attended: Tensor) -> Tensor:
        x = x + self.drop(self.attended(attended))  # (M, C)
        # GPT-2's approximation of GELU. The exact form uses oneDNN, whose rounding depends on the processor.
        return x + self.drop(self.output(F.gelu(self.hidden(self.norm2(x)), approximate="tanh")))  # type: ignore[no-any-return]


class Transformer(Sequence):
    """Embeddings of characters and positions, blocks, a layer norm, then logits."""

    Params = TransformerParams
    params: TransformerParams
    embeddings = ("C", "P")

    def __init__(self, params: TransformerParams, vocab_size: int, generator: torch.Generator | None):
        super().__init__(params, vocab_size, generator)
        self.drop = Dropout(params.dropout, generator)
        self.C = normal(vocab_size, params.embedding, scale=1, generator=generator)  # (V, C)
        self.P = normal(params.positions, params.embedding, scale=1, generator=generator)  # (P, C)
        self.blocks = stack(Block(params, self.drop, generator) for _ in range(params.layers))
        self.norm = nn.LayerNorm(params.embedding)
        self.output = Linear(params.embedding, vocab_size, generator, gain=0.1)  # nearly uniform predictions at first

    def embed(self, tokens: Tensor, positions: Tensor) -> Tensor:
        x = F.embedding(tokens, self.C) + F.embedding(positions.clamp(max=len(self.P) - 1), self.P)
        return self.drop(x)  # type: ignore[no-any-return]

    def forward(self, tree: PrefixTree) -> Tensor:
        x = self.embed(tree.tokens, tree.depths)  # (M, C)
        for i, block in enumerate(self.blocks, start=1):
            x = self.watch(f"block{i}", block(x, tree))
        return self.output(self.norm(x))  # type: ignore[no-any-return]

    def begin(self, count: int) -> State:
        """The keys and values so far of each block, (N, T, 2 * C)."""
        return tuple(self.C.new_zeros(count, 0, 2 * self.C.shape[1]) for _ in self.blocks)

    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        x = self.embed(tokens, torch.full_like(tokens, state[0].shape[1]))  # (N, C)
        after = []
        for block, before in zip(self.blocks, state, strict=True):
            x, seen = block.step(x, before)
            after.append(seen)
        return self.output(self.norm(x)), tuple(after)


MODEL = Transformer
