"""What another processor changes: the MLP trained with several sets of instructions.

    python benchmarks/determinism.py [--rounds 3] [--settings 9]

Each row is a fresh process of `stages/train_mlp.py` with other settings for the kernels of PyTorch, MKL and numpy. It
shows a hash of the weights: equal hashes are equal bytes. The row marked * has the settings of the stages, see
`core/arithmetic.py`. Seconds are those of the whole process, medians; the ratio compares each with the first row in the
same round.
"""

import hashlib
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
from _benchmark import Rounds, command, ratio, row, run_stage, table

from makemore.core.arithmetic import SETTINGS, SWITCH

OTHERS = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"}, {"OMP_NUM_THREADS": "2"}
ROWS = {
    "left to the libraries": {},
    "as the stages set them *": SETTINGS,
    **{
        " ".join(f"{key}={value}" for key, value in settings.items()): settings
        for settings in (
            {"ATEN_CPU_CAPABILITY": "default"},
            {"ATEN_CPU_CAPABILITY": "default", "MKL_CBWR": "COMPATIBLE"},
            {"ATEN_CPU_CAPABILITY": "avx512"},
            {"ATEN_CPU_CAPABILITY": "avx512", "MKL_CBWR": "COMPATIBLE"},
            {"ATEN_CPU_CAPABILITY": "avx2"},
        )
    },
    **{
        f"as the stages, but {key}={value}": SETTINGS | {key: value} for other in OTHERS for key, value in other.items()
    },
}


def train(settings: dict[str, str], folder: Path) -> tuple[str, float]:
    """The hash of the weights, and the seconds of the whole process."""
    model = folder / "mlp.safetensors"
    outputs = ["--model", str(model), "--curve", str(folder / "mlp.csv"), "--metrics", str(folder / "mlp.json")]
    checkpoint = ["--checkpoint", str(folder / "checkpoint")]
    start = time.perf_counter()
    env = {key: value for key, value in os.environ.items() if key not in SETTINGS} | {SWITCH: "fast"} | settings
    run_stage("train_mlp.py", *outputs, *checkpoint, env=env)
    return hashlib.md5(model.read_bytes()).hexdigest()[:8], time.perf_counter() - start


def main(
    rounds: Rounds = 3,
    settings: Annotated[int, typer.Option(min=1, help="measure only the first of the settings")] = len(ROWS),
) -> None:
    """Train the MLP with the instructions of several processors, and compare the weights."""
    compared = dict(list(ROWS.items())[:settings])
    hashes: dict[str, set[str]] = {name: set() for name in compared}
    seconds: dict[str, list[float]] = {name: [] for name in compared}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for name, variables in compared.items():
                found, taken = train(variables, Path(folder))
                hashes[name].add(found)
                seconds[name].append(taken)
    table("settings", "weights", "seconds", "ratio")
    for name, taken_seconds in seconds.items():
        times = ratio(taken_seconds, next(iter(seconds.values())))
        row(name, " ".join(sorted(hashes[name])), f"{statistics.median(taken_seconds):.1f}", f"{times:.2f}")


app = command(main)
if __name__ == "__main__":
    app()
