"""A names file from a file of the U.S. Social Security Administration. Not a stage: `data/names.txt` is raw data."""

from pathlib import Path
from typing import Annotated

import typer

from _stage import command
from makemore.core import names
from makemore.tools import ssa


def main(
    yob: Annotated[Path, typer.Argument(metavar="YOB", help="a file yobYYYY.txt, rows of Name,Sex,Births")],
    drop: Annotated[Path | None, typer.Option(help="a CSV file name,sex of rows to leave out")] = None,
    output: Annotated[Path, typer.Option(help="the names file to write")] = Path("data/names.txt"),
) -> None:
    """Make a names file: the file's order, lower case, one name a line."""
    text = ssa.read(yob, drop)
    names.write(output, text)
    print(f"{output}: {names.count(text):,} names")


app = command(main)
if __name__ == "__main__":
    app()
