"""The second lecture's network: the MLP of Bengio et al. 2003, "A Neural Probabilistic Language Model".

Equation (1) of the paper is y = b + W x + U tanh(d + H x), where x is the concatenation of the context's embeddings C.
In the lecture's names H is W1, d is b1, U is W2 and b is b2. The paper's optional direct connections W are `direct`.

Shapes: N contexts, T context length, V vocabulary, C embedding, H hidden.
"""

from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from makemore.core.params import Section
from makemore.core.vocab import Tokens
from makemore.nn.neural import Neural, NextTokenWeights, distinct_examples, randn

Initialization = Literal["randn", "scaled"]
LOOKUP_MIN_BATCH = 6  # in multiples of V: from this batch size on a lookup is faster, see docs/benchmarks.md
SATURATED = 0.99  # the lecture's threshold; the gradient of tanh is then at most 2% of its maximum


class Shape(Section):
    """The shape of the network."""

    context: Annotated[
        int, Field(ge=1, le=1000, description="context length: the lecture's block_size, the paper's n - 1")
    ]
    embedding: Annotated[int, Field(ge=1, le=10_000, description="size of the embeddings: the paper's m")]
    hidden: Annotated[int, Field(ge=1, le=1_000_000, description="number of hidden (tanh) units: the paper's h")]
    direct: Annotated[
        bool, Field(description="add direct connections from the embeddings to the output: the paper's W")
    ]


class MLPParams(Shape):
    """The network, its initialization and its training examples."""

    initialization: Annotated[
        Initialization,
        Field(description="initial weights: randn (the lecture), or scaled, with an initial loss near ln V"),
    ]
    examples: Annotated[
        Literal["all", "distinct"],
        Field(description="training examples: all tokens (the lecture), or distinct contexts weighted by their counts"),
    ]


class MLP(Neural):
    """Embeddings, one tanh layer, then logits.

    The initialization `randn` is the lecture's: standard normal weights, drawn in the order C, W1, b1, W2, b2. Its
    initial loss is near 20. `scaled` divides W1 by the square root of its fan-in, so that tanh does not saturate, and
    uses a small output layer, so that the predictions are nearly uniform. Its initial loss is near ln V.
    """

    Params = MLPParams
    params: MLPParams
    embeddings = ("C",)

    def __init__(self, params: MLPParams, vocab_size: int, generator: torch.Generator | None):
        super().__init__(params, vocab_size, generator)
        self.context = params.context
        inputs = params.context * params.embedding

        def normal(*shape: int) -> nn.Parameter:
            return nn.Parameter(randn(*shape, generator=generator))

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
        """Concatenate the embeddings C of the contexts and multiply by W: (N, T), (T * C, H) -> (N, H).

        The contribution of a token at a position is the same in every context. So for a large batch the T * V possible
        contributions are computed once and looked up, which gives the same sum with less work.
        """
        V, T = len(self.C), self.params.context
        if len(contexts) < LOOKUP_MIN_BATCH * V:
            return F.embedding(contexts, self.C).flatten(1) @ W
        table = self.C @ W.view(T, -1, W.shape[1])  # (T, V, H)
        offsets = torch.arange(0, T * V, V, device=contexts.device)  # (T,): the first table row of each position
        return F.embedding_bag(contexts + offsets, table.flatten(0, 1), mode="sum")

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
        """`saturated`: the share of activations beyond `SATURATED`, where the gradient nearly vanishes."""
        with torch.no_grad():
            h = self.hidden(inputs)  # (N, H)
        return {"saturated": float((h.abs() > SATURATED).float().mean())}


MODEL = MLP
