"""A network of any family: `python stages/train.py recurrent lstm --hidden 300`."""

import math
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from typer.core import TyperGroup

from _stage import ModelName, TrainPath, VocabPath, command
from makemore import files, training
from makemore import model as models
from makemore.checkpoint import Checkpoint, key_of
from makemore.neural import Followers, Neural
from makemore.training import TrainingParams
from makemore.vocab import Tokens, Vocab, read_tokens

DIAGNOSED = 1000  # names on which a network is looked at before it is trained


def stage(family: str) -> typer.Typer:
    """The command that trains a network of a family, which is a file of src/makemore with `Params` and `build`."""
    module = import_module(f"makemore.{family}")

    class Params(TrainingParams, module.Params):  # type: ignore[misc, name-defined]
        pass

    def main(
        params: Params,
        name: ModelName = family,
        vocab: VocabPath = Path("data/vocab.json"),
        train: TrainPath = Path("data/splits/train.txt"),
        model: Annotated[Path | None, _path("to write", "models/MODEL.safetensors")] = None,
        curve: Annotated[Path | None, _path("learning curve to write", "metrics/curves/MODEL.csv")] = None,
        metrics: Annotated[Path | None, _path("to write", "metrics/training/MODEL.json")] = None,
        checkpoint: Annotated[
            Path | None, _path("where a training that was killed left off", ".checkpoints/MODEL.safetensors")
        ] = None,
    ) -> None:
        torch.set_num_threads(params.threads)
        generator = torch.Generator().manual_seed(params.seed)  # of the weights, the batches and what is dropped
        vocabulary = Vocab.read(vocab)
        tokens = read_tokens(train, vocabulary)
        shape = module.Params(**{key: getattr(params, key) for key in module.Params.model_fields})
        network: Neural = module.build(shape, len(vocabulary), generator).to(training.pick_device(params.device))
        first = {"uniform_loss": math.log(len(vocabulary)), **beginning(network, tokens)}
        key = key_of(params.model_dump(exclude={"checkpoint_every"}), vocabulary.itos, tokens)
        kept = checkpoint or Path(f".checkpoints/{name}.safetensors")
        resumed = Checkpoint(kept, params.checkpoint_every, key, generator)
        losses = training.train(
            network,
            network.loss,
            next_batch=training.batches(network, tokens, params, generator),
            optimizer=training.make_optimizer(network, params),
            rate=training.learning_rate(params),
            steps=params.steps,
            ema=params.ema,
            title=name,
            checkpoint=resumed,
        )
        path = model or Path(f"models/{name}.safetensors")
        models.save(path, network, vocabulary)
        files.write_csv(curve or Path(f"metrics/curves/{name}.csv"), training.CURVE_HEADER, losses)
        files.write_json(metrics or Path(f"metrics/training/{name}.json"), first)
        resumed.remove()
        size = f"{network.parameter_count:,} weights, {params.steps:,} steps"
        print(f"{path}: {size}, last loss {losses[-1][1]:.4f} nats a token")

    main.__doc__ = f"Train a network on the train names. {module.__doc__}"
    return command(main, params="{name}")


def _path(meaning: str, default: str) -> Any:
    return typer.Option(help=meaning, show_default=default)


def beginning(network: Neural, tokens: Tokens) -> dict[str, float]:
    """What a network is like before its first step: its loss in nats a token, and what it says of itself."""
    device = next(network.parameters()).device
    first = tokens[: np.flatnonzero(tokens == 0)[:DIAGNOSED][-1] + 1]
    inputs, targets = network.examples(first)
    if isinstance(targets, Followers):
        targets = targets.all()
    inputs, targets = inputs.to(device), targets.to(device)
    with torch.no_grad():
        loss = float(network.loss(inputs, targets))
    return {"initial_loss": loss, **network.diagnosis(inputs)}


class Families(TyperGroup):
    """One command for each file of src/makemore that can build a network, imported when it is asked for."""

    def list_commands(self, ctx: object) -> list[str]:
        files = Path(training.__file__).parent.glob("*.py")
        return sorted(file.stem for file in files if "\ndef build(" in file.read_text(encoding="utf-8"))

    def get_command(self, ctx: object, cmd_name: str) -> Any:
        try:
            return typer.main.get_command(stage(cmd_name))
        except (ModuleNotFoundError, AttributeError):
            return None  # a usage error


app = typer.Typer(cls=Families, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback(subcommand_metavar="FAMILY [MODEL]", no_args_is_help=True)
def families() -> None:
    """Train a network on the train names: MODEL is its section in params.yaml, FAMILY the file of src/makemore."""


if __name__ == "__main__":
    app()
