"""The recipes of the Makefile, without the installation."""

import json
import re
import subprocess
from pathlib import Path

from checkout import Project, ran, stages
from conftest import tiny_names


def make(project: Project, target: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a target with the environment of the tests, which make takes for its own."""
    (project.path / ".venv").mkdir(exist_ok=True)
    (project.path / ".venv" / ".installed").touch()
    return project.run("make", target, check=check, **variables)


def leave_out(project: Project, *models: str) -> None:
    """Make the project smaller: without some models, among them members of the ensemble."""
    line = re.compile(rf"\s+(- models/|- |)({'|'.join(models)})(\.safetensors|: \S+|)( *#.*)?")
    for file in "models/index.yaml", "params.yaml", "dvc.yaml":
        lines = (project.path / file).read_text().splitlines()
        (project.path / file).write_text("\n".join(kept for kept in lines if not line.fullmatch(kept)) + "\n")
    project.run("git", "commit", "--quiet", "--all", "--message", "fewer models")


def test_make_repro_in_a_project_for_another_list(finished: Project, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("".join(f"{name}\n" for name in tiny_names(seed=2)))
    finished.run("python", "stages/new.py", str(tmp_path / "other"), "--names", str(tmp_path / "list"))
    project = Project(tmp_path / "other")
    leave_out(project, "trigram", "mlp_wide", "bow", "rnn", "gru", "wavenet", "transformer")
    with project.forking() as variables:
        first = make(project, "repro", **variables)
        lock = (project.path / "dvc.lock").read_bytes()
        second = make(project, "repro", **variables)
    assert set(ran(first.stdout)) == set(stages(project.path))
    assert ran(second.stdout) == [] and (project.path / "dvc.lock").read_bytes() == lock
    assert "lstm" in second.stdout and second.stderr == ""

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
    assert project.run("dvc", "status", "--quiet", "train@mlp", check=False).returncode == 0  # DVC sees no difference
    done = make(project, "repro", check=False)
    assert done.stderr.splitlines()[0] == "params.yaml: mlp.direct: expected true or false, got 0"
    assert "Stage" not in done.stdout and done.returncode == 2
