"""The learning-rate finder of the second lecture."""

from pathlib import Path
from typing import Annotated, Self

import numpy as np
import torch
import typer
from pydantic import Field, model_validator

from _stage import TrainPath, VocabPath, command
from makemore import files, lr_finder, mlp, training
from makemore.vocab import Vocab, read_tokens


class Params(training.StepParams, mlp.Params):
    """An MLP, and the learning rates that it is trained with, one after the other."""

    lowest: Annotated[float, Field(ge=-30, le=30, description="exponent of the first learning rate: 10 to this power")]
    highest: Annotated[float, Field(ge=-30, le=30, description="exponent of the last, above lowest")]

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.lowest >= self.highest:
            raise ValueError(f"highest: expected a number above {self.lowest}, got {self.highest}")
        return self


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    curve: Annotated[Path, typer.Option(help="loss against learning rate, to write")] = Path(
        "metrics/curves/find_lr.csv"
    ),
    metrics: Annotated[Path, typer.Option(help="the good range, to write")] = Path("metrics/training/find_lr.json"),
) -> None:
    """Train an MLP while the learning rate grows, and suggest a range for it."""
    torch.set_num_threads(params.threads)
    generator = torch.Generator().manual_seed(params.seed)
    vocabulary = Vocab.read(vocab)
    tokens = read_tokens(train, vocabulary)
    network = mlp.build(params, len(vocabulary), generator).to(training.pick_device(params.device))
    sweep = training.train(
        network,
        network.loss,
        next_batch=training.batches(network, tokens, params, generator),
        optimizer=training.make_optimizer(network, params),
        rate=lr_finder.growing(params.lowest, params.highest, params.steps),
        steps=params.steps,
        title="find_lr",
    )
    files.write_csv(curve, training.CURVE_HEADER, sweep)
    _, losses, rates = np.array(sweep).T
    low, high, best = lr_finder.good_range(rates, losses)
    files.write_json(metrics, {"lowest": low, "highest": high, "best": best})
    print(f"{metrics}: learning rates from {low:.3g} to {high:.3g} are good, the lowest loss is at {best:.3g}")


app = command(main, params="find_lr")
if __name__ == "__main__":
    app()
