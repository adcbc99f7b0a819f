"""Files in and out: atomic writes, JSON, CSV and safetensors, each written with the same bytes for the same content."""

import csv
import io
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

DIGITS = 6  # of a metric: finer than any standard error here, coarser than what another processor changes
METADATA = "makemore"  # one key: safetensors keeps its metadata in a hash map, and several would change places


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place once the block ends well, and is removed otherwise.

    The name holds the process id, so that two writers of one file never share a temporary file. What is no file, such
    as a pipe or /dev/null, is written to itself.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # a full disk does not say which file
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises ValueError where it is not JSON, or holds NaN."""
    try:
        return json.loads(path.read_bytes(), parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, found something else ({error})") from None


def _constant(name: str) -> float:
    if name == "NaN":
        raise ValueError("NaN")
    return float(name)


def write_json(path: Path, content: object) -> None:
    """Write JSON, its numbers rounded to `DIGITS`. An infinite loss stays `Infinity`; NaN is nobody's metric."""
    text = json.dumps(_rounded(content, str(path)), indent=2, ensure_ascii=False) + "\n"
    write_bytes(path, text.encode())


def _rounded(value: object, where: str) -> object:
    if isinstance(value, Mapping):
        return {key: _rounded(item, f"{where}: {key}") for key, item in value.items()}
    if isinstance(value, float):
        if math.isnan(value):
            raise ValueError(f"{where}: expected a number, got NaN")
        return round(float(value), DIGITS)
    return value


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[float | str]]) -> None:
    """Write a table, its fractions with `DIGITS` significant digits."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{cell:.{DIGITS}g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    write_bytes(path, lines.getvalue().encode())


def write_safetensors(path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, object]) -> None:
    """Write arrays with their metadata, which must be JSON, in the file's header."""
    header = {METADATA: metadata_json(metadata)}
    write_bytes(path, save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, header))


def metadata_json(metadata: Mapping[str, object]) -> str:
    return json.dumps(metadata, sort_keys=True, ensure_ascii=False)


def read_safetensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays and the metadata of a model file. Raises ValueError where it is damaged or not one of ours."""
    with path.open("rb"):  # a missing or unreadable file is an OSError that names it
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            metadata = json.loads((file.metadata() or {}).get(METADATA, "null"))
    except (SafetensorError, ValueError) as error:
        raise ValueError(f"{path}: expected a safetensors file, found a damaged one ({error})") from None
    if not isinstance(metadata, dict):
        raise ValueError(f"{path}: expected a model of this project, found no {METADATA!r} in its metadata")
    return arrays, metadata


def read_csv(path: Path) -> dict[str, NDArray[np.float64]]:
    """The columns of a CSV file of numbers. Raises ValueError where it holds something else."""
    header, *rows = path.read_text(encoding="utf-8").splitlines() or [""]
    try:
        columns = np.array([[float(cell) for cell in row.split(",")] for row in rows]).T
        return dict(zip(header.split(","), columns, strict=True))
    except ValueError as error:
        raise ValueError(f"{path}: expected columns of numbers under {header!r}, found {error}") from None
