"""Compare initializations of the MLP before training: exercise E02 of the second lecture."""

import math
from pathlib import Path
from typing import Annotated

from _stage import TrainPath, VocabPath, command

import numpy as np
import torch
import typer
from pydantic import Field

from makemore.core.files import write_csv, write_json
from makemore.core.params import Seed
from makemore.core.vocab import Vocab, read_tokens
from makemore.models.mlp import INITIALIZATIONS, MLP, MLPParams, Shape
from makemore.nn.neural import LOGITS, distinct_examples

EDGES = np.linspace(-1, 1, 41)
COMPARED = [name for name in INITIALIZATIONS if name not in ("perturbed", "zeros")]


class Params(Shape):
    """The shape of an untrained MLP."""

    seed: Annotated[Seed, Field(description="seed of the weights")]


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    metrics: Annotated[Path, typer.Option(help="initial losses to write")] = Path(
        "metrics/training/initialization.json"
    ),
    activations: Annotated[Path, typer.Option(help="histograms of the tanh activations to write")] = Path(
        "metrics/curves/initialization.csv"
    ),
) -> None:
    """Compare the loss and the activations of an untrained MLP under each initialization."""
    vocabulary = Vocab.read(vocab)
    tokens = read_tokens(train, vocabulary)
    ends = np.flatnonzero(tokens == 0) + 1
    # names that fit in memory: all of them, unless the list or the vocabulary is large
    fitting = int(np.count_nonzero(ends <= LOGITS // len(vocabulary)))
    contexts, followers = distinct_examples(tokens[: ends[max(0, fitting - 1)]], params.context, len(vocabulary))
    weights = followers.all()  # (U, V)
    uniform = math.log(len(vocabulary))
    results, shares = {}, []
    for name in COMPARED:
        choices = {"initialization": name, "examples": "distinct", "gradients": "autograd"}
        shape = MLPParams.model_validate(params.model_dump(exclude={"seed"}) | choices)
        network = MLP(shape, len(vocabulary), torch.Generator().manual_seed(params.seed))
        with torch.no_grad():
            loss, units = float(network.loss(contexts, weights)), network.hidden(contexts)  # (), (U, H)
        results[name] = {"initial_loss": loss, **network.diagnosis(contexts)}
        counts, _ = np.histogram(units.numpy(), EDGES)
        shares.append(counts / counts.sum())
    write_json(metrics, {"uniform_loss": uniform, **results})
    columns = ("from", "to", *COMPARED)
    write_csv(activations, columns, zip(EDGES[:-1], EDGES[1:], *shares, strict=True))
    first = ", ".join(f"{name} {result['initial_loss']:.4f}" for name, result in results.items())
    print(f"{metrics}: initial loss {first}, uniform {uniform:.4f} nats per token")


app = command(main, params="initialization")
if __name__ == "__main__":
    app()
