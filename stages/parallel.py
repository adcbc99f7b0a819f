"""Run the pipeline with several stages at a time. It is not a pipeline stage; `make repro JOBS=2` runs it."""

import logging
import os
from typing import Annotated

from _stage import command

import typer


def main(
    jobs: Annotated[int, typer.Option(min=1, help="stages that run at a time; by default, one for each processor")] = (
        os.cpu_count() or 1
    ),
) -> None:
    """Run the stages that are out of date, as `dvc repro` does, but several at a time."""
    os.environ.setdefault("TTY_COMPATIBLE", "0")  # lines of progress, since bars of several stages would overlap
    from dvc.exceptions import DvcException
    from dvc.ui import ui

    from makemore.tools.parallel import reproduce  # slow to import, as DVC is

    ui.enable()
    logging.getLogger("dvc").setLevel(logging.INFO)
    try:
        reproduce(jobs)
    except DvcException as error:
        raise ValueError(str(error)) from None


app = command(main)
if __name__ == "__main__":
    app()
