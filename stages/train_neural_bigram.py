"""The one-layer network of the first lecture."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from pydantic import Field

from _stage import TrainPath, VocabPath, command
from makemore import files, training
from makemore import model as models
from makemore.neural import distinct_examples
from makemore.neural_bigram import NeuralBigram
from makemore.optimizers import SGD, Group
from makemore.params import Section, Seed
from makemore.vocab import Vocab, read_tokens


class Params(Section):
    """Gradient descent on the whole list at once."""

    steps: Annotated[int, Field(ge=1, description="updates of the weights")]
    lr: Annotated[float, Field(gt=0, description="learning rate")]
    regularization: Annotated[float, Field(ge=0, description="weight of mean(W^2) in the loss")]
    seed: Annotated[Seed, Field(description="of the first weights")]


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    model: Annotated[Path, typer.Option(help="to write")] = Path("models/neural_bigram.safetensors"),
    curve: Annotated[Path, typer.Option(help="learning curve to write")] = Path("metrics/curves/neural_bigram.csv"),
) -> None:
    """Train the neural bigram by gradient descent on all train names at once."""
    vocabulary = Vocab.read(vocab)
    tokens = read_tokens(train, vocabulary)
    contexts, followers = distinct_examples(tokens, NeuralBigram.context, len(vocabulary))
    batch = contexts, followers.all()  # (U, 1), (U, V)

    network = NeuralBigram(len(vocabulary), torch.Generator().manual_seed(params.seed))
    losses = training.train(
        network,
        lambda contexts, targets: network.regularized_loss(contexts, targets, params.regularization),
        next_batch=lambda: batch,
        optimizer=SGD([Group(list(network.parameters()))]),
        rate=lambda step: params.lr,
        steps=params.steps,
        title="neural_bigram",
    )
    models.save(model, network, vocabulary)
    files.write_csv(curve, training.CURVE_HEADER, losses)
    size = f"{network.parameter_count:,} weights, {params.steps:,} steps"
    print(f"{model}: {size}, last loss {losses[-1][1]:.4f} nats a token")


app = command(main, params="neural_bigram")
if __name__ == "__main__":
    app()
