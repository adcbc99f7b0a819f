"""Exercise E02 of the second lecture: what a network's first weights do to its first loss and to its tanh units."""

import math
from pathlib import Path
from typing import Annotated, get_args

import numpy as np
import torch
import typer
from pydantic import Field

from _stage import TrainPath, VocabPath, command
from makemore.core.files import write_csv, write_json
from makemore.core.params import Seed
from makemore.core.vocab import Vocab, read_tokens
from makemore.models.mlp import MLP, Initialization, MLPParams, Shape
from makemore.nn.neural import LOGITS, distinct_examples

EDGES = np.linspace(-1, 1, 41)


class Params(Shape):
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
    for name in get_args(Initialization):
        shape = MLPParams(**params.model_dump(exclude={"seed"}), initialization=name, examples="distinct")
        network = MLP(shape, len(vocabulary), torch.Generator().manual_seed(params.seed))
        with torch.no_grad():
            loss, units = float(network.loss(contexts, weights)), network.hidden(contexts)  # (), (U, H)
        found[name] = {"initial_loss": loss, **network.diagnosis(contexts)}
        counts, _ = np.histogram(units.numpy(), EDGES)
        shares.append(counts / counts.sum())
    write_json(metrics, {"uniform_loss": uniform, **found})
    columns = ("from", "to", *get_args(Initialization))
    write_csv(activations, columns, zip(EDGES[:-1], EDGES[1:], *shares, strict=True))
    first = ", ".join(f"{name} {figures['initial_loss']:.4f}" for name, figures in found.items())
    print(f"{metrics}: first loss {first}, of a uniform model {uniform:.4f} nats per token")


app = command(main, params="initialization")
if __name__ == "__main__":
    app()
