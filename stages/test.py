"""The test split, which nothing else reads."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import Field

from _stage import VocabPath, command
from makemore import model as models
from makemore.evaluation import evaluate
from makemore.files import write_json
from makemore.params import Section
from makemore.vocab import Vocab, read_tokens


class Params(Section):
    """Which models are tested."""

    models: Annotated[list[str], Field(min_length=1, description="the models to test")]


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    test: Annotated[Path, typer.Option(help="the names to test on")] = Path("data/splits/test.txt"),
    folder: Annotated[Path, typer.Option(help="where the models are")] = Path("models"),
    metrics: Annotated[Path, typer.Option(help="to write")] = Path("metrics/test.json"),
) -> None:
    """Evaluate the finished models on the test names, once, at the end."""
    vocabulary = Vocab.read(vocab)
    tokens = read_tokens(test, vocabulary)
    result = {name: evaluate(models.load(folder / f"{name}.safetensors", vocabulary), tokens) for name in params.models}
    write_json(metrics, result)
    figures = ", ".join(f"{name} {figures['nll']:.4f}" for name, figures in result.items())
    print(f"{metrics}: {figures} nats a token")


app = command(main, params="test")
if __name__ == "__main__":
    app()
