"""Score generated SMILES strings with the metrics of MOSES. This is not a pipeline stage."""

from pathlib import Path
from typing import Annotated

from _stage import command

import typer

from makemore.core import names
from makemore.core.files import write_json
from makemore.evaluation import molecules

TRAIN = [Path("data/splits/train.txt"), Path("data/splits/dev.txt")]  # of which MOSES's train was made


def main(
    samples: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="generated strings, one per line, such as sample.py writes")
    ],
    train: Annotated[list[Path], typer.Option(help="SMILES that are not novel; can be repeated")] = TRAIN,
    metrics: Annotated[Path | None, typer.Option(help="JSON file to write")] = None,
) -> None:
    """Print the shares of valid, unique and novel molecules, as MOSES defines them. This needs RDKit.

    The files must contain all strings that the model generated, in order: sample them without filters.
    """
    molecules.rdkit()  # fails here, before the files are read
    generated = [string for path in samples for string in _strings(path)]
    known = frozenset(string for path in train for string in _strings(path))
    result = molecules.score(generated, known)
    if metrics:
        write_json(metrics, result)
    print(f"{len(generated):,} strings: " + ", ".join(f"{key} {result[key]:.4f}" for key in list(result)[1:]))


def _strings(path: Path) -> list[str]:
    return names.to_string(names.read(path)).split("\n")[:-1]


app = command(main)
if __name__ == "__main__":
    app()
