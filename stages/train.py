"""Train a network of any family: `python stages/train.py recurrent lstm --hidden 300`."""

import math
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Annotated, Any

from _stage import CurveOut, ModelName, ModelOut, TrainingOut, TrainPath, VocabPath, command, option

import numpy as np
import torch
import typer
from torch import Tensor
from typer.core import TyperGroup

from makemore import models
from makemore.core.files import write_csv, write_json, write_safetensors
from makemore.core.model import save_model
from makemore.core.progress import progress, silent
from makemore.core.vocab import Tokens, Vocab, read_tokens
from makemore.nn.neural import Neural, NextTokenWeights, pick_device
from makemore.training.acceleration import make_loss
from makemore.training.batches import make_batches
from makemore.training.checkpoint import Checkpoint, key_of
from makemore.training.distributed import LostWorkerError, Workers, join, sharded_loss, started_by_torchrun
from makemore.training.loop import Plan, header, train_network
from makemore.training.optimizers import make_optimizer
from makemore.training.params import TrainingParams
from makemore.training.record import Record
from makemore.training.schedule import learning_rate

DIAGNOSED = 1000  # names for the diagnostics before training

CheckpointPath = Annotated[Path | None, option("checkpoint of an interrupted run", ".checkpoints/MODEL.safetensors")]


RecordOut = Annotated[Path | None, option("last step to write, for diagnose.py", "data/recorded/MODEL.safetensors")]


def network_of(family: str) -> type[Neural] | None:
    """The network that the module `makemore.models.<family>` defines, or None."""
    if family not in {module.name for module in iter_modules(models.__path__)}:
        return None
    found = import_module(f"{models.__name__}.{family}").MODEL
    return found if issubclass(found, Neural) else None


def stage(family: str) -> typer.Typer:
    """Build the command that trains the networks of a family."""
    network_class = network_of(family)
    assert network_class

    class Params(TrainingParams, network_class.Params):  # type: ignore[misc, name-defined]
        pass

    def main(
        params: Params,
        name: ModelName = family,
        vocab: VocabPath = Path("data/vocab.json"),
        train: TrainPath = Path("data/splits/train.txt"),
        model: ModelOut = None,
        curve: CurveOut = None,
        metrics: TrainingOut = None,
        recorded: RecordOut = None,
        checkpoint: CheckpointPath = None,
    ) -> None:
        torch.set_num_threads(params.threads)
        device = pick_device(params.device)
        workers = join(device) if started_by_torchrun() else None
        writes = workers is None or workers.rank == 0
        generator = torch.Generator().manual_seed(params.seed)  # for weights, batches and dropout
        vocabulary = Vocab.read(vocab)
        tokens = read_tokens(train, vocabulary)
        shape = network_class.Params(**{key: getattr(params, key) for key in network_class.Params.model_fields})
        network = network_class(shape, len(vocabulary), generator).to(device)
        first = {"uniform_loss": math.log(len(vocabulary)), **before_training(network, tokens)}

        next_loss = loss_of(network, tokens, params, generator, workers)
        optimizer = make_optimizer(network, params)
        plan = Plan(params.steps, learning_rate(params), params.ema)
        key = key_of(params.model_dump(exclude={"checkpoint_every"}), vocabulary.itos, tokens)
        path = checkpoint or Path(f".checkpoints/{name}.safetensors")
        resumable = Checkpoint(path, params.checkpoint_every if writes else 0, key, generator)
        record = Record()
        with progress(name, params.steps, "steps") if writes else nullcontext(silent) as update:
            losses = train_network(network, next_loss, optimizer, plan, resumable, update, record)
        if workers:
            workers.leave()
        if not writes:
            return

        output = model or Path(f"models/{name}.safetensors")
        save_model(output, network, vocabulary)
        write_csv(curve or Path(f"metrics/curves/{name}.csv"), header(network), losses)
        write_safetensors(
            recorded or Path(f"data/recorded/{name}.safetensors"), record.arrays(), {"bounded": network.bounded}
        )
        write_json(metrics or Path(f"metrics/training/{name}.json"), first)
        resumable.remove()
        size = f"{network.parameter_count:,} weights, {params.steps:,} steps"
        print(f"{output}: {size}, last loss {losses[-1][1]:.4f} nats per token")

    main.__doc__ = f"Train a network on the train names. {import_module(network_class.__module__).__doc__}"
    return command(main, params="{name}")


def before_training(network: Neural, tokens: Tokens) -> dict[str, float]:
    """The loss of a network before the first step, in nats per token, and its diagnostics."""
    first = tokens[: np.flatnonzero(tokens == 0)[:DIAGNOSED][-1] + 1]
    inputs, targets = network.examples(first)
    if isinstance(targets, NextTokenWeights):
        targets = targets.all()
    inputs, targets = inputs.to(network.device), targets.to(network.device)
    with network.predicting():  # without dropout, and without updating BatchNorm's statistics
        loss = float(network.loss(inputs, targets))
        return {"initial_loss": loss, **network.diagnosis(inputs)}


def loss_of(
    network: Neural, tokens: Tokens, params: TrainingParams, generator: torch.Generator, workers: Workers | None
) -> Callable[[], Tensor]:
    next_batch = make_batches(network, tokens, params, generator)
    if workers is None:
        return make_loss(network, next_batch, params, generator)
    loss = sharded_loss(network, next_batch, params, generator, workers)

    def checked() -> Tensor:
        try:
            return loss()
        except LostWorkerError:
            sys.stderr = sys.__stderr__  # this process has to say it
            raise

    return checked


class Families(TyperGroup):
    """One command per family of networks, imported on demand."""

    def list_commands(self, ctx: object) -> list[str]:
        return sorted(module.name for module in iter_modules(models.__path__) if network_of(module.name))

    def get_command(self, ctx: object, cmd_name: str) -> Any:
        family = cmd_name.removesuffix(".py")
        return typer.main.get_command(stage(family)) if network_of(family) else None  # None: unknown command


app = typer.Typer(cls=Families, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback(subcommand_metavar="FAMILY [MODEL]", no_args_is_help=True)
def families() -> None:
    """Train a network on the train names. MODEL is its section in params.yaml, FAMILY its file in makemore/models."""


if __name__ == "__main__":
    if int(os.environ.get("LOCAL_RANK", "0")):  # torchrun's first process on each machine prints
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    app()
