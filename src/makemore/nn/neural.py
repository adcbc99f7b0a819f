"""The base class of all networks: the interface of `core/model.py` on top of a forward pass.

Shapes: M tokens, N contexts, U distinct contexts, T context length, V vocabulary, K distinct (context, next token)
pairs.
"""

import os
import reprlib
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
from makemore.core.params import Section, from_config
from makemore.core.vocab import Tokens

LOGITS = 1 << 23  # logits per forward pass, which bounds the memory
DEVICE = "MAKEMORE_DEVICE"  # where models that are loaded compute: cpu, the default, cuda or auto


def pick_device(device: str) -> str:
    """Raises ValueError if `cuda` is asked for and not available."""
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: CUDA is not available; use auto or cpu")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def device_of_loaded() -> str:
    """The device that the environment chooses. Raises OSError if there is no such device."""
    device = os.environ.get(DEVICE, "cpu")
    if device not in ("auto", "cpu", "cuda") or (device == "cuda" and not torch.cuda.is_available()):
        raise OSError(f"{DEVICE}: expected auto, cpu or, where CUDA is available, cuda, got {device!r}")
    return pick_device(device)


class NextTokenWeights(NamedTuple):
    """The weights of the tokens that follow each of U contexts, stored sparsely: most contexts have few successors."""

    starts: Tensor  # (U + 1,) the index of the first weight of each context, then K
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
        """The next-token weights of the contexts with these indices, as dense rows: (N,) -> (N, V)."""
        first = self.starts[contexts]
        sizes = self.starts[contexts + 1] - first  # (N,)
        row = torch.arange(len(contexts), device=first.device).repeat_interleave(sizes)
        place = torch.arange(len(row), device=first.device) + (first - sizes.cumsum(0) + sizes)[row]
        dense = self.weights.new_zeros(len(contexts), self.vocab_size)
        dense[row, self.tokens[place]] = self.weights[place]
        return dense

    def all(self) -> Tensor:
        """The weights of all contexts as dense rows, (U, V)."""
        return self.of(torch.arange(len(self.starts) - 1, device=self.starts.device))


def examples(tokens: Tokens, context: int) -> tuple[Tensor, Tensor]:
    """The context of every token, (M, T), and the tokens themselves, (M,): the lecture's X and Y."""
    return torch.from_numpy(sliding(tokens, context)).long(), torch.from_numpy(tokens).long()


def distinct_examples(tokens: Tokens, context: int, vocab_size: int) -> tuple[Tensor, NextTokenWeights]:
    """The distinct contexts, (U, T), and the next-token weights of each.

    A list has many tokens and few distinct contexts. The weights are counts, scaled so that the mean weighted
    cross-entropy over the U contexts equals the mean NLL over all M tokens.
    """
    contexts, starts, following, counts = counted(tokens, context, vocab_size)
    weights = torch.from_numpy(counts * (len(contexts) / len(tokens))).float()  # (K,)
    followers = NextTokenWeights(torch.from_numpy(starts), torch.from_numpy(following), weights, vocab_size)
    return torch.from_numpy(contexts).long(), followers


def randn(*shape: int, generator: torch.Generator | None) -> Tensor:
    """Standard normal weights or, without a generator, placeholders for weights that are loaded later.

    The placeholders are on PyTorch's meta device and take no memory, so a small file cannot make the program allocate
    a huge network.
    """
    if generator is None:
        return torch.empty(shape, device="meta")
    return torch.randn(shape, generator=generator)


