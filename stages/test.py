"""Evaluate all models on the test names, which no other stage reads."""

from pathlib import Path
from typing import Annotated

from _stage import ModelsPath, command

import typer

from makemore.core.files import write_json
from makemore.core.pipeline import model_names
from makemore.core.terminal import visible
from makemore.evaluation.losses import evaluate_file


def main(
    test: Annotated[Path, typer.Option(help="test names to read")] = Path("data/splits/test.txt"),
    models: ModelsPath = Path("models"),
    metrics: Annotated[Path, typer.Option(help="losses to write")] = Path("metrics/test.json"),
) -> None:
    """Evaluate all models on the test names, which no other stage reads."""
    losses = {}
    for name in model_names(models):
        losses[name] = evaluate_file(models / f"{name}.safetensors", test)
    write_json(metrics, losses)
    shown = ", ".join(f"{name} {loss['nll']:.4f}" for name, loss in losses.items())
    print(visible(f"{metrics}: {shown} nats per token"))


app = command(main)
if __name__ == "__main__":
    app()
