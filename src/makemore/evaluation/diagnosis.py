"""The third lecture's diagnostics: activations, gradients and updates of a training that `training/record.py` keeps.

Shapes: N rows of activations, H units, B bins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from makemore.core.files import read_csv, read_safetensors

SATURATED = 0.97  # the lecture's threshold for deep networks: the gradient of tanh is then below 6% of its maximum
BINS = 50
HEALTHY = -3.0  # the lecture's line: the decimal logarithm of a good ratio of update to data
UPDATE = "update."

Floats = NDArray[Any]  # float32 or float64


def density(values: Floats) -> tuple[Floats, Floats]:
    """The middles of the bins of a histogram, (B,), and the density in each, (B,)."""
    heights, edges = np.histogram(values, BINS, density=True)  # (B,), (B + 1,)
    return (edges[:-1] + edges[1:]) / 2, heights


@dataclass(frozen=True)
class Diagnosis:
    """What the last step of a training shows, and the sizes of its updates."""

    activations: dict[str, Floats]  # by layer, (N, H)
    gradients: dict[str, Floats]  # of these activations
    ratios: dict[str, float]  # of gradient to data, by matrix, in standard deviations
    steps: Floats
    updates: dict[str, Floats]  # by matrix, at these steps: decimal logarithm of the ratio of update to data
    bounded: bool  # activations are between -1 and 1

    def summary(self) -> dict[str, dict[str, float]]:
        """The metrics of each layer and of each matrix. Its update is the median over the training."""
        found: dict[str, dict[str, float]] = {}
        for layer, values in self.activations.items():
            found[layer] = {"mean": float(values.mean()), "std": float(values.std())}
            if self.bounded:
                found[layer]["saturated"] = float((np.abs(values) > SATURATED).mean())
            found[layer]["gradient_std"] = float(self.gradients[layer].std())
        for name, ratio in self.ratios.items():
            update = float(np.median(self.updates[name]))
            found[name] = {"gradient_to_data": ratio, "log10_update_to_data": update}
        return found

    def histograms(self) -> Iterator[tuple[str, str, float, float]]:
        """Rows of layer, `activation` or `gradient`, the middle of a bin, and the density there."""
        for kind, layers in ("activation", self.activations), ("gradient", self.gradients):
            for layer, values in layers.items():
                for middle, height in zip(*density(values), strict=True):
                    yield layer, kind, float(middle), float(height)


def read_diagnosis(recorded: Path, curve: Path) -> Diagnosis:
    """What a training stage recorded.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is damaged, or the two are not of the same training.
    """
    arrays, metadata = read_safetensors(recorded)
    parts: dict[str, dict[str, Floats]] = {"activation": {}, "gradient": {}, "ratio": {}}
    for name, array in sorted(arrays.items()):
        kind, _, what = name.partition(".")
        if kind not in parts or not array.size or not np.isfinite(array).all():
            raise ValueError(f"{recorded}: expected finite activations and gradients, found {name!r}; train again")
        parts[kind][what] = array
    columns = read_csv(curve)
    updates = {name.removeprefix(UPDATE): column for name, column in columns.items() if name.startswith(UPDATE)}
    activations, gradients, ratios = parts.values()
    if activations.keys() != gradients.keys() or ratios.keys() != updates.keys() or "step" not in columns:
        raise ValueError(f"{recorded}: expected the record of the training of {curve}; train again")
    sizes = {name: float(ratio.flat[0]) for name, ratio in ratios.items()}
    return Diagnosis(activations, gradients, sizes, columns["step"], updates, metadata.get("bounded") is True)
