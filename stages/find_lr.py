"""Run the learning-rate finder of the second lecture."""

from pathlib import Path
from typing import Annotated, Self

from _stage import TrainPath, VocabPath, command

import numpy as np
import torch
import typer
from pydantic import Field, model_validator

from makemore.core.files import write_csv, write_json
from makemore.core.progress import progress
from makemore.core.vocab import Vocab, read_tokens
from makemore.models.mlp import MLP, MLPParams
from makemore.nn.neural import pick_device
from makemore.search import lr_finder
from makemore.training.acceleration import make_loss
from makemore.training.batches import make_batches
from makemore.training.loop import Plan, header, train_network
from makemore.training.optimizers import make_optimizer
from makemore.training.params import StepParams


class Params(StepParams, MLPParams):
    """An MLP and the range of learning rates to sweep."""

    lowest: Annotated[float, Field(ge=-30, le=30, description="base-10 exponent of the first learning rate")]
    highest: Annotated[float, Field(ge=-30, le=30, description="base-10 exponent of the last learning rate")]

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.lowest >= self.highest:
            raise ValueError(f"highest: {self.highest} is not above lowest, {self.lowest}")
        return self


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    curve: Annotated[Path, typer.Option(help="losses by learning rate to write")] = Path("metrics/curves/find_lr.csv"),
    metrics: Annotated[Path, typer.Option(help="suggested range to write")] = Path("metrics/training/find_lr.json"),
) -> None:
    """Train an MLP while the learning rate grows, and find the range in which the loss is low."""
    torch.set_num_threads(params.threads)
    generator = torch.Generator().manual_seed(params.seed)
    vocabulary = Vocab.read(vocab)
    tokens = read_tokens(train, vocabulary)
    network = MLP(params, len(vocabulary), generator).to(pick_device(params.device))
    next_loss = make_loss(network, make_batches(network, tokens, params, generator), params, generator)
    plan = Plan(params.steps, lr_finder.growing(params.lowest, params.highest, params.steps))
    optimizer = make_optimizer(network, params)
    with progress("find_lr", params.steps, "steps") as update:
        sweep = train_network(network, next_loss, optimizer, plan, update=update)
    write_csv(curve, header(network), sweep)
    _, losses, rates, *_ = np.array(sweep).T
    low, high, best = lr_finder.good_range(rates, losses)
    write_json(metrics, {"lowest": low, "highest": high, "best": best})
    print(f"{metrics}: good learning rates are {low:.3g} to {high:.3g}; the lowest loss is at {best:.3g}")


app = command(main, params="find_lr")
if __name__ == "__main__":
    app()
