"""Each stage run directly, as a user types it."""

import csv
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from checkout import ROOT
from conftest import SMALL, list_models
from makemore.core.files import read_safetensors
from makemore.reporting.figures import FIGURES
from makemore.reporting.plots import PLOTS
from makemore.reporting.tables import BEGIN, END
from makemore.training.params import TrainingParams

Run = Callable[..., Result]
STAGES = sorted(path.stem for path in (ROOT / "stages").glob("[!_]*.py"))


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


def test_train_lists_exactly_the_families_of_networks(run: Run) -> None:
    commands = run("train", "--help").stdout.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in commands] == sorted(SMALL)
    networks = yaml.safe_load((ROOT / "models/index.yaml").read_text())["networks"]
    assert {file.removesuffix(".py") for file in networks.values()} <= SMALL.keys()


@pytest.mark.parametrize("family", SMALL)
def test_every_family_of_networks_can_be_trained(outputs: Path, run: Run, family: str) -> None:
    training = yaml.safe_load((outputs / "params.yaml").read_text())["mlp"]
    section = {key: training[key] for key in TrainingParams.model_fields if key in training} | SMALL[family]
    (outputs / "params.yaml").write_text(yaml.safe_dump({"new": section}))
    assert run("train", family, "new").exit_code == run("evaluate", "new").exit_code == 0
    _, metadata = read_safetensors(outputs / "models/new.safetensors")
    assert metadata["family"] == family and metadata["config"] == SMALL[family]
    assert (outputs / "metrics/curves/new.csv").exists() and (outputs / "metrics/training/new.json").exists()


@pytest.mark.parametrize("family", ["ngram", "ensemble", "wavelet", "../train", ""])
def test_train_refuses_what_is_not_a_family_of_networks(run: Run, family: str) -> None:
    result = run("train", family, "mlp")
    assert result.exit_code == 2 and f"No such command '{family}'" in result.stderr


def test_train_takes_a_family_with_or_without_py(outputs: Path, run: Run) -> None:
    for family in "mlp", "mlp.py":
        (outputs / "models/mlp.safetensors").unlink()
        assert run("train", family, "mlp").exit_code == 0
        assert read_safetensors(outputs / "models/mlp.safetensors")[1]["family"] == "mlp"


@pytest.mark.parametrize("model", ["bigram", "trigram_tuned", "neural_bigram", "mlp"])
def test_each_model_is_evaluated_and_sampled(outputs: Path, model: str) -> None:
    losses = json.loads((outputs / f"metrics/losses/{model}.json").read_text())
    assert losses["parameters"] > 0
    assert {"nll", "nll_se", "perplexity", "bits_per_char"} <= losses["train"].keys() & losses["dev"].keys()
    samples = json.loads((outputs / f"metrics/samples/{model}.json").read_text())
    assert samples["samples"] == 30 == len((outputs / f"data/samples/{model}.txt").read_text().splitlines())


def test_a_tuned_model_has_the_strength_that_is_best_on_dev(outputs: Path) -> None:
    with (outputs / "metrics/curves/trigram_tuned_strength.csv").open(newline="") as file:
        best = min(csv.DictReader(file), key=lambda row: float(row["dev"]))
    assert json.loads((outputs / "metrics/tuned/trigram_tuned.json").read_text()) == {
        "strength": float(best["strength"])
    }
    _, metadata = read_safetensors(outputs / "models/trigram_tuned.safetensors")
    assert metadata["config"]["strength"] == float(best["strength"])
    losses = json.loads((outputs / "metrics/losses/trigram_tuned.json").read_text())
    assert losses["dev"]["nll"] == pytest.approx(float(best["dev"]), rel=1e-5)


def test_test_evaluates_the_models_of_the_index(outputs: Path, run: Run) -> None:
    list_models(outputs, "mlp", "bigram")
    assert run("test").exit_code == 0
    losses = json.loads((outputs / "metrics/test.json").read_text())
    assert list(losses) == ["mlp", "bigram"] and losses["mlp"]["nll"] > 0


