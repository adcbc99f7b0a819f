"""Nothing stale and nothing rerun needlessly: what dvc.yaml declares is what the stages read."""

import ast
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from conftest import load_stage, small_params
from pipeline import ROOT, Project, stages

DECLARED = stages()
PARAMS = "params.yaml"


def untrue_lines(stage: str, declared: set[str], read: set[str]) -> list[str]:
    """What to mend in dvc.yaml."""
    where = f"dvc.yaml: stages: {stage.split('@')[0]}: deps:"
    add = [f"{where} add `- {path}`, which {stage} reads" for path in sorted(read - declared)]
    return add + [f"{where} delete `- {path}`, which {stage} does not read" for path in sorted(declared - read)]


def written_imports(root: Path, script: str) -> set[str]:
    """The project's files that a script imports anywhere in its text, also where a run may not come by."""
    found: set[str] = set()
    pending = [script]
    while pending:
        file = pending.pop()
        found.add(file)
        for node in ast.walk(ast.parse((root / file).read_text())):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = ".".join(filter(None, ["makemore" if node.level else "", node.module]))
                modules = [base, *(f"{base}.{alias.name}" for alias in node.names)]
            else:
                continue
            paths = [f"{folder}/{module.replace('.', '/')}.py" for module in modules for folder in ("src", "stages")]
            pending += [path for path in paths if (root / path).exists() and path not in found]
    return found


def test_deps_are_what_the_stages_read(traced: tuple[Project, dict[str, set[str]]]) -> None:
    _, traces = traced
    lines = []
    for stage, read in traces.items():
        read |= written_imports(ROOT, shlex.split(DECLARED[stage]["cmd"])[1])
        lines += untrue_lines(stage, DECLARED[stage]["deps"], read - {PARAMS})
        if (PARAMS in read) != bool(DECLARED[stage]["params"]):
            lines.append(f"dvc.yaml: stages: {stage}: params: {'add' if PARAMS in read else 'delete'} its section")
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize(
    ("file", "old", "new", "reads"),
    [
        ("src/makemore/splits.py", "import names\n", "import names, vocab\n", "src/makemore/vocab.py"),
        ("src/makemore/splits.py", "    n = ", "    from . import ssa\n    n = ", "src/makemore/ssa.py"),
        ("stages/split.py", "    text = ", '    open("README.md").close()\n    text = ', "README.md"),
    ],
    ids=["an import", "a lazy and relative import", "a data file"],
)
def test_what_is_not_declared_is_found(project: Project, file: str, old: str, new: str, reads: str) -> None:
    project.edit(file, old, new)
    read = project.trace(DECLARED["split"]["cmd"]) - {PARAMS}
    lines = untrue_lines("split", DECLARED["split"]["deps"], read)
    assert lines == [f"dvc.yaml: stages: split: deps: add `- {reads}`, which split reads"]


def test_an_import_that_is_not_reached_is_found(project: Project) -> None:
    project.edit(
        "src/makemore/splits.py", "    n = ", "    if params.seed < 0:\n        from . import contexts\n    n = "
    )
    read = written_imports(project.path, "stages/split.py")
    assert {path for path in DECLARED["split"]["deps"] if path.endswith(".py")} == read - {"src/makemore/contexts.py"}


def test_what_is_no_longer_read_is_found(project: Project) -> None:
    project.edit("stages/split.py", "    text = names.read(names_file)", "    return")
    read = project.trace(DECLARED["split"]["cmd"]) - {PARAMS}
    lines = untrue_lines("split", DECLARED["split"]["deps"], read)
    assert "dvc.yaml: stages: split: deps: delete `- data/names.txt`, which split does not read" in lines


def test_models_stand_wherever_they_are_listed() -> None:
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    params = yaml.safe_load((ROOT / PARAMS).read_text())
    models = set(pipeline["vars"][0]["models"])
    assert set(params["ngram"]) <= models, "each count model of params.yaml is one of the models of dvc.yaml"
    made = {Path(out).stem for stage in DECLARED.values() for out in stage["outs"] if out.startswith("models/")}
    assert made == models
    compared = shlex.split(pipeline["stages"]["figures"]["cmd"])[2:]
    assert set(compared) == models, "stages: figures: cmd compares all models"
    tested = {Path(dep).stem for dep in DECLARED["test"]["deps"] if dep.startswith("models/")}
    assert tested == set(params["test"]["models"]), "the models that test reads are those that params.yaml lists"


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path, value


