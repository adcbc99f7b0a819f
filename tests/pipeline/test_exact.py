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

from checkout import ROOT, Project, stages
from conftest import load_stage, small_params

DECLARED = stages()
PARAMS = "params.yaml"
SSA = "src/makemore/tools/ssa.py"


def covers(dep: str, path: str) -> bool:
    """Whether a file is a dep, or is in a folder that is one."""
    return path == dep or path.startswith(f"{dep.removesuffix('/.')}/")


def corrections(stage: str, declared: set[str], read: set[str]) -> list[str]:
    """What to change in dvc.yaml, given what a stage declares and what it read."""
    where = f"dvc.yaml: stages: {stage.split('@')[0]}: deps:"
    missing = sorted(path for path in read if not any(covers(dep, path) for dep in declared))
    unused = sorted(dep for dep in declared if not any(covers(dep, path) for path in read))
    add = [f"{where} add `- {path}`, which {stage} reads" for path in missing]
    return add + [f"{where} delete `- {dep}`, which {stage} does not read" for dep in unused]


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
    """All cells of a stage have the same deps, so a dep is needed if any cell reads from it."""
    _, traces = traced
    lines = []
    for stage, read in traces.items():
        for command in DECLARED[stage]["commands"]:
            read |= written_imports(ROOT, shlex.split(command)[1])
        name, _, cell = stage.partition("@")
        others = {other.partition("@")[2]: files for other, files in traces.items() if other.startswith(f"{name}@")}
        of_group = {path.replace(other, cell) for other, files in others.items() for path in files}
        declared = {
            dep
            for dep in DECLARED[stage]["deps"]
            if any(covers(dep, path) for path in read) or not any(covers(dep, path) for path in of_group)
        }
        lines += corrections(stage, declared, read - ({PARAMS} - declared))
        if (PARAMS in read) != bool(DECLARED[stage]["params"]):
            lines.append(f"dvc.yaml: stages: {stage}: params: {'add' if PARAMS in read else 'delete'} its section")
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize(
    ("file", "old", "new", "reads"),
    [
        ("src/makemore/lists/splits.py", "import names\n", "import names\nfrom makemore.tools import ssa\n", SSA),
        ("src/makemore/lists/splits.py", "    n = ", "    from ..tools import ssa\n    n = ", SSA),
        ("stages/split.py", "    text = ", '    open("README.md").close()\n    text = ', "README.md"),
    ],
    ids=["an import", "a lazy and relative import", "a data file"],
)
def test_what_is_not_declared_is_found(project: Project, file: str, old: str, new: str, reads: str) -> None:
    project.edit(file, old, new)
    read = project.trace(DECLARED["split"]["commands"][0]) - {PARAMS}
    lines = corrections("split", DECLARED["split"]["deps"], read)
    assert lines == [f"dvc.yaml: stages: split: deps: add `- {reads}`, which split reads"]


def test_an_import_that_is_not_reached_is_found(project: Project) -> None:
    before = written_imports(project.path, "stages/split.py")
    lazy = "    if params.seed < 0:\n        from makemore.tools import ssa\n    n = "
    project.edit("src/makemore/lists/splits.py", "    n = ", lazy)
    assert written_imports(project.path, "stages/split.py") == before | {SSA}


def test_what_is_no_longer_read_is_found(project: Project) -> None:
    project.edit("stages/split.py", "    text = names.blocks(names_file)", "    return")
    read = project.trace(DECLARED["split"]["commands"][0]) - {PARAMS}
    lines = corrections("split", DECLARED["split"]["deps"], read)
    assert "dvc.yaml: stages: split: deps: delete `- data/clean.txt`, which split does not read" in lines


PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
INDEX = yaml.safe_load((ROOT / "models/index.yaml").read_text())
FIXED, TUNED, COMBINED, NETWORKS, MODELS = (
    set(INDEX[group]) for group in ("fixed", "tuned", "mixed", "networks", "models")
)
VALUES = yaml.safe_load((ROOT / PARAMS).read_text())
MIXED = set(VALUES["ensemble"]["models"])


def test_the_index_has_the_models_of_the_params() -> None:
    assert set(VALUES["ngram"]) == FIXED and set(VALUES["tuned_ngram"]) == TUNED
    assert {name for name, section in VALUES.items() if "schedule" in section} == NETWORKS
    assert {Path(out).stem for stage in DECLARED.values() for out in stage["outs"] if "models/" in out} == MODELS


def test_what_dvc_yaml_repeats_agrees_with_the_params_and_the_index() -> None:
    members = {Path(dep).stem for dep in DECLARED["ensemble"]["deps"] if dep.startswith("models/")}
    assert members == MIXED, "dvc.yaml: stages: ensemble: deps differ from params.yaml: ensemble.models"
    artifacts = {name: entry["path"] for name, entry in PIPELINE["artifacts"].items()}
    assert artifacts.items() <= {name.replace("_", "-"): f"models/{name}.safetensors" for name in MODELS}.items()


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path, value


COLLECTING = {"test", "figures", "report"}


def own(stage: str, model: str) -> set[str]:
    """What a change to one model makes stale."""
    mixture = {"ensemble", "evaluate@ensemble", "sample@ensemble"} if model in MIXED else set()
    diagnosed = {f"diagnose@{model}"} if model in INDEX["trained"] else set()
    return {f"{stage}@{model}", f"evaluate@{model}", f"sample@{model}"} | diagnosed | mixture | COLLECTING


