"""Create a names file from a file of the U.S. Social Security Administration.

This is not a pipeline stage, since `data/names.txt` is raw data.
"""

from pathlib import Path
from typing import Annotated

from _stage import command

import typer

from makemore.core import names
from makemore.tools import ssa


def main(
    yob: Annotated[Path, typer.Argument(metavar="YOB", help="file yobYYYY.txt with rows Name,Sex,Births")],
    drop: Annotated[Path | None, typer.Option(help="CSV file name,sex that lists rows to leave out")] = None,
    output: Annotated[Path, typer.Option(help="names file to write")] = Path("data/names.txt"),
) -> None:
    """Create a names file: lower case, in the order of the file, one name per line."""
    text = ssa.read(yob, drop)
    names.write(output, text)
    print(f"{output}: {names.count(text):,} names")


app = command(main)
if __name__ == "__main__":
    app()
