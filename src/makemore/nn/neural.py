"""What all networks share: the interface of `core/model.py` on top of a forward pass.

Shapes: M tokens, N contexts, U distinct contexts, T context length, V vocabulary, K distinct pairs of one and a token.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from makemore.core.contexts import Contexts, counted, distinct, sliding
from makemore.core.model import Arrays
from makemore.core.params import Section
from makemore.core.vocab import Tokens

LOGITS = 1 << 23  # at a time, which bounds the memory


class NextTokenWeights(NamedTuple):
    """The weights of the tokens that follow each of U contexts, stored sparsely: most contexts have few successors."""

    starts: Tensor  # (U + 1,) where those of each context begin, and the end
    tokens: Tensor  # (K,)
    weights: Tensor  # (K,)
    vocab_size: int

    def to(self, device: torch.device) -> "NextTokenWeights":
        starts, tokens, weights, vocab_size = self
        return NextTokenWeights(starts.to(device), tokens.to(device), weights.to(device), vocab_size)

    def rows(self) -> Tensor:
        """The context of each weight, (K,)."""
        return torch.arange(len(self.starts) - 1, device=self.starts.device).repeat_interleave(self.starts.diff())

    def of(self, contexts: Tensor) -> Tensor:
        """The weights of all tokens after some contexts, which are given by their places: (N,) -> (N, V)."""
        first = self.starts[contexts]
        sizes = self.starts[contexts + 1] - first  # (N,)
        row = torch.arange(len(contexts), device=first.device).repeat_interleave(sizes)
        place = torch.arange(len(row), device=first.device) + (first - sizes.cumsum(0) + sizes)[row]
        dense = self.weights.new_zeros(len(contexts), self.vocab_size)
        dense[row, self.tokens[place]] = self.weights[place]
        return dense

    def all(self) -> Tensor:
        """(U, V)."""
        return self.of(torch.arange(len(self.starts) - 1, device=self.starts.device))


def examples(tokens: Tokens, context: int) -> tuple[Tensor, Tensor]:
    """All contexts, (M, T), and the token that follows each, (M,): the lecture's X and Y."""
    return torch.from_numpy(sliding(tokens, context)).long(), torch.from_numpy(tokens).long()


def distinct_examples(tokens: Tokens, context: int, vocab_size: int) -> tuple[Tensor, NextTokenWeights]:
    """The distinct contexts, (U, T), and for each the weights of what follows.

    A list has many tokens and few distinct contexts. The weights are counts, scaled so that the mean over the U rows of
    the cross-entropy with them is the mean NLL over all M tokens: the same loss, its equal terms gathered.
    """
    contexts, starts, following, counts = counted(tokens, context, vocab_size)
    weights = torch.from_numpy(counts * (len(contexts) / len(tokens))).float()  # (K,)
    followers = NextTokenWeights(torch.from_numpy(starts), torch.from_numpy(following), weights, vocab_size)
    return torch.from_numpy(contexts).long(), followers


class Neural(nn.Module):
    """A network from contexts, (N, T) integers, to logits, (N, V).

    A subclass defines `forward`, and `Params`, the section of its hyperparameters, unless it has none.
    """

    Params: ClassVar[type[Section]] = Section
    context: int | None
    embeddings: tuple[str, ...] = ()  # parameters that are lookup tables: one vector per token or position
    no_decay: tuple[str, ...] = ()  # weight matrices without weight decay

    def __init__(self, params: Section, vocab_size: int, generator: torch.Generator | None = None):
        super().__init__()
        self.params = params

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Arrays, vocab_size: int) -> Self:
        """The network that `config` and `arrays` describe.

        Raises:
            ValueError: the arrays' names or shapes are not those of this network, or not all values are finite.
        """
        with torch.device("meta"):  # shapes only: a small file must not make us allocate a large network
            network = cls(cls.Params(**config), vocab_size)
        state = network.state_dict()
        expected = {name: tuple(tensor.shape) for name, tensor in state.items()}
        found = {name: array.shape for name, array in arrays.items()}
        if expected != found:
            raise ValueError(f"weights of shapes {found} instead of {expected}")
        loaded = {name: torch.from_numpy(arrays[name]).to(tensor.dtype) for name, tensor in state.items()}
        for name, tensor in loaded.items():
            if not tensor.isfinite().all():
                raise ValueError(f"weights {name} that are not all finite")
        network.load_state_dict(loaded, assign=True)
        return network

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor | NextTokenWeights]:
        """The training examples, as `loss` takes them: contexts, (M, T), and the token after each, (M,)."""
        assert self.context is not None
        return examples(tokens, self.context)

    def diagnosis(self, inputs: Tensor) -> dict[str, float]:
        """Extra diagnostics on a batch, such as the share of saturated units."""
        return {}

    def loss(self, contexts: Tensor, targets: Tensor) -> Tensor:
        """Mean NLL in nats of the tokens of a batch.

        Args:
            contexts: (N, T).
            targets: the token after each, (N,), or the weight of every token after each, (N, V): then a weighted mean.
        """
        logits = self(contexts)  # (N, V)
        if targets.ndim == 1:
            return F.cross_entropy(logits, targets)
        return F.cross_entropy(logits, targets, reduction="sum") / targets.sum()

    def contexts_per_pass(self) -> int:
        """Contexts per forward pass, limited so that the logits fit in memory."""
        (row,) = self.log_probs(np.zeros((1, self.context or 0), dtype=np.int32))  # (V,)
        return max(1, LOGITS // len(row))

    @property
    def parameter_count(self) -> int:
        return sum(weight.numel() for weight in self.parameters())

    def log_probs(self, contexts: Contexts) -> NDArray[np.float64]:
        with self.predicting():
            logits: Tensor = self(torch.from_numpy(contexts.astype(np.int64)))  # (N, V)
            return normalized(logits)

    def token_log_probs(self, tokens: Tokens) -> NDArray[np.float64]:
        """See `model.Model`. A context that occurs often is worked out once."""
        assert self.context is not None
        contexts, place = distinct(sliding(tokens, self.context), int(tokens.max()) + 1)  # (U, T), (M,)
        result, order = np.empty(len(tokens)), np.argsort(place, kind="stable")  # (M,)
        some = self.contexts_per_pass()
        cuts = np.searchsorted(place[order], np.arange(0, len(contexts) + some, some))
        for chunk, (start, stop) in enumerate(pairwise(cuts)):
            log_probs = self.log_probs(contexts[chunk * some : (chunk + 1) * some])  # (some, V)
            wanted = order[start:stop]
            result[wanted] = log_probs[place[wanted] - chunk * some, tokens[wanted]]
        return result

    @contextmanager
    def predicting(self) -> Iterator[None]:
        """Inside, nothing is dropped out and no gradients are kept."""
        training = self.training
        self.eval()
        with torch.inference_mode():
            yield
        self.train(training)

    def config(self) -> Mapping[str, object]:
        return self.params.model_dump()

    def arrays(self) -> Arrays:
        """Parameters and buffers: BatchNorm keeps its running statistics in buffers."""
        return {name: tensor.cpu().numpy() for name, tensor in self.state_dict().items()}


def normalized(logits: Tensor) -> NDArray[np.float64]:
    """Logits, (N, V), as natural logarithms of probabilities."""
    return np.asarray(F.log_softmax(logits.double(), dim=1).cpu().numpy())