class Neural(nn.Module):
    """A network that maps contexts, (N, T) integers, to logits, (N, V).

    A subclass defines `forward` and, if it has hyperparameters, `Params`, their section. Its constructor draws the
    initial weights with `randn` from the given generator.
    """

    Params: ClassVar[type[Section]] = Section
    context: int | None
    embeddings: tuple[str, ...] = ()  # parameters that are lookup tables, with one vector per token or position
    no_decay: tuple[str, ...] = ()  # parameters without weight decay
    readout: tuple[str, ...] = ()  # parameters of the output layer
    compilable: str | None = "loss"  # the method that torch.compile can make faster on GPUs
    distinct = False  # its examples are distinct contexts, weighted by their counts, instead of tokens
    bounded = False  # the activations that it watches are between -1 and 1, so units can saturate

    def __init__(self, params: Section, vocab_size: int, generator: torch.Generator | None):
        super().__init__()
        self.params, self.vocab_size = params, vocab_size
        self.watched: dict[str, Tensor] | None = None

    def watch(self, name: str, activations: Tensor) -> Tensor:
        """Keep the activations of a layer, and their gradients, if `watched` is a dictionary."""
        if self.watched is not None and activations.requires_grad:
            activations.retain_grad()
            self.watched[name] = activations
        return activations

    @classmethod
    def from_arrays(cls, config: Mapping[str, Any], arrays: Arrays, vocab_size: int) -> Self:
        """The network that `config` and `arrays` describe.

        Raises:
            ValueError: the configuration is invalid, the arrays' names or shapes are not those of this network, or not
                all values and logits are finite.
        """
        with torch.device("meta"):  # where the biases, too, take no memory
            network = cls(from_config(cls.Params, config), vocab_size, None)
        state = network.state_dict()
        expected = {name: tuple(tensor.shape) for name, tensor in state.items()}
        found = {name: array.shape for name, array in arrays.items()}
        for name in [*expected, *found]:
            if expected.get(name) != found.get(name):
                shapes = f"{found.get(name, 'missing')} instead of {expected.get(name, 'none')}"
                raise ValueError(f"weights of shapes that do not fit: {reprlib.repr(name)} {shapes}")
        loaded = {name: torch.from_numpy(arrays[name]).to(tensor.dtype) for name, tensor in state.items()}
        for name, tensor in loaded.items():
            if not tensor.isfinite().all():
                raise ValueError(f"weights {name} that are not all finite")
        network.load_state_dict(loaded, assign=True)
        network.to(device_of_loaded())
        network.log_probs(np.zeros((1, network.context or 0), dtype=np.int32))  # fails here, where errors name the file
        return network

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor | NextTokenWeights]:
        """The training examples, as arguments for `loss`: contexts, (M, T), and the token after each, (M,)."""
        assert self.context is not None
        return examples(tokens, self.context)

    def diagnosis(self, inputs: Tensor) -> dict[str, float]:
        """Extra diagnostics on a batch, such as the share of saturated units."""
        return {}

    def loss(self, contexts: Tensor, targets: Tensor) -> Tensor:
        """The mean NLL of a batch, in nats per token.

        Args:
            contexts: (N, T).
            targets: the next tokens, (N,), or next-token weights, (N, V), for a weighted mean.
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
    def device(self) -> torch.device:
        return next(self.parameters()).device

    @property
    def parameter_count(self) -> int:
        return sum(weight.numel() for weight in self.parameters())

    def log_probs(self, contexts: Contexts) -> NDArray[np.float64]:
        with self.predicting():
            logits: Tensor = self(torch.from_numpy(contexts.astype(np.int64)).to(self.device))  # (N, V)
            return normalized(logits)

    def token_log_probs(self, tokens: Tokens) -> NDArray[np.float64]:
        """See `model.Model`. Each distinct context is computed once."""
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
        """Evaluation mode without gradients inside the `with` block."""
        training = self.training
        self.eval()
        with torch.inference_mode():
            yield
        self.train(training)

    def config(self) -> Mapping[str, object]:
        return self.params.model_dump()

    def arrays(self) -> Arrays:
        """The parameters and buffers. Layers such as BatchNorm keep running statistics in buffers."""
        return {name: tensor.cpu().numpy() for name, tensor in self.state_dict().items()}


def normalized(logits: Tensor) -> NDArray[np.float64]:
    """The natural logarithms of the probabilities that logits stand for, (N, V).

    Raises:
        ValueError: the weights, although finite, are so large that there are no probabilities.
    """
    log_probs = np.asarray(F.log_softmax(logits.double(), dim=1).cpu().numpy())
    if np.isnan(log_probs[:, 0]).any():  # a logit of NaN or infinity makes its whole row NaN
        raise ValueError("a network whose weights are too large: its logits are not finite")
    return log_probs
