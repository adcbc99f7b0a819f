"""Names that a model makes up."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import numpy as np
import typer

from _stage import ModelName, TrainPath, VocabPath, command
from makemore import model as models
from makemore import names, sampling
from makemore.files import replacing, write_json
from makemore.names import Text
from makemore.progress import progress
from makemore.sampling import SampleParams
from makemore.vocab import Vocab


def main(
    name: ModelName,
    params: SampleParams,
    output: Annotated[Path | None, typer.Option(help="write the names here in place of printing them")] = None,
    metrics: Annotated[Path | None, typer.Option(help="write here how many are distinct, and how many new")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help='JSON Lines: {"name": "emma", "new": false}; new is not in train')
    ] = False,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    model: Annotated[Path | None, typer.Option(help="to read", show_default="models/MODEL.safetensors")] = None,
) -> None:
    """Sample names from a model, and print them, one a line.

    A name that is not as the options want it is drawn again. The same seed and options give the same names.
    """
    vocabulary = Vocab.read(vocab)
    loaded = models.load(model or Path(f"models/{name}.safetensors"), vocabulary)
    known = names.read(train) if params.new or as_json or metrics else None
    kept: list[Text] = []  # all names are held for the metrics only
    done = 0
    with writing(output) as file, progress(f"sample from {name}", params.count, "names", file) as report:
        for text in sampling.sample(loaded, params, vocabulary, known):
            file.write(to_json(text, known) if as_json and known is not None else names.to_string(text))
            done += names.count(text)
            report(done, "")
            if metrics or not kept:
                kept.append(text)
    figures = sampling.describe(np.concatenate(kept), known) if metrics and known is not None else {}
    if metrics:
        write_json(metrics, figures)
    if output:
        counts = "".join(f", {figures[key]:,} {key}" for key in ("distinct", "new") if key in figures)
        first = ", ".join(names.to_string(names.first(kept[0], 5)).split("\n")[:-1])
        print(f"{output}: {done:,} names{counts}: {first} ...")


@contextmanager
def writing(path: Path | None) -> Iterator[TextIO]:
    """The file to write to, which takes its place once all is written; standard output where there is none."""
    if path is None:
        yield sys.stdout
        return
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        yield file


def to_json(text: Text, train: Text) -> str:
    listed = zip(names.to_string(text).split("\n"), ~names.is_in(text, train), strict=False)
    return "".join(json.dumps({"name": name, "new": bool(new)}, ensure_ascii=False) + "\n" for name, new in listed)


app = command(main, params="sample")
if __name__ == "__main__":
    app()
