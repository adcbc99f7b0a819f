"""Names that a model makes up."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from _stage import ModelName, TrainPath, VocabPath, command
from makemore import model as models
from makemore import names, sampling
from makemore.files import write_json
from makemore.sampling import SampleParams
from makemore.vocab import Vocab


def main(
    name: ModelName,
    params: SampleParams,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    model: Annotated[Path | None, typer.Option(help="to read", show_default="models/MODEL.safetensors")] = None,
    samples: Annotated[Path | None, typer.Option(help="to write", show_default="data/samples/MODEL.txt")] = None,
    metrics: Annotated[Path | None, typer.Option(help="to write", show_default="metrics/samples/MODEL.json")] = None,
) -> None:
    """Sample names from a model, and count how many are distinct and how many are new, which is not in train."""
    vocabulary = Vocab.read(vocab)
    text = vocabulary.decode(
        sampling.sample(models.load(model or Path(f"models/{name}.safetensors"), vocabulary), params)
    )
    path = samples or Path(f"data/samples/{name}.txt")
    figures = sampling.describe(text, names.read(train))
    names.write(path, text)
    write_json(metrics or Path(f"metrics/samples/{name}.json"), figures)
    first = ", ".join(names.to_string(names.take(text, np.arange(min(5, params.count)))).splitlines())
    print(
        f"{path}: {figures['samples']:,} names, {figures['distinct']:,} distinct, {figures['new']:,} new: {first} ..."
    )


app = command(main, params="sample")
if __name__ == "__main__":
    app()
