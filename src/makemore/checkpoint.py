"""Where a long training stands, kept in a file, so that one that was killed goes on and ends with the same bytes.

A checkpoint belongs to one configuration: its key is a hash of everything that the result depends on. It lies outside
of what DVC tracks, since DVC deletes a stage's outputs before it runs the stage.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from makemore.files import read_safetensors, write_safetensors

Row = tuple[int, float, float]


def key_of(*parts: object) -> str:
    """A hash of parameters (anything JSON can hold) and arrays (by their bytes)."""
    digest = hashlib.sha256(torch.__version__.encode())
    for part in parts:
        content = part.tobytes() if hasattr(part, "tobytes") else json.dumps(part, sort_keys=True).encode()
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint of one training: written every `every` steps, never if that is 0."""

    path: Path
    every: int
    key: str
    generator: torch.Generator  # of the batches

    def save(self, step: int, state: list[Tensor], curve: Sequence[Row], losses: list[Tensor]) -> None:
        """Write down the state after `step` steps; `losses` are those that are not in the curve yet."""
        tensors = {f"state.{place}": tensor for place, tensor in enumerate(state)}
        tensors["generator"] = self.generator.get_state()
        if losses:
            tensors["losses"] = torch.stack(losses)
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        write_safetensors(self.path, arrays, {"key": self.key, "step": step, "curve": list(curve)})

    def load(self, state: list[Tensor]) -> tuple[int, list[Row], list[Tensor]]:
        """Set the state to what was saved last; its step, curve and losses. Step 0 where there is none of this key.

        A file that is damaged, or another training's, is as good as none.
        """
        try:
            arrays, metadata = read_safetensors(self.path)
        except (OSError, ValueError):
            return 0, [], []
        if metadata.get("key") != self.key:
            return 0, [], []
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        with torch.no_grad():
            for place, tensor in enumerate(state):
                tensor.copy_(tensors[f"state.{place}"].view_as(tensor))
        self.generator.set_state(tensors["generator"])
        losses = list(tensors["losses"].to(state[0].device)) if "losses" in tensors else []
        return metadata["step"], [(step, loss, rate) for step, loss, rate in metadata["curve"]], losses

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
