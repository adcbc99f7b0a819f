"""The distinct prefixes of some names, as a tree: what a causal network has to compute, each of it once.

A prefix decides all that such a network computes at its last token, and names share their beginnings: a batch of 256 has
some 1,850 tokens but 1,160 distinct prefixes, a whole list has several times fewer. Each is a node, numbered by
depth, which is how many characters it has. Here are the names ann, anna, ava and ann, behind their boundary token:

    depth 0    1    2      3    4           path     0 1 2 4
          . -- a -- n ---- n -- a           (N, T)   0 1 2 4 6
                \\- v ---- a                          0 1 3 5
    node  0    1    2, 3   4, 5  6                   0 1 2 4

Shapes: N names, T tokens of the longest, K tokens of all of them, M nodes, C channels.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from makemore.vocab import Tokens


class Tree:
    """The nodes, (M,) of everything, and which names go through them.

    Attributes:
        tokens: (M,) the last of the prefix.
        depths: (M,) how many characters it has, the position of that token.
        sizes: (T,) how many nodes each depth has.
        nodes: (K,) the node of each token that was given.

    Args:
        tokens: (K,) names end to end, each begins with the boundary token 0 and goes on with its characters.
        device: where the tensors shall be.
    """

    def __init__(self, tokens: Tokens, device: torch.device):
        starts = np.flatnonzero(tokens == 0)  # (N,)
        row = np.cumsum(tokens == 0) - 1  # (K,)
        depth = np.arange(len(tokens)) - starts[row]  # (K,)
        X = np.full((depth.max() + 1, len(starts)), -1)  # (T, N): -1 after a name
        X[depth, row] = tokens
        order = np.lexsort(X[::-1])  # (N,): names with a common prefix are now neighbours
        X = X[:, order]
        new = X >= 0  # (T, N): the first name with this prefix
        new[:, 1:] &= np.logical_or.accumulate(X[:, 1:] != X[:, :-1])
        path = new.cumsum().reshape(X.shape) - 1  # (T, N)
        depths, rows = new.nonzero()  # (M,)

        def tensor(array: NDArray[np.integer]) -> Tensor:
            return torch.from_numpy(array).to(device)

        self.sizes: list[int] = new.sum(axis=1).tolist()
        self.tokens, self.depths, self.rows = tensor(X[new]), tensor(depths), tensor(rows)
        self.path = tensor(np.ascontiguousarray(path.T))  # (N, T): any node after a name
        self.nodes = tensor(path[depth, order.argsort()[row]])

    def ancestors(self, far: int) -> Tensor:
        """The node that is `far` characters shorter, the root where there is none, (M,)."""
        return self.path[self.rows, (self.depths - far).clamp(min=0)]

    @property
    def parents(self) -> Tensor:
        """The place of each node's parent among the nodes of the depth above, (M,); 0 for the root."""
        first = np.cumsum([0, 0, *self.sizes[:-1]])[:-1]  # (T,)
        return self.ancestors(1) - torch.from_numpy(first).to(self.path.device)[self.depths]

    def back(self, x: Tensor, far: int) -> Tensor:
        """(M, C) -> (M, C), of the prefix that is `far` characters shorter, 0 where there is none."""
        if far == 0:
            return x
        return x.index_select(0, self.ancestors(far)) * (self.depths >= far).unsqueeze(1)

    def side_by_side(self, x: Tensor) -> Tensor:
        """(M, C) -> (N, T, C), with some node's channels after a name's end."""
        return F.embedding(self.path, x)

    def once(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (M, C), from one of the names that go through a node."""
        return x.flatten(0, 1).index_select(0, self.rows * x.shape[1] + self.depths)