def test_every_figure_and_plot_is_written(outputs: Path, run: Run) -> None:
    assert run("figures").exit_code == 0
    assert {path.name for path in (outputs / "metrics/figures").iterdir()} == {f"{name}.png" for name in FIGURES}
    assert {path.name for path in (outputs / "metrics/plots").iterdir()} == {f"{name}.csv" for name in PLOTS}
    before = {path: path.read_bytes() for path in (outputs / "metrics").rglob("*") if path.is_file()}
    assert run("figures").exit_code == 0
    assert {path: path.read_bytes() for path in (outputs / "metrics").rglob("*") if path.is_file()} == before


def test_report_and_results_show_all_models(outputs: Path, run: Run) -> None:
    assert run("test").exit_code == 0
    result = run("report", "--live", "bigram", "--live", "mlp")
    assert result.exit_code == 0 and "metrics/report.html: 4 models, 2 live" in result.stdout
    assert "<h3>Part 1</h3>" in (outputs / "metrics/report.html").read_text()
    table = run("results").stdout
    assert all(name in table for name in ("bigram", "trigram_tuned", "neural_bigram", "mlp"))


def test_a_model_removed_from_the_index_is_not_shown(outputs: Path, run: Run) -> None:
    """All its files are left behind."""
    for path in [*outputs.rglob("mlp.*")]:
        shutil.copy(path, path.with_stem("removed"))
    (outputs / "README.md").write_text(f"{BEGIN}\n{END}\n")
    (outputs / "seconds.csv").write_text("model,seconds\nmlp,1.5\nremoved,1.5\n")
    commands = (
        ["results"],
        ["results", "--write", "README.md"],
        ["results", "--page", "results.md", "--seconds", "seconds.csv"],
        ["figures"],
        ["report", "--live", "mlp"],
        ["test"],  # last: the others read the old test.json, which has the removed model
    )
    tables = "README.md", "results.md", "metrics/plots/models.csv", "metrics/plots/loss_curves.csv"
    files = *tables, "metrics/report.html", "metrics/test.json"

    def shown() -> list[bool]:
        printed = [run(*command) for command in commands]
        assert all(result.exit_code == 0 for result in printed)
        texts = [*(result.stdout for result in printed[:1]), *((outputs / file).read_text() for file in files)]
        assert all("mlp" in text for text in texts)
        return ["removed" in text for text in texts]

    list_models(outputs, "bigram", "mlp", "removed")
    assert all(shown())
    list_models(outputs, "bigram", "mlp")
    assert not any(shown())


def test_an_option_overrides_params_and_params_may_be_elsewhere(outputs: Path, run: Run) -> None:
    def config(model: str) -> dict[str, object]:
        found: dict[str, object] = read_safetensors(outputs / model)[1]["config"]
        return found

    run("train_mlp", "--hidden", "5", "--direct", "--model", "five.safetensors")
    assert config("five.safetensors")["hidden"] == 5 and config("five.safetensors")["direct"] is True
    (outputs / "other.yaml").write_text((outputs / "params.yaml").read_text().replace("hidden: 8", "hidden: 6"))
    run("train_mlp", "--params", "other.yaml", "--model", "six.safetensors")
    assert config("six.safetensors")["hidden"] == 6


