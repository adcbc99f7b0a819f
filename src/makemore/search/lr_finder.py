"""The second lecture's learning-rate finder: train while the learning rate grows by a constant factor per step, and
find the range of rates in which the loss is low.

Shapes: R rows of the curve.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOW = 0.05  # width of the running mean, as a share of the sweep
TOLERANCE = 0.1  # nats per token above the minimum within which a learning rate is good


def growing(lowest: float, highest: float, steps: int) -> Callable[[int], float]:
    """A function from steps to learning rates: 10 to the power of evenly spaced exponents, both ends included."""
    exponents = np.linspace(lowest, highest, steps)
    return lambda step: float(10 ** exponents[step])


def smoothed(losses: Floats) -> Floats:
    """The running mean, (R,), over a window that is narrower at both ends."""
    window = np.ones(max(1, round(WINDOW * len(losses))))
    return np.asarray(np.convolve(losses, window, "same") / np.convolve(np.ones(len(losses)), window, "same"))


def good_range(rates: Floats, losses: Floats) -> tuple[float, float, float]:
    """Find the learning rates for which the smoothed loss is within `TOLERANCE` of its minimum.

    Below this range learning is slow; above it the loss rises again. Each loss is the result of all the smaller rates
    before it, so the lower bound is too high rather than too low.

    Args:
        rates: (R,), increasing.
        losses: (R,) in nats per token.

    Returns:
        The lower bound, the upper bound, and the rate with the lowest smoothed loss.
    """
    means = smoothed(losses)
    best = int(means.argmin())
    bad = means > means[best] + TOLERANCE
    low = int(np.flatnonzero(bad[:best]).max(initial=-1)) + 1
    high = best + int(np.flatnonzero(bad[best:]).min(initial=len(means) - best)) - 1
    return float(rates[low]), float(rates[high]), float(rates[best])
