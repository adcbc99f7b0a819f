"""Clean the raw list of names."""

from pathlib import Path
from typing import Annotated

from _stage import RawPath, command

import typer

from makemore.core import names
from makemore.lists import cleaning
from makemore.lists.cleaning import CleanParams


def main(
    params: CleanParams,
    names_file: RawPath = Path("data/names.txt"),
    output: Annotated[Path, typer.Option(help="cleaned list to write")] = Path("data/clean.txt"),
) -> None:
    """Check the raw list and normalize its Unicode; optionally also its case, white space and dots."""
    text = cleaning.clean(names_file.read_bytes(), str(names_file), params)
    names.write(output, text)
    lengths = names.bounds(text)[1]
    print(f"{output}: {len(lengths):,} names of {lengths.min()} to {lengths.max()} characters")


app = command(main, params="clean")
if __name__ == "__main__":
    app()
