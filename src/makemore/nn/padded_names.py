"""A batch of names as rows of equal length, for GPUs: the prefixes are not shared, so no tree is built on the CPU.

A GPU computes a prefix that several names share again in less time than the CPU needs to find it.

Shapes: N names, T tokens of the longest name, M = N * T prefixes, those after the end of a name included, C channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from makemore.nn.prefix_tree import PrefixTree


class PaddedNames(PrefixTree):
    """The prefixes of padded names, with the attributes of a `PrefixTree` that networks read.

    Args:
        rows: (N, T) the tokens of each name, end included, padded with 0.
    """

    def __init__(self, rows: Tensor):
        self.count, self.length = rows.shape
        self.tokens = F.pad(rows[:, :-1], (1, 0)).flatten()  # (M,) each name starts with the boundary token
        self.depths = torch.arange(self.length, device=rows.device).repeat(self.count)  # (M,)

    def back(self, x: Tensor, distance: int) -> Tensor:
        return F.pad(self.side_by_side(x), (0, 0, distance, 0))[:, : self.length].flatten(0, 1)

    def side_by_side(self, x: Tensor) -> Tensor:
        return x.view(self.count, self.length, -1)

    def once(self, x: Tensor) -> Tensor:
        return x.flatten(0, 1)
