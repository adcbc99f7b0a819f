"""Sample names from a model."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

from _stage import ModelName, ModelPath, TrainPath, command

import numpy as np
import typer

from makemore.core import names
from makemore.core.files import replacing, write_json
from makemore.core.model import read_model
from makemore.core.names import Hashes, Text
from makemore.core.progress import progress
from makemore.core.terminal import screen, visible
from makemore.sampling import sampler
from makemore.sampling.sampler import SampleParams


def main(
    name: ModelName,
    params: SampleParams,
    output: Annotated[Path | None, typer.Option(help="write the names to this file instead of printing them")] = None,
    metrics: Annotated[
        Path | None, typer.Option(help="write the numbers of distinct and new names to this file")
    ] = None,
    save: Annotated[
        bool, typer.Option("--save", help="write data/samples/MODEL.txt and metrics/samples/MODEL.json")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help='write JSON Lines: {"name": "emma", "new": false}; new: not in train')
    ] = False,
    train: TrainPath = Path("data/splits/train.txt"),
    model: ModelPath = None,
) -> None:
    """Sample names from a model and print them, one per line.

    Names that do not match the options are resampled. If none match, the command exits with an error. The same seed and
    options give the same names. A terminal shows control and formatting characters as escapes; other output is exact,
    in UTF-8.
    """
    if save:
        output = output or Path(f"data/samples/{name}.txt")
        metrics = metrics or Path(f"metrics/samples/{name}.json")
    loaded, vocab = read_model(model or Path(f"models/{name}.safetensors"))
    known = names.known(names.blocks(train)) if params.new or as_json or metrics else None
    kept: list[Text] = []  # only the metrics need all names
    done = 0
    with writing(output) as file, progress(f"sample from {name}", params.count, "names", file) as update:
        for text in sampler.sample(loaded, params, vocab, known):
            file.write(to_json(text, known) if as_json and known is not None else names.to_string(text))
            done += names.count(text)
            update(done, "")
            if metrics or not kept:
                kept.append(text)
    statistics: dict[str, float] = {}
    if metrics and known is not None:
        statistics = sampler.describe(np.concatenate(kept), known, mean_length(train))
        write_json(metrics, statistics)
    if output:
        counts = "".join(f", {statistics[key]:,} {key}" for key in ("distinct", "new") if key in statistics)
        first = ", ".join(names.to_string(names.first(kept[0], 5)).split("\n")[:-1])
        print(visible(f"{output}: {done:,} names{counts}: {first} ..."))


@contextmanager
def writing(path: Path | None) -> Iterator[TextIO]:
    """Open the output file, which is replaced only once it is complete, or standard output if there is no path."""
    if path is None:
        yield screen(sys.stdout)
        return
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        yield file


def mean_length(path: Path) -> float:
    """The mean length of the names of a file, in characters."""
    sizes = [(names.count(text), len(text)) for text in names.blocks(path)]
    listed, characters = map(sum, zip(*sizes, strict=True))
    return (characters - listed) / listed


def to_json(text: Text, train: Hashes) -> str:
    listed = zip(names.to_string(text).split("\n"), ~names.have(train, text), strict=False)
    return "".join(json.dumps({"name": name, "new": bool(new)}, ensure_ascii=False) + "\n" for name, new in listed)


app = command(main, params="sample")
if __name__ == "__main__":
    app()
