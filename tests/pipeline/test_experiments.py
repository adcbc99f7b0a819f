"""DVC's experiments, sharing and locking, as users of the pipeline rely on them."""

import json
import subprocess
import time
from pathlib import Path

import pytest

from checkout import Project, environment, ran
from makemore.core.files import read_json

MODEL = "evaluate@mlp"  # as far as the experiments here go


def nll(project: Project) -> float:
    return float(read_json(project.path / "metrics/losses/mlp.json")["dev"]["nll"])


def experiments(project: Project) -> dict[str, float]:
    """The dev loss of mlp of each experiment, by the hidden size that it tried."""
    table = json.loads(project.run("dvc", "exp", "show", "--json").stdout)
    found = {}
    for row in table:
        for experiment in row["experiments"] or []:
            data = experiment["revs"][0]["data"]
            hidden = str(data["params"]["params.yaml"]["data"]["mlp"]["hidden"])
            found[hidden] = data["metrics"]["metrics/losses/mlp.json"]["data"]["dev"]["nll"]
    return found


def test_a_queued_grid_with_two_workers(project: Project) -> None:
    before = nll(project)
    project.run("dvc", "exp", "run", "--queue", "-S", "mlp.hidden=5,6", MODEL)
    with project.forking() as variables:
        project.run("dvc", "exp", "run", "--run-all", "--jobs", "2", **variables)
    found = experiments(project)
    assert found.keys() == {"5", "6"} and len({before, *found.values()}) == 3
    assert project.status() == "" and nll(project) == before
    shown = project.run("dvc", "exp", "show", "--only-changed", "--csv").stdout
    assert "mlp.hidden" in shown and "mlp.embedding" not in shown

    name = project.run("dvc", "exp", "list", "--name-only").stdout.split()[0]
    project.run("dvc", "exp", "apply", name)
    assert nll(project) in found.values()
    assert "mlp.hidden" in project.run("dvc", "params", "diff").stdout
    project.commit("apply")
    assert "mlp.hidden" in project.run("dvc", "params", "diff", "HEAD~1", "HEAD").stdout
    assert "dev.nll" in project.run("dvc", "metrics", "diff", "HEAD~1", "HEAD").stdout


def test_a_queued_experiment_runs_the_code_it_was_queued_with(project: Project) -> None:
    """An editable install would run the workspace's code instead, iterative/dvc#10419."""
    project.edit("src/makemore/models/mlp.py", "kaiming(5 / 3), 0, kaiming(0.1)", "kaiming(4 / 3), 0, kaiming(0.1)")
    project.run("dvc", "exp", "run", "--queue", "-S", "mlp.hidden=7", MODEL)
    project.edit("src/makemore/models/mlp.py", "import torch\n", "raise SystemExit('the code of the workspace')\n")
    with project.forking() as variables:
        project.run("dvc", "exp", "run", "--run-all", **variables)
    queued = experiments(project)["7"]
    project.run("git", "checkout", "--", ".")
    project.edit("src/makemore/models/mlp.py", "kaiming(5 / 3), 0, kaiming(0.1)", "kaiming(4 / 3), 0, kaiming(0.1)")
    project.run("python", "stages/train_mlp.py", "--hidden", "7")
    project.run("python", "stages/evaluate.py", "mlp")
    assert nll(project) == queued


def test_a_run_elsewhere_leaves_the_workspace_alone(project: Project) -> None:
    before = nll(project)
    with project.forking() as variables:
        project.run("dvc", "exp", "run", "--temp", "-S", "mlp.hidden=9", MODEL, **variables)
    assert project.status() == "" and nll(project) == before != experiments(project)["9"]


@pytest.mark.parametrize("override", ["mlp.hiden=9", "mpl.hidden=9"])
def test_a_mistyped_key_fails_before_anything_runs(project: Project, override: str) -> None:
    done = project.run("dvc", "exp", "run", "-S", override, check=False)
    assert done.returncode != 0 and ran(done.stdout) == [] and "not in struct" in done.stderr
    assert project.status() == ""


def test_a_wrong_value_ends_with_its_line(project: Project) -> None:
    done = project.run("dvc", "exp", "run", "-S", "mlp.hidden=abc", check=False)
    assert done.returncode != 0
    assert "params.yaml: mlp.hidden: expected an integer >= 1 and <= 1000000, got 'abc'" in done.stderr


def test_a_clone_that_pulls_runs_nothing(finished: Project, tmp_path: Path) -> None:
    owner = finished.copy(tmp_path / "owner")
    owner.run("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    owner.commit("a remote")
    owner.run("dvc", "push")
    friend = owner.clone(tmp_path / "friend")
    friend.run("dvc", "pull")
    assert friend.repro() == [] and friend.status() == ""


def test_a_second_repro_waits_its_turn(project: Project) -> None:
    project.edit("params.yaml", "hidden: 8", "hidden: 9")
    command = ["dvc", "repro", MODEL]
    first = subprocess.Popen(
        command, cwd=project.path, env=environment(project.path.parent), stdout=subprocess.PIPE, text=True
    )
    assert first.stdout
    while "Running stage 'train@mlp'" not in first.stdout.readline():
        assert first.poll() is None
    second = project.run(*command, check=False)
    assert second.returncode != 0 and "Traceback" not in second.stderr
    assert "Unable to acquire lock" in second.stderr or "is busy, it is being" in second.stderr
    first.communicate()
    assert first.returncode == 0 and project.repro(MODEL) == []


def test_one_stage_twice_at_once(project: Project) -> None:
    model, before = project.path / "models/mlp.safetensors", (project.path / "models/mlp.safetensors").read_bytes()
    model.unlink()
    command = ["python", "stages/train_mlp.py"]
    env = environment(project.path.parent)
    both = [subprocess.Popen(command, cwd=project.path, env=env, stdout=subprocess.DEVNULL) for _ in range(2)]
    while any(process.poll() is None for process in both):
        assert not model.exists() or model.read_bytes() == before
        time.sleep(0.01)
    assert [process.returncode for process in both] == [0, 0] and model.read_bytes() == before


def test_others_get_a_registered_version_of_a_model(project: Project, tmp_path: Path) -> None:
    project.run("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    project.commit("a remote")
    project.run("gto", "register", "mlp-wide", "--version", "v1.0.0")
    project.run("dvc", "push", "models/mlp_wide.safetensors")
    elsewhere = Project(tmp_path / "elsewhere")
    elsewhere.path.mkdir()
    elsewhere.run("dvc", "artifacts", "get", str(project.path), "mlp-wide", "--rev", "v1.0.0")
    got = (elsewhere.path / "mlp_wide.safetensors").read_bytes()
    assert got == (project.path / "models/mlp_wide.safetensors").read_bytes()
    code = f"import dvc.api; print(dvc.api.artifacts_show('mlp-wide', version='v1.0.0', repo={str(project.path)!r}))"
    shown = elsewhere.run("python", "-c", code).stdout
    revision = project.run("git", "rev-parse", "mlp-wide@v1.0.0^{commit}").stdout.strip()
    assert "models/mlp_wide.safetensors" in shown and revision in shown
