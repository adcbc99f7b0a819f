"""What all networks share that read a name from its start: no window of characters, but all that came before.

Names of a batch lie end to end, as tokens do everywhere here, and no work is done on padding, which would be nearly
half of a batch. `positions` says where each name begins: a token's position is how many tokens of its name precede it.
A network that needs the names side by side pads them for that step alone, see `Layout`.

Shapes: N names, T tokens of the longest, M tokens of all of them, V vocabulary, C channels.
"""

from abc import abstractmethod
from collections.abc import Iterable
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from makemore.contexts import Contexts, name_bounds
from makemore.model import State
from makemore.neural import Neural, normalized
from makemore.vocab import Tokens

L = TypeVar("L", bound=nn.Module)

CHUNK = 1 << 14  # tokens at a time, which bounds the memory
IGNORED = -1  # a target that is padding


class Sequence(Neural):
    """A network from whole names to the logits of the token after each of their tokens.

    A subclass has `forward`, and `begin` and `step`, which do the same one token at a time.
    """

    context = None

    @abstractmethod
    def forward(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Logits of the token after each, (M, V).

        Args:
            tokens: (M,) names end to end, each begins with the boundary token 0 and goes on with its characters.
            positions: (M,) 0, 1, 2, ... in each name.
        """

    @abstractmethod
    def begin(self, count: int) -> State:
        """See `model.Stateful`."""

    @abstractmethod
    def step(self, state: State, tokens: Tensor) -> tuple[Tensor, State]:
        """`forward` for the next token of each of N names: (N,) to logits, (N, V)."""

    def examples(self, tokens: Tokens) -> tuple[Tensor, Tensor]:
        """All names, one a row: what the network reads, (N, T), padded with 0, and what follows, padded with -1."""
        _, sizes = name_bounds(tokens)
        inside = np.arange(sizes.max()) < sizes[:, None]  # (N, T)
        Y = np.full(inside.shape, IGNORED, dtype=np.int32)
        Y[inside] = tokens
        X = np.zeros_like(Y)
        X[:, 1:] = Y[:, :-1].clip(min=0)
        return torch.from_numpy(X), torch.from_numpy(Y)

    def loss(self, X: Tensor, Y: Tensor) -> Tensor:
        """Mean NLL in nats of the tokens of some rows of `examples`. Each token counts once, padding does not."""
        inside = Y != IGNORED  # (N, T)
        positions = torch.arange(X.shape[1], device=X.device).expand(X.shape)
        return F.cross_entropy(self(X[inside].long(), positions[inside]), Y[inside].long())

    def log_probs(self, contexts: Contexts) -> NDArray[np.float64]:
        X = np.pad(contexts, ((0, 0), (1, 0)))  # (N, T + 1)
        so_far = np.logical_and.accumulate(X[:, ::-1] != 0, axis=1).sum(axis=1)  # (N,) characters since the boundary
        positions = np.arange(-contexts.shape[1], 1) + so_far[:, None]  # (N, T + 1) negative before the name
        begun = positions >= 0
        with self.predicting():
            logits = self(_tensor(X[begun]), _tensor(positions[begun]))  # (M, V)
            return normalized(logits[_tensor((so_far + 1).cumsum() - 1)])

    def token_log_probs(self, tokens: Tokens) -> NDArray[np.float64]:
        result = np.empty(len(tokens))
        starts, sizes = name_bounds(tokens)
        order = np.argsort(sizes, kind="stable")
        for same in np.split(starts[order], np.flatnonzero(np.diff(sizes[order])) + 1):
            size = sizes[np.searchsorted(starts, same[0])]
            at_once = max(1, CHUNK // size)
            for begin in range(0, len(same), at_once):
                place = same[begin : begin + at_once, None] + np.arange(size)  # (n, size): no padding among equals
                result[place] = self._row_log_probs(tokens[place])
        return result

    def _row_log_probs(self, Y: Tokens) -> NDArray[np.float64]:
        """Log-probabilities of the tokens of names of one length, (N, T)."""
        X = np.pad(Y[:, :-1], ((0, 0), (1, 0)))
        positions = np.tile(np.arange(Y.shape[1]), len(Y))
        with self.predicting():
            log_probs = normalized(self(_tensor(X.ravel()), _tensor(positions)))  # (N * T, V)
        return np.take_along_axis(log_probs, Y.reshape(-1, 1), axis=1).reshape(Y.shape)

    def advance(self, state: State, tokens: Tokens) -> tuple[NDArray[np.float64], State]:
        with self.predicting():
            logits, state = self.step(state, _tensor(tokens))
            return normalized(logits), state


class Layout:
    """Where names that lie end to end belong when they are put side by side.

    Args:
        positions: (M,) see `Sequence.forward`.
    """

    def __init__(self, positions: Tensor):
        self.positions = positions
        self.rows = (positions == 0).cumsum(0) - 1  # (M,) which name a token is of
        self.sizes = torch.bincount(self.rows)  # (N,)
        self.longest = int(self.sizes.max())  # T

    @cached_property
    def place(self) -> Tensor:
        return self.rows * self.longest + self.positions  # (M,)

    def pad(self, x: Tensor) -> Tensor:
        """(M, C) -> (N, T, C), with zeros after a name's end."""
        padded = x.new_zeros(len(self.sizes) * self.longest, x.shape[1])
        return padded.index_copy(0, self.place, x).view(len(self.sizes), self.longest, -1)

    def unpad(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (M, C)."""
        return x.flatten(0, 1).index_select(0, self.place)


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
