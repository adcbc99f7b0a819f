"""Clean the raw list of names."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from _stage import RawPath, command

import numpy as np
import typer

from makemore.core import names
from makemore.core.names import Text
from makemore.lists import cleaning
from makemore.lists.cleaning import CleanParams


def main(
    params: CleanParams,
    names_file: RawPath = Path("data/names.txt"),
    output: Annotated[Path, typer.Option(help="cleaned list to write")] = Path("data/clean.txt"),
) -> None:
    """Check the raw list and normalize its Unicode; optionally also its case, white space and dots."""
    lengths: Counter[int] = Counter()  # of names, in characters

    def cleaned() -> Iterator[Text]:
        for lines in raw:
            text = cleaning.clean(lines, str(names_file), params)
            lengths.update(dict(enumerate(np.bincount(names.bounds(text)[1]).tolist())))
            yield text

    raw = names.read_lines(names_file)
    names.write_blocks(output, cleaned())
    found = [length for length, count in lengths.items() if count]
    print(f"{output}: {lengths.total():,} names of {min(found)} to {max(found)} characters")


app = command(main, params="clean")
if __name__ == "__main__":
    app()
