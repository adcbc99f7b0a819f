"""A count model."""

from pathlib import Path
from typing import Annotated

import typer

from _stage import ModelName, TrainPath, VocabPath, command
from makemore import model as models
from makemore import ngram
from makemore.files import read_json
from makemore.ngram import NgramParams
from makemore.vocab import Vocab, read_tokens


def main(
    name: ModelName,
    params: NgramParams,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    tuned: Annotated[
        Path | None, typer.Option(help="what `strength: tuned` stands for", show_default="metrics/tuned/MODEL.json")
    ] = None,
    model: Annotated[Path | None, typer.Option(help="to write", show_default="models/MODEL.safetensors")] = None,
) -> None:
    """Count the n-grams of the train names."""
    if params.strength == "tuned":
        params = params.with_strength(read_json(tuned or Path(f"metrics/tuned/{name}.json"))["strength"])
    vocabulary = Vocab.read(vocab)
    fitted = ngram.fit(params, read_tokens(train, vocabulary), len(vocabulary))
    path = model or Path(f"models/{name}.safetensors")
    models.save(path, fitted, vocabulary)
    print(f"{path}: {fitted.parameter_count:,} distinct {params.order}-grams, strength {params.strength}")


app = command(main, params="ngram.{name}")
if __name__ == "__main__":
    app()
