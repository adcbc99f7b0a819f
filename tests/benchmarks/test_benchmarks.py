"""Each benchmark runs, in its smallest form on a tiny list. No test here looks at how fast anything is."""

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from checkout import ROOT, Project
from makemore.reporting.tables import read_seconds

BENCHMARKS = ROOT / "benchmarks"

Bench = Callable[..., str]


@pytest.fixture
def bench(folder: Path, run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Runs a benchmark in this process, in a folder with splits of a tiny list; its output."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    for stage in "clean", "vocab", "split":
        assert run(stage).exit_code == 0

    def invoke(name: str, *arguments: str) -> str:
        spec = importlib.util.spec_from_file_location(f"benchmark_{name}", BENCHMARKS / f"{name}.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        result = CliRunner().invoke(module.app, arguments)
        assert result.exit_code == 0, result.output + str(result.exception)
        return result.stdout

    return invoke


def tables(output: str) -> list[dict[str, list[str]]]:
    """The Markdown tables of an output: for each, the cells of its rows by their first cell."""
    found = []
    for block in re.findall(r"(?:^\|.*\n)+", output, re.MULTILINE):
        cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in block.splitlines()]
        assert len({len(row) for row in cells}) == 1
        found.append({first: rest for first, *rest in cells[2:]})
    return found


def test_determinism(bench: Bench) -> None:
    (table,) = tables(bench("determinism", "cost", "--rounds", "1", "--steps", "2", "--network", "bow"))
    assert list(table) == ["bow"]


def test_lecture_mlp(bench: Bench, folder: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "lecture_mlp.py"), "2"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) == {"import", "prepare", "train"}


def test_the_goal_of_the_mlp(bench: Bench) -> None:
    output = bench("mlp", "goal", "--seeds", "1", "--rounds", "1", "--scale", "0", "--goal", "100")
    (table,) = tables(output)
    assert len(table) == 5


def test_the_speed_of_the_mlp(bench: Bench) -> None:
    small = "--rounds", "1", "--scale", "0", "--largest", "128"
    found = tables(bench("mlp", "work", "batch", "layer", "threads", *small))
    assert [len(table) for table in found] == [2, 2, 6, 3]


def test_lectures(bench: Bench) -> None:
    small = "--rounds", "1", "--share", "0"
    (recipes,) = tables(bench("lectures", "recipes", *small))
    assert len(recipes) == 6
    (steps,) = tables(bench("lectures", "backprop", *small))
    assert list(steps) == ["32", "512"]


def test_networks(bench: Bench) -> None:
    steps, shares = tables(bench("models", "step", "time", "--rounds", "1", "--steps", "1"))
    assert list(steps) == list(shares) and len(steps) == 8


def test_training_times(bench: Bench, folder: Path) -> None:
    params = folder / "params.yaml"
    params.write_text(re.sub(r"(?<=  models:)[^\n]*\n(  - \w+\n)+", "\n  - bigram\n  - mlp\n", params.read_text()))
    options = ["--output", "seconds.csv", "--model", "trigram_tuned", "--model", "ensemble"]
    (folder / "seconds.csv").write_text("model,seconds\nlstm,5.0\n")
    bench("models", "train", *options)
    known = read_seconds(folder / "seconds.csv")
    assert set(known) == {"bigram", "trigram_tuned", "mlp", "lstm", "ensemble"} and known["lstm"] == 5


def test_ngram(bench: Bench) -> None:
    (table,) = tables(bench("ngram", "--times", "1", "--times", "2", "--order", "3"))
    assert list(table) == ["60", "120"]


def test_scale(bench: Bench) -> None:
    found = tables(bench("scale", "--times", "1", "--times", "2", "--stage", "clean", "--stage", "split"))
    assert [list(table) for table in found] == [["clean", "split"]] * 2


def test_lists(bench: Bench, folder: Path) -> None:
    (models,) = tables(bench("lists", "data/names.txt", "--lines", "40"))
    assert list(models) == ["trigram_tuned", "sixgram", "mixed_ngram"]


def test_sampling(bench: Bench, run: Callable[..., Result]) -> None:
    for stage, *arguments in ["fit_ngram", "bigram"], ["fit_ngram", "trigram"], ["train_mlp"]:
        assert run(stage, *arguments).exit_code == 0
    models = [option for name in ("bigram", "mlp", "trigram") for option in ("--model", name)]
    speeds, processes = tables(bench("sampling", "--names", "20", "--rounds", "1", *models))
    assert list(speeds) == ["bigram", "mlp", "trigram"] and list(processes) == ["bigram", "mlp"]


def test_throughput(bench: Bench) -> None:
    models = [option for name in ("mlp", "lstm", "transformer") for option in ("--model", name)]
    (table,) = tables(bench("throughput", "--largest", "4", "--seconds", "0", *models))
    assert list(table) == ["mlp, 4", "lstm, 4", "transformer, 4"]


def test_torchrun(bench: Bench) -> None:
    small = "--rounds", "1", "--steps", "1", "--batch", "4", "--processes", "1", "--model", "lstm"
    (table,) = tables(bench("torchrun", *small))
    assert list(table) == ["lstm"]


def test_seeds(bench: Bench, run: Callable[..., Result]) -> None:
    assert run("fit_ngram", "bigram").exit_code == 0
    (table,) = tables(bench("seeds", "mlp", "mlp", "--seeds", "2", "--mix", "bigram", "--", "--steps", "1"))
    assert list(table) == ["1", "2", "mean", "standard deviation"]


def test_pipeline(project: Project) -> None:
    script = str(BENCHMARKS / "pipeline.py")
    with project.forking() as variables:
        output = project.run(sys.executable, script, "lines", "--rounds", "1", **variables).stdout
    (table,) = tables(output)
    assert len(table) > 1
    assert project.status() == ""


def test_all_benchmarks_are_tested() -> None:
    elsewhere = {"_benchmark", "makemore_models"}  # libraries; test_arithmetic
    tested = set(re.findall(r'bench\("(\w+)"|"(\w+)\.py"', Path(__file__).read_text()))
    assert {path.stem for path in BENCHMARKS.glob("*.py")} - elsewhere == {one or other for one, other in tested}
