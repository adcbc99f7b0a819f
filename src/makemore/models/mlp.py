"""The MLP of Bengio et al. 2003, "A Neural Probabilistic Language Model", as lectures 2 to 5 build and change it.

Equation (1) of the paper is y = b + W x + U tanh(d + H x), where x is the concatenation of the context's embeddings C.
In the lectures' names H is W1, d is b1, U is W2 and b is b2. The paper's optional direct connections W are `direct`.
Lecture 3 changes the initialization and adds BatchNorm and more hidden layers. In lecture 5, `flatten` layers join a
few neighbours at a time, as a WaveNet does, where the first layer of lecture 2 joins the whole context.

Shapes: N contexts, T context length, V vocabulary, C embedding, H hidden, J positions that a layer joins, G groups of
J positions.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, Self

import torch
import torch.nn.functional as F
from pydantic import Field, model_validator
from torch import Tensor, nn

from makemore.core.folding import folded
from makemore.core.params import Section
from makemore.core.vocab import Tokens
from makemore.nn.backprop import loss_by_hand
from makemore.nn.batch_norm import BatchNorm1d
from makemore.nn.neural import Neural, NextTokenWeights, distinct_examples, randn

LOOKUP_MIN_BATCH = 6  # in multiples of V: from this batch size on a lookup is faster, see docs/benchmarks.md
SATURATED = 0.99  # the lecture's threshold; the gradient of tanh is then at most 2% of its maximum


def constant(std: float) -> Callable[[int], float]:
    return lambda fan_in: std


def kaiming(gain: float) -> Callable[[int], float]:
    """He et al. 2015. The gain of tanh is 5/3, as in PyTorch's `calculate_gain`."""
    return lambda fan_in: gain / fan_in**0.5


class Deviations(NamedTuple):
    """Standard deviations of the initial weights, given the fan-in, and of the initial biases."""

    hidden: Callable[[int], float]
    hidden_bias: float
    output: Callable[[int], float]
    output_bias: float
    batch_norm: float = 0.0  # of gamma and beta, around 1 and 0


INITIALIZATIONS = {
    "randn": Deviations(constant(1), 1, constant(1), 1),  # lecture 2
    "small_output": Deviations(constant(1), 1, constant(0.01), 0),  # lecture 3: the first loss is near ln V
    "unsaturated": Deviations(constant(0.2), 0.01, constant(0.01), 0),  # and the tanh units learn
    "kaiming": Deviations(kaiming(5 / 3), 0.01, constant(0.01), 0),  # and the factor follows from the fan-in
    "perturbed": Deviations(kaiming(5 / 3), 0.1, constant(0.1), 0.1, 0.1),  # lecture 4: no bias hides an error
    "linear": Deviations(kaiming(1), 0, kaiming(0.1), 0),  # lectures 3 and 5: their class Linear
    "zeros": Deviations(constant(0), 0, constant(0), 0),  # lecture 3, exercise E01: only the output bias learns
    "scaled": Deviations(kaiming(5 / 3), 0, kaiming(0.1), 0),  # ours
}


class Shape(Section):
    """The shape of the network."""

    context: Annotated[
        int, Field(ge=1, le=1000, description="context length: the lecture's block_size, the paper's n - 1")
    ]
    embedding: Annotated[int, Field(ge=1, le=10_000, description="size of the embeddings: the paper's m")]
    hidden: Annotated[int, Field(ge=1, le=1_000_000, description="hidden (tanh) units per hidden layer: the paper's h")]
    layers: Annotated[int, Field(ge=1, le=100, description="number of hidden layers")]
    flatten: Annotated[
        int | None,
        Field(
            ge=2,
            description="neighbours that each hidden layer joins: FlattenConsecutive; null: the first joins all",
        ),
    ]
    direct: Annotated[
        bool, Field(description="add direct connections from the embeddings to the output: the paper's W")
    ]
    batch_norm: Annotated[
        Literal["none", "hidden", "all", "per_position"],
        Field(
            description="BatchNorm before each tanh (hidden), and of the logits too (all); per_position: as hidden, "
            "with statistics for each position, the bug that the fifth lecture finds"
        ),
    ]
    momentum: Annotated[float, Field(gt=0, le=1, description="weight of a batch in BatchNorm's running statistics")]

    @model_validator(mode="after")
    def _layers_join_the_context(self) -> Self:
        if self.flatten and self.flatten**self.layers != self.context:
            expected = f"expected flatten ** layers = context, {self.context}"
            raise ValueError(f"flatten: {expected}, got {self.flatten} ** {self.layers}")
        return self


