"""Each stage run directly, as a user types it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from checkout import ROOT

Run = Callable[..., Result]
STAGES = sorted(path.stem for path in (ROOT / "stages").glob("[!_]*.py"))


def prepared(run: Run) -> None:
    stages = ["clean"], ["vocab"], ["split"], ["fit_ngram", "bigram"], ["tune_ngram", "trigram_tuned"], ["train_mlp"]
    for command in (*stages, ["train_neural_bigram"]):
        assert run(*command).exit_code == 0


def one_line(result: Result) -> str:
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr and result.stderr.count("\n") == 1
    return result.stderr.strip()


@pytest.mark.parametrize("stage", STAGES)
def test_help(run: Run, stage: str) -> None:
    result = run(stage, "--help")
    assert result.exit_code == 0 and "Usage" in result.stdout


def test_help_shows_the_values_of_params(run: Run, folder: Path) -> None:
    (folder / "params.yaml").write_text("split:\n  seed: 4711\nngram:\n  bigram:\n    order: 7\n    strength: [1, 2]\n")
    assert "4711" in run("split", "--help").stdout
    assert re.search(r"bigram\s+7", run("fit_ngram", "--help").stdout)
    (folder / "params.yaml").unlink()
    assert run("split", "--help").exit_code == 0


def test_from_names_to_samples(run: Run, folder: Path) -> None:
    prepared(run)
    for model in "bigram", "neural_bigram", "mlp":
        outputs = "--output", f"data/samples/{model}.txt", "--metrics", f"metrics/samples/{model}.json"
        assert run("evaluate", model).exit_code == run("sample", model, *outputs).exit_code == 0
        metrics = json.loads((folder / f"metrics/{model}.json").read_text())
        assert metrics["parameters"] > 0
        assert {"nll", "nll_se", "perplexity", "bits_per_char"} <= metrics["train"].keys() & metrics["dev"].keys()
        samples = json.loads((folder / f"metrics/samples/{model}.json").read_text())
        assert samples["samples"] == 30 == len((folder / f"data/samples/{model}.txt").read_text().splitlines())
    assert run("find_lr").exit_code == run("initialization").exit_code == 0
    assert run("figures", "bigram", "neural_bigram", "mlp").exit_code == 0
    assert len(list((folder / "metrics/figures").glob("*.png"))) == 7
    assert run("test", "--models", "mlp", "--models", "bigram").exit_code == 0
    assert list(json.loads((folder / "metrics/test.json").read_text())) == ["mlp", "bigram"]
    (folder / "docs").mkdir()
    (folder / "docs/exercises.md").write_text("# Answers\n\n## Part 1\n\nNone.\n")
    result = run("report", "bigram", "neural_bigram", "mlp", "--live", "bigram", "--live", "mlp")
    assert result.exit_code == 0 and "metrics/report.html: 3 models, 2 of them alive" in result.stdout
    assert "<h3>Part 1</h3>" in (folder / "metrics/report.html").read_text()
    table = run("results").stdout
    assert all(name in table for name in ("bigram", "neural_bigram", "mlp"))


def test_an_option_overrides_params_and_params_may_be_elsewhere(run: Run, folder: Path) -> None:
    prepared(run)
    run("train_mlp", "--hidden", "5", "--direct", "--model", "five.safetensors")
    assert b'\\"hidden\\": 5' in (folder / "five.safetensors").read_bytes()
    assert b'\\"direct\\": true' in (folder / "five.safetensors").read_bytes()
    text = (folder / "params.yaml").read_text()
    (folder / "other.yaml").write_text(text.replace("hidden: 8", "hidden: 6"))
    run("train_mlp", "--params", "other.yaml", "--model", "six.safetensors")
    assert b'\\"hidden\\": 6' in (folder / "six.safetensors").read_bytes()


def test_explicit_paths(run: Run, folder: Path) -> None:
    (folder / "towns.txt").write_text("Åbo\nOslo\nRoma\n" * 10)
    assert run("vocab", "--names-file", "towns.txt", "--vocab", "out/vocab.json").exit_code == 0
    assert run("split", "--names-file", "towns.txt", "--folder", "out").exit_code == 0
    paths = ["--vocab", "out/vocab.json", "--train", "out/train.txt"]
    assert run("fit_ngram", "bigram", *paths, "--model", "out/m.safetensors").exit_code == 0
    result = run(
        "evaluate", "x", *paths, "--dev", "out/dev.txt", "--model", "out/m.safetensors", "--metrics", "out/m.json"
    )
    assert result.exit_code == 0 and (folder / "out/m.json").exists()
    assert not (folder / "models").exists() and not (folder / "metrics").exists()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("hidden: 8", "hidden: abc", "params.yaml: mlp.hidden: expected an integer >= 1 and <= 1000000, got 'abc'"),
        ("hidden: 8", "hiden: 8", "params.yaml: mlp.hiden: expected one of"),
        ("schedule: linear", "schedule: cubic", "params.yaml: mlp.schedule: expected one of constant, step, linear"),
        ("mlp:", "mpl:", "params.yaml: mlp: expected this section, found only clean, split"),
    ],
)
def test_bad_params_are_one_line(run: Run, folder: Path, old: str, new: str, line: str) -> None:
    prepared(run)
    before = (folder / "models/mlp.safetensors").read_bytes()
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(text.replace(old, new, 1))
    assert one_line(run("train_mlp")).startswith(line)
    assert (folder / "models/mlp.safetensors").read_bytes() == before


def test_a_rule_over_two_keys(run: Run) -> None:
    result = run("split", "--train", "0.9", "--dev", "0.2")
    assert result.exit_code == 2 and "--dev: expected train + dev < 1, got 0.9 + 0.2" in result.stderr


@pytest.mark.parametrize(("value", "message"), [("0", ">= 1 and <= 1000000, got 0"), ("abc", "integer")])
def test_a_bad_option_is_a_usage_error(run: Run, value: str, message: str) -> None:
    result = run("train_mlp", "--hidden", value)
    assert result.exit_code == 2 and "--hidden" in result.stderr and message in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "data/names.txt: expected one name a line"),
        (b"emma\nan na\n", "data/names.txt:2: expected a name, found white space (' ') in it"),
        (b"emma\nava\n", "data/clean.txt: expected enough names for three splits, found 2"),
    ],
)
def test_a_bad_names_file_loses_nothing(run: Run, folder: Path, content: bytes, line: str) -> None:
    stage, file = ("split", "data/splits/train.txt") if "three splits" in line else ("clean", "data/clean.txt")
    assert run("clean").exit_code == run("split").exit_code == 0
    before = (folder / file).read_bytes()
    (folder / line.partition(":")[0]).write_bytes(content)
    assert one_line(run(stage)).startswith(line)
    assert (folder / file).read_bytes() == before
    assert not list(folder.rglob("*.tmp"))


def test_missing_files_are_named(run: Run, folder: Path) -> None:
    (folder / "data/names.txt").unlink()
    assert one_line(run("clean")) == "data/names.txt: No such file or directory"
    (folder / "params.yaml").unlink()
    assert one_line(run("split")) == "params.yaml: No such file or directory"


def test_a_model_of_another_vocabulary(run: Run, folder: Path) -> None:
    prepared(run)
    (folder / "data/vocab.json").write_text('{".": 0, "a": 1}')
    assert one_line(run("evaluate", "bigram")).startswith(
        "models/bigram.safetensors: expected a model with the vocabulary"
    )


def test_ssa_names(run: Run, folder: Path) -> None:
    (folder / "yob2018.txt").write_text("Emma,F,3\r\nAva,F,2\r\nEmma,M,1\r\n")
    (folder / "drop.csv").write_text("name,sex\nEmma,M\n")
    assert run("ssa_names", "yob2018.txt", "--drop", "drop.csv", "--output", "made.txt").exit_code == 0
    assert (folder / "made.txt").read_bytes() == b"emma\nava\n"
    (folder / "drop.csv").write_text("name,sex\nEva,M\n")
    assert "expected rows of yob2018.txt, found Eva" in one_line(run("ssa_names", "yob2018.txt", "--drop", "drop.csv"))
    (folder / "yob2018.txt").write_text("Emma,F,3\nAva\n")
    assert one_line(run("ssa_names", "yob2018.txt")).startswith("yob2018.txt:2: expected 3 columns, found 1")
