"""From counts to probabilities. Shapes: N contexts, V vocabulary."""

import numpy as np
from numpy.typing import NDArray


def additive(counts: NDArray[np.int64], strength: float) -> NDArray[np.float64]:
    """(count + strength) / (total + strength * V), (N, V): as if each token had been seen `strength` times more.

    The first lecture's `N + 1` is a strength of 1. With a strength of 0, maximum likelihood, a context that was never
    seen gets what the formula tends to as the strength falls: 1 / V.
    """
    smoothed = counts + float(strength)
    smoothed[smoothed.sum(axis=1) == 0] = 1
    return np.asarray(smoothed / smoothed.sum(axis=1, keepdims=True))
