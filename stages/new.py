"""A project of your own, for another list. Not a stage of the pipeline."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from _stage import PARAMS, command
from makemore.core import names
from makemore.core.params import check, read_section
from makemore.core.vocab import Vocab
from makemore.lists import cleaning, splits
from makemore.lists.cleaning import CleanParams
from makemore.lists.splits import SplitParams
from makemore.tools import project


def main(
    params: CleanParams,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="of the new project")],
    names_file: Annotated[Path, typer.Option("--names", metavar="FILE", help="the list, one name a line, in UTF-8")],
) -> None:
    """Make a project for another list: this checkout's files, the list as data/names.txt, a git repository.

    The list is looked at first: what `dvc repro` would refuse is refused here, and nothing is made. The options say how
    it is cleaned, and stand in the new params.yaml, with what else the list demands there: see docs/lists.md.
    """
    project.check_free(folder)
    content = names_file.read_bytes()
    text = cleaning.clean(content, str(names_file), params)
    try:
        splits.split(text, check(SplitParams, read_section(PARAMS, "split"), lambda key: f"{PARAMS}: split.{key}"))
    except ValueError as error:
        raise ValueError(f"{names_file}: {error}") from None
    demanded = project.demands(text, read_section(PARAMS, ""))
    cleaned = {f"clean.{key}": value for key, value in params.model_dump().items()}
    project.make(Path(), folder, content, cleaned | demanded)
    lengths = names.bounds(text)[1]
    sizes = f"{lengths.min()} to {lengths.max()} characters, {len(Vocab.of(text)) - 1:,} different ones"
    print(f"{folder}: {len(lengths):,} names of {sizes}")
    print(f"params.yaml: {', '.join(f'{key}: {value}' for key, value in (cleaned | demanded).items())}")
    there = shlex.quote(str(folder))
    print(f"next: cd {there} && dvc repro   (where the environment is not active: cd {there} && make repro)")


app = command(main, params="clean")
if __name__ == "__main__":
    app()
