"""The table of models, from their metrics. Not a stage of the pipeline: it writes nothing that the pipeline reads."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from _stage import command
from makemore import results


def main(
    metrics: Annotated[Path, typer.Option(help="where the metrics of the models are")] = Path("metrics"),
    write: Annotated[Path | None, typer.Option(help="put the table, as Markdown, into this file")] = None,
) -> None:
    """Show what each model reached, best last: losses in nats a predicted token, end token included."""
    table = results.read(metrics)
    if write:
        results.insert(write, results.markdown(table))
        print(f"{write}: {len(table)} models")
    else:
        Console().print(results.rich_table(table))


app = command(main)
if __name__ == "__main__":
    app()
