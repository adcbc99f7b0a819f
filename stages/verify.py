"""Compare a finished run with what is committed. It is not a pipeline stage; `make verify` runs it."""

from collections import Counter
from pathlib import Path
from typing import Annotated

from _stage import command

import typer
from rich.console import Console
from rich.table import Column, Table

from makemore.core.params import parse_yaml
from makemore.tools import lockfile
from makemore.tools.comparison import CLOSE, DIFFERENT, EQUAL, compare
from makemore.tools.dvc_yaml import definitions

LOCK = Path("dvc.lock")
COLORS = {EQUAL: "green", CLOSE: "yellow", DIFFERENT: "red"}


def main(
    tolerance: Annotated[
        float, typer.Option(min=0, help="largest accepted difference between two losses, in nats per token")
    ] = 0.005,
) -> None:
    """Compare the outputs of every stage with those in git's HEAD, for example after `dvc repro` on ARM or with CUDA.

    x86-64 processors give equal bytes. Elsewhere training rounds differently: AVX-512 instead of AVX2 changes the dev
    loss of mlp by 0.0013. A model is within tolerance if its losses are: those on train, dev and test, and before
    training. Its weights, curve and samples may then differ. The exit code is 1 if any stage is different.
    """
    committed = parse_yaml(of_head(LOCK).decode(), str(LOCK))["stages"]
    stages = definitions()
    rows = compare({name: entry for name, entry in committed.items() if name in stages}, of_head, tolerance)
    table = Table("stage", "compared with HEAD", Column(overflow="fold"))
    for row in rows:
        table.add_row(row.stage, f"[{COLORS[row.result]}]{row.result}", row.note)
    Console().print(table)
    counts = Counter(row.result for row in rows)
    print(f"{counts[EQUAL]} equal bytes, {counts[CLOSE]} within {tolerance:g} nats, {counts[DIFFERENT]} different")
    if counts[DIFFERENT]:
        raise typer.Exit(1)


def of_head(path: Path) -> bytes:
    content = lockfile.committed(path)
    if content is None:
        raise ValueError(f"{path}: not in git's HEAD, so there is nothing to compare with")
    return content


app = command(main)
if __name__ == "__main__":
    app()
