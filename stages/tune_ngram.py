"""Fit an n-gram model whose smoothing is tuned on dev: exercise E03."""

from pathlib import Path
from typing import Annotated

from _stage import DevPath, ModelName, ModelOut, TrainPath, VocabPath, command, option

from makemore.core import names
from makemore.core.files import write_csv, write_json
from makemore.core.model import save_model
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import Ngram, count_file
from makemore.search import tuning
from makemore.search.tuning import TunedNgramParams

StrengthOut = Annotated[Path | None, option("best strength to write", "metrics/tuned/MODEL.json")]
CurveOut = Annotated[Path | None, option("losses of all strengths to write", "metrics/curves/MODEL_strength.csv")]


def main(
    name: ModelName,
    params: TunedNgramParams,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    dev: DevPath = Path("data/splits/dev.txt"),
    model: ModelOut = None,
    tuned: StrengthOut = None,
    curve: CurveOut = None,
) -> None:
    """Fit an n-gram model to the train names, with the smoothing strength that has the lowest dev loss."""
    vocabulary = Vocab.read(vocab)
    counted = count_file(params, train, vocabulary)
    some_train, some_dev = (vocabulary.encode(names.spaced(path, params.sample), str(path)) for path in (train, dev))
    best, rows = tuning.tune(params, some_train, some_dev, len(vocabulary), counted)
    fitted = Ngram(params.with_strength(best), *counted, len(vocabulary))
    path = model or Path(f"models/{name}.safetensors")
    save_model(path, fitted, vocabulary)
    write_json(tuned or Path(f"metrics/tuned/{name}.json"), {"strength": best})
    write_csv(curve or Path(f"metrics/curves/{name}_strength.csv"), tuning.Row._fields, rows)
    print(
        f"{path}: {fitted.parameter_count:,} distinct {params.order}-grams, best strength of {len(rows)} tried: {best}"
    )


app = command(main, params="tuned_ngram.{name}")
if __name__ == "__main__":
    app()
