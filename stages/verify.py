"""Compare a finished run with what is committed. It is not a pipeline stage; `make verify` runs it."""

from pathlib import Path
from typing import Annotated

from _stage import command

import typer
from rich.console import Console
from rich.table import Table

from makemore.core.params import parse_yaml
from makemore.tools.comparison import DIFFERENT, compare
from makemore.tools.dvc_yaml import definitions
from makemore.tools.lockfile import committed

LOCK = Path("dvc.lock")
COLORS = {"equal bytes": "green", "within tolerance": "yellow", "different": "red"}


def main(
    tolerance: Annotated[
        float, typer.Option(min=0, help="largest difference of two losses that is accepted, in nats per token")
    ] = 0.001,
) -> None:
    """Compare the outputs of every stage with those in git's HEAD, after `dvc repro` elsewhere: on ARM, with CUDA.

    Equal bytes is what x86-64 processors give. Elsewhere training rounds differently. Outputs of models are then within
    tolerance if the losses on train, dev and test, and those before training, differ by no more than the tolerance.
    Their weights, training curves, samples and figures may be others. The exit code is 1 if a stage is different.
    """
    lock = of_head(LOCK)
    stages = definitions()
    entries = parse_yaml(lock.decode(), str(LOCK))["stages"]
    rows = compare({name: entry for name, entry in entries.items() if name in stages}, of_head, tolerance)
    table = Table("stage", "compared with HEAD", "")
    for row in rows:
        table.add_row(row.stage, f"[{COLORS[row.result]}]{row.result}", row.note)
    Console().print(table)
    counts = [sum(row.result == result for row in rows) for result in COLORS]
    print(f"{counts[0]} stages: equal bytes, {counts[1]}: within {tolerance} nats per token, {counts[2]}: different")
    if counts[2]:
        raise typer.Exit(1)


def of_head(path: Path) -> bytes:
    content = committed(path)
    if content is None:
        raise ValueError(f"{path}: not in git's HEAD, so there is nothing to compare with")
    return content


app = command(main)
if __name__ == "__main__":
    app()
