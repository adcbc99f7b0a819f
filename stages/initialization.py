"""Exercise E02 of the second lecture: what a network's first weights do to its first loss and to its tanh units."""

import math
from pathlib import Path
from typing import Annotated, get_args

import numpy as np
import torch
import typer
from pydantic import Field

from _stage import TrainPath, VocabPath, command
from makemore import files, mlp
from makemore.neural import LOGITS, distinct_examples
from makemore.params import Seed
from makemore.vocab import Vocab, read_tokens

EDGES = np.linspace(-1, 1, 41)


class Params(mlp.Shape):
    """An MLP that is not trained."""

    seed: Annotated[Seed, Field(description="of the weights")]


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    metrics: Annotated[Path, typer.Option(help="first losses, to write")] = Path(
        "metrics/training/initialization.json"
    ),
    activations: Annotated[Path, typer.Option(help="shares of the tanh units, to write")] = Path(
        "metrics/curves/initialization.csv"
    ),
) -> None:
    """Compare the first loss and the first activations under each initialization, before any training."""
    vocabulary = Vocab.read(vocab)
    tokens = read_tokens(train, vocabulary)
    ends = np.flatnonzero(tokens == 0) + 1
    fitting = int(np.count_nonzero(ends <= LOGITS // len(vocabulary)))  # names, which are all unless memory is short
    contexts, followers = distinct_examples(tokens[: ends[max(0, fitting - 1)]], params.context, len(vocabulary))
    weights = followers.all()  # (U, V)
    uniform = math.log(len(vocabulary))
    found, shares = {}, []
    for name in get_args(mlp.Initialization):
        shape = mlp.Params(**params.model_dump(exclude={"seed"}), initialization=name, examples="distinct")
        network = mlp.build(shape, len(vocabulary), torch.Generator().manual_seed(params.seed))
        with torch.no_grad():
            loss, units = float(network.loss(contexts, weights)), network.hidden(contexts)  # (), (U, H)
        found[name] = {"initial_loss": loss, **network.diagnosis(contexts)}
        counts, _ = np.histogram(units.numpy(), EDGES)
        shares.append(counts / counts.sum())
    files.write_json(metrics, {"uniform_loss": uniform, **found})
    columns = ("from", "to", *get_args(mlp.Initialization))
    files.write_csv(activations, columns, zip(EDGES[:-1], EDGES[1:], *shares, strict=True))
    first = ", ".join(f"{name} {figures['initial_loss']:.4f}" for name, figures in found.items())
    print(f"{metrics}: first loss {first}, of a uniform model {uniform:.4f} nats a token")


app = command(main, params="initialization")
if __name__ == "__main__":
    app()
