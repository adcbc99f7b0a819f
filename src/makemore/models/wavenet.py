"""Dilated causal convolutions after WaveNet: van den Oord et al. 2016, "WaveNet: A Generative Model for Raw Audio".

Each layer combines what the one below found here and `dilation` characters back, so with dilations 1, 2, 4, 8 the last
sees 16 characters. Gated units, residual and skip connections, as in the paper's figure 4. A convolution is one
matrix product: each prefix has the channels of those that are so many characters shorter beside its own.

Shapes: N names, M prefixes, V vocabulary, C channels, H hidden, K taps of a convolution.
"""

from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from makemore.core.model import State
from makemore.core.params import Section
from makemore.nn.prefix_tree import PrefixTree
from makemore.nn.sequence import Dropout, Linear, Sequence, normal, stack


class WaveNetParams(Section):
    """The shape of the network."""

    channels: Annotated[int, Field(ge=1, le=100_000, description="numbers that stand for a character in each layer")]
    hidden: Annotated[int, Field(ge=1, le=100_000, description="numbers that the skip connections add up to")]
    layers: Annotated[int, Field(ge=1, le=20, description="the dilation of each is `kernel` times that of the last")]
    kernel: Annotated[int, Field(ge=2, le=100, description="characters that a convolution combines")]
    dropout: Annotated[float, Field(ge=0, lt=1, description="share of each layer's input that is dropped in training")]


class Layer(nn.Module):
    """A gated convolution: what it adds to its input, and to the skip connections."""

    def __init__(self, params: WaveNetParams, generator: torch.Generator | None):
        super().__init__()
        C, H = params.channels, params.hidden
        self.taps = Linear(params.kernel * C, 2 * C, generator)
        self.output = Linear(C, C + H, generator, gain=params.layers**-0.5)  # so that the sums over layers keep scale
        self.sizes = [C, H]

    def forward(self, taps: list[Tensor]) -> tuple[Tensor, Tensor]:
        """From the channels here and further and further back, K of (M, C), to (M, C) and (M, H)."""
        candidate, gate = self.taps(torch.cat(taps, dim=1)).chunk(2, dim=1)  # (M, C)
        residual, skip = self.output(torch.tanh(candidate) * torch.sigmoid(gate)).split(self.sizes, dim=1)
        return residual, skip


class WaveNet(Sequence):
    """Embeddings, gated dilated convolutions, an MLP on the sum of what they skipped, logits."""

    Params = WaveNetParams
    params: WaveNetParams
    embeddings = ("C",)

    def __init__(self, params: WaveNetParams, vocab_size: int, generator: torch.Generator | None = None):
        super().__init__(params, vocab_size, generator)
        self.drop = Dropout(params.dropout, generator)
        self.dilations = [params.kernel**depth for depth in range(params.layers)]
        self.kernel, self.channels = params.kernel, params.channels
        self.C = normal(vocab_size, params.channels, scale=1, generator=generator)  # (V, C)
        self.layers = stack(Layer(params, generator) for _ in self.dilations)
        self.hidden = Linear(params.hidden, params.hidden, generator, gain=2**0.5)
        self.output = Linear(params.hidden, vocab_size, generator, gain=0.1)  # all tokens nearly as likely at first

    def forward(self, tree: PrefixTree) -> Tensor:
        x = F.embedding(tree.tokens, self.C)  # (M, C)
        skipped = x.new_zeros(())
        for dilation, layer in zip(self.dilations, self.layers, strict=True):
            y = self.drop(x)
            back = range(dilation, dilation * self.kernel, dilation)
            residual, skip = layer([y, *(tree.back(y, far) for far in back)])
            x, skipped = x + residual, skipped + skip
        return self.head(skipped)

    def head(self, skipped: Tensor) -> Tensor:
        return self.output(self.drop(torch.relu(self.hidden(torch.relu(skipped)))))  # type: ignore[no-any-return]

    def begin(self, count: int) -> State:
        """For each layer its inputs so far, (N, back, C), as far back as it looks."""
        return tuple(
            self.C.new_zeros(count, dilation * (self.kernel - 1), self.channels) for dilation in self.dilations
        )

    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        x, after = F.embedding(tokens, self.C), []  # (N, C)
        skipped = x.new_zeros(())
        for dilation, layer, before in zip(self.dilations, self.layers, state, strict=True):
            seen = torch.cat((before, x.unsqueeze(1)), dim=1)  # (N, back + 1, C)
            residual, skip = layer(list(seen.flip(1)[:, ::dilation].unbind(1)))
            x, skipped = x + residual, skipped + skip
            after.append(seen[:, 1:])
        return self.head(skipped), tuple(after)


MODEL = WaveNet
