"""The second lecture's search for a learning rate: train while the rate grows by the same factor each step, and look
where the loss is low.

Shapes: R rows of the curve.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WINDOW = 0.05  # share of the sweep over which its losses are averaged
VALLEY = 0.1  # nats a token above the lowest loss: a rate that reaches this is good


def growing(lowest: float, highest: float, steps: int) -> Callable[[int], float]:
    """The learning rate of each step: 10 to the power of exponents that are evenly spaced, the ends included."""
    exponents = np.linspace(lowest, highest, steps)
    return lambda step: float(10 ** exponents[step])


def smoothed(losses: Floats) -> Floats:
    """Means over a window around each row, (R,), narrower at the ends."""
    window = np.ones(max(1, round(WINDOW * len(losses))))
    return np.asarray(np.convolve(losses, window, "same") / np.convolve(np.ones(len(losses)), window, "same"))


def good_range(rates: Floats, losses: Floats) -> tuple[float, float, float]:
    """The learning rates between which the smoothed loss stays within `VALLEY` of its minimum, and that of the minimum.

    Below them learning is slow, above them the loss rises again. Each loss was reached after all the smaller rates
    before it, so the lower end is rather too high than too low.

    Args:
        rates: (R,), growing.
        losses: (R,) in nats a token.
    """
    means = smoothed(losses)
    best = int(means.argmin())
    bad = means > means[best] + VALLEY
    low = int(np.flatnonzero(bad[:best]).max(initial=-1)) + 1
    high = best + int(np.flatnonzero(bad[best:]).min(initial=len(means) - best)) - 1
    return float(rates[low]), float(rates[high]), float(rates[best])
