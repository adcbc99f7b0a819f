"""How much faster two processes train than one, under torchrun.

    python benchmarks/distributed.py [--rounds 3] [--processes 2] [--steps 20] [--batch 4096]

Each run is the stage `train` as a user starts it. The seconds per step are the difference of two runs, one with STEPS
and one with three times as many, so that loading and preparing do not count. The runs of one round follow each other;
the table shows medians, and the medians of the ratios of each round.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from typing import Annotated

from _benchmark import STAGES, Rounds, command, ratio, row, table  # isort: skip
import typer

NETWORKS = {"mlp_wide": "mlp", "lstm": "recurrent", "transformer": "transformer"}


def seconds_per_step(network: str, batch: int, steps: int, processes: int) -> float:
    """Of the stage without torchrun if there are 0 processes."""
    launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes else []
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        outputs = [f"--{name}={folder}/{name}" for name in ("model", "curve", "metrics", "recorded", "checkpoint")]
        for count in steps, 3 * steps:
            options = [f"--batch-size={batch}", f"--steps={count}", *outputs]
            stage = [str(STAGES / "train.py"), NETWORKS[network], network, *options]
            start = time.perf_counter()
            done = subprocess.run([sys.executable, *launcher, *stage], capture_output=True, text=True)
            taken.append(time.perf_counter() - start)
            if done.returncode:
                raise ValueError(f"{network}: exit code {done.returncode}: {done.stderr}")
    return (taken[1] - taken[0]) / (2 * steps)


def main(
    rounds: Rounds = 3,
    processes: Annotated[int, typer.Option(min=1, help="processes to compare with one")] = 2,
    steps: Annotated[int, typer.Option(min=1, help="of the shorter run")] = 20,
    batch: Annotated[int, typer.Option(min=4, help="examples per step")] = 4096,
    model: Annotated[list[str] | None, typer.Option(help=f"any of {', '.join(NETWORKS)}; default: all")] = None,
) -> None:
    """Print a table of the seconds per step."""
    counts = 0, 1, processes
    table(
        f"network, {batch:,} per step",
        "without torchrun, ms per step",
        *(f"{count} processes, ms" for count in counts[1:]),
        "speed-up over 1 process",
        "over no torchrun",
    )
    for network in model or NETWORKS:
        measured = [[seconds_per_step(network, batch, steps, count) for count in counts] for _ in range(rounds)]
        plain, one, several = map(list, zip(*measured, strict=True))
        times = [f"{1000 * statistics.median(taken):,.1f}" for taken in (plain, one, several)]
        row(network, *times, f"{ratio(one, several):.2f}", f"{ratio(plain, several):.2f}")


app = command(main)
if __name__ == "__main__":
    app()
