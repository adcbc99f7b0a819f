"""What the benchmarks share: the arithmetic of the stages, measuring in turn, Markdown tables.

Import this before torch. Like the stages, the benchmarks read data, models and params from the current folder.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "stages"))

import _stage  # isort: skip  first: it sets the arithmetic of the stages, and makes `makemore` that of this checkout

from makemore.core.vocab import Tokens, Vocab, read_tokens

HERE = Path(__file__).resolve().parent
STAGES = HERE.parent / "stages"
command = _stage.command
TRAIN, DEV, TEST = (Path(f"data/splits/{split}.txt") for split in ("train", "dev", "test"))
VOCAB = Path("data/vocab.json")

Rounds = Annotated[int, typer.Option(min=1, help="measurements per figure; the tables show medians")]
Run = Callable[[], object]
Clock = Callable[[], float]


def read(path: Path) -> tuple[Tokens, Vocab]:
    """The tokens of a split, and the vocabulary."""
    vocab = Vocab.read(VOCAB)
    return read_tokens(path, vocab), vocab


def run_stage(script: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
    """Run a script of `stages` in a fresh process, without its output. Raises ValueError with its error if it fails."""
    command = [sys.executable, str(STAGES / script), *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"{script}: exit code {done.returncode}: {done.stderr}")


def seconds(run: Run, clock: Clock = time.process_time) -> float:
    """The seconds that a call takes: processor time, unless another clock is given."""
    start = clock()
    run()
    return clock() - start


def in_turn(runs: Sequence[Run], rounds: int, clock: Clock = time.process_time) -> list[list[float]]:
    """The seconds of each run in each round. The runs of one round follow each other; a first round is not counted."""
    for run in runs:
        run()
    measured = [[seconds(run, clock) for run in runs] for _ in range(rounds)]
    return [list(column) for column in zip(*measured, strict=True)]


def ratio(a: list[float], b: list[float]) -> float:
    """The median of the ratios a / b of each round."""
    return statistics.median(x / y for x, y in zip(a, b, strict=True))


def table(*header: str) -> None:
    """Print the header of a Markdown table. All columns but the first hold numbers."""
    print("\n| " + " | ".join(header) + " |\n|---|" + "---:|" * (len(header) - 1))


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)
