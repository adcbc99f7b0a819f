"""Write the page with all results, and with models that run in the browser."""

from pathlib import Path
from typing import Annotated

from _stage import DataPath, MetricsPath, ModelsPath, command

import typer

from makemore.core.files import write_bytes
from makemore.core.terminal import visible
from makemore.reporting.inputs import Inputs
from makemore.reporting.page import Params, make_page


def main(
    params: Params,
    data: DataPath = Path("data"),
    models: ModelsPath = Path("models"),
    metrics: MetricsPath = Path("metrics"),
    exercises: Annotated[Path, typer.Option(help="answers to the exercises to read")] = Path("docs/exercises.md"),
    page: Annotated[Path, typer.Option(help="page to write")] = Path("metrics/report.html"),
) -> None:
    """Write one HTML file with the table of models, the lectures' figures, samples, exercises and live models."""
    inputs = Inputs(data, models, metrics, metrics / "test.json")
    contents = make_page(inputs, params.live, exercises.read_text("utf-8"))
    html = contents.html().encode()
    write_bytes(page, html)
    large = contents.too_large
    live = f"{len(contents.live) - len(large)} live" + (f" ({', '.join(large)} are too large)" if large else "")
    print(visible(f"{page}: {len(contents.results)} models, {live}; {len(html) / 1e6:.1f} MB"))


app = command(main, params="report")
if __name__ == "__main__":
    app()
