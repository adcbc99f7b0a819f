"""Repeat the published runs of a lecture as DVC experiments. This is not a pipeline stage."""

import subprocess
from typing import Annotated

from _stage import command

import typer

from makemore.tools import lectures


def main(
    part: Annotated[int, typer.Argument(help="part of the lectures", min=2, max=5)],
    jobs: Annotated[int, typer.Option(help="experiments at a time", min=1)] = 2,
    show: Annotated[bool, typer.Option("--show", help="only print the table of experiments that were run")] = False,
) -> None:
    """Run the experiments that a lecture publishes, and print their losses beside the published ones.

    Losses are in nats per token. The published ones are of the lecture's own list. `make lecture-3` calls this.
    """
    runs = [run for run in lectures.RUNS if run.part == part]
    if not show:
        lectures.queue(runs)
        subprocess.run(["dvc", "exp", "run", "--run-all", "--jobs", str(jobs)], check=False)  # it reports its errors
    print("\n".join(lectures.table(runs)))
    print(f"\nThis table again: python stages/lecture.py {part} --show")


app = command(main)
if __name__ == "__main__":
    app()
