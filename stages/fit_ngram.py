"""A count model."""

from pathlib import Path
from typing import Annotated

import typer

from _stage import ModelName, TrainPath, VocabPath, command
from makemore import model as models
from makemore import ngram
from makemore.ngram import NgramParams
from makemore.vocab import Vocab, read_tokens


def main(
    name: ModelName,
    params: NgramParams,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    model: Annotated[Path | None, typer.Option(help="to write", show_default="models/MODEL.safetensors")] = None,
) -> None:
    """Count the n-grams of the train names."""
    vocabulary = Vocab.read(vocab)
    fitted = ngram.fit(params, read_tokens(train, vocabulary), len(vocabulary))
    path = model or Path(f"models/{name}.safetensors")
    models.save(path, fitted, vocabulary)
    print(f"{path}: {fitted.parameter_count:,} distinct {params.order}-grams")


app = command(main, section="ngram.{name}")
if __name__ == "__main__":
    app()
