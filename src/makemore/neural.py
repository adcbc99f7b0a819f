"""What all networks share: the one interface (see `model.py`) on top of a forward pass.

Shapes: M tokens, N contexts, U distinct contexts, T context length, V vocabulary.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from makemore.contexts import Contexts, counted, distinct, sliding
from makemore.model import Arrays
from makemore.params import Section
from makemore.vocab import Tokens


def examples(tokens: Tokens, context: int) -> tuple[Tensor, Tensor]:
    """All contexts, (M, T), and the token that follows each, (M,): the lecture's X and Y."""
    return torch.from_numpy(sliding(tokens, context)).long(), torch.from_numpy(tokens).long()


def distinct_examples(tokens: Tokens, context: int, vocab_size: int) -> tuple[Tensor, Tensor]:
    """The distinct contexts, (U, T), and for each the weight of every next token, (U, V).

    A list has many tokens and few distinct contexts. The weights are counts, scaled so that the mean over the U rows of
    the cross-entropy with them is the mean NLL over all M tokens: the same loss, its equal terms gathered.
    """
    contexts, counts = counted(tokens, context, vocab_size)
    return torch.from_numpy(contexts).long(), torch.from_numpy(counts * (len(contexts) / len(tokens))).float()


class Neural(nn.Module):
    """A network from contexts, (N, T) integers, to logits, (N, V).

    A subclass has `forward`, and `architecture`: the section of its own hyperparameters.
    """

    context: int | None
    architecture: Section
    embeddings: tuple[str, ...] = ()  # the weights that are no matrices but one vector a token or position
    undecayed: tuple[str, ...] = ()  # the matrices that no decay shall pull towards 0

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """What it learns from, as `loss` takes it: contexts, (M, T), and the token after each, (M,)."""
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
        return self.log_probs(contexts)[place, tokens]

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
