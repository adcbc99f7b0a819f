"""The MLP of the second lecture."""

from pathlib import Path
from typing import Annotated

import torch
import typer
from pydantic import Field

from _stage import CheckpointPath, CurvePath, TrainPath, VocabPath, command
from makemore import files, training
from makemore import model as models
from makemore.checkpoint import Checkpoint, key_of
from makemore.mlp import MLP, Initialization, MLPParams
from makemore.training import TrainingParams
from makemore.vocab import Vocab, read_tokens


class Params(TrainingParams, MLPParams):
    """The network and its training."""

    initialization: Annotated[
        Initialization, Field(description="of the weights: the lecture's, or one whose first loss is near ln V")
    ]


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    model: Annotated[Path, typer.Option(help="to write")] = Path("models/mlp.safetensors"),
    curve: CurvePath = Path("metrics/curves/mlp.csv"),
    checkpoint: CheckpointPath = Path(".checkpoints/mlp.safetensors"),
) -> None:
    """Train the MLP of Bengio et al. 2003 on the train names."""
    torch.set_num_threads(params.threads)
    vocabulary = Vocab.read(vocab)
    tokens = read_tokens(train, vocabulary)
    generator = torch.Generator().manual_seed(params.seed)
    shape = MLPParams(**{key: getattr(params, key) for key in MLPParams.model_fields})
    network = MLP(shape, len(vocabulary), params.initialization, generator).to(training.pick_device(params.device))
    key = key_of(params.model_dump(exclude={"checkpoint_every"}), vocabulary.itos, tokens)
    resumed = Checkpoint(checkpoint, params.checkpoint_every, key, generator)
    losses = training.train(
        network,
        network.loss,
        next_batch=training.batches(tokens, params.context, len(vocabulary), params, generator),
        optimizer=training.make_optimizer(network, params),
        rate=training.learning_rate(params),
        steps=params.steps,
        title="mlp",
        checkpoint=resumed,
    )
    models.save(model, network, vocabulary)
    files.write_csv(curve, training.CURVE_HEADER, losses)
    resumed.remove()
    size = f"{network.parameter_count:,} weights, {params.steps:,} steps"
    print(f"{model}: {size}, last loss {losses[-1][1]:.4f} nats a token")


app = command(main, params="mlp")
if __name__ == "__main__":
    app()
