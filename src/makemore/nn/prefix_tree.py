r"""The distinct prefixes of some names, as a tree, so that a network computes each of them once.

What a causal network computes at a token depends on the tokens up to it and on nothing else, and names share their
beginnings: 256 names of the lectures' list have some 1,850 tokens and 1,160 distinct prefixes, the whole list has
several times fewer. A prefix is a node, its last token hangs from the prefix that is one shorter, and nodes are
numbered by depth. The names ann, anna, ava and ann, each behind its boundary token:

    depth   0    1    2    3    4           node   0    1    2    4    6           path   0 1 2 4
            . -- a -- n -- n -- a                  0 -- 1 -- 2 -- 4 -- 6                  0 1 2 4
                  \                                      \                                0 1 2 4 6
                    - v -- a                               - 3 -- 5                       0 1 3 5

Shapes: N names, T tokens of the longest, K tokens of all of them, M nodes, C channels.
"""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from makemore.core.vocab import Tokens


class PrefixTree:
    """The nodes of some names.

    Args:
        tokens: (K,) names end to end, each begins with the boundary token 0 and goes on with its characters.
        device: where the tensors shall be.

    Attributes:
        tokens: (M,) the last token of each prefix.
        depths: (M,) its position.
        sizes: (T,) how many nodes each depth has.
        parents: (M,) the parent's place among the nodes of the depth above; 0 for the root, which has none.
        path: (N, T) the nodes of each name, in alphabetical order, and after its end any.
        place: (M,) where in `path`, row by row, each node stands first.
        nodes: (K,) the node of each token that was given.
    """

    def __init__(self, tokens: Tokens, device: torch.device):
        begins = tokens == 0
        row = begins.cumsum() - 1  # (K,)
        depth = np.arange(len(tokens)) - np.flatnonzero(begins)[row]  # (K,)
        X = np.full((depth.max() + 1, row[-1] + 1), -1)  # (T, N): one name a column, -1 after its end
        X[depth, row] = tokens
        order = np.lexsort(X[::-1])  # (N,): names that begin alike are now neighbours
        X = X[:, order]
        new = X >= 0  # (T, N): no name before has this prefix
        new[:, 1:] &= np.logical_or.accumulate(X[:, 1:] != X[:, :-1])
        path = new.cumsum().reshape(X.shape) - 1  # (T, N)
        depths, rows = new.nonzero()  # (M,)
        sizes = new.sum(axis=1)  # (T,)
        above = np.maximum(depths - 1, 0)  # (M,)

        def tensor(array: NDArray[np.integer]) -> Tensor:
            return torch.from_numpy(array).to(device)

        self.tokens, self.depths, self.sizes = tensor(X[new]), tensor(depths), sizes.tolist()
        self.parents = tensor(path[above, rows] - (sizes.cumsum() - sizes)[above])
        self.path, self.place = tensor(path.T.copy()), tensor(rows * len(X) + depths)
        self.nodes = tensor(path[depth, order.argsort()[row]])

    def back(self, x: Tensor, far: int) -> Tensor:
        """(M, C) -> (M, C): the row of the prefix that is `far` characters shorter, 0 where there is none."""
        ancestors = self.path.flatten()[self.place - self.depths.clamp(max=far)]  # (M,)
        return x.index_select(0, ancestors) * (self.depths >= far).unsqueeze(1)

    def side_by_side(self, x: Tensor) -> Tensor:
        """(M, C) -> (N, T, C): the rows of each name's prefixes, and after its end any."""
        return F.embedding(self.path, x)

    def once(self, x: Tensor) -> Tensor:
        """(N, T, C) -> (M, C): of each prefix the row in one of its names."""
        return x.flatten(0, 1).index_select(0, self.place)
