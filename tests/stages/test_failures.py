"""What goes wrong ends with one line that says what and where, and nothing that existed is lost."""

import os
import resource
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from checkout import ROOT, Project, environment
from makemore.core.files import read_safetensors, write_safetensors

Run = Callable[..., Result]
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []  # root may do anything
FIXED = "order: 2, smoothing: additive, strength: 1, position: 0"
TUNED = "order: 2, smoothing: additive, position: 0, lowest: 1, highest: 2, count: 2"


def stage(folder: Path, command: str, limit: int | None = None, prefix: list[str] | None = None) -> str:
    """Run a stage as its own process, in which no file may grow beyond `limit`; its one line of error."""
    script, *arguments = shlex.split(command)
    done = subprocess.run(
        [*(prefix or []), sys.executable, str(ROOT / "stages" / f"{script}.py"), *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit is not None else None,
    )
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    return done.stderr.strip()


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("clean", "data/clean.txt"),
        ("vocab", "data/vocab.json"),
        ("split", "data/splits/train.txt"),
        ("fit_ngram bigram", "models/bigram.safetensors"),
        ("tune_ngram trigram_tuned", "models/trigram_tuned.safetensors"),
        ("train_mlp", "models/mlp.safetensors"),
        ("evaluate mlp", "metrics/losses/mlp.json"),
        ("sample mlp --output data/samples/mlp.txt", "data/samples/mlp.txt"),
        ("test", "metrics/test.json"),
        ("figures", "metrics/figures/bigram_counts.png"),
        ("report --live mlp", "metrics/report.html"),
    ],
)
def test_a_full_disk(outputs: Path, command: str, file: str) -> None:
    before = snapshot(outputs)
    assert stage(outputs, command, limit=10) == f"{file}: File too large"
    assert snapshot(outputs) == before


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="needs a user whom permissions bind")
def test_no_permission(outputs: Path) -> None:
    before = snapshot(outputs)
    (outputs / "data/splits").chmod(0o500)
    assert stage(outputs, "split", prefix=POWERLESS) == "data/splits/train.txt: Permission denied"
    (outputs / "data/splits").chmod(0o700)
    (outputs / "data/vocab.json").chmod(0)
    assert stage(outputs, "train_mlp", prefix=POWERLESS) == "data/vocab.json: Permission denied"
    (outputs / "data/vocab.json").chmod(0o600)
    assert snapshot(outputs) == before


def test_a_folder_in_place_of_a_file(outputs: Path) -> None:
    (outputs / "data/names.txt").unlink()
    (outputs / "data/names.txt").mkdir()
    assert stage(outputs, "clean") == "data/names.txt: Is a directory"


def test_a_truncated_model(outputs: Path) -> None:
    path = outputs / "models/mlp.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    for command in "evaluate mlp", "sample mlp", "test":
        assert stage(outputs, command).startswith(
            "models/mlp.safetensors: expected a safetensors file, found a damaged"
        )


def test_a_model_with_nan(outputs: Path) -> None:
    path = outputs / "models/mlp.safetensors"
    arrays, metadata = read_safetensors(path)
    write_safetensors(path, arrays | {"b2": np.full_like(arrays["b2"], np.nan)}, metadata)
    assert "models/mlp.safetensors: expected a model of this project, found weights b2" in stage(
        outputs, "evaluate mlp"
    )


def test_metrics_with_nan(outputs: Path) -> None:
    (outputs / "metrics/losses/mlp.json").write_text('{"dev": {"nll": NaN}}')
    for command in "figures", "report --live mlp", "results":
        assert stage(outputs, command).startswith("metrics/losses/mlp.json: expected JSON, found something else (NaN)")


def test_a_training_that_diverges(outputs: Path) -> None:
    before = snapshot(outputs)
    line = stage(outputs, "train_mlp --optimizer sgd --lr 1e30")
    assert line.startswith("step ") and "training diverged; try a smaller lr" in line
    assert snapshot(outputs) == before


def test_more_than_the_memory_holds(outputs: Path) -> None:
    line = stage(outputs, "train_mlp --hidden 1000000 --embedding 10000 --context 1000")
    assert line.startswith("out of memory: ")


@pytest.mark.parametrize("name", ["../../evil", "a/b", "a;b", ""])
def test_a_models_name_is_no_path(outputs: Path, run: Run, name: str) -> None:
    before = snapshot(outputs)
    assert run("fit_ngram", name).exit_code == 2
    assert snapshot(outputs) == before


@pytest.mark.parametrize(
    ("group", "section", "values"), [("fixed", "ngram", FIXED), ("tuned", "tuned_ngram", TUNED)], ids=["fixed", "tuned"]
)
def test_a_name_in_params_runs_no_shell_code(project: Project, group: str, section: str, values: str) -> None:
    """DVC merges params.yaml, which may be a stranger's, into the lists of models that dvc.yaml goes through."""
    evil = "'x$(touch evil)'"
    project.edit("params.yaml", f"\n{section}:", f"\n{group}:\n  {evil}: ngram\n\n{section}:\n  {evil}: {{{values}}}")
    done = project.run("dvc", "repro", check=False)
    assert done.returncode != 0 and "expected letters, digits, - and _, got 'x$(touch evil)'" in done.stderr
    assert not (project.path / "evil").exists()


def test_a_network_in_params_runs_no_shell_code(project: Project) -> None:
    evil = "'x$(touch evil)'"
    text = (project.path / "params.yaml").read_text()
    section = text[text.index("\nmlp:") + 5 : text.index("\nmlp_wide:")]
    (project.path / "params.yaml").write_text(f"{text}\nnetworks:\n  {evil}: mlp.py\n{evil}:{section}")
    done = project.run("dvc", "repro", check=False)
    assert done.returncode != 0 and "expected letters, digits, - and _, got 'x$(touch evil)'" in done.stderr
    assert not (project.path / "evil").exists()


def test_the_last_outputs_of_a_failed_stage_are_in_the_dvc_cache(project: Project) -> None:
    model = project.path / "models/mlp.safetensors"
    before = model.read_bytes()
    project.edit("params.yaml", "optimizer: adamw", "optimizer: sgd")
    project.edit("params.yaml", "lr: 0.02", "lr: 1.0e+30")
    done = project.run("dvc", "repro", check=False)
    assert done.returncode != 0 and "training diverged" in done.stderr and "Traceback" not in done.stderr
    assert not model.exists()  # DVC takes outputs away before it runs a stage
    project.run("git", "checkout", "--", ".")
    project.run("dvc", "checkout")
    assert model.read_bytes() == before and project.status() == ""
