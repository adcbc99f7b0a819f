"""Fit a mixed n-gram model."""

from pathlib import Path

from _stage import ModelName, ModelOut, TrainPath, VocabPath, command

from makemore.core.model import save_model
from makemore.core.vocab import Vocab, read_tokens
from makemore.models.mixing.model import MixingParams, fit


def main(
    name: ModelName,
    params: MixingParams,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    model: ModelOut = None,
) -> None:
    """Count the train names in several kinds of context, and fit how the counts are mixed, also to the train names."""
    vocabulary = Vocab.read(vocab)
    fitted = fit(params, read_tokens(train, vocabulary), len(vocabulary))
    path = model or Path(f"models/{name}.safetensors")
    save_model(path, fitted, vocabulary)
    print(f"{path}: {fitted.parameter_count:,} distinct n-grams and weights of {len(fitted.chains)} kinds of context")


app = command(main, params="{name}")
if __name__ == "__main__":
    app()
