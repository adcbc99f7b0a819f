"""The pipeline as DVC runs it, on a tiny list in a temporary checkout."""

import io
import json
from pathlib import Path

from ruamel.yaml import YAML

from checkout import ROOT, Project, ran
from makemore.core.files import read_json

MLP = {"train@mlp", "diagnose@mlp", "evaluate@mlp", "sample@mlp", "test", "figures", "report"}


def test_a_second_run_runs_nothing(project: Project) -> None:
    assert project.repro() == []
    assert project.status() == ""
    assert project.run("dvc", "status", "--quiet", check=False).returncode == 0


def test_a_fresh_clone_gets_the_same_bytes(finished: Project, tmp_path: Path) -> None:
    """In another folder, with other hash seeds, another locale, time zone and number of threads: all models."""
    clone = finished.clone(tmp_path / "clone")
    (clone.path / "dvc.lock").unlink()  # from nothing, which is also less work for DVC
    elsewhere = {"PYTHONHASHSEED": "4711", "LC_ALL": "C", "TZ": "Asia/Kathmandu", "OMP_NUM_THREADS": "2"}
    with clone.forking(**elsewhere) as variables:
        clone.repro(**variables)
    assert clone.status() == ""
    assert (clone.path / "dvc.lock").read_bytes() == (finished.path / "dvc.lock").read_bytes()


def test_metrics_and_plots_are_there_in_a_fresh_clone(finished: Project, tmp_path: Path) -> None:
    clone = finished.clone(tmp_path / "clone")
    shown = json.loads(clone.run("dvc", "metrics", "show", "--json").stdout)
    files = shown[""]["data"] if "" in shown else shown["workspace"]["data"]["files"]
    assert files["metrics/losses/mlp.json"]["data"]["dev"]["nll"] > 0
    assert "index.html" in clone.run("dvc", "plots", "show").stdout


def test_an_experiment_reruns_what_it_affects_and_going_back_runs_nothing(project: Project) -> None:
    before = read_json(project.path / "metrics/losses/mlp.json")["dev"]["nll"]
    with project.forking() as variables:
        done = project.run("dvc", "exp", "run", "-S", "mlp.hidden=9", **variables)
    assert set(ran(done.stdout)) == MLP
    after = read_json(project.path / "metrics/losses/mlp.json")["dev"]["nll"]
    changed = json.loads(project.run("dvc", "metrics", "diff", "--json").stdout)["metrics/losses/mlp.json"]
    assert changed["dev.nll"]["old"] == before != after == changed["dev.nll"]["new"]

    back = project.run("dvc", "exp", "run", "-S", "mlp.hidden=8").stdout
    assert ran(back) == [] and back.count("is cached - skipping run") == len(MLP)
    assert project.status() == ""


def test_dvc_rewrites_the_params_as_they_stand() -> None:
    """So an experiment that changes a value and one that changes it back leave no trace in params.yaml."""
    lines = (ROOT / "params.yaml").read_text()
    yaml = YAML()
    rewritten = io.StringIO()
    yaml.dump(yaml.load(lines), rewritten)
    assert rewritten.getvalue() == lines
