"""BatchNorm folded into the weights before it: exercise E02 of the third lecture."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from makemore.core.model import Arrays

EPSILON = 1e-5  # added to the variance


def folded(arrays: Arrays) -> Arrays:
    """The arrays of an MLP whose layers do the work of BatchNorm, which at inference is linear.

    BatchNorm multiplies each unit by gamma / sqrt(variance + epsilon) and adds a constant. The weights W{i} and the
    bias b{i} of the layer before bn{i} can do the same.

    Raises:
        ValueError: the statistics differ by position, which one matrix cannot express.
    """
    result: dict[str, NDArray[Any]] = {name: array for name, array in arrays.items() if not name.startswith("bn")}
    for i in (name[2:-6] for name in arrays if name.startswith("bn") and name.endswith(".gamma")):
        gamma, beta, mean, variance = (
            arrays[f"bn{i}.{part}"] for part in ("gamma", "beta", "running_mean", "running_var")
        )
        if mean.shape != gamma.shape:
            raise ValueError("batch_norm: per_position, which cannot be folded into the weights")
        factor = gamma / np.sqrt(variance + np.float32(EPSILON))  # (H,)
        result[f"W{i}"] = arrays[f"W{i}"] * factor
        result[f"b{i}"] = (arrays.get(f"b{i}", np.float32(0)) - mean) * factor + beta
    return result
