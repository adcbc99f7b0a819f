"""Show the table of models. This is not a pipeline stage; nothing depends on its output."""

from pathlib import Path
from typing import Annotated

from _stage import DataPath, MetricsPath, ModelsPath, command

import typer
from rich.console import Console

from makemore.core.files import write_bytes
from makemore.reporting import tables
from makemore.reporting.inputs import Inputs


def main(
    data: DataPath = Path("data"),
    models: ModelsPath = Path("models"),
    metrics: MetricsPath = Path("metrics"),
    write: Annotated[Path | None, typer.Option(help="insert the table into this Markdown file")] = None,
    page: Annotated[
        Path | None, typer.Option(help="write a comparison of the models to this file, and time.png next to it")
    ] = None,
    seconds: Annotated[Path, typer.Option(help="training times for the comparison")] = Path("benchmarks/seconds.csv"),
) -> None:
    """Show the losses of all models in nats per token, best last. The end token counts."""
    inputs = Inputs(data, models, metrics, metrics / "test.json")
    results = inputs.results
    if write:
        tables.insert(write, tables.markdown(tables.rows(results)))
        print(f"{write}: {len(results)} models")
    if page:
        from makemore.reporting import figures  # imports matplotlib, which doubles the running time

        known = tables.read_seconds(seconds)
        write_bytes(page, (tables.document(inputs, known) + tables.samples(inputs)).encode())
        timed = {result.model: known[result.model] for result in results if result.model in known}
        losses = {result.model: result["dev.nll"] for result in results}
        figures.save(page.with_name("time.png"), figures.loss_by_time(timed, losses))
        print(f"{page}: {len(results)} models")
    if not write and not page:
        Console().print(tables.rich_table(results))


app = command(main)
if __name__ == "__main__":
    app()
