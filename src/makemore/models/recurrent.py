"""Recurrent networks: each character updates a hidden state, which is all that the network remembers of a name.

There are three cells: the simple one of Mikolov et al. 2010, "Recurrent neural network based language model"; the LSTM
of Graves 2013, "Generating Sequences With Recurrent Neural Networks", without peepholes; and the GRU of Cho et al.
2014, "Learning Phrase Representations using RNN Encoder-Decoder", in cuDNN's form, which applies the reset gate after
the matrix product. They compute the same function as `torch.nn.RNN`, `LSTM` and `GRU`. But the first layer multiplies
each token's embedding by its input weights only once, and all prefixes of one length are processed in one step. On
padded names, which GPUs train on, each layer is one call of cuDNN.

Shapes: N names, n prefixes of one length, M prefixes of all lengths, V vocabulary, C embedding, H hidden, G gates.
"""

from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from makemore.core.model import State
from makemore.core.params import Section
from makemore.nn.padded_names import PaddedNames
from makemore.nn.prefix_tree import PrefixTree
from makemore.nn.sequence import Dropout, Linear, Sequence, normal, stack


class RecurrentParams(Section):
    """The shape of the network."""

    cell: Annotated[Literal["rnn", "gru", "lstm"], Field(description="type of the recurrent cell")]
    embedding: Annotated[int, Field(ge=1, le=10_000, description="size of the embeddings")]
    hidden: Annotated[int, Field(ge=1, le=100_000, description="hidden units per layer")]
    layers: Annotated[int, Field(ge=1, le=100, description="number of stacked layers")]
    dropout: Annotated[float, Field(ge=0, lt=1, description="dropout on the output of each layer")]


def rnn(x: Tensor, h: Tensor, U: Tensor) -> tuple[Tensor]:
    return (torch.tanh(torch.addmm(x, h, U)),)  # (n, H)


def lstm(x: Tensor, h: Tensor, c: Tensor, U: Tensor) -> tuple[Tensor, Tensor]:
    i, f, o, g = torch.addmm(x, h, U).chunk(4, dim=1)  # (n, H) input, forget and output gate, candidate
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru(x: Tensor, h: Tensor, U: Tensor) -> tuple[Tensor]:
    hidden = h.shape[1]
    from_x, from_h = torch.split(x, [2 * hidden, hidden], dim=1), torch.split(h @ U, [2 * hidden, hidden], dim=1)
    r, z = torch.sigmoid(from_x[0] + from_h[0]).chunk(2, dim=1)  # (n, H) reset and update gate
    candidate = torch.tanh(torch.addcmul(from_x[1], r, from_h[1]))
    return (torch.lerp(candidate, h.to(candidate.dtype), z),)


GATES = {"rnn": 1, "gru": 3, "lstm": 4}  # G, including the candidate


