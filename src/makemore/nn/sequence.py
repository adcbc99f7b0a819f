"""What all networks share that read a name from its start: no window of characters, but all that came before.

Names of a batch begin alike, so what a network reads is the tree of their distinct prefixes, each of which it computes
once, see `tree.py`. The loss is still that of all tokens. Dropout is drawn for each prefix: the names that share one
share what is dropped.

Shapes: N names, T tokens of the longest, K tokens of all of them, M distinct prefixes, V vocabulary.
"""

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
from makemore.nn.neural import Neural, normalized
from makemore.nn.prefix_tree import PrefixTree

L = TypeVar("L", bound=nn.Module)

CHUNK = 1 << 16  # tokens at a time, padding counted, which bounds the memory


class Sequence(Neural):
    """A network from whole names to the logits of the token after each of their tokens.

    A subclass has `forward`, and `begin` and `step`, which do the same one token at a time.
    """

    context = None
    no_decay = ("output",)  # decay there costs more than it saves, see docs/log.md

    @abstractmethod
    def forward(self, tree: PrefixTree) -> Tensor:
        """Logits of the token after each prefix, (M, V)."""

    @abstractmethod
    def begin(self, count: int) -> State:
        """See `model.Stateful`."""

    @abstractmethod
    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        """`forward` for the next token of each of N names: (N,) to logits, (N, V)."""

    def tree(self, tokens: Tokens) -> PrefixTree:
        """The tree of names as they are read, see `PrefixTree`, on the network's device."""
        return PrefixTree(tokens, next(self.parameters()).device)

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """How many tokens each name is with its end, (N,), and these tokens, one name a row, (N, T), padded with 0.

        In alphabetical order, so that neighbours are alike.
        """
        _, sizes = name_bounds(tokens)
        inside = np.arange(sizes.max()) < sizes[:, None]  # (N, T)
        rows = np.zeros(inside.shape, dtype=np.int32)
        rows[inside] = tokens
        order = np.lexsort(rows.T[::-1])  # (N,)
        return torch.from_numpy(sizes[order]), torch.from_numpy(rows[order])

    def loss(self, sizes: Tensor, rows: Tensor) -> Tensor:
        """Mean NLL in nats of the tokens of some rows of `examples`. Each token counts once, padding does not."""
        inside = torch.arange(rows.shape[1], device=rows.device) < sizes.unsqueeze(1)  # (N, T)
        tokens = rows[inside]  # (K,)
        tree = self.tree(np.roll(tokens.cpu().numpy(), 1))
        return F.cross_entropy(self(tree).index_select(0, tree.nodes), tokens.long())

    def log_probs(self, contexts: Contexts) -> NDArray[np.float64]:
        X = np.pad(contexts, ((0, 0), (1, 0)))  # (N, T + 1)
        so_far = np.logical_and.accumulate(X[:, ::-1] != 0, axis=1).sum(axis=1)  # (N,) characters since the boundary
        begun = np.arange(-contexts.shape[1], 1) + so_far[:, None] >= 0  # (N, T + 1)
        tree = self.tree(X[begun])
        with self.predicting():
            return normalized(self(tree)[tree.nodes[(so_far + 1).cumsum() - 1]])

    def token_log_probs(self, tokens: Tokens) -> NDArray[np.float64]:
        result = np.empty(len(tokens))
        starts, sizes = name_bounds(tokens)
        order = np.argsort(-sizes, kind="stable")  # so that names of a chunk need little padding
        fitting = min(CHUNK, self.contexts_per_pass())
        while len(order):
            longest = sizes[order[0]]
            some, order = np.split(order, [max(1, fitting // longest)])
            inside = np.arange(longest) < sizes[some, None]  # (N, T)
            place = (starts[some, None] + np.arange(longest))[inside]  # (K,)
            tree = self.tree(np.roll(tokens[place], 1))
            with self.predicting():
                result[place] = normalized(self(tree))[tree.nodes.cpu(), tokens[place]]
        return result

    def advance(self, state: State, tokens: Tokens) -> tuple[NDArray[np.float64], State]:
        with self.predicting():
            logits, state = self.step(state, _tensor(tokens))
            return normalized(logits), state


class Dropout(nn.Module):
    """In training sets a share of its input to 0 and scales up the rest (Srivastava et al. 2014).

    Args:
        generator: of the choice: the model's own, where torch's dropout would take the global one.
    """

    def __init__(self, share: float, generator: torch.Generator | None):
        super().__init__()
        self.share, self.generator = share, generator

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.share == 0:
            return x
        kept = torch.rand(x.shape, generator=self.generator) >= self.share  # in half the time of bernoulli_
        return x * kept.to(x.device) / (1 - self.share)


def stack(layers: Iterable[L]) -> list[L]:
    """An `nn.ModuleList` that the type checker knows the entries of."""
    return cast(list[L], nn.ModuleList(layers))


def normal(*shape: int, scale: float, generator: torch.Generator | None) -> nn.Parameter:
    """Weights drawn from a normal distribution with the standard deviation `scale`."""
    return nn.Parameter(torch.randn(shape, generator=generator) * scale)


class Linear(nn.Module):
    """x @ W + b. W is drawn with the standard deviation `gain` / sqrt(fan-in) (He et al. 2015), b is 0."""

    def __init__(self, inputs: int, outputs: int, generator: torch.Generator | None, gain: float = 1.0):
        super().__init__()
        self.W = normal(inputs, outputs, scale=gain / inputs**0.5, generator=generator)
        self.b = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addmm(self.b, x, self.W)


def _tensor(array: NDArray[np.integer]) -> Tensor:
    return torch.from_numpy(array.astype(np.int64))
