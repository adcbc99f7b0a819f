r"""A prefix tree of a batch of names, so that a network computes each distinct prefix once.

The output of a causal network at a token depends only on the tokens up to that one, and many names share prefixes:
256 names of the lectures' list have about 1,850 tokens but only 1,160 distinct prefixes, and the whole list has several
times more tokens than distinct prefixes. Each prefix is a node whose parent is the prefix without its last token. Nodes
are numbered by depth. For the names ann, anna, ava and ann, each preceded by the boundary token:

    depth   0    1    2    3    4           node   0    1    2    4    6           path   0 1 2 4
            . -- a -- n -- n -- a                  0 -- 1 -- 2 -- 4 -- 6                  0 1 2 4
                  \                                      \                                0 1 2 4 6
                    - v -- a                               - 3 -- 5                       0 1 3 5

Shapes: N names, T tokens of the longest name, K tokens of all names, M nodes, C channels.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from makemore.core.vocab import Tokens


class PrefixTree:
    """The prefix tree of a batch of names.

    Args:
        tokens: (K,) the names one after the other; each starts with the boundary token 0, followed by its characters.
        device: the device of the tensors.

    Attributes:
        tokens: (M,) the last token of each prefix.
        depths: (M,) the position of that token.
        sizes: (T,) the number of nodes at each depth.
        parents: (M,) the index of the parent among the nodes one level up; 0 for the root, which has no parent.
        path: (N, T) the nodes of each name, with the names in alphabetical order; entries after the end of a name are
            arbitrary.
        first: (M,) the first index of each node in the flattened `path`.
        nodes: (K,) the node of each input token.
    """

    def __init__(self, tokens: Tokens, device: torch.device):
        begins = tokens == 0
        row = begins.cumsum() - 1  # (K,)
        depth = np.arange(len(tokens)) - np.flatnonzero(begins)[row]  # (K,)
        X = np.full((depth.max() + 1, row[-1] + 1), -1)  # (T, N): one name per column, -1 after its end
        X[depth, row] = tokens
        order = np.lexsort(X[::-1])  # (N,): names with a common prefix become neighbours
        X = X[:, order]
        new = X >= 0  # (T, N): the first name with this prefix
        new[:, 1:] &= np.logical_or.accumulate(X[:, 1:] != X[:, :-1])
        path = new.cumsum().reshape(X.shape) - 1  # (T, N)
        depths, rows = new.nonzero()  # (M,)
        sizes = new.sum(axis=1)  # (T,)
        above = np.maximum(depths - 1, 0)  # (M,)

        def tensor(array: NDArray[np.integer]) -> Tensor:
            return torch.from_numpy(array).to(device)

        self.tokens, self.depths, self.sizes = tensor(X[new]), tensor(depths), sizes.tolist()
        self.parents = tensor(path[above, rows] - (sizes.cumsum() - sizes)[above])
        self.path, self.first = tensor(path.T.copy()), tensor(rows * len(X) + depths)
        self.nodes = tensor(path[depth, order.argsort()[row]])

    def back(self, x: Tensor, distance: int) -> Tensor:
        """Rows of the prefixes that are `distance` characters shorter, 0 where there is none: (M, C) -> (M, C)."""
        ancestors = self.path.flatten()[self.first - self.depths.clamp(max=distance)]  # (M,)
        return x.index_select(0, ancestors) * (self.depths >= distance).unsqueeze(1)

    def side_by_side(self, x: Tensor) -> Tensor:
        """Lay out the prefixes of each name in a row, arbitrary after its end: (M, C) -> (N, T, C)."""
        return F.embedding(self.path, x)

    def once(self, x: Tensor) -> Tensor:
        """Undo `side_by_side`: take each prefix from one of the names that have it, (N, T, C) -> (M, C)."""
        return x.flatten(0, 1).index_select(0, self.first)
