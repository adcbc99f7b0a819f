"""Split the names into train, dev and test."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from _stage import NamesPath, command

import typer

from makemore.core import names
from makemore.core.files import writing
from makemore.lists import splits
from makemore.lists.splits import SplitParams


def main(
    params: SplitParams,
    names_file: NamesPath = Path("data/clean.txt"),
    folder: Annotated[Path, typer.Option(help="folder to write the three files to")] = Path("data/splits"),
) -> None:
    """Shuffle the names and split them into train, dev and test."""
    text = names.blocks(names_file)
    sizes = dict.fromkeys(splits.NAMES, 0)
    with ExitStack() as stack:
        files = [stack.enter_context(writing(folder / f"{name}.txt")) for name in sizes]
        for parts in splits.split_blocks(text, str(names_file), params):
            for name, file, part in zip(sizes, files, parts, strict=True):
                file.write(names.to_string(part).encode())
                sizes[name] += names.count(part)
    print(f"{folder}: {', '.join(f'{size:,} {name}' for name, size in sizes.items())} names")


app = command(main, params="split")
if __name__ == "__main__":
    app()