def test_explicit_paths(run: Run, folder: Path) -> None:
    (folder / "towns.txt").write_text("Åbo\nOslo\nRoma\n" * 10)
    before = set(folder.iterdir()) | set((folder / "models").iterdir())
    assert run("vocab", "--names-file", "towns.txt", "--vocab", "out/vocab.json").exit_code == 0
    assert run("split", "--names-file", "towns.txt", "--folder", "out").exit_code == 0
    train = ["--train", "out/train.txt"]
    model = ["--model", "out/m.safetensors"]
    assert run("fit_ngram", "bigram", "--vocab", "out/vocab.json", *train, *model).exit_code == 0
    assert run("evaluate", "x", *train, "--dev", "out/dev.txt", *model, "--metrics", "out/m.json").exit_code == 0
    assert (folder / "out/m.json").exists()
    assert set(folder.iterdir()) | set((folder / "models").iterdir()) == before | {folder / "out"}


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("hidden: 8", "hidden: abc", "params.yaml: mlp.hidden: expected an integer >= 1 and <= 1000000, got 'abc'"),
        ("hidden: 8", "hiden: 8", "params.yaml: mlp.hiden: unknown key; available: "),
        ("schedule: linear", "schedule: cubic", "params.yaml: mlp.schedule: expected one of constant, step, late_step"),
        ("mlp:", "mpl:", "params.yaml: mlp: no such section; available: clean, split"),
    ],
)
def test_bad_params_are_one_line(outputs: Path, run: Run, old: str, new: str, line: str) -> None:
    before = (outputs / "models/mlp.safetensors").read_bytes()
    text = (outputs / "params.yaml").read_text()
    (outputs / "params.yaml").write_text(text.replace(old, new, 1))
    assert one_line(run("train_mlp")).startswith(line)
    assert (outputs / "models/mlp.safetensors").read_bytes() == before


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
        (b"", "data/names.txt: "),
        (b"emma\nan na\n", "data/names.txt:2: expected a name, found white space (' ')"),
        (b"emma\nava\n", "data/clean.txt: too few names, 2, for three splits"),
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


def test_missing_files_are_named(outputs: Path, run: Run) -> None:
    (outputs / "data/names.txt").unlink()
    assert one_line(run("clean")) == "data/names.txt: No such file or directory"
    available = "available: bigram, mlp, neural_bigram, trigram_tuned"
    assert one_line(run("evaluate", "nlp")) == f"models/nlp.safetensors: no such model; {available}"
    (outputs / "metrics/losses/mlp.json").unlink()
    for command in ("results",), ("figures",), ("report", "--live", "mlp"):
        assert one_line(run(*command)) == "metrics/losses/mlp.json: no such file; run `dvc repro` first"
    (outputs / "params.yaml").unlink()
    assert one_line(run("split")) == "params.yaml: No such file or directory"


def test_a_model_is_used_with_its_own_vocabulary(outputs: Path, run: Run) -> None:
    vocab = outputs / "data/vocab.json"
    vocab.write_text(vocab.read_text().replace("\n}", ',\n  "z": 6\n}'))
    before = (outputs / "metrics/losses/bigram.json").read_bytes()
    assert run("evaluate", "bigram").exit_code == 0
    assert (outputs / "metrics/losses/bigram.json").read_bytes() == before
    assert "character 1, 'z', is not among the 6 tokens of the vocabulary" in one_line(run("score", "bigram", "zed"))
    for command in ("fit_ensemble", "--models", "bigram"), ("report", "--live", "bigram"):
        line = one_line(run(*command))
        assert line.startswith("models/bigram.safetensors: expected the 7 tokens of vocab.json, found another")


def test_ssa_names(run: Run, folder: Path) -> None:
    (folder / "yob2018.txt").write_text("Emma,F,3\r\nAva,F,2\r\nEmma,M,1\r\n")
    (folder / "drop.csv").write_text("name,sex\nEmma,M\n")
    assert run("ssa_names", "yob2018.txt", "--drop", "drop.csv", "--output", "made.txt").exit_code == 0
    assert (folder / "made.txt").read_bytes() == b"emma\nava\n"
    (folder / "drop.csv").write_text("name,sex\nEva,M\n")
    assert "drop.csv: Eva, M is not in yob2018.txt" in one_line(run("ssa_names", "yob2018.txt", "--drop", "drop.csv"))
    (folder / "yob2018.txt").write_text("Emma,F,3\nAva\n")
    assert one_line(run("ssa_names", "yob2018.txt")).startswith("yob2018.txt:2: expected 3 columns, found 1")
