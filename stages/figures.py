"""Draw the lectures' figures and write the tables for `dvc plots`."""

from pathlib import Path
from typing import Annotated

from _stage import DataPath, MetricsPath, ModelsPath, command

import typer

from makemore.core.files import write_csv
from makemore.core.terminal import visible
from makemore.reporting import figures, plots
from makemore.reporting.inputs import Inputs


def main(
    data: DataPath = Path("data"),
    models: ModelsPath = Path("models"),
    metrics: MetricsPath = Path("metrics"),
    folder: Annotated[Path, typer.Option(help="folder to write the figures to")] = Path("metrics/figures"),
    tables: Annotated[Path, typer.Option(help="folder to write the tables to")] = Path("metrics/plots"),
) -> None:
    """Draw the lectures' figures, and write the tables for `dvc plots`."""
    inputs = Inputs(data, models, metrics)
    for name, draw in figures.FIGURES.items():
        figures.save(folder / f"{name}.png", draw(inputs))
    for name, tabulate in plots.PLOTS.items():
        write_csv(tables / f"{name}.csv", *tabulate(inputs))
    print(visible(f"{folder}: {len(figures.FIGURES)} figures; best model on dev: {inputs.results[-1].model}"))


app = command(main)
if __name__ == "__main__":
    app()
