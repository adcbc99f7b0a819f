"""Create a project for another list. This is not a pipeline stage."""

import shlex
from pathlib import Path
from typing import Annotated

from _stage import PARAMS, command

import typer

from makemore.core import names
from makemore.core.params import check, read_section
from makemore.core.vocab import Vocab
from makemore.lists import cleaning, splits
from makemore.lists.cleaning import CleanParams
from makemore.lists.splits import SplitParams
from makemore.tools import project


def main(
    params: CleanParams,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="folder of the new project")],
    names_file: Annotated[Path, typer.Option("--names", metavar="FILE", help="list of names, one per line, in UTF-8")],
) -> None:
    """Create a project for another list: the files of this checkout, the list, and a git repository.

    The command checks the list first and creates nothing if `dvc repro` would reject it. The options define how the
    list is cleaned. They are written to the new params.yaml, along with other values that the list requires, see
    docs/lists.md.
    """
    project.check_free(folder)
    content = names_file.read_bytes()
    text = cleaning.clean(content, str(names_file), params)
    try:
        splits.split(text, check(SplitParams, read_section(PARAMS, "split"), lambda key: f"{PARAMS}: split.{key}"))
    except ValueError as error:
        raise ValueError(f"{names_file}: {error}") from None
    values = {f"clean.{key}": value for key, value in params.model_dump().items()}
    values |= project.demands(text, read_section(PARAMS, ""))
    project.make(Path(), folder, {project.NAMES: content}, {"params.yaml": values})
    lengths = names.bounds(text)[1]
    sizes = f"{lengths.min()} to {lengths.max()} characters, {len(Vocab.of(text)) - 1:,} distinct characters"
    print(f"{folder}: {len(lengths):,} names of {sizes}")
    print(f"params.yaml: {', '.join(f'{key}: {value}' for key, value in values.items())}")
    there = shlex.quote(str(folder))
    print(f"next: cd {there} && dvc repro   (without an active environment: cd {there} && make repro)")


app = command(main, params="clean")
if __name__ == "__main__":
    app()
