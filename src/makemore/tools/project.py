"""A project for another list: the files of a checkout, that list, params that fit it, and a git repository."""

import io
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML  # what DVC writes params.yaml with: it keeps comments

from makemore.core import names
from makemore.core.names import Text
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import NgramShape, span
from makemore.reporting import tables

LEFT_OUT = (  # made of the checkout's own list, or about it
    *("dvc.lock", "metrics/", "data/names.txt", "data/source/", "docs/data.md", "docs/results.md", "docs/time.png"),
    *("benchmarks/", "tests/"),
)
LINES = 32_033  # of the list that the steps in params.yaml are for
FEWEST = 5  # steps
NO_RESULTS = """None yet: `dvc repro`, then `python stages/results.py --write README.md`.
The examples on this page are of the list that the project was first made for.
"""
PLOTS = ".dvc/plots.html"

Values = dict[str, Any]  # by their names in params.yaml, with dots: `sample.max_length`


def demands(text: Text, params: Mapping[str, Any]) -> Values:
    """What params must be, to fit a list, where they are not: see docs/lists.md.

    Samples may be twice as long as the longest name, each of its positions has an embedding, n-grams are so short that
    they can be numbered, and networks see the names of a short list no more often than those of a long one.
    """
    lines, longest, vocab_size = names.count(text), int(names.bounds(text)[1].max()), len(Vocab.of(text))
    found: Values = {}
    if params["sample"]["max_length"] < 2 * longest:
        found["sample.max_length"] = 2 * longest
    for name, section in params.items():
        if section.get("positions", longest + 1) <= longest:
            found[f"{name}.positions"] = min(longest + 1, 10_000)
        if lines < LINES and "warmup" in section:
            steps = max(FEWEST, round(section["steps"] * lines / LINES))
            found[f"{name}.steps"], found[f"{name}.warmup"] = steps, min(section["warmup"], steps // 8)
    for group in "ngram", "tuned_ngram":
        for name, section in params[group].items():
            shape = NgramShape(**{key: section[key] for key in NgramShape.model_fields})
            order = shape.order
            while span(shape, order, vocab_size) >= 2**63:
                order -= 1
            if order < shape.order:
                found[f"{group}.{name}.order"] = order
    return found


def edit(path: Path, values: Values) -> None:
    """Change values in a YAML file, and nothing else in it."""
    yaml = YAML()
    content = yaml.load(path.read_bytes())
    for name, value in values.items():
        *sections, key = name.split(".")
        place = content
        for section in sections:
            place = place[section]
        place[key] = value
    text = io.StringIO()
    yaml.dump(content, text)
    path.write_text(text.getvalue(), encoding="utf-8")


def make(checkout: Path, folder: Path, content: bytes, values: Values) -> None:
    """Make the project.

    Args:
        checkout: where the files come from: those that git tracks, as they stand now.
        folder: the project's, which is made. If that fails nothing is.
        content: of the names file.
        values: that params.yaml shall have.

    Raises:
        ValueError: git failed.
    """
    with _whole(folder.absolute()) as made:
        for name in filter(None, _git(checkout, "ls-files", "-z").split("\0")):
            if not name.startswith(LEFT_OUT) and (checkout / name).is_file():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(checkout / name, made / name)
        (made / "data/names.txt").write_bytes(content)
        edit(made / "params.yaml", values)
        if (checkout / PLOTS).exists():  # plots that open without a network, as stages/plots_page.py has them
            shutil.copy2(checkout / PLOTS, made / PLOTS)
            (made / ".dvc/config.local").write_text(f"[plots]\n    html_template = {Path(PLOTS).name}\n")
        tables.insert(made / "README.md", NO_RESULTS)
        _git(made, "init", "--quiet", "--initial-branch", "main")
        _git(made, "add", "--all")
        _git(made, "commit", "--quiet", "--message", f"{folder.name}: the pipeline, with another list")


def check_free(folder: Path) -> None:
    """Raise ValueError where a folder holds something, or is no folder."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ValueError(
            f"{folder}: expected a new or empty folder, found {'files in it' if folder.is_dir() else 'a file'}"
        )


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that takes its place once the block ends well, and is removed otherwise."""
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    temporary.mkdir(parents=True)
    try:
        yield temporary
        temporary.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise ValueError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode()
