"""The tables of models, from their metrics. Not a stage of the pipeline: it writes nothing that the pipeline reads."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from _stage import DevPath, TrainPath, command
from makemore import names, results
from makemore.files import write_bytes


def main(
    metrics: Annotated[Path, typer.Option(help="where the metrics of the models are")] = Path("metrics"),
    write: Annotated[Path | None, typer.Option(help="put the table, as Markdown, into this file")] = None,
    page: Annotated[Path | None, typer.Option(help="write the comparison of models, and time.png beside it")] = None,
    seconds: Annotated[Path, typer.Option(help="of the trainings, for the page")] = Path("benchmarks/seconds.csv"),
    train: TrainPath = Path("data/splits/train.txt"),
    dev: DevPath = Path("data/splits/dev.txt"),
    samples: Annotated[Path, typer.Option(help="where the samples are, for the page")] = Path("data/samples"),
) -> None:
    """Show what each model reached, best last: losses in nats a predicted token, end token included."""
    models = results.read(metrics)
    table = results.table(models)
    if write:
        results.insert(write, results.markdown(table))
        print(f"{write}: {len(table)} models")
    if page:
        from makemore import figures  # here, since matplotlib takes as long as all else

        taken = results.read_seconds(seconds)
        text = results.page(models, taken, metrics / "samples", names.read(train), names.read(dev))
        write_bytes(page, (text + results.samples(models, samples)).encode())
        timed = {model.model: taken[model.model] for model in models if model.model in taken}
        losses = {model.model: model.dev for model in models}
        figures.save(page.with_name("time.png"), figures.loss_by_time(timed, losses))
        print(f"{page}: {len(models)} models")
    if not write and not page:
        Console().print(results.rich_table(table))


app = command(main)
if __name__ == "__main__":
    app()