class MLPParams(Shape):
    """The network, its initialization, its training examples and its gradients."""

    initialization: Annotated[
        Literal[tuple(INITIALIZATIONS)],  # type: ignore[valid-type]
        Field(description="initial weights: those of a lecture, or scaled, with an initial loss near ln V"),
    ]
    examples: Annotated[
        Literal["all", "distinct"],
        Field(description="training examples: all tokens (the lecture), or distinct contexts weighted by their counts"),
    ]
    gradients: Annotated[
        Literal["autograd", "manual"],
        Field(description="manual: lecture 4's backward pass, for one hidden layer without direct connections"),
    ]

    @model_validator(mode="after")
    def _backward_pass_is_written(self) -> Self:
        one_layer = self.layers == 1 and not self.flatten and not self.direct
        if self.gradients == "manual" and not (one_layer and self.batch_norm in ("none", "hidden")):
            raise ValueError(
                "gradients: manual needs layers: 1, flatten: null, direct: false and batch_norm: none or hidden"
            )
        return self


class MLP(Neural):
    """Embeddings, hidden layers of tanh units, then logits.

    Weights are drawn in the lecture's order, C, W1, b1, W2, b2, with the deviations that `INITIALIZATIONS` lists. The
    BatchNorm of layer 1 is `bn1`. A layer before BatchNorm has no bias, since BatchNorm subtracts the mean.
    """

    Params = MLPParams
    params: MLPParams
    embeddings = ("C",)
    bounded = True
    C: Tensor
    W1: Tensor
    b1: Tensor
    W2: Tensor
    b2: Tensor

    def __init__(self, params: MLPParams, vocab_size: int, generator: torch.Generator | None):
        super().__init__(params, vocab_size, generator)
        self.context, self.distinct = params.context, params.examples == "distinct"
        std = INITIALIZATIONS[params.initialization]

        def add(name: str, *shape: int, std: float) -> None:
            weight = randn(*shape, generator=generator)
            self.register_parameter(name, nn.Parameter(weight.mul_(std) if std else weight.zero_()))

        add("C", vocab_size, params.embedding, std=1)  # (V, C)
        inputs, groups = (params.flatten or params.context) * params.embedding, params.context
        for i in range(1, params.layers + 1):
            groups //= params.flatten or groups
            add(f"W{i}", inputs, params.hidden, std=std.hidden(inputs))  # (J * C, H), from the second layer (J * H, H)
            if params.batch_norm == "none" or std.batch_norm:
                add(f"b{i}", params.hidden, std=std.hidden_bias)  # (H,)
            if params.batch_norm != "none":
                positions = groups if params.batch_norm == "per_position" else 1
                self.add_module(f"bn{i}", BatchNorm1d(params.hidden, params.momentum, positions))
            inputs = (params.flatten or 1) * params.hidden
        output, width = params.layers + 1, params.hidden
        self.readout = f"W{output}", "direct"
        if params.batch_norm == "all":
            add(f"W{output}", width, vocab_size, std=std.hidden(width))  # (H, V)
            last = BatchNorm1d(vocab_size, params.momentum)
            last.gamma.data.mul_(0.1)  # nearly uniform predictions at first
            self.add_module(f"bn{output}", last)
        else:
            add(f"W{output}", width, vocab_size, std=std.output(width))  # (H, V)
            add(f"b{output}", vocab_size, std=std.output_bias)  # (V,)
        if params.direct:
            window = params.context * params.embedding
            add("direct", window, vocab_size, std=std.output(window))  # (T * C, V)
        for norm in self.children():
            for weight in norm.parameters() if std.batch_norm else ():
                weight.data += randn(len(weight), generator=generator).mul_(std.batch_norm)

    def get(self, name: str) -> Any:
        """A parameter or layer by its name, such as `b1` or `bn1`, or None."""
        return getattr(self, name, None)

    def project(self, contexts: Tensor, W: Tensor) -> Tensor:
        """Concatenate the embeddings C of the contexts and multiply by W: (N, J), (J * C, H) -> (N, H).

        The contribution of a token at a position is the same in every context. So for a large batch the J * V possible
        contributions are computed once and looked up, which gives the same sum with less work. A GPU multiplies faster
        than it looks up.
        """
        V, J = len(self.C), contexts.shape[1]
        if contexts.is_cuda or len(contexts) < LOOKUP_MIN_BATCH * V:
            return F.embedding(contexts, self.C).flatten(1) @ W
        table = self.C @ W.view(J, -1, W.shape[1])  # (J, V, H)
        offsets = torch.arange(0, J * V, V, device=contexts.device)  # (J,): the first table row of each position
        return F.embedding_bag(contexts + offsets, table.flatten(0, 1), mode="sum")

    def add_bias_and_normalize(self, i: int, x: Tensor) -> Tensor:
        """What follows the matrix product of layer i, as far as it has either: (N * G, H) -> (N * G, H)."""
        bias, norm = self.get(f"b{i}"), self.get(f"bn{i}")
        x = x if bias is None else x + bias
        return x if norm is None else norm(x)

    def hidden(self, contexts: Tensor) -> Tensor:
        """The tanh units of the last hidden layer: (N, T) -> (N, H).

        All G groups of a context are rows of one matrix, so joining J neighbours is a change of shape.
        """
        x = self.project(contexts.reshape(-1, self.params.flatten or contexts.shape[1]), self.W1)  # (N * G, H)
        for i in range(1, self.params.layers + 1):
            if i > 1:
                W = self.get(f"W{i}")  # (J * H, H)
                x = x.view(-1, len(W)) @ W  # (N * G, H)
            x = self.watch(f"tanh{i}", torch.tanh(self.add_bias_and_normalize(i, x)))
        return x

    def forward(self, contexts: Tensor) -> Tensor:
        output = self.params.layers + 1
        logits = self.add_bias_and_normalize(output, self.hidden(contexts) @ self.get(f"W{output}"))  # (N, V)
        return logits if not self.params.direct else logits + self.project(contexts, self.get("direct"))  # (N, V)

    def loss(self, contexts: Tensor, targets: Tensor) -> Tensor:
        if self.params.gradients == "manual" and self.training:
            with torch.autocast(contexts.device.type, enabled=False):  # the steps by hand are float32
                return loss_by_hand(
                    contexts, targets, self.C, self.W1, self.get("b1"), self.W2, self.b2, self.get("bn1")
                )
        return super().loss(contexts, targets)

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor | NextTokenWeights]:
        if not self.distinct:
            return super().examples(tokens)
        return distinct_examples(tokens, self.params.context, len(self.C))

    def diagnosis(self, inputs: Tensor) -> dict[str, float]:
        """`saturated`: the share of activations beyond `SATURATED`, where the gradient nearly vanishes."""
        with torch.no_grad():
            h = self.hidden(inputs)  # (N, H)
        return {"saturated": float((h.abs() > SATURATED).float().mean())}

    def folded(self) -> Self:
        """The same function without BatchNorm. Raises ValueError if its statistics differ by position."""
        config = {**self.config(), "batch_norm": "none"}
        return self.from_arrays(config, folded(self.arrays()), len(self.C))


MODEL = MLP
