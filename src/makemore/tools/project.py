"""Create a project for another list: the files of a checkout, the list, params that fit it, and a git repository."""

import io
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML  # DVC uses it for params.yaml too; it keeps comments

from makemore.core import names
from makemore.core.files import temporary_path
from makemore.core.names import Text
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import NgramShape, span
from makemore.reporting import tables

NAMES = "data/names.txt"
LEFT_OUT = (  # specific to the list of this checkout
    *("dvc.lock", "metrics/", NAMES, "data/source/", "docs/data.md", "docs/results.md", "docs/time.png"),
    *("benchmarks/", "tests/"),
)
REFERENCE_LINES = 32_033  # lines of the list for which the steps in params.yaml were chosen
MIN_STEPS = 5
NO_RESULTS = """No results yet. Run `dvc repro`, then `python stages/results.py --write README.md`.
The examples on this page are for the list of the original project.
"""
PLOTS = ".dvc/plots.html"

Values = dict[str, Any]  # by dotted key in params.yaml, such as `sample.max_length`


def demands(text: Text, params: Mapping[str, Any]) -> Values:
    """The values of params.yaml that must change to fit a list, see docs/lists.md.

    Samples may be twice as long as the longest name. Every position of the longest name has an embedding. The orders of
    n-gram models are low enough for the keys of their n-grams. Networks train for as many epochs as on the original
    list.
    """
    lines, longest, vocab_size = names.count(text), int(names.bounds(text)[1].max()), len(Vocab.of(text))
    values: Values = {}
    if params["sample"]["max_length"] < 2 * longest:
        values["sample.max_length"] = 2 * longest
    for name, section in params.items():
        if section.get("positions", longest + 1) <= longest:
            values[f"{name}.positions"] = min(longest + 1, 10_000)
        if lines < REFERENCE_LINES and "warmup" in section:
            steps = max(MIN_STEPS, round(section["steps"] * lines / REFERENCE_LINES))
            values[f"{name}.steps"], values[f"{name}.warmup"] = steps, min(section["warmup"], steps // 8)
    for group in "ngram", "tuned_ngram":
        for name, section in params[group].items():
            shape = NgramShape(**{key: section[key] for key in NgramShape.model_fields})
            order = shape.order
            while span(shape, order, vocab_size) >= 2**63:
                order -= 1
            if order < shape.order:
                values[f"{group}.{name}.order"] = order
    return values


def edit(path: Path, values: Values) -> None:
    """Change values in a YAML file and keep everything else."""
    yaml = YAML()
    content = yaml.load(path.read_bytes())
    for name, value in values.items():
        *sections, key = name.split(".")
        node = content
        for section in sections:
            node = node[section]
        node[key] = value
    text = io.StringIO()
    yaml.dump(content, text)
    path.write_text(text.getvalue(), encoding="utf-8")


def make(checkout: Path, folder: Path, files: Mapping[str, bytes], edits: Mapping[str, Values]) -> None:
    """Create the project. If this fails, the folder is not created.

    Args:
        checkout: the folder to copy from; all files tracked by git are copied in their current state.
        folder: the folder of the new project.
        files: files to add, by path: the list, `NAMES`, and others.
        edits: values to set in YAML files, by path.

    Raises:
        ValueError: a git command failed.
    """
    with _creating(folder.absolute()) as made:
        for name in filter(None, _git(checkout, "ls-files", "-z").split("\0")):
            if not name.startswith(LEFT_OUT) and (checkout / name).is_file():
                (made / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(checkout / name, made / name)
        for name, content in files.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(content)
        for name, values in edits.items():
            edit(made / name, values)
        arithmetic = made / "src/makemore/core/arithmetic.py"
        reproducible, fast = (f'DEFAULT = "{choice}"' for choice in ("reproducible", "fast"))
        arithmetic.write_text(arithmetic.read_text(encoding="utf-8").replace(reproducible, fast), encoding="utf-8")
        if (checkout / PLOTS).exists():  # offline plots, see stages/plots_page.py
            shutil.copy2(checkout / PLOTS, made / PLOTS)
            (made / ".dvc/config.local").write_text(f"[plots]\n    html_template = {Path(PLOTS).name}\n")
        tables.insert(made / "README.md", NO_RESULTS)
        _git(made, "init", "--quiet", "--initial-branch", "main")
        _git(made, "add", "--all")
        _git(made, "commit", "--quiet", "--message", f"{folder.name}: create the pipeline for a new list")


def check_free(folder: Path) -> None:
    """Raise ValueError unless the folder is missing or empty."""
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        found = "the folder is not empty" if folder.is_dir() else "not a folder"
        raise ValueError(f"{folder}: {found}; choose a new or empty folder")


@contextmanager
def _creating(folder: Path) -> Iterator[Path]:
    """A temporary folder that is renamed to `folder` if the block succeeds, and removed otherwise."""
    temporary = temporary_path(folder)
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
