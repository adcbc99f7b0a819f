"""Train the one-layer network of the first lecture."""

from pathlib import Path
from typing import Annotated

from _stage import TrainPath, VocabPath, command

import torch
import typer
from pydantic import Field

from makemore.core.files import write_csv, write_safetensors
from makemore.core.model import save_model
from makemore.core.params import Section, Seed
from makemore.core.progress import progress
from makemore.core.vocab import Vocab, read_tokens
from makemore.models.neural_bigram import NeuralBigram
from makemore.nn.neural import distinct_examples
from makemore.training.loop import Plan, header, train_network
from makemore.training.optimizers import SGD, Group
from makemore.training.record import Record


class Params(Section):
    """Full-batch gradient descent."""

    steps: Annotated[int, Field(ge=1, description="number of updates")]
    lr: Annotated[float, Field(gt=0, description="learning rate")]
    regularization: Annotated[float, Field(ge=0, description="weight of mean(W^2) in the loss")]
    seed: Annotated[Seed, Field(description="seed of the initial weights")]


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    model: Annotated[Path, typer.Option(help="model to write")] = Path("models/neural_bigram.safetensors"),
    curve: Annotated[Path, typer.Option(help="learning curve to write")] = Path("metrics/curves/neural_bigram.csv"),
    recorded: Annotated[Path, typer.Option(help="last step to write, for diagnose.py")] = Path(
        "data/recorded/neural_bigram.safetensors"
    ),
) -> None:
    """Train the neural bigram by full-batch gradient descent on the train names."""
    vocabulary = Vocab.read(vocab)
    tokens = read_tokens(train, vocabulary)
    contexts, targets = distinct_examples(tokens, NeuralBigram.context, len(vocabulary))
    weights = targets.all()  # (U, V)

    network = NeuralBigram(Section(), len(vocabulary), torch.Generator().manual_seed(params.seed))
    record = Record()
    with progress("neural_bigram", params.steps, "steps") as update:
        losses = train_network(
            network,
            lambda: network.regularized_loss(contexts, weights, params.regularization),
            SGD([Group(list(network.parameters()))]),
            Plan(params.steps, lambda step: params.lr),
            update=update,
            record=record,
        )
    save_model(model, network, vocabulary)
    write_csv(curve, header(network), losses)
    write_safetensors(recorded, record.arrays(), {"bounded": network.bounded})
    size = f"{network.parameter_count:,} weights, {params.steps:,} steps"
    print(f"{model}: {size}, last loss {losses[-1][1]:.4f} nats per token")


app = command(main, params="neural_bigram")
if __name__ == "__main__":
    app()
