"""Split the names into train, dev and test."""

from pathlib import Path
from typing import Annotated

from _stage import NamesPath, command

import typer

from makemore.core import names
from makemore.lists import splits
from makemore.lists.splits import SplitParams


def main(
    params: SplitParams,
    names_file: NamesPath = Path("data/clean.txt"),
    folder: Annotated[Path, typer.Option(help="folder to write the three files to")] = Path("data/splits"),
) -> None:
    """Shuffle the names and split them into train, dev and test."""
    text = names.read(names_file)
    try:
        parts = splits.split(text, params)
    except ValueError as error:
        raise ValueError(f"{names_file}: {error}") from None
    sizes = []
    for name, part in zip(splits.NAMES, parts, strict=True):
        names.write(folder / f"{name}.txt", part)
        sizes.append(f"{names.count(part):,} {name}")
    print(f"{folder}: {', '.join(sizes)} names")


app = command(main, params="split")
if __name__ == "__main__":
    app()
