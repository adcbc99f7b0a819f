"""Batch normalization (Ioffe & Szegedy 2015), as the third and the fifth lecture write it.

Shapes: N rows, G positions with statistics of their own, H units.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from makemore.core.folding import EPSILON


class BatchNorm1d(nn.Module):
    """Normalize each unit over the rows of a batch, then multiply by gamma and add beta.

    In evaluation mode the running mean and variance take the place of the batch's. They are buffers, so model files
    hold them.

    Args:
        momentum: weight of a batch in the running statistics.
        positions: with more than 1, rows are positions of names in turn, and each position has its own statistics.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, units: int, momentum: float, positions: int = 1):
        super().__init__()
        self.momentum = momentum
        self.gamma = nn.Parameter(torch.ones(units))
        self.beta = nn.Parameter(torch.zeros(units))
        self.register_buffer("running_mean", torch.zeros(positions * units))
        self.register_buffer("running_var", torch.ones(positions * units))

    def forward(self, x: Tensor) -> Tensor:
        """(N * G, H) -> (N * G, H). Raises ValueError for a batch of one row, which has no variance."""
        units = len(self.running_mean)  # G * H
        rows = x.reshape(-1, units)  # (N, G * H)
        gamma, beta = self.gamma.repeat(units // len(self.gamma)), self.beta.repeat(units // len(self.beta))
        if self.training:
            if len(rows) == 1:
                raise ValueError("batch_norm: needs at least two examples per batch; raise batch_size")
            gamma = gamma * (1 - 1 / len(rows)) ** 0.5  # the lectures' variance divides by N - 1, PyTorch's by N
        normalized = F.batch_norm(
            rows, self.running_mean, self.running_var, gamma, beta, self.training, self.momentum, EPSILON
        )
        return normalized.view(x.shape)

    def track(self, mean: Tensor, var: Tensor) -> None:
        """Update the running statistics with those of a batch, (G * H,), as `forward` does in training mode."""
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(var, self.momentum)
