"""Files from strangers: what the tests share that give a stage such a file.

Whatever is in a file, the stage ends with one line that says what is wrong, and loses nothing.
"""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from conftest import encoded, text_of, tiny_names
from makemore.core.files import METADATA, read_safetensors, write_safetensors
from makemore.core.model import Arrays
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import NgramParams

Run = Callable[..., Result]
Metadata = dict[str, Any]

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
V = len(VOCAB)
TOKENS = encoded(VOCAB, *NAMES)


def error_of(run: Run, command: str) -> str:
    """The one line with which a stage ends that fails."""
    before = snapshot()
    result = run(*command.split())
    assert result.exit_code == 1 and result.stdout == "", command
    assert result.stderr.count("\n") == 1 and len(result.stderr) < 600, result.stderr
    assert before.items() <= snapshot().items()  # some figures may have been drawn
    return result.stderr


def snapshot() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def raw(dtype: str, metadata: str, size: int = 2) -> bytes:
    """A safetensors file of one array, of a type that numpy need not have."""
    header = {"__metadata__": {METADATA: metadata}, "W": {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}}
    encoded_header = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded_header)) + encoded_header + bytes(size)


def write(name: str, arrays: Arrays, metadata: Metadata) -> str:
    path = Path("models") / f"{name}.safetensors"
    write_safetensors(path, arrays, metadata)
    return f"{path}: "


def read(name: str) -> tuple[Arrays, Metadata]:
    return read_safetensors(Path("models") / f"{name}.safetensors")


def loading(name: str, *others: str) -> tuple[str, ...]:
    """The commands that read a model."""
    return f"score {name} abc", f"evaluate {name}", f"sample {name} --output data/samples/{name}.txt", *others


def params(order: int, position: int, smoothing: str = "none", strength: Any = None) -> NgramParams:
    values = {"order": order, "smoothing": smoothing, "strength": strength, "position": position}
    return NgramParams.model_validate(values)
