"""What all networks share: the one interface (see `model.py`) on top of a forward pass.

Shapes: M tokens, N contexts, U distinct contexts, T context length, V vocabulary, K distinct pairs of one and a token.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from makemore.contexts import Contexts, counted, distinct, sliding
from makemore.model import Arrays
from makemore.params import Section
from makemore.vocab import Tokens

LOGITS = 1 << 23  # at a time, which bounds the memory


class Followers(NamedTuple):
    """The weights of the tokens that follow each of U contexts: of most, few of the V do, so only these are kept."""

    starts: Tensor  # (U + 1,) where those of each context begin, and the end
    tokens: Tensor  # (K,)
    weights: Tensor  # (K,)
    vocab_size: int

    def to(self, device: torch.device) -> "Followers":
        starts, tokens, weights, vocab_size = self
        return Followers(starts.to(device), tokens.to(device), weights.to(device), vocab_size)

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


def distinct_examples(tokens: Tokens, context: int, vocab_size: int) -> tuple[Tensor, Followers]:
    """The distinct contexts, (U, T), and for each the weights of what follows.

    A list has many tokens and few distinct contexts. The weights are counts, scaled so that the mean over the U rows of
    the cross-entropy with them is the mean NLL over all M tokens: the same loss, its equal terms gathered.
    """
    contexts, starts, following, counts = counted(tokens, context, vocab_size)
    weights = torch.from_numpy(counts * (len(contexts) / len(tokens))).float()  # (K,)
    followers = Followers(torch.from_numpy(starts), torch.from_numpy(following), weights, vocab_size)
    return torch.from_numpy(contexts).long(), followers


class Neural(nn.Module):
    """A network from contexts, (N, T) integers, to logits, (N, V).

    A subclass has `forward`, and `architecture`: the section of its own hyperparameters.
    """

    context: int | None
    architecture: Section
    embeddings: tuple[str, ...] = ()  # the weights that are no matrices but one vector a token or position
    undecayed: tuple[str, ...] = ()  # the matrices that no decay shall pull towards 0

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor | Followers]:
        """What it learns from: contexts, (M, T), and the token after each, (M,), as `loss` takes them."""
        assert self.context is not None
        return examples(tokens, self.context)

    def diagnosis(self, inputs: Tensor) -> dict[str, float]:
        """What to know of its state, beside the loss, given some inputs."""
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

    def at_a_time(self) -> int:
        """Of how many tokens all logits are worked out at a time: of fewer where the vocabulary is large."""
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
        some = self.at_a_time()
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
        return self.architecture.model_dump()

    def arrays(self) -> Arrays:
        return {name: weight.detach().cpu().numpy() for name, weight in self.named_parameters()}

    def set_arrays(self, arrays: Arrays) -> None:
        """Take weights that `arrays` gave.

        Raises:
            ValueError: their names or shapes are not this network's, or not all are finite.
        """
        weights = dict(self.named_parameters())
        expected = {name: tuple(weight.shape) for name, weight in weights.items()}
        found = {name: array.shape for name, array in arrays.items()}
        if expected != found:
            raise ValueError(f"weights of shapes {found} in place of {expected}")
        for name, weight in weights.items():
            if not np.isfinite(arrays[name]).all():
                raise ValueError(f"weights {name} that are not all finite")
            weight.data = torch.from_numpy(arrays[name].astype(np.float32))


def normalized(logits: Tensor) -> NDArray[np.float64]:
    """Logits, (N, V), as natural logarithms of probabilities."""
    return np.asarray(F.log_softmax(logits.double(), dim=1).cpu().numpy())
