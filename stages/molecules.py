"""Create a project for the molecules of MOSES. This is not a pipeline stage."""

import shlex
import tempfile
from pathlib import Path
from typing import Annotated

from _stage import PARAMS, command

import typer

from makemore.core import names
from makemore.core.params import read_section
from makemore.tools import moses, project

DEV_SHARE = 100  # one in so many strings of MOSES's train is for dev
CLEAN = {"form": "none", "case": "keep", "spaces": "refuse", "dots": "refuse"}
SAMPLES = {"sample.count": 30_000, "sample.max_length": 200}  # so long that none is rejected
NGRAMS = {  # docs/molecules.md
    "ngram.ngram10": {"order": 10, "smoothing": "kneser_ney", "strength": None, "position": 0},
    "ngram.ngram12": {"order": 12, "smoothing": "power_law", "strength": 0.3, "position": 60},
    "ngram.ngram13": {"order": 13, "smoothing": "power_law", "strength": 0.3, "position": 0},
}
CHARRNN = {  # MOSES's network; other keys are those of `lstm`
    **{"hidden": 768, "layers": 3, "batch_size": 2048, "steps": 8332, "lr": 0.002, "warmup": 200},
    **{"optimizer": "adamw", "weight_decay": 0.05, "embedding_lr_scale": 1.0, "dropout": 0.0, "smoothing": 0.0},
}


def main(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="folder of the new project")],
    wheel: Annotated[
        Path | None, typer.Option(help=f"wheel of {moses.PACKAGE}; by default, pip downloads it (52 MB)")
    ] = None,
) -> None:
    """Create a project for the molecules of MOSES: SMILES strings, with MOSES's own split.

    Test is MOSES's test set. Dev is the last hundredth of its train set; train is the rest. The scaffold test set is in
    data/test_scaffolds.txt. The project has the models of docs/molecules.md.
    """
    project.check_free(folder)
    with tempfile.TemporaryDirectory() as temporary:
        source = wheel or moses.download(Path(temporary))
        train, test, scaffolds = (moses.read(source, part) for part in ("train", "test", "test_scaffolds"))
    dev = max(1, len(train) // DEV_SHARE)
    content = _lines(*train, *test)
    text = names.parse(content, str(source))
    values: project.Values = {f"clean.{key}": value for key, value in CLEAN.items()}
    values |= {"split.seed": None, **moses.shares(len(train) - dev, dev, len(test))}
    values |= project.demands(text, read_section(PARAMS, "")) | SAMPLES | NGRAMS
    values["charrnn"] = read_section(PARAMS, "lstm") | CHARRNN
    models = {f"fixed.{key.removeprefix('ngram.')}": "ngram" for key in NGRAMS} | {"networks.charrnn": "recurrent.py"}
    files = {project.NAMES: content, "data/test_scaffolds.txt": _lines(*scaffolds)}
    project.make(Path(), folder, files, {"params.yaml": values, "models/index.yaml": models})
    print(f"{folder}: {len(train) - dev:,} train, {dev:,} dev and {len(test):,} test molecules, see docs/molecules.md")
    print(f"next: cd {shlex.quote(str(folder))} && dvc repro sample@ngram10")


def _lines(*strings: str) -> bytes:
    return "".join(f"{string}\n" for string in strings).encode()


app = command(main)
if __name__ == "__main__":
    app()
