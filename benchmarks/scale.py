"""How the time and the memory of each stage grow with the list.

    python benchmarks/scale.py [--times 1 --times 10 ...] [--stage clean --stage split ...]

The lists are spliced from the beginning of one name and the end of another, so that new n-grams keep coming, as they do
in a longer list. Each stage runs in a process of its own, as DVC runs it, in a temporary project with the params of the
current folder. Its memory is the largest that the operating system saw in use by that process. The exponent of growth
is that between the last two sizes: with 1, the time is proportional to the list.
"""

import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

from _benchmark import STAGES, command, row, table  # isort: skip
import numpy as np
import typer

from makemore.core import names
from makemore.core.names import Text

TIMES = [1, 10, 100]
PIECE = 1 << 18  # names made at a time

SIXGRAM = "--order", "6", "--smoothing", "kneser_ney", "--strength", "null"
RUNS = {
    "clean": ["clean.py"],
    "vocab": ["vocab.py"],
    "split": ["split.py"],
    "fit": ["fit_ngram.py", "bigram", *SIXGRAM],
    "tune": ["tune_ngram.py", "sixgram"],
    "evaluate": ["evaluate.py", "sixgram"],
    "sample": ["sample.py", "sixgram", "--save"],
    "train": ["train.py", "mlp", "mlp"],
    "train_all": ["train.py", "mlp", "mlp", "--examples", "all"],
    "train_lstm": ["train.py", "recurrent", "lstm"],
    "evaluate_mlp": ["evaluate.py", "mlp"],
}

# A small process in between: a child starts with the peak memory of its parent.
LAUNCHER = """
import json, resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6]))
sys.exit(code)
"""


class Used(NamedTuple):
    seconds: float
    processor: float  # seconds
    peak: float  # MB


def spliced(text: Text, count: int, seed: int) -> Iterator[Text]:
    """New names: the first part of one name and the second part of another, both cut at the same relative place."""
    generator = np.random.default_rng(seed)
    starts, lengths = names.bounds(text)
    for begin in range(0, count, PIECE):
        size = min(PIECE, count - begin)
        one, two = generator.integers(len(starts), size=(2, size))  # (size,), (size,)
        share = generator.random(size)
        heads = 1 + (share * lengths[one]).astype(np.int64)  # characters of the first name, at least one
        sizes = heads + lengths[two] - (share * lengths[two]).astype(np.int64)  # with the second's, and the newline
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # place in the new name
        first = np.repeat(starts[one], sizes)
        second = np.repeat(starts[two] + lengths[two] + 1 - sizes, sizes)  # so that the newlines fall together
        yield text[np.where(within < np.repeat(heads, sizes), first, second) + within]


def run(folder: Path, arguments: list[str]) -> Used:
    """Run a stage in a folder. Raises ValueError with its error if it fails."""
    script, *others = arguments
    command = [sys.executable, "-c", LAUNCHER, sys.executable, str(STAGES / script), *others]
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"{script}: exit code {done.returncode}: {done.stderr}")
    return Used(time.perf_counter() - start, *json.loads(done.stdout))


def main(
    file: Annotated[Path, typer.Option("--list", help="names that the longer lists are spliced from")] = Path(
        "data/names.txt"
    ),
    times: Annotated[list[int], typer.Option(help="length of a list, in lengths of this one (repeatable)")] = TIMES,
    stage: Annotated[list[str], typer.Option(help=f"what to run: {', '.join(RUNS)} (repeatable)")] = list(RUNS),  # noqa: B006
    seed: Annotated[int, typer.Option(help="seed of the splicing")] = 42,
    scratch: Annotated[Path | None, typer.Option(help="keep the projects in this folder, and use those there")] = None,
) -> None:
    """Measure how the time and the memory of each stage grow with the list."""
    for name in stage:
        if name not in RUNS:
            raise typer.BadParameter(f"--stage: expected one of {', '.join(RUNS)}, got {name}")
    text = names.read(file)
    measured: list[dict[str, Used]] = []
    for size in times:
        with tempfile.TemporaryDirectory() as temporary:
            folder = (scratch or Path(temporary)) / str(size)
            (folder / "data").mkdir(parents=True, exist_ok=True)
            shutil.copy("params.yaml", folder)
            if not (folder / "data/names.txt").exists():
                names.write_blocks(folder / "data/names.txt", spliced(text, size * names.count(text), seed))
            measured.append({})
            for name in stage:
                used = measured[-1][name] = run(folder, RUNS[name])
                shown = f"{used.seconds:.1f} s, {used.processor:.1f} s of one core, {used.peak:,.0f} MB"
                print(f"{size * names.count(text):,} names, {name}: {shown}", file=sys.stderr)
    summarize([size * names.count(text) for size in times], measured)


def summarize(sizes: list[int], measured: list[dict[str, Used]]) -> None:
    """Print a table of seconds of one core and one of MB. The exponent of growth is that between the last two sizes."""
    for title, column in (("seconds of one core", 1), ("peak MB", 2)):
        table(title, *(f"{size:,} names" for size in sizes), "exponent")
        for name in measured[0]:
            figures = [used[name][column] for used in measured]
            cells = [f"{figure:,.0f}" if column == 2 else f"{figure:.1f}" for figure in figures]
            exponent = math.log(figures[-1] / figures[-2]) / math.log(sizes[-1] / sizes[-2]) if len(sizes) > 1 else None
            row(name, *cells, "" if exponent is None else f"{exponent:.2f}")


app = command(main)
if __name__ == "__main__":
    app()
