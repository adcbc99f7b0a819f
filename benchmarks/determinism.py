"""The arithmetic of the stages: whether every family gives the same bytes everywhere, and what that costs.

    python benchmarks/determinism.py bytes [--emulate]
    python benchmarks/determinism.py cost [--steps 100] [--rounds 3]

`bytes` runs all stages on a small made-up list and hashes every model, metric and sample: each row is a fresh process
under other settings of the libraries that choose their instructions by processor, or with `--emulate` on another
processor (qemu-user; slow). `cost` trains each network with the pinned arithmetic and with what the libraries choose.
"""

import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from _benchmark import HERE, STAGES, Rounds, row, run_stage, table  # isort: skip

from makemore.core.arithmetic import SETTINGS, SWITCH, THREADS
from makemore.core.params import parse_yaml

# What other processors would choose, were it not pinned; each beside the other pins.
OTHERS = [
    {},
    {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"},
    {"OMP_NUM_THREADS": "2"},
    {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"},
]
# qemu 7.2 computes numpy's AVX2 argsort wrongly; without AVX2 numpy has the same bytes, as a row above it shows
EMULATOR = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"}
EMULATED = ["Haswell", "Broadwell", "Skylake-Client", "EPYC-Rome", "EPYC-Milan"]

SMALL = {"steps": 20, "hidden": 32, "batch_size": 64, "embedding": 16, "channels": 16, "heads": 2}
STAGE_RUNS = """
clean
vocab
split
fit_ngram bigram
fit_ngram trigram
tune_ngram trigram_tuned
tune_ngram sixgram
mix_ngram mixed_ngram
train_neural_bigram
find_lr
initialization
train mlp mlp
train mlp mlp_wide
train bow bow
train recurrent rnn
train recurrent gru
train recurrent lstm
train wavenet wavenet
train transformer transformer
fit_ensemble
"""


def prepare(folder: Path) -> None:
    """A made-up list, and the params of this checkout with little work, in a folder."""
    draw = random.Random(1)
    made = ["".join(draw.choices("aeioumnrstlkj", k=draw.randint(2, 9))) for _ in range(600)]
    (folder / "data").mkdir()
    (folder / "data/names.txt").write_text("".join(f"{name}\n" for name in made))
    (folder / "models").mkdir()
    root = HERE.parent
    shutil.copy(root / "models/index.yaml", folder / "models/index.yaml")
    lines = []
    for line in (root / "params.yaml").read_text().splitlines():
        key = line.strip().partition(":")[0]
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(f"{indent}{key}: {SMALL[key]}" if key in SMALL and len(indent) == 2 else line)
    (folder / "params.yaml").write_text("\n".join(lines) + "\n")


def child() -> None:
    """Run all stages in the current folder and this process; print the hash of each file that they wrote."""
    import importlib

    names = list(parse_yaml(Path("models/index.yaml").read_text(), "index")["models"])
    runs = [line.split() for line in STAGE_RUNS.split("\n") if line]
    runs += [["evaluate", name] for name in names]
    runs += [["sample", name, "--output", f"data/samples/{name}.txt"] for name in names]
    for stage, *arguments in runs:
        app = importlib.import_module(stage).app
        with open(os.devnull, "w") as silence:  # noqa: PTH123
            standard, sys.stdout = sys.stdout, silence
            try:
                app(arguments, standalone_mode=False)
            finally:
                sys.stdout = standard
    files = sorted(path for folder in ("data", "models", "metrics") for path in Path(folder).rglob("*.*"))
    print(json.dumps({str(path): hashlib.md5(path.read_bytes()).hexdigest() for path in files}))


def hashes(settings: Mapping[str, str], cpu: str | None = None) -> dict[str, str]:
    """The hash of each file that the stages write in a fresh process, by its path.

    Args:
        settings: environment variables, beside those that the stages set.
        cpu: a processor to emulate.

    Raises:
        ValueError: the process failed. Warnings are errors: a library that does not know a setting only warns.
    """
    environment = {key: value for key, value in os.environ.items() if key not in SETTINGS | THREADS} | dict(settings)
    environment["PYTHONPATH"] = os.pathsep.join(map(str, (STAGES, HERE)))
    code = "import _stage, determinism; determinism.child()"
    python = [sys.executable, "-W", "error", "-c", code]
    if cpu:
        site = next(path for path in sys.path if path.endswith("site-packages"))
        environment["PYTHONPATH"] += f"{os.pathsep}{site}"
        python = ["qemu-x86_64", "-cpu", cpu, os.path.realpath(sys.executable), "-W", "error", "-c", code]
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        done = subprocess.run(python, cwd=folder, env=environment, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if not line.startswith("qemu-x86_64: warning: TCG")]
    if done.returncode:
        raise ValueError(f"{settings or cpu}: exit code {done.returncode}: {' '.join(errors)[-2000:]}")
    found: dict[str, str] = json.loads(done.stdout)
    return found


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command("bytes")
def compare_bytes(
    emulate: Annotated[bool, typer.Option("--emulate", help="run on emulated processors too")] = False,
    settings: Annotated[int, typer.Option(min=1, help="compare only the first of the settings")] = len(OTHERS),
    cpu: Annotated[list[str] | None, typer.Option(help="processors to emulate")] = None,
) -> None:
    """Compare the bytes of every family under other settings and, if asked for, on other processors."""
    if emulate and not shutil.which("qemu-x86_64"):
        raise typer.BadParameter("qemu-x86_64: not found; on Debian it is in the package qemu-user")
    expected = hashes({})
    table("settings or processor", "files", "equal", "different")
    compared = [
        (" ".join(f"{key}={value}" for key, value in other.items()) or "pinned", other, None) for other in OTHERS
    ]
    emulated = [(f"emulated {name}", EMULATOR, name) for name in cpu or EMULATED] if emulate else []
    for shown, variables, processor in [*compared[:settings], *emulated]:
        found = hashes(variables, processor)
        different = sorted(path for path in expected if found.get(path) != expected[path])
        row(shown, len(expected), len(expected) - len(different), ", ".join(different) or "-")


@app.command("cost")
def compare_cost(
    steps: Annotated[int, typer.Option(min=1, help="training steps to measure, after as many that are not")] = 100,
    rounds: Rounds = 3,
    network: Annotated[list[str] | None, typer.Option(help="measure only these networks")] = None,
) -> None:
    """Compare the time of a training step with the pinned arithmetic and with what the libraries choose.

    The time of a step is the difference of two trainings, of which one has twice the steps, by the number of steps.
    """
    families = parse_yaml(Path("models/index.yaml").read_text(), "models/index.yaml")["networks"]
    table("network", "reproducible, ms per step", "fast, ms per step", "ratio", "lowest", "highest")
    for name in network or families:
        measured: dict[str, list[float]] = {"reproducible": [], "fast": []}
        for _ in range(rounds):
            for choice, times in measured.items():
                once, twice = (train(name, families[name], count * steps, choice) for count in (1, 2))
                times.append(1000 * (twice - once) / steps)
        reproducible, fast = measured.values()
        ratios = [a / b for a, b in zip(reproducible, fast, strict=True)]
        shown = (statistics.median(ratios), min(ratios), max(ratios))
        medians = statistics.median(reproducible), statistics.median(fast)
        row(name, *(f"{value:.2f}" for value in (*medians, *shown)))


def train(name: str, family: str, steps: int, choice: str) -> float:
    """The elapsed seconds of a training with so many steps, as a fresh process."""
    environment = {key: value for key, value in os.environ.items() if key not in SETTINGS | THREADS} | {SWITCH: choice}
    with tempfile.TemporaryDirectory() as folder:
        outputs = {"model": "m.safetensors", "curve": "c.csv", "metrics": "m.json", "checkpoint": "c.safetensors"}
        options = [text for key, file in outputs.items() for text in (f"--{key}", f"{folder}/{file}")]
        start = time.perf_counter()
        run_stage("train.py", family, name, "--steps", str(steps), *options, env=environment)
        return time.perf_counter() - start


if __name__ == "__main__":
    app()
