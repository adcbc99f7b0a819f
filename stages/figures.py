"""The lectures' pictures, and what they show as data, for `dvc plots`."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from _stage import TrainPath, VocabPath, command
from makemore import bigrams, figures, files
from makemore.vocab import Vocab, read_tokens


def main(
    models: Annotated[list[str], typer.Argument(metavar="MODEL", help="the models to compare")],
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    mlp: Annotated[Path, typer.Option(help="the model whose embedding is drawn")] = Path("models/mlp.safetensors"),
    curve: Annotated[list[Path], typer.Option(help="learning curves to draw")] = [  # noqa: B006 (Typer copies it)
        Path("metrics/curves/neural_bigram.csv"),
        Path("metrics/curves/mlp.csv"),
    ],
    strengths: Annotated[Path, typer.Option(help="losses against the strength of a smoothing")] = Path(
        "metrics/curves/trigram_tuned_strength.csv"
    ),
    sweep: Annotated[Path, typer.Option(help="losses against the learning rate")] = Path("metrics/curves/find_lr.csv"),
    units: Annotated[Path, typer.Option(help="shares of the tanh units before training")] = Path(
        "metrics/curves/initialization.csv"
    ),
    metrics: Annotated[Path, typer.Option(help="where the metrics of the models are")] = Path("metrics"),
    folder: Annotated[Path, typer.Option(help="where the figures go")] = Path("metrics/figures"),
) -> None:
    """Draw bigram counts, learning curves, learning rates, first activations, embedding, smoothing, models on dev."""
    vocabulary = Vocab.read(vocab)
    size, tokens = len(vocabulary), read_tokens(train, vocabulary)
    frequent = bigrams.frequent(tokens, size)  # (S,)
    itos = [vocabulary.itos[i] for i in frequent]
    which = f"\n(the {bigrams.SHOWN} most frequent of {size:,} characters)" if size > bigrams.SHOWN else ""

    table = bigrams.counts(tokens, frequent, size)[:, frequent]  # (S, S)
    pairs = ((itos[i], itos[j], int(count)) for (i, j), count in np.ndenumerate(table))
    files.write_csv(folder / "bigram_counts.csv", ("character", "next", "count"), pairs)
    figures.save(folder / "bigram_counts.png", figures.bigram_counts(table, itos, which))

    columns = {path.stem: files.read_csv(path) for path in curve}
    curves = {name: (column["step"], column["loss"]) for name, column in columns.items()}
    figures.save(folder / "loss_curves.png", figures.loss_curves(curves, size))

    arrays, _ = files.read_safetensors(mlp)
    points = figures.principal_components(arrays["C"])[frequent]  # (S, 2)
    files.write_csv(folder / "embedding.csv", ("character", "x", "y"), zip(itos, *points.T.tolist(), strict=True))
    dimensions = arrays["C"].shape[1]
    shown = f": 2 principal components of {dimensions}" if dimensions > 2 else ""
    figures.save(folder / "embedding.png", figures.embedding(points, itos, f"Embedding of the MLP{shown}{which}"))

    tried = files.read_csv(strengths)
    together = tried["order"] == 0  # the rows in which all orders have the same strength
    losses = {split: tried[split][together] for split in ("train", "dev")}
    title = f"Smoothing: {strengths.stem.removesuffix('_strength')}"
    figures.save(folder / "smoothing.png", figures.smoothing(tried["strength"][together], losses, title))

    rates, found = files.read_csv(sweep), files.read_json(metrics / "training" / "find_lr.json")
    good = found["lowest"], found["highest"]
    figures.save(folder / "find_lr.png", figures.learning_rates(rates["lr"], rates["loss"], good))

    shares, first = files.read_csv(units), files.read_json(metrics / "training" / "initialization.json")
    edges = np.append(shares.pop("from"), shares.pop("to")[-1])
    begin = {name: first[name]["initial_loss"] for name in shares}
    figures.save(folder / "initialization.png", figures.initializations(edges, shares, begin, size))

    dev = {name: files.read_json(metrics / f"{name}.json")["dev"] for name in models}
    ranked = sorted(models, key=lambda name: -dev[name]["nll"])
    nll = {name: dev[name]["nll"] for name in ranked}
    errors = {name: dev[name]["nll_se"] for name in ranked}
    files.write_csv(
        folder / "models.csv", ("model", "nll", "nll_se"), zip(ranked, nll.values(), errors.values(), strict=True)
    )
    figures.save(folder / "models.png", figures.comparison(nll, errors, size))
    print(f"{folder}: {len(list(folder.glob('*.png')))} pictures; best on dev: {ranked[-1]}")


app = command(main)
if __name__ == "__main__":
    app()
