"""Dilated causal convolutions after WaveNet: van den Oord et al. 2016, "WaveNet: A Generative Model for Raw Audio".

With a kernel of 2, each layer combines the output of the layer below at this position and `dilation` characters back,
so with dilations 1, 2, 4 and 8 the last layer sees 16 characters. The gated units and the residual and skip connections
follow figure 4 of the paper. A convolution is a single matrix product, on the concatenation of each prefix's channels
with those of the shorter prefixes that its taps look at.

Shapes: N names, M prefixes, V vocabulary, C channels, H hidden, K kernel size.
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

FARTHEST = 100_000  # characters back: no sampled name is longer


class WaveNetParams(Section):
    """The shape of the network."""

    channels: Annotated[int, Field(ge=1, le=100_000, description="residual channels, and size of the embeddings")]
    hidden: Annotated[int, Field(ge=1, le=100_000, description="skip channels, and hidden units of the output MLP")]
    layers: Annotated[
        int,
        Field(ge=1, le=20, description="number of layers; each has `kernel` times the dilation of the previous one"),
    ]
    kernel: Annotated[int, Field(ge=2, le=100, description="kernel size: positions that a convolution combines")]
    dropout: Annotated[float, Field(ge=0, lt=1, description="dropout on the input of each layer and on the output MLP")]

    @model_validator(mode="after")
    def _names_are_shorter(self) -> Self:
        if self.kernel**self.layers > FARTHEST:
            raise ValueError(f"layers: expected kernel ** layers <= {FARTHEST:,}, got {self.kernel} ** {self.layers}")
        return self


class Layer(nn.Module):
    """A gated convolution with a residual and a skip output."""

    def __init__(self, params: WaveNetParams, generator: torch.Generator | None):
        super().__init__()
        C, H = params.channels, params.hidden
        self.taps = Linear(params.kernel * C, 2 * C, generator)
        self.output = Linear(C, C + H, generator, gain=params.layers**-0.5)  # keeps the scale of the sums over layers
        self.sizes = [C, H]

    def forward(self, taps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Map the inputs at the K taps, nearest first, each (M, C), to the residual, (M, C), and the skip, (M, H)."""
        candidate, gate = self.taps(torch.cat(taps, dim=1)).chunk(2, dim=1)  # (M, C)
        residual, skip = self.output(torch.tanh(candidate) * torch.sigmoid(gate)).split(self.sizes, dim=1)
        return residual, skip


class WaveNet(Sequence):
    """Embeddings, gated dilated convolutions, an MLP on the sum of their skip outputs, then logits."""

    Params = WaveNetParams
    params: WaveNetParams
    embeddings = ("C",)

    def __init__(self, params: WaveNetParams, vocab_size: int, generator: torch.Generator | None):
        super().__init__(params, vocab_size, generator)
        self.drop = Dropout(params.dropout, generator)
        self.dilations = [params.kernel**depth for depth in range(params.layers)]
        self.kernel, self.channels = params.kernel, params.channels
        self.C = normal(vocab_size, params.channels, scale=1, generator=generator)  # (V, C)
        self.layers = stack(Layer(params, generator) for _ in self.dilations)
        self.hidden = Linear(params.hidden, params.hidden, generator, gain=2**0.5)
        self.output = Linear(params.hidden, vocab_size, generator, gain=0.1)  # nearly uniform predictions at first

    def forward(self, tree: PrefixTree) -> Tensor:
        x = F.embedding(tree.tokens, self.C)  # (M, C)
        skipped = x.new_zeros(())
        for i, (dilation, layer) in enumerate(zip(self.dilations, self.layers, strict=True), start=1):
            y = self.drop(x)
            distances = range(dilation, dilation * self.kernel, dilation)
            residual, skip = layer([y, *(tree.back(y, distance) for distance in distances)])
            x, skipped = self.watch(f"layer{i}", x + residual), skipped + skip
        return self.head(skipped)

    def head(self, skipped: Tensor) -> Tensor:
        hidden = self.watch("relu", torch.relu(self.hidden(torch.relu(skipped))))
        return self.output(self.drop(hidden))  # type: ignore[no-any-return]

    def begin(self, count: int) -> State:
        """The latest inputs of each layer, (N, receptive field - 1, C)."""
        return tuple(
            self.C.new_zeros(count, dilation * (self.kernel - 1), self.channels) for dilation in self.dilations
        )

    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        x, after = F.embedding(tokens, self.C), []  # (N, C)
        skipped = x.new_zeros(())
        for dilation, layer, before in zip(self.dilations, self.layers, state, strict=True):
            seen = torch.cat((before, x.unsqueeze(1)), dim=1)  # (N, receptive field, C)
            residual, skip = layer(list(seen.flip(1)[:, ::dilation].unbind(1)))
            x, skipped = x + residual, skipped + skip
            after.append(seen[:, 1:])
        return self.head(skipped), tuple(after)


MODEL = WaveNet
