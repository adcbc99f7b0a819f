"""Progress of long operations: a bar on a terminal, an occasional plain line elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from makemore.core.terminal import visible

SECONDS = 5.0  # between plain lines

Update = Callable[[int, str], None]  # called with the amount done so far and a note to show beside it


def silent(done: int, note: str) -> None:
    """An `Update` that shows nothing."""


@contextmanager
def progress(title: str, total: int, unit: str, output: TextIO | None = None) -> Iterator[Update]:
    """Yields the `Update` to call as the work proceeds.

    Args:
        output: where the work writes its results. If that is a terminal, no progress is shown.
    """
    if output and output.isatty():
        yield silent
        return
    title = visible(title)
    start = time.monotonic()

    def rate(done: int) -> str:
        return f"{done / max(time.monotonic() - start, 1e-9):,.0f} {unit}/s"

    console = Console(stderr=True)
    if console.is_terminal:
        before = TextColumn("{task.description}", markup=False)
        after = TextColumn("{task.fields[note]}", markup=False)
        columns = before, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), after
        with Progress(*columns, console=console, transient=True, redirect_stdout=False) as bar:
            task = bar.add_task(title, total=total, note="")
            yield lambda done, note: bar.update(task, completed=done, note=f"{rate(done)}  {visible(note)}")
        return

    last = start

    def update(done: int, note: str) -> None:
        nonlocal last
        if time.monotonic() - last > SECONDS:
            last = time.monotonic()
            print(f"{title}: {done:,} of {total:,} {unit}, {rate(done)}  {visible(note)}", file=sys.stderr, flush=True)

    yield update
