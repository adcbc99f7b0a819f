"""Read and write files: atomic writes, and JSON, CSV and safetensors with the same bytes for the same content."""

import csv
import errno
import io
import json
import math
import os
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

DIGITS = 6  # of metrics: finer than any standard error here, coarser than differences between processors
TYPES = "F16", "F32", "F64", "I8", "I16", "I32", "I64", "U8", "U16", "U32", "U64"  # safetensors types that numpy has
METADATA = "makemore"  # a single key, since safetensors writes several keys in random order


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file next to `path`, which replaces `path` if the block succeeds and is removed otherwise.

    The file is created exclusively. Two writers of one file, even on two machines, never share it, and a link planted
    in its place is not followed. Anything but a regular file, such as a pipe or /dev/null, is written directly.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(path)
    try:
        temporary.touch(exist_ok=False)  # unlike tempfile, this applies the umask
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None  # names the file, which a full disk does not


def temporary_path(path: Path) -> Path:
    """An unused path next to `path`, with a random name that git and DVC ignore."""
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")


@contextmanager
def writing(path: Path) -> Iterator[BinaryIO]:
    """Yield a file to write to, which becomes `path` like that of `replacing`."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        yield file


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading, also one on an object store, `s3://bucket/names.txt`, if fsspec has its package.

    Raises:
        OSError: the file cannot be read.
        ValueError: the package is missing, or the store refuses.
    """
    if not (address := _address(path)):
        return path.open("rb")
    import fsspec

    try:
        return cast(BinaryIO, fsspec.open(address, "rb").open())
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), address) from None
    except Exception as error:  # each kind of store has its own
        raise ValueError(f"{address}: {error}") from None


def size_of(path: Path) -> int:
    """The size of a file in bytes. Raises like `open_binary`."""
    with open_binary(path) as file:
        return file.seek(0, os.SEEK_END)


def _address(path: Path) -> str | None:
    """The address of a file that is not on this machine. `Path` has made one slash of its two."""
    scheme, colon, rest = path.as_posix().partition(":/")
    return f"{scheme}://{rest}" if colon and len(scheme) > 1 and scheme.isalnum() else None


def write_bytes(path: Path, content: bytes) -> None:
    with writing(path) as file:
        file.write(content)


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises ValueError if it is not JSON or contains NaN."""
    try:
        return json.loads(path.read_bytes(), parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected JSON, found something else ({error})") from None


def _constant(name: str) -> float:
    if name == "NaN":
        raise ValueError("NaN")
    return float(name)


def write_json(path: Path, content: object) -> None:
    """Write JSON with numbers rounded to `DIGITS`. Infinity is kept; NaN raises ValueError."""
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
    """Write a CSV file, with `DIGITS` significant digits per float."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([f"{cell:.{DIGITS}g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    write_bytes(path, lines.getvalue().encode())


def write_safetensors(path: Path, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, object]) -> None:
    """Write arrays, with metadata stored as JSON in the header of the file."""
    header = {METADATA: metadata_json(metadata)}
    write_bytes(path, save({name: np.asarray(array, order="C") for name, array in arrays.items()}, header))


def metadata_json(metadata: Mapping[str, object]) -> str:
    return json.dumps(metadata, sort_keys=True, ensure_ascii=False)


def read_safetensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read the arrays and the metadata of a model file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is damaged, has arrays that numpy cannot represent, or was not written by this project.
    """
    with path.open("rb"):  # raises an OSError with the path if the file cannot be read
        pass
    try:
        with safe_open(path, framework="numpy") as file:
            types = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 (not a mapping)
            foreign = [name for name, kind in types.items() if kind not in TYPES]
            arrays = {} if foreign else {name: file.get_tensor(name) for name in types}
            metadata = json.loads((file.metadata() or {}).get(METADATA, "null"))
    except (SafetensorError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: expected a safetensors file, found a damaged one ({error})") from None
    if foreign:
        found = f"{reprlib.repr(foreign[0])} of type {types[foreign[0]]}"
        raise ValueError(f"{path}: expected arrays of the types {', '.join(TYPES)}, found {found}; convert it to F32")
    if not isinstance(metadata, dict):
        raise ValueError(f"{path}: expected a model of this project, found no {METADATA!r} in its metadata")
    return arrays, metadata


def read_csv(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read the columns of a CSV file. Raises ValueError if it has no rows or a cell is not a number."""
    header, *lines = read_text(path).splitlines() or [""]
    names, rows = header.split(","), []
    for number, line in enumerate(lines, start=2):
        try:
            row = [float(cell) for cell in line.split(",")]
        except ValueError:
            row = []
        if len(row) != len(names) or any(map(math.isnan, row)):
            raise ValueError(f"{path}: expected columns of numbers, found {reprlib.repr(line)} in line {number}")
        rows.append(row)
    if not rows:
        raise ValueError(f"{path}: expected columns of numbers, found no rows")
    return dict(zip(names, np.array(rows).T, strict=True))


def read_text(path: Path) -> str:
    """Read a UTF-8 text file. Raises ValueError if it is not UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, found the byte 0x{error.object[error.start]:02x}") from None
