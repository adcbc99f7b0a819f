"""Fit a mixture of models."""

from pathlib import Path
from typing import Annotated

from _stage import DevPath, VocabPath, command

import numpy as np
import typer
from pydantic import Field

from makemore.core.files import write_json
from makemore.core.model import load_model, save_model
from makemore.core.params import Section
from makemore.core.progress import progress
from makemore.core.terminal import visible
from makemore.core.vocab import Vocab, read_tokens
from makemore.models.ensemble import Ensemble, fit_weights


class Params(Section):
    """The models of the mixture."""

    models: Annotated[list[str], Field(min_length=1, description="models to mix")]


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    dev: DevPath = Path("data/splits/dev.txt"),
    folder: Annotated[Path, typer.Option(help="folder of the models to mix")] = Path("models"),
    model: Annotated[Path, typer.Option(help="model to write")] = Path("models/ensemble.safetensors"),
    metrics: Annotated[Path, typer.Option(help="weights to write")] = Path("metrics/training/ensemble.json"),
) -> None:
    """Fit the weights of a mixture of models on the dev names, by expectation maximization."""
    if len(set(params.models)) < len(params.models):
        raise ValueError(f"ensemble.models: a model is listed twice: {', '.join(params.models)}")
    vocabulary = Vocab.read(vocab)
    tokens = read_tokens(dev, vocabulary)
    members = {name: load_model(folder / f"{name}.safetensors", vocabulary) for name in params.models}
    log_probs = []
    with progress("ensemble", len(members), "models") as update:
        for name, member in members.items():
            log_probs.append(member.token_log_probs(tokens))  # (M,)
            update(len(log_probs), f"{name} {-log_probs[-1].mean():.4f}")
    weights = fit_weights(np.stack(log_probs))
    save_model(model, Ensemble(members, weights), vocabulary)
    fitted = dict(zip(members, weights.tolist(), strict=True))
    write_json(metrics, fitted)
    print(visible(f"{model}: {', '.join(f'{name} {weight:.3f}' for name, weight in fitted.items())}"))


app = command(main, params="ensemble")
if __name__ == "__main__":
    app()
