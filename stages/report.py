"""Write the page: all results, and models that run in it."""

from pathlib import Path
from typing import Annotated

import typer

from _stage import DataPath, MetricsPath, ModelsPath, command
from makemore.core.files import write_bytes
from makemore.reporting.inputs import Inputs
from makemore.reporting.page import Params, make_page


def main(
    params: Params,
    data: DataPath = Path("data"),
    models: ModelsPath = Path("models"),
    metrics: MetricsPath = Path("metrics"),
    exercises: Annotated[Path, typer.Option(help="answers to the lectures' exercises")] = Path("docs/exercises.md"),
    page: Annotated[Path, typer.Option(help="page to write")] = Path("metrics/report.html"),
) -> None:
    """Write one HTML file with the table of models, the lectures' figures, samples, exercises and live models."""
    made = make_page(Inputs(data, models, metrics, metrics / "test.json"), params.live, exercises.read_text("utf-8"))
    html = made.html().encode()
    write_bytes(page, html)
    large = made.too_large
    live = f"{len(made.live) - len(large)} live" + (f" ({', '.join(large)} are too large)" if large else "")
    print(f"{page}: {len(made.results)} models, {live}; {len(html) / 1e6:.1f} MB")


app = command(main, params="report")
if __name__ == "__main__":
    app()