# What a change of any key in a section makes stale, written out to be read. A new section needs a row.
MODELS = {"bigram", "trigram", "neural_bigram", "mlp"}
STALE = {
    "split": set(DECLARED) - {"vocab"},
    "ngram.bigram": {"fit_ngram@bigram", "evaluate@bigram", "sample@bigram", "test", "figures"},
    "ngram.trigram": {"fit_ngram@trigram", "evaluate@trigram", "sample@trigram", "test", "figures"},
    "neural_bigram": {"train_neural_bigram", "evaluate@neural_bigram", "sample@neural_bigram", "test", "figures"},
    "mlp": {"train_mlp", "evaluate@mlp", "sample@mlp", "test", "figures"},
    "sample": {f"sample@{model}" for model in MODELS},
    "test": {"test"},
}


def behind(stale: set[str]) -> set[str]:
    """These stages and all that read what they write."""
    outs = {out for stage in stale for out in DECLARED[stage]["outs"]}
    found = stale | {stage for stage, declared in DECLARED.items() if declared["deps"] & outs}
    return found if found == stale else behind(found)


def test_each_key_of_params_makes_stale_what_it_should(project: Project) -> None:
    from dvc.repo import Repo

    params = yaml.safe_load(small_params())
    perturbed = {int: lambda value: value + 1, float: lambda value: value / 2, bool: lambda value: not value}
    wrong = []
    for path, value in leaves(params):
        change = perturbed.get(type(value), lambda value: [*value, "x"] if isinstance(value, list) else f"{value}x")
        changed = yaml.safe_load(small_params())
        section = changed
        for key in path[:-1]:
            section = section[key]
        section[path[-1]] = change(value)
        (project.path / PARAMS).write_text(yaml.safe_dump(changed))
        with Repo(str(project.path)) as repo:
            stale = behind({name.split(":")[-1] for name in repo.status()})
        row = next((row for row in STALE if ".".join(path).startswith(f"{row}.")), None)
        if row is None or stale != STALE[row]:
            wrong.append(
                f"{'.'.join(path)}: makes stale {sorted(stale)}, expected {sorted(STALE.get(row or '', set()))}"
            )
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("stage", sorted(stage for stage, declared in DECLARED.items() if declared["params"]))
def test_a_stage_reads_no_params_but_its_own(
    stage: str, finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all other keys gone from params.yaml, it writes the same bytes."""
    declared = DECLARED[stage]
    for dep in declared["deps"]:
        (tmp_path / dep).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(finished.path / dep, tmp_path / dep)
    own: dict[str, Any] = {}
    for name in declared["params"]:
        value, place = yaml.safe_load(small_params()), own
        *above, last = name.split(".")
        for key in above:
            value, place = value[key], place.setdefault(key, {})
        place[last] = value[last]
    (tmp_path / PARAMS).write_text(yaml.safe_dump(own))
    monkeypatch.chdir(tmp_path)
    _, script, *arguments = shlex.split(declared["cmd"])
    assert CliRunner().invoke(load_stage(Path(script).stem).app, arguments).exit_code == 0
    for out in declared["outs"]:
        assert (tmp_path / out).read_bytes() == (finished.path / out).read_bytes(), out


def test_torch_and_matplotlib_are_loaded_where_they_are_used(finished: Project) -> None:
    heavy = "sys.modules.keys() & {'torch', 'matplotlib'}"
    for script, *arguments in (
        ["vocab"],
        ["split"],
        ["fit_ngram", "bigram"],
        ["evaluate", "bigram"],
        ["sample", "bigram"],
    ):
        code = f"import runpy, sys; sys.argv = {[script, *arguments, '--help']}; sys.path[0] = 'stages'"
        run = f"runpy.run_path('stages/{script}.py', run_name='__main__')"
        done = finished.run("python", "-c", f"{code}\ntry: {run}\nfinally: print('loaded', {heavy})")
        assert "loaded set()" in done.stdout
