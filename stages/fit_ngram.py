"""Fit an n-gram model with fixed smoothing."""

from pathlib import Path

from _stage import ModelName, ModelOut, TrainPath, VocabPath, command

from makemore.core.model import save_model
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import NgramParams, fit_file


def main(
    name: ModelName,
    params: NgramParams,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    model: ModelOut = None,
) -> None:
    """Fit an n-gram model to the train names, with fixed smoothing."""
    vocabulary = Vocab.read(vocab)
    fitted = fit_file(params, train, vocabulary)
    path = model or Path(f"models/{name}.safetensors")
    save_model(path, fitted, vocabulary)
    print(f"{path}: {fitted.parameter_count:,} distinct {params.order}-grams, strength {params.strength}")


app = command(main, params="ngram.{name}")
if __name__ == "__main__":
    app()
