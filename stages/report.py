"""One page with all results, and models that run in it."""

from pathlib import Path
from typing import Annotated

import typer

from _stage import TrainPath, VocabPath, command
from makemore import names, report, results
from makemore.files import write_bytes
from makemore.vocab import Vocab


def main(
    models: Annotated[list[str], typer.Argument(metavar="MODEL", help="the models to compare")],
    params: report.Params,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    folder: Annotated[Path, typer.Option(help="where the models are")] = Path("models"),
    samples: Annotated[Path, typer.Option(help="where the names are that they made up")] = Path("data/samples"),
    metrics: Annotated[Path, typer.Option(help="where the metrics of the models are")] = Path("metrics"),
    strengths: Annotated[Path, typer.Option(help="losses against the strength of a smoothing")] = Path(
        "metrics/curves/trigram_tuned_strength.csv"
    ),
    exercises: Annotated[Path, typer.Option(help="the lectures' exercises, answered")] = Path("docs/exercises.md"),
    page: Annotated[Path, typer.Option(help="to write")] = Path("metrics/report.html"),
) -> None:
    """Write one HTML file with the table of models, the lectures' figures, samples, exercises, and models to try."""
    vocabulary = Vocab.read(vocab)
    text = names.read(train)
    tokens = vocabulary.encode(text, str(train))
    known = names.is_in(names.from_string(f"{report.EXAMPLE}\n"), text).all()
    example = report.EXAMPLE if known else names.to_string(names.first(text, 1)).rstrip("\n")
    live = [report.embed(name, folder / f"{name}.safetensors", vocabulary) for name in params.live]
    ranked = results.read(metrics, models)
    curves = [model.model for model in reversed(ranked) if (metrics / "curves" / f"{model.model}.csv").exists()]
    charts = report.figures(metrics, strengths, curves, vocabulary, report.bigrams(tokens, vocabulary))
    html = report.page(
        ranked,
        live,
        charts,
        vocabulary,
        int((tokens == 0).sum()),
        example,
        report.samples(ranked, samples, metrics / "samples"),
        report.answers(exercises.read_text(encoding="utf-8")),
    )
    write_bytes(page, html.encode())
    large = report.too_large(live)
    alive = f"{len(live) - len(large)} of them alive" + (f" ({', '.join(large)} are too large)" if large else "")
    print(f"{page}: {len(ranked)} models, {alive}; {len(html.encode()) / 1e6:.1f} MB")


app = command(main, params="report")
if __name__ == "__main__":
    app()
