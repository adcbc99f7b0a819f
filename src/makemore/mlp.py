"""The second lecture's network: the MLP of Bengio et al. 2003, "A Neural Probabilistic Language Model".

Its equation (1), y = b + W x + U tanh(d + H x), in the lecture's names: x are the embeddings C of the context side by
side, H is W1, d is b1, U is W2, b is b2, and the direct connections W, which the paper has as an option, are `direct`.
Shapes: N contexts, T context length, V vocabulary, C embedding, H hidden.
"""

from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from makemore.model import Arrays
from makemore.neural import Neural
from makemore.params import Section


class MLPParams(Section):
    """The shape of the network."""

    context: Annotated[
        int, Field(ge=1, le=1000, description="characters that it sees: the lecture's block_size, the paper's n - 1")
    ]
    embedding: Annotated[int, Field(ge=1, le=10_000, description="numbers that stand for a character: the paper's m")]
    hidden: Annotated[int, Field(ge=1, le=1_000_000, description="tanh units: the paper's h")]
    direct: Annotated[bool, Field(description="connect the embeddings to the output directly too: the paper's W")]


Initialization = Literal["randn", "scaled"]


class MLP(Neural):
    """Embeddings, one tanh layer, logits.

    Args:
        initialization: `randn` is the lecture's, all weights standard normal, drawn in the order C, W1, b1, W2, b2: the
            first loss is near 20. `scaled` divides W1 by the root of its fan-in so that tanh does not saturate, and
            begins the output layer small, so that all tokens are nearly as likely: the first loss is near ln V.
    """

    def __init__(
        self,
        params: MLPParams,
        vocab_size: int,
        initialization: Initialization = "scaled",
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        self.architecture, self.context = params, params.context
        inputs = params.context * params.embedding

        def normal(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(shape, generator=generator))

        self.C = normal(vocab_size, params.embedding)  # (V, C)
        self.W1 = normal(inputs, params.hidden)  # (T * C, H)
        self.b1 = normal(params.hidden)  # (H,)
        self.W2 = normal(params.hidden, vocab_size)  # (H, V)
        self.b2 = normal(vocab_size)  # (V,)
        self.direct = normal(inputs, vocab_size) if params.direct else None  # (T * C, V)
        if initialization == "scaled":
            self.W1.data *= (5 / 3) / inputs**0.5  # 5/3 is the gain of tanh (He et al. 2015, PyTorch's calculate_gain)
            self.W2.data *= 0.1 / params.hidden**0.5
            self.b1.data.zero_()
            self.b2.data.zero_()
            if self.direct is not None:
                self.direct.data *= 0.1 / inputs**0.5

    def forward(self, contexts: Tensor) -> Tensor:
        x = F.embedding(contexts, self.C).flatten(1)  # (N, T * C)
        h = torch.tanh(x @ self.W1 + self.b1)  # (N, H)
        logits = h @ self.W2 + self.b2  # (N, V)
        return logits if self.direct is None else logits + x @ self.direct  # (N, V)


def load(config: dict[str, Any], arrays: Arrays, vocab_size: int) -> MLP:
    model = MLP(MLPParams(**config), vocab_size)
    model.set_arrays(arrays)
    return model
