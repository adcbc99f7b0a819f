"""Compare the outputs of a finished run with the committed ones.

On another kind of processor, with CUDA or another torch, training rounds differently. The weights then have other
bytes, and so has all that depends on them: curves, samples, figures, the page. Whether it is the same result shows in
the losses of the models.
"""

import csv
import hashlib
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

EQUAL, CLOSE, DIFFERENT = "equal bytes", "within tolerance", "different"
KINDS = {".safetensors": "weights", ".txt": "names", ".csv": "curve", ".json": "metrics", ".html": "page"}
COLUMNS = "loss", "train", "dev", "nll"  # of curves, in nats per token

Committed = Callable[[Path], bytes]


class Row(NamedTuple):
    """The outputs of a stage, compared."""

    stage: str
    result: str
    note: str = ""


def compare(stages: Mapping[str, Any], committed: Committed, tolerance: float) -> list[Row]:
    """Compare the outputs of each stage.

    Args:
        stages: the committed entries of dvc.lock.
        committed: gives the committed content of a file.
        tolerance: the largest difference between two losses, in nats per token.
    """
    rows = [_row(name, entry, committed, tolerance) for name, entry in stages.items()]
    bad = {_model(row.stage) for row in rows if row.result == DIFFERENT}
    return [row._replace(result=DIFFERENT) if row.result == CLOSE and _model(row.stage) in bad else row for row in rows]


def _model(stage: str) -> str:
    return stage.partition("@")[2] or stage.removeprefix("train_")


def _row(stage: str, entry: Mapping[str, Any], committed: Committed, tolerance: float) -> Row:
    outs = {Path(out["path"]): out["md5"] for out in entry["outs"]}
    missing = [str(path) for path in outs if not path.exists()]
    if missing:
        return Row(stage, DIFFERENT, f"missing: {', '.join(missing)}")
    changed = [path for path, md5 in outs.items() if digest(path) != md5]
    if not changed:
        return Row(stage, EQUAL)
    if not any("models" in Path(dep["path"]).parts for dep in entry["deps"]):  # no model, no rounding
        return Row(stage, DIFFERENT, f"other bytes: {', '.join(map(str, changed))}")
    result, notes = CLOSE, []
    for path in changed:
        nats = difference(path.suffix, committed(path), path.read_bytes()) if path.suffix in (".csv", ".json") else 0.0
        if path.suffix == ".json" and nats > tolerance:
            result = DIFFERENT
        kind = KINDS.get(path.suffix, path.stem)
        notes.append(f"{kind} up to {nats:.2g} nats apart" if nats else f"other {kind}")
    return Row(stage, result, ", ".join(notes))


def digest(path: Path) -> str:
    """The hash of a file or folder in dvc.lock."""
    if path.is_file():
        return hashlib.md5(path.read_bytes()).hexdigest()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    listed = [{"md5": digest(file), "relpath": file.relative_to(path).as_posix()} for file in files]
    return hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"


def difference(suffix: str, old: bytes, new: bytes) -> float:
    """The largest difference between the losses in two JSON or CSV files; infinite if their keys or rows differ."""
    read = _json_losses if suffix == ".json" else _csv_losses
    before, after = dict(read(old)), dict(read(new))
    if before.keys() != after.keys():
        return math.inf
    return max((abs(before[key] - after[key]) for key in before if before[key] != after[key]), default=0.0)


def _json_losses(content: bytes) -> Iterator[tuple[str, float]]:
    """Losses, and their standard errors. Perplexity and bits per character follow from them."""

    def walk(value: object, path: str, key: str) -> Iterator[tuple[str, float]]:
        if isinstance(value, dict):
            for name, item in value.items():
                yield from walk(item, f"{path}.{name}", name)
        elif isinstance(value, int | float) and (key.startswith("nll") or key.endswith("_loss")):
            yield path, value

    return walk(json.loads(content), "", "")


def _csv_losses(content: bytes) -> Iterator[tuple[str, float]]:
    for number, row in enumerate(csv.DictReader(io.StringIO(content.decode()))):
        yield from ((f"{number}.{key}", float(row[key])) for key in COLUMNS if key in row)