class Layer(nn.Module):
    """One recurrent layer. Callers apply the input weights, x @ W + b, themselves.

    The weights are initialized with the standard deviation 1 / sqrt(fan-in). The forget gate of the LSTM starts with
    a bias of 1, so that it remembers by default (Jozefowicz et al. 2015).
    """

    def __init__(self, cell: str, inputs: int, hidden: int, generator: torch.Generator | None):
        super().__init__()
        self.cell, self.hidden = cell, hidden
        self.input = Linear(inputs, GATES[cell] * hidden, generator)  # (C or H, G * H)
        self.U = normal(hidden, GATES[cell] * hidden, scale=hidden**-0.5, generator=generator)
        if cell == "lstm":
            self.input.b.data[hidden : 2 * hidden] = 1

    def begin(self, count: int) -> State:
        return tuple(self.U.new_zeros(count, self.hidden) for _ in range(2 if self.cell == "lstm" else 1))

    def step(self, x: Tensor, state: State) -> State:
        """Advance the state by one position, given the input's part of the gates, (n, G * H)."""
        cell = {"rnn": rnn, "gru": gru, "lstm": lstm}[self.cell]
        return cell(x, *state, self.U)  # type: ignore[operator, no-any-return]

    def forward(self, x: Tensor, tree: PrefixTree) -> Tensor:
        """The outputs of all prefixes, (M, H), computed depth by depth from the inputs' parts, (M, G * H)."""
        state, outputs = self.begin(1), []
        for part, parents in zip(torch.split(x, tree.sizes), torch.split(tree.parents, tree.sizes), strict=True):
            state = self.step(part, tuple(above.index_select(0, parents) for above in state))
            outputs.append(state[0])
        return torch.cat(outputs)

    def whole(self, x: Tensor) -> Tensor:
        """The outputs at all positions of padded names, (N, T, C or H) -> (N, T, H), with PyTorch's own layer.

        The weights become one piece of memory in cuDNN's order, so that PyTorch need not copy them again.
        """
        order = [0, 1, 3, 2] if self.cell == "lstm" else range(GATES[self.cell])  # PyTorch's: the candidate is third
        parts = []
        for weight in self.input.W, self.U, self.input.b:
            gates = weight.t().view(GATES[self.cell], self.hidden, -1)  # (G, H, C or H), or (G, H, 1)
            parts += [gates[gate].flatten() for gate in order]
        sizes = [self.input.W.numel(), self.U.numel(), self.input.b.numel(), self.input.b.numel()]
        device = x.device.type
        dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype
        W, U, b, zero = torch.cat([*parts, torch.zeros_like(self.input.b)]).to(dtype).split_with_sizes(sizes)
        weights = [W.view(-1, x.shape[2]), U.view(-1, self.hidden), b, zero]
        start = [part.unsqueeze(0).to(dtype) for part in self.begin(len(x))]
        state = start if self.cell == "lstm" else start[0]
        layer = {"rnn": torch.rnn_tanh, "gru": torch.gru, "lstm": torch.lstm}[self.cell]
        with torch.autocast(device, enabled=False):  # it would use float16 here, whatever it is asked for
            return layer(x.to(dtype), state, weights, True, 1, 0.0, self.training, False, True)[0]  # type: ignore[operator, no-any-return]


class Recurrent(Sequence):
    """Embeddings, recurrent layers, then logits."""

    Params = RecurrentParams
    params: RecurrentParams
    embeddings = ("C",)
    bounded = True
    compilable = None

    def __init__(self, params: RecurrentParams, vocab_size: int, generator: torch.Generator | None):
        super().__init__(params, vocab_size, generator)
        self.drop = Dropout(params.dropout, generator)
        self.C = normal(vocab_size, params.embedding, scale=1, generator=generator)  # (V, C)
        widths = [params.embedding] + [params.hidden] * (params.layers - 1)
        self.layers = stack(Layer(params.cell, width, params.hidden, generator) for width in widths)
        self.output = Linear(params.hidden, vocab_size, generator, gain=0.1)  # nearly uniform predictions at first

    def forward(self, tree: PrefixTree) -> Tensor:
        if isinstance(tree, PaddedNames):
            x = tree.side_by_side(F.embedding(tree.tokens, self.C))  # (N, T, C)
            for layer in self.layers:
                x = self.drop(layer.whole(x))  # (N, T, H)
            return self.output(tree.once(x))  # type: ignore[no-any-return]
        x = F.embedding(tree.tokens, self.layers[0].input(self.C))  # (M, G * H)
        h = self.drop(self.watch(f"{self.params.cell}1", self.layers[0](x, tree)))  # (M, H)
        for i, layer in enumerate(self.layers[1:], start=2):
            h = self.drop(self.watch(f"{self.params.cell}{i}", layer(layer.input(h), tree)))
        return self.output(h)  # type: ignore[no-any-return]

    def begin(self, count: int) -> State:
        return tuple(part for layer in self.layers for part in layer.begin(count))

    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        h: Tensor = F.embedding(tokens, self.C)  # (N, C)
        after: State = ()
        size = len(state) // len(self.layers)
        for depth, layer in enumerate(self.layers):
            part = layer.step(layer.input(h), state[depth * size : (depth + 1) * size])
            h = part[0]
            after += part
        return self.output(h), tuple(after)


MODEL = Recurrent
