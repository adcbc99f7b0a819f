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


@pytest.fixture
def prepared(run: Run, folder: Path) -> Path:
    for command in (
        "clean",
        "vocab",
        "split",
        "fit_ngram bigram",
        "tune_ngram trigram_tuned",
        "train_mlp",
        "train_neural_bigram",
        "evaluate mlp",
        "sample mlp",
    ):
        assert run(*command.split()).exit_code == 0
    return folder


@pytest.mark.parametrize(
    ("command", "file"),
    [
        ("clean", "data/clean.txt"),
        ("vocab", "data/vocab.json"),
        ("split", "data/splits/train.txt"),
        ("fit_ngram bigram", "models/bigram.safetensors"),
        ("train_mlp", "models/mlp.safetensors"),
        ("evaluate mlp", "metrics/mlp.json"),
        ("sample mlp --output data/samples/mlp.txt", "data/samples/mlp.txt"),
        ("figures mlp", "metrics/figures/bigram_counts.csv"),
    ],
)
def test_a_full_disk(prepared: Path, command: str, file: str) -> None:
    before = snapshot(prepared)
    assert stage(prepared, command, limit=10) == f"{file}: File too large"
    assert snapshot(prepared) == before


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="needs a user whom permissions bind")
def test_no_permission(prepared: Path) -> None:
    before = snapshot(prepared)
    (prepared / "data/splits").chmod(0o500)
    assert stage(prepared, "split", prefix=POWERLESS) == "data/splits/train.txt: Permission denied"
    (prepared / "data/splits").chmod(0o700)
    (prepared / "data/vocab.json").chmod(0)
    assert stage(prepared, "train_mlp", prefix=POWERLESS) == "data/vocab.json: Permission denied"
    (prepared / "data/vocab.json").chmod(0o600)
    assert snapshot(prepared) == before


def test_a_folder_in_place_of_a_file(prepared: Path) -> None:
    (prepared / "data/names.txt").unlink()
    (prepared / "data/names.txt").mkdir()
    assert stage(prepared, "clean") == "data/names.txt: Is a directory"


def test_a_truncated_model(prepared: Path) -> None:
    path = prepared / "models/mlp.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    for command in "evaluate mlp", "sample mlp", "test --models mlp":
        assert stage(prepared, command).startswith(
            "models/mlp.safetensors: expected a safetensors file, found a damaged"
        )


def test_a_model_with_nan(prepared: Path) -> None:
    path = prepared / "models/mlp.safetensors"
    arrays, metadata = read_safetensors(path)
    write_safetensors(path, arrays | {"b2": np.full_like(arrays["b2"], np.nan)}, metadata)
    assert "models/mlp.safetensors: expected a model of this project, found weights b2" in stage(
        prepared, "evaluate mlp"
    )


def test_metrics_with_nan(prepared: Path, run: Run) -> None:
    assert run("find_lr").exit_code == run("initialization").exit_code == 0
    (prepared / "metrics/mlp.json").write_text('{"dev": {"nll": NaN}}')
    for command in "figures mlp", "results":
        assert stage(prepared, command).startswith("metrics/mlp.json: expected JSON, found something else (NaN)")


def test_a_training_that_diverges(prepared: Path) -> None:
    before = snapshot(prepared)
    line = stage(prepared, "train_mlp --optimizer sgd --lr 1e30")
    assert line.startswith("step ") and "the training diverged; a smaller lr may mend it" in line
    assert snapshot(prepared) == before


def test_more_than_the_memory_holds(prepared: Path) -> None:
    line = stage(prepared, "train_mlp --hidden 1000000 --embedding 10000 --context 1000")
    assert line.startswith("expected a machine with more memory")


@pytest.mark.parametrize("name", ["../../evil", "a/b", "a;b", ""])
def test_a_models_name_is_no_path(prepared: Path, run: Run, name: str) -> None:
    before = snapshot(prepared)
    assert run("fit_ngram", name).exit_code == 2
    assert snapshot(prepared) == before


def test_a_key_of_params_is_no_shell_code(project: Project) -> None:
    project.edit("params.yaml", "ngram:", "ngram:\n  'x$(touch evil)\"; touch evil #':\n    order: 2\n    strength: 1")
    assert project.run("dvc", "repro", check=False).returncode != 0
    assert not (project.path / "evil").exists()


def test_what_a_failed_stage_had_made_is_in_dvcs_cache(project: Project) -> None:
    model = project.path / "models/mlp.safetensors"
    before = model.read_bytes()
    project.edit("params.yaml", "optimizer: adamw", "optimizer: sgd")
    project.edit("params.yaml", "lr: 0.02", "lr: 1.0e+30")
    done = project.run("dvc", "repro", check=False)
    assert done.returncode != 0 and "the training diverged" in done.stderr and "Traceback" not in done.stderr
    assert not model.exists()  # DVC takes outputs away before it runs a stage
    project.run("git", "checkout", "--", ".")
    project.run("dvc", "checkout")
    assert model.read_bytes() == before and project.status() == ""
