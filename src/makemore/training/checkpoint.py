"""Checkpoints: an interrupted training resumes from its last one and ends with the same bytes.

A checkpoint belongs to one training: its key is a hash of everything that the result depends on, the code included.
It lies outside the files that DVC tracks, because DVC deletes the outputs of a stage before running it.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from makemore.core.files import read_safetensors, write_safetensors

Row = tuple[float, ...]


def key_of(*parts: object) -> str:
    """A hash of params (anything that JSON can hold), arrays (by their bytes), the loaded code and torch's version."""
    modules = [module for name, module in sorted(sys.modules.items()) if name.startswith("makemore.")]
    code = [Path(file).read_bytes() for module in modules if (file := getattr(module, "__file__", None))]
    digest = hashlib.sha256(torch.__version__.encode())
    for part in (*code, *parts):
        if isinstance(part, bytes):
            content = part
        else:
            content = part.tobytes() if hasattr(part, "tobytes") else json.dumps(part, sort_keys=True).encode()
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint of one training, written every `every` steps, or never if that is 0."""

    path: Path
    every: int
    key: str
    generator: torch.Generator  # of the batches

    def save(self, step: int, state: list[Tensor], curve: Sequence[Row], losses: list[Tensor]) -> None:
        """Save the state after `step` steps; `losses` are those that the curve does not hold yet."""
        tensors = {f"state.{i}": tensor for i, tensor in enumerate(state)}
        tensors["generator"] = self.generator.get_state()
        if losses:
            tensors["losses"] = torch.stack(losses)
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        write_safetensors(self.path, arrays, {"key": self.key, "step": step, "curve": list(curve)})

    def load(self, state: list[Tensor]) -> tuple[int, list[Row], list[Tensor]]:
        """Restore the saved state: its step, curve and losses. Step 0 if there is no checkpoint of this training.

        Damaged or mismatched checkpoints are ignored.
        """
        try:
            arrays, metadata = read_safetensors(self.path)
            if metadata["key"] != self.key:
                return 0, [], []
            saved = [torch.from_numpy(arrays[f"state.{i}"]).view_as(tensor) for i, tensor in enumerate(state)]
            generator = torch.from_numpy(arrays["generator"])
            losses = list(torch.from_numpy(arrays["losses"]).to(state[0].device)) if "losses" in arrays else []
            curve = [(step, loss, rate, *updates) for step, loss, rate, *updates in metadata["curve"]]
            step = int(metadata["step"])
            self.generator.set_state(generator)
        except (OSError, KeyError, TypeError, ValueError, RuntimeError):
            return 0, [], []
        with torch.no_grad():
            for tensor, own in zip(state, saved, strict=True):
                tensor.copy_(own)
        return step, curve, losses

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
