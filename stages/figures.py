"""Draw the lectures' figures, and tabulate the data of `dvc plots`."""

from pathlib import Path
from typing import Annotated

import typer

from _stage import DataPath, MetricsPath, ModelsPath, command
from makemore.core.files import write_csv
from makemore.reporting import figures, plots
from makemore.reporting.inputs import Inputs


def main(
    data: DataPath = Path("data"),
    models: ModelsPath = Path("models"),
    metrics: MetricsPath = Path("metrics"),
    folder: Annotated[Path, typer.Option(help="folder of the figures to write")] = Path("metrics/figures"),
    tables: Annotated[Path, typer.Option(help="folder of the tables to write")] = Path("metrics/plots"),
) -> None:
    """Draw bigram counts, learning curves, learning rates, first activations, embedding, smoothing, and all models."""
    inputs = Inputs(data, models, metrics)
    for name, draw in figures.FIGURES.items():
        figures.save(folder / f"{name}.png", draw(inputs))
    for name, tabulate in plots.PLOTS.items():
        write_csv(tables / f"{name}.csv", *tabulate(inputs))
    print(f"{folder}: {len(figures.FIGURES)} figures; best model on dev: {inputs.results[-1].model}")


app = command(main)
if __name__ == "__main__":
    app()