# What a change of any key in a section makes stale, written out to be read. A new section needs a row.
STALE = {
    "clean": set(DECLARED),
    "split": set(DECLARED) - {"clean", "vocab"},
    **{f"ngram.{name}": own("fit_ngram", name) for name in FIXED},
    **{f"tuned_ngram.{name}": own("tune_ngram", name) for name in TUNED},
    **{name: own("mix_ngram", name) for name in COMBINED},
    "neural_bigram": own("", "neural_bigram") - {"@neural_bigram"} | {"train_neural_bigram"},
    "find_lr": {"find_lr", "figures", "report"},
    "initialization": {"initialization", "figures", "report"},
    **{name: own("train", name) for name in NETWORKS},
    "ensemble": {"ensemble", "evaluate@ensemble", "sample@ensemble"} | COLLECTING,
    "sample": {f"sample@{name}" for name in MODELS} | {"report"},
    "report": {"report"},
}


def behind(stale: set[str]) -> set[str]:
    """These stages, and all that read what they write."""
    outs = {out for stage in stale for out in DECLARED[stage]["outs"]}
    readers = {
        stage
        for stage, declared in DECLARED.items()
        if any(covers(dep, out) for dep in declared["deps"] for out in outs)
    }
    found = stale | readers
    return found if found == stale else behind(found)


def row_of(path: str) -> str | None:
    return next((row for row in STALE if path.startswith(f"{row}.")), None)


def test_each_key_of_params_makes_stale_what_it_should() -> None:
    wrong = []
    for leaf, _ in leaves(VALUES):
        path = ".".join(leaf)
        reading = {stage for stage, own in DECLARED.items() if PARAMS in own["deps"]}
        stale = behind(
            {stage for stage, own in DECLARED.items() if any(f"{path}.".startswith(f"{key}.") for key in own["params"])}
        )
        stale |= reading
        expected = STALE.get(row_of(path) or "", set())
        if stale != expected or not expected:
            wrong.append(f"{path}: makes stale {sorted(stale)}, expected {sorted(expected)}")
    assert not wrong, "\n".join(wrong)


def test_dvc_finds_stale_what_is_declared(project: Project) -> None:
    """One key of some sections: DVC takes a second for each."""
    from dvc.dependency import ParamsDependency
    from dvc.repo import Repo

    perturbed = {int: lambda value: value + 1, float: lambda value: value / 2 + 0.013, bool: lambda value: not value}
    wrong = []
    asked = {"clean", "split", "tuned_ngram.sixgram", "mlp", "lstm", "ensemble"}
    with Repo(str(project.path)) as repo:
        deps = [(stage, dep) for stage in repo.index.stages for dep in stage.deps if isinstance(dep, ParamsDependency)]
        for path, value in leaves(yaml.safe_load(small_params())):
            row = row_of(".".join(path)) or ""
            if row not in asked:
                continue
            asked.remove(row)
            change = perturbed.get(type(value), lambda value: [*value, "x"] if isinstance(value, list) else f"{value}x")
            changed = yaml.safe_load(small_params())
            section = changed
            for key in path[:-1]:
                section = section[key]
            section[path[-1]] = change(value)
            (project.path / PARAMS).write_text(yaml.safe_dump(changed))
            stale = behind({stage.name for stage, dep in deps if dep.workspace_status()})
            if stale != STALE[row]:
                wrong.append(f"{'.'.join(path)}: makes stale {sorted(stale)}, expected {sorted(STALE[row])}")
    assert not wrong and not asked, "\n".join(wrong)


OWN = sorted(stage for stage, own in DECLARED.items() if own["params"] and PARAMS not in own["deps"])


@pytest.mark.parametrize("stage", OWN)
def test_a_stage_reads_no_params_but_its_own(
    stage: str, finished: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all other keys gone from params.yaml, it writes the same bytes."""
    declared = DECLARED[stage]
    for dep in declared["deps"]:
        (tmp_path / dep).parent.mkdir(parents=True, exist_ok=True)
        if (finished.path / dep).is_dir():
            shutil.copytree(finished.path / dep, tmp_path / dep, dirs_exist_ok=True)
        else:
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
    for command in declared["commands"]:
        _, script, *arguments = shlex.split(command)
        assert CliRunner().invoke(load_stage(Path(script).stem).app, arguments).exit_code == 0
    for out in declared["outs"]:
        for file in (finished.path / out).rglob("*") if (finished.path / out).is_dir() else [finished.path / out]:
            path = file.relative_to(finished.path)
            assert (tmp_path / path).read_bytes() == file.read_bytes(), path


def test_torch_and_matplotlib_are_loaded_where_they_are_used(finished: Project) -> None:
    heavy = "sys.modules.keys() & {'torch', 'matplotlib'}"
    for script, *arguments in (
        ["clean"],
        ["vocab"],
        ["split"],
        ["fit_ngram", "bigram"],
        ["evaluate", "bigram"],
        ["sample", "bigram"],
        ["report"],
    ):
        code = f"import runpy, sys; sys.argv = {[script, *arguments, '--help']}; sys.path[0] = 'stages'"
        run = f"runpy.run_path('stages/{script}.py', run_name='__main__')"
        done = finished.run("python", "-c", f"{code}\ntry: {run}\nfinally: print('loaded', {heavy})")
        assert "loaded set()" in done.stdout
