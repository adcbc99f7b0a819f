"""The recipes of the Makefile, without the installation."""

import json
import subprocess
from pathlib import Path

from checkout import Project, ran, stages
from conftest import tiny_names


def make(project: Project, target: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a target with the environment of the tests, which make takes for its own."""
    (project.path / ".venv").mkdir(exist_ok=True)
    (project.path / ".venv" / ".installed").touch()
    return project.run("make", target, check=check, **variables)


def test_make_repro_in_a_project_for_another_list(finished: Project, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("".join(f"{name}\n" for name in tiny_names(seed=2)))
    finished.run("python", "stages/new.py", str(tmp_path / "other"), "--names", str(tmp_path / "list"))
    project = Project(tmp_path / "other")
    with project.forking() as variables:
        first = make(project, "repro", **variables)
        lock = (project.path / "dvc.lock").read_bytes()
        second = make(project, "repro", **variables)
    assert set(ran(first.stdout)) == set(stages(project.path))
    assert ran(second.stdout) == [] and (project.path / "dvc.lock").read_bytes() == lock
    assert "transformer" in second.stdout and second.stderr == ""

    assert make(project, "verify", check=False).stderr.startswith("dvc.lock: not in git's HEAD")
    project.commit("results")
    assert (
        f"{len(stages(project.path))} equal bytes, 0 within 0.005 nats, 0 different" in make(project, "verify").stdout
    )
    path = project.path / "metrics/losses/mlp.json"
    losses = json.loads(path.read_text())
    losses["dev"]["nll"] += 0.01
    path.write_text(json.dumps(losses))
    verified = make(project, "verify", check=False)
    assert verified.returncode == 2 and "1 different" in verified.stdout


def test_make_repro_checks_params_first(project: Project) -> None:
    project.edit("params.yaml", "direct: false", "direct: 0")
    assert project.run("dvc", "status", "--quiet", check=False).returncode == 0  # DVC sees no difference
    done = make(project, "repro", check=False)
    assert done.stderr.splitlines()[0] == "params.yaml: mlp.direct: expected true or false, got 0"
    assert "Stage" not in done.stdout and done.returncode == 2
