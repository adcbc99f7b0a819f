"""The lectures' pictures, and what they show as data, for `dvc plots`."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from _stage import TrainPath, VocabPath, command
from makemore import figures, files
from makemore.contexts import counted
from makemore.vocab import Vocab, read_tokens


def main(
    models: Annotated[list[str], typer.Argument(metavar="MODEL...", help="the models to compare")],
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    mlp: Annotated[Path, typer.Option(help="the model whose embedding is drawn")] = Path("models/mlp.safetensors"),
    curve: Annotated[list[Path], typer.Option(help="learning curves to draw")] = [  # noqa: B006 (Typer copies it)
        Path("metrics/curves/neural_bigram.csv"),
        Path("metrics/curves/mlp.csv"),
    ],
    metrics: Annotated[Path, typer.Option(help="where the metrics of the models are")] = Path("metrics"),
    folder: Annotated[Path, typer.Option(help="where the figures go")] = Path("metrics/figures"),
) -> None:
    """Draw the bigram counts, the learning curves, the embedding, and the comparison of all models on dev."""
    vocabulary = Vocab.read(vocab)
    itos, size = vocabulary.itos, len(vocabulary)

    rows, counts = counted(read_tokens(train, vocabulary), 1, size)
    table = np.zeros((size, size), dtype=np.int64)  # (V, V)
    table[rows[:, 0]] = counts
    pairs = ((itos[i], itos[j], int(count)) for (i, j), count in np.ndenumerate(table))
    files.write_csv(folder / "bigram_counts.csv", ("character", "next", "count"), pairs)
    figures.save(folder / "bigram_counts.png", figures.bigram_counts(table, itos))

    columns = {path.stem: files.read_csv(path) for path in curve}
    curves = {name: (column["step"], column["loss"]) for name, column in columns.items()}
    figures.save(folder / "loss_curves.png", figures.loss_curves(curves, size))

    arrays, _ = files.read_safetensors(mlp)
    points = figures.principal_components(arrays["C"])  # (V, 2)
    files.write_csv(folder / "embedding.csv", ("character", "x", "y"), zip(itos, *points.T.tolist(), strict=True))
    title = f"Embedding of the MLP, {arrays['C'].shape[1]} dimensions"
    figures.save(folder / "embedding.png", figures.embedding(points, itos, title))

    dev = {name: files.read_json(metrics / f"{name}.json")["dev"] for name in models}
    nll = {name: values["nll"] for name, values in dev.items()}
    errors = {name: values["nll_se"] for name, values in dev.items()}
    files.write_csv(
        folder / "models.csv", ("model", "nll", "nll_se"), ((name, nll[name], errors[name]) for name in models)
    )
    figures.save(folder / "models.png", figures.comparison(nll, errors, size))
    print(
        f"{folder}: bigram_counts, loss_curves, embedding, models; best on dev: {min(nll, key=lambda name: nll[name])}"
    )


app = command(main)
if __name__ == "__main__":
    app()
