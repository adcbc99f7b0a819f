"""What a training records for the third lecture's diagnostics: `stages/diagnose.py` shows it.

Shapes: N rows of activations (examples, positions or prefixes of a batch), H units.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from makemore.nn.neural import Neural

MAX_ROWS = 256  # of the activations of a layer that are kept
SMALLEST = 1e-12  # of a standard deviation, so that logarithms are finite


def matrices(model: Neural) -> dict[str, Tensor]:
    """The weights that the lecture plots: all but biases and the like, which have one dimension."""
    return {name: weight for name, weight in model.named_parameters() if weight.ndim > 1}


def spread(tensor: Tensor) -> float:
    """The standard deviation."""
    return max(SMALLEST, float(tensor.detach().std())) if tensor.numel() > 1 else SMALLEST


def update_sizes(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> list[float]:
    """The decimal logarithm of the ratio of update to data, in standard deviations, of each matrix."""
    ratios = (spread(after[name].detach() - data) / spread(data) for name, data in before.items())
    return [round(math.log10(ratio), 3) for ratio in ratios]


@dataclass
class Record:
    """The last training step: activations and gradients by layer, and the gradient to data ratio of each matrix."""

    activations: dict[str, NDArray[np.float32]] = field(default_factory=dict)  # (N, H) each
    gradients: dict[str, NDArray[np.float32]] = field(default_factory=dict)  # of these activations
    ratios: dict[str, float] = field(default_factory=dict)

    def fill(self, model: Neural) -> None:
        """Take what the model watched, after its backward pass."""
        for layer, activations in (model.watched or {}).items():
            if activations.grad is not None:
                self.activations[layer] = activations.detach()[:MAX_ROWS].float().cpu().numpy()
                self.gradients[layer] = activations.grad[:MAX_ROWS].float().cpu().numpy()
        for name, weight in matrices(model).items():
            if weight.grad is not None:
                self.ratios[name] = spread(weight.grad) / spread(weight)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """As `files.write_safetensors` takes it: `activation.<layer>`, `gradient.<layer>`, `ratio.<matrix>`."""
        return {
            **{f"activation.{layer}": values for layer, values in self.activations.items()},
            **{f"gradient.{layer}": values for layer, values in self.gradients.items()},
            **{f"ratio.{name}": np.array([ratio], dtype=np.float32) for name, ratio in self.ratios.items()},
        }
