"""How far long work has come: a bar on a terminal, now and then a plain line elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

SECONDS = 5.0  # between two plain lines


@contextmanager
def progress(title: str, total: int, unit: str, output: TextIO | None = None) -> Iterator[Callable[[int, str], None]]:
    """Yields `report(done, note)`, to be called as the work goes on with how much is done and a figure to show.

    Nothing is shown where `output`, to which the work itself is written meanwhile, is a terminal.
    """
    if output and output.isatty():
        yield lambda done, note: None
        return
    start = time.monotonic()

    def rate(done: int) -> str:
        return f"{done / max(time.monotonic() - start, 1e-9):,.0f} {unit}/s"

    console = Console(stderr=True)
    if console.is_terminal:
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        note = TextColumn("{task.fields[note]}")
        with Progress(*columns, note, console=console, transient=True, redirect_stdout=False) as bar:
            task = bar.add_task(title, total=total, note="")
            yield lambda done, note: bar.update(task, completed=done, note=f"{rate(done)}  {note}")
        return

    last = start

    def report(done: int, note: str) -> None:
        nonlocal last
        if time.monotonic() - last > SECONDS:
            last = time.monotonic()
            print(f"{title}: {done:,} of {total:,} {unit}, {rate(done)}  {note}", file=sys.stderr, flush=True)

    yield report
