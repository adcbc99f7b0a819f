"""What another processor changes: the MLP trained with the instructions of several, its weights hashed, its time taken.

    python benchmarks/determinism.py [--repeats 3]

Each row is a fresh process of `stages/train_mlp.py` with other settings of PyTorch's and MKL's kernels; equal hashes
are equal bytes. `stages/_stage.py` sets the row marked *. Times are medians, and ratios to the row of the same repeat
that leaves the choice to the libraries.
"""

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHOSEN = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "COMPATIBLE"}
FREE = {"ATEN_CPU_CAPABILITY": "", "MKL_CBWR": ""}  # set but empty: the libraries choose
SETTINGS = [
    FREE,
    CHOSEN,
    *({"ATEN_CPU_CAPABILITY": aten, "MKL_CBWR": mkl} for aten in ("default", "avx512") for mkl in ("", "COMPATIBLE")),
    {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": ""},
    CHOSEN | {"NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512CD AVX512_SKX"},
    CHOSEN | {"OMP_NUM_THREADS": "2"},
]


def train(settings: dict[str, str], folder: Path) -> tuple[str, float]:
    """The hash of the weights and the seconds of a whole process."""
    model = folder / "mlp.safetensors"
    outputs = ["--model", str(model), "--curve", str(folder / "mlp.csv"), "--metrics", str(folder / "mlp.json")]
    command = [sys.executable, "stages/train_mlp.py", *outputs]
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=os.environ | settings, check=True, capture_output=True)
    return hashlib.md5(model.read_bytes()).hexdigest()[:8], time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description="What another processor changes.")
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    hashes: list[set[str]] = [set() for _ in SETTINGS]
    seconds: list[list[float]] = [[] for _ in SETTINGS]
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(repeats):
            for row, settings in enumerate(SETTINGS):
                found, taken = train(settings, Path(folder))
                hashes[row].add(found)
                seconds[row].append(taken)
    print("| settings | weights | seconds | ratio |\n|---|---|---:|---:|")
    for settings, found, taken in zip(SETTINGS, hashes, seconds, strict=True):
        ratio = statistics.median(a / b for a, b in zip(taken, seconds[0], strict=True))
        shown = " ".join(f"{key}={value}" for key, value in settings.items() if value) or "left to the libraries"
        mark = " *" if settings == CHOSEN else ""
        print(f"| {shown}{mark} | {' '.join(sorted(found))} | {statistics.median(taken):.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
