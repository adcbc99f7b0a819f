"""The second lecture's network: the MLP of Bengio et al. 2003, "A Neural Probabilistic Language Model".

Its equation (1), y = b + W x + U tanh(d + H x), in the lecture's names: x are the embeddings C of the context side by
side, H is W1, d is b1, U is W2, b is b2, and the direct connections W, which the paper has as an option, are `direct`.
Shapes: N contexts, T context length, V vocabulary, C embedding, H hidden.
"""

from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from makemore.core.params import Section
from makemore.core.vocab import Tokens
from makemore.nn.neural import Neural, NextTokenWeights, distinct_examples

Initialization = Literal["randn", "scaled"]
LARGE = 6  # times V examples: from there on a lookup costs less than the product, see docs/benchmarks.md
SATURATED = 0.99  # the lecture's bound: there tanh has a fiftieth of its gradient


class Shape(Section):
    """The network."""

    context: Annotated[
        int, Field(ge=1, le=1000, description="characters that it sees: the lecture's block_size, the paper's n - 1")
    ]
    embedding: Annotated[int, Field(ge=1, le=10_000, description="numbers that stand for a character: the paper's m")]
    hidden: Annotated[int, Field(ge=1, le=1_000_000, description="tanh units: the paper's h")]
    direct: Annotated[bool, Field(description="connect the embeddings to the output directly too: the paper's W")]


class MLPParams(Shape):
    """The network, how it begins, and what it learns from."""

    initialization: Annotated[
        Initialization, Field(description="of the weights: the lecture's, or one whose first loss is near ln V")
    ]
    examples: Annotated[
        Literal["all", "distinct"],
        Field(
            description="what batches are drawn from: all tokens (the lecture), or distinct contexts with their counts"
        ),
    ]


class MLP(Neural):
    """Embeddings, one tanh layer, logits.

    Of the initializations `randn` is the lecture's, all weights standard normal, drawn in the order C, W1, b1, W2, b2:
    the first loss is near 20. `scaled` divides W1 by the root of its fan-in so that tanh does not saturate, and begins
    the output layer small, so that all tokens are nearly as likely: the first loss is near ln V.
    """

    Params = MLPParams
    params: MLPParams
    embeddings = ("C",)

    def __init__(self, params: MLPParams, vocab_size: int, generator: torch.Generator | None = None):
        super().__init__(params, vocab_size, generator)
        self.context = params.context
        inputs = params.context * params.embedding

        def normal(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(shape, generator=generator))

        self.C = normal(vocab_size, params.embedding)  # (V, C)
        self.W1 = normal(inputs, params.hidden)  # (T * C, H)
        self.b1 = normal(params.hidden)  # (H,)
        self.W2 = normal(params.hidden, vocab_size)  # (H, V)
        self.b2 = normal(vocab_size)  # (V,)
        self.direct = normal(inputs, vocab_size) if params.direct else None  # (T * C, V)
        if params.initialization == "scaled":
            self.W1.data *= (5 / 3) / inputs**0.5  # 5/3 is the gain of tanh (He et al. 2015, PyTorch's calculate_gain)
            self.W2.data *= 0.1 / params.hidden**0.5
            self.b1.data.zero_()
            self.b2.data.zero_()
            if self.direct is not None:
                self.direct.data *= 0.1 / inputs**0.5

    def project(self, contexts: Tensor, W: Tensor) -> Tensor:
        """The embeddings C of the contexts side by side, times W: (N, T), (T * C, H) -> (N, H).

        What a token at a place adds to the product is the same in every context. So in a large batch each of these
        T * V vectors is computed once, and looked up: the same sum for less work.
        """
        V, T = len(self.C), self.params.context
        if len(contexts) < LARGE * V:
            return F.embedding(contexts, self.C).flatten(1) @ W
        table = self.C @ W.view(T, -1, W.shape[1])  # (T, V, H)
        places = torch.arange(0, T * V, V, device=contexts.device)  # (T,): where each place begins in the table
        return F.embedding_bag(contexts + places, table.flatten(0, 1), mode="sum")

    def hidden(self, contexts: Tensor) -> Tensor:
        return torch.tanh(self.project(contexts, self.W1) + self.b1)  # (N, H)

    def forward(self, contexts: Tensor) -> Tensor:
        logits = self.hidden(contexts) @ self.W2 + self.b2  # (N, V)
        return logits if self.direct is None else logits + self.project(contexts, self.direct)  # (N, V)

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor | NextTokenWeights]:
        if self.params.examples == "all":
            return super().examples(tokens)
        return distinct_examples(tokens, self.params.context, len(self.C))

    def diagnosis(self, inputs: Tensor) -> dict[str, float]:
        """`saturated`: the share of tanh units, over all contexts, that are so near -1 or 1 that they hardly learn."""
        with torch.no_grad():
            h = self.hidden(inputs)  # (N, H)
        return {"saturated": float((h.abs() > SATURATED).float().mean())}


MODEL = MLP
