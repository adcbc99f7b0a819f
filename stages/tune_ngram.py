"""How strongly a count model is smoothed: exercise E03."""

from pathlib import Path
from typing import Annotated

import typer

from _stage import DevPath, ModelName, TrainPath, VocabPath, command
from makemore import tuning
from makemore.files import write_csv, write_json
from makemore.ngram import NgramParams
from makemore.tuning import TuneParams
from makemore.vocab import Vocab, read_tokens


def main(
    name: ModelName,
    params: NgramParams,
    tried: TuneParams,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    dev: DevPath = Path("data/splits/dev.txt"),
    tuned: Annotated[Path | None, typer.Option(help="to write", show_default="metrics/tuned/MODEL.json")] = None,
    curve: Annotated[
        Path | None, typer.Option(help="to write", show_default="metrics/curves/MODEL_strength.csv")
    ] = None,
) -> None:
    """Try strengths of a count model's smoothing; the best on dev is what `strength: tuned` stands for."""
    vocabulary = Vocab.read(vocab)
    splits = read_tokens(train, vocabulary), read_tokens(dev, vocabulary)
    best, rows = tuning.tune(params, tried.strengths(params.smoothing), *splits, len(vocabulary))
    path = tuned or Path(f"metrics/tuned/{name}.json")
    write_json(path, {"strength": best})
    write_csv(curve or Path(f"metrics/curves/{name}_strength.csv"), tuning.Row._fields, rows)
    print(f"{path}: {len(rows)} strengths tried, best on dev: {best}")


app = command(main, params="ngram.{name}", tried="tune_ngram")
if __name__ == "__main__":
    app()
