"""The base class of networks that read a name from its start instead of a fixed window of characters.

Many names in a batch share prefixes, so a network reads the tree of distinct prefixes and computes each of them once
(see `prefix_tree.py`). The loss still counts every token. Dropout masks are drawn per prefix, so names with a common
prefix share its mask.

Shapes: N names, T tokens of the longest name, K tokens of all names, M distinct prefixes, V vocabulary.
"""

import math
from abc import abstractmethod
from collections.abc import Iterable
from typing import TypeVar, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from makemore.core.contexts import Contexts, name_bounds
from makemore.core.model import State
from makemore.core.vocab import Tokens
from makemore.nn.neural import Neural, normalized, randn
from makemore.nn.padded_names import PaddedNames
from makemore.nn.prefix_tree import PrefixTree

L = TypeVar("L", bound=nn.Module)

IGNORED = -1  # the target of padding
MULTIPLE = 8  # to which a GPU's batches are padded, so that few lengths occur
MAX_CHUNK_TOKENS = 1 << 16  # tokens per forward pass, padding included, which bounds the memory


class Sequence(Neural):
    """A network that maps names to the logits of the token after each of their tokens.

    A subclass defines `forward`, and `begin` and `step`, which compute the same one token at a time.
    """

    context = None
    compilable: str | None = "padded_loss"
    readout = ("output",)
    no_decay = readout  # weight decay of the output layer raised the dev loss, see docs/log.md

    @abstractmethod
    def forward(self, tree: PrefixTree) -> Tensor:
        """The logits of the token after each prefix, (M, V)."""

    @abstractmethod
    def begin(self, count: int) -> State:
        """See `model.Stateful`."""

    @abstractmethod
    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        """Append one token to each of N names, (N,), and return the logits of the next one, (N, V)."""

    def tree(self, tokens: Tokens) -> PrefixTree:
        """The `PrefixTree` of names, on the network's device."""
        return PrefixTree(tokens, self.device)

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """The length of each name in tokens, end included, (N,), and its tokens padded with 0, (N, T).

        The names are in alphabetical order, so that neighbours share prefixes.
        """
        _, sizes = name_bounds(tokens)
        inside = np.arange(sizes.max()) < sizes[:, None]  # (N, T)
        rows = np.zeros(inside.shape, dtype=np.int32)
        rows[inside] = tokens
        order = np.lexsort(rows.T[::-1])  # (N,)
        return torch.from_numpy(sizes[order]), torch.from_numpy(rows[order])

    def loss(self, sizes: Tensor, rows: Tensor, targets: Tensor | None = None) -> Tensor:  # type: ignore[override]
        """The mean NLL of some rows of `examples`, in nats per token. Padding does not count.

        Args:
            targets: probabilities of the tokens, (N, T, V), for the mean cross-entropy; None: `rows` are certain.
        """
        if rows.is_cuda and self.watched is None:
            longest = math.ceil(int(sizes.max()) / MULTIPLE) * MULTIPLE
            return self.padded_loss(sizes, rows[:, :longest], None if targets is None else targets[:, :longest])
        inside = torch.arange(rows.shape[1], device=rows.device) < sizes.unsqueeze(1)  # (N, T)
        tokens = rows[inside]  # (K,)
        tree = self.tree(np.roll(tokens.cpu().numpy(), 1))
        logits = self(tree).index_select(0, tree.nodes)  # (K, V)
        return F.cross_entropy(logits, tokens.long() if targets is None else targets[inside])

    def padded_loss(self, sizes: Tensor, rows: Tensor, targets: Tensor | None = None) -> Tensor:
        """`loss`, computed without a prefix tree."""
        outside = torch.arange(rows.shape[1], device=rows.device) >= sizes.unsqueeze(1)  # (N, T)
        logits = self(PaddedNames(rows))  # (N * T, V)
        if targets is None:
            return F.cross_entropy(logits, rows.long().masked_fill(outside, IGNORED).flatten(), ignore_index=IGNORED)
        targets = targets.masked_fill(outside.unsqueeze(2), 0).flatten(0, 1)  # (N * T, V)
        return F.cross_entropy(logits, targets, reduction="sum") / sizes.sum()

    def log_probs(self, contexts: Contexts) -> NDArray[np.float64]:
        X = np.pad(contexts, ((0, 0), (1, 0)))  # (N, T + 1)
        so_far = np.logical_and.accumulate(X[:, ::-1] != 0, axis=1).sum(axis=1)  # (N,) characters after the boundary
        begun = np.arange(-contexts.shape[1], 1) + so_far[:, None] >= 0  # (N, T + 1)
        tree = self.tree(X[begun])
        with self.predicting():
            return normalized(self(tree)[tree.nodes[(so_far + 1).cumsum() - 1]])

    def token_log_probs(self, tokens: Tokens) -> NDArray[np.float64]:
        result = np.empty(len(tokens))
        starts, sizes = name_bounds(tokens)
        order = np.argsort(-sizes, kind="stable")  # names of similar length share a chunk and need little padding
        max_tokens = min(MAX_CHUNK_TOKENS, self.contexts_per_pass())
        while len(order):
            longest = sizes[order[0]]
            chunk, order = np.split(order, [max(1, max_tokens // longest)])
            inside = np.arange(longest) < sizes[chunk, None]  # (N, T)
            positions = (starts[chunk, None] + np.arange(longest))[inside]  # (K,)
            tree = self.tree(np.roll(tokens[positions], 1))
            with self.predicting():
                result[positions] = normalized(self(tree))[tree.nodes.cpu(), tokens[positions]]
        return result

    def advance(self, state: State, tokens: Tokens) -> tuple[NDArray[np.float64], State]:
        with self.predicting():
            logits, state = self.step(state, _tensor(tokens).to(self.device))
            return normalized(logits), state


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014) with a generator of its own; torch's dropout uses the global one.

    On a GPU it is torch's, and `training.acceleration` seeds the global generator before each step.

    Args:
        share: the probability of setting an element to 0 during training.
        generator: the generator of the masks.
    """

    def __init__(self, share: float, generator: torch.Generator | None):
        super().__init__()
        self.share, self.generator = share, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.share == 0:
            return x
        if x.is_cuda:
            return F.dropout(x, self.share)
        kept = torch.rand(x.shape, generator=self.generator) >= self.share  # twice as fast as bernoulli_
        return x * kept.to(x.device) / (1 - self.share)


def stack(layers: Iterable[L]) -> list[L]:
    """An `nn.ModuleList` whose element type the type checker knows."""
    return cast(list[L], nn.ModuleList(layers))


def normal(*shape: int, scale: float, generator: torch.Generator | None) -> nn.Parameter:
    """Weights drawn from a normal distribution with the standard deviation `scale`."""
    return nn.Parameter(randn(*shape, generator=generator).mul_(scale))


class Linear(nn.Module):
    """x @ W + b. W is initialized with the standard deviation `gain` / sqrt(fan-in) (He et al. 2015), b with 0."""

    def __init__(self, inputs: int, outputs: int, generator: torch.Generator | None, gain: float = 1.0):
        super().__init__()
        self.W = normal(inputs, outputs, scale=gain / inputs**0.5, generator=generator)
        self.b = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.b, x, self.W)


def _tensor(array: NDArray[np.integer]) -> Tensor:
    return torch.from_numpy(array.astype(np.int64))
