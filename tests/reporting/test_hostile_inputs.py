"""Metrics, curves and embeddings from strangers, which figures, tables and the page read."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from hostile import Run, error_of, read, write
from makemore.core.files import read_csv, read_safetensors, write_safetensors
from makemore.reporting.figures import FIGURES
from makemore.reporting.inputs import Inputs


def test_an_embedding_that_is_missing_or_of_another_vocabulary(outputs: Path, run: Run) -> None:
    arrays, metadata = read("mlp")
    bad = np.full_like(arrays["C"], np.nan)
    for C in {"C": bad}, {"C": arrays["C"][:2]}, {"C": arrays["C"][0]}, {"c": arrays["C"]}:
        write("mlp", {name: array for name, array in arrays.items() if name != "C"} | C, metadata)
        for command in "figures", "report --live bigram":
            assert error_of(run, command).startswith("models/mlp.safetensors: expected finite numbers C, (6, C)")


METRICS = [
    ("training/find_lr.json", ["[]", "{}", '{"lowest": "a", "highest": 1, "best": 1}'], ["figures", "report"]),
    ("training/initialization.json", ["[]", "{}", '{"scaled": 1}'], ["figures", "report"]),
    ("losses/mlp.json", ["[]", "{}", "3", '{"dev": [1]}'], ["figures", "report", "results"]),
    ("losses/mlp.json", ['{"train": {"nll": 1}, "dev": {"nll": "low"}}', "[" * 9999], ["figures", "report", "results"]),
    ("losses/mlp.json", ['{"train": {"nll": 1}, "dev": {"nll": true}}', '{"dev": {"nll": 1e400}}'], ["results"]),
    ("losses/mlp.json", ['{"a": 1' + "0" * 400 + "}", '{"a": {"b": {"c": 1}}}', '{"a": -Infinity}'], ["results"]),
    ("curves/mlp.csv", ["", "step,loss\n", "step,loss\n1\n", "step,loss\n1,2,3\n"], ["figures", "report"]),
    ("curves/mlp.csv", ["step,loss\n1,x\n", "step,loss\nnan,1\n", "step,loss\ninf,1\n"], ["figures", "report"]),
    ("curves/mlp.csv", ["step,x\n1,2\n", "a,loss\n1,2\n"], ["figures", "report"]),
    ("curves/find_lr.csv", ["", "step,loss\n1,2\n", "lr,loss\n1\n"], ["figures", "report"]),
    ("curves/initialization.csv", ["", "from,to\n0,1\n", "a,b\n1,2\n"], ["figures", "report"]),
    ("curves/trigram_tuned_strength.csv", ["", "order,strength,train\n0,1,2\n"], ["figures"]),
    ("curves/trigram_tuned_strength.csv", ["order,strength,train,dev\n1,1,2,3\n"], ["figures"]),
    ("samples/mlp.json", ["[]", "{}", '{"samples": 0, "new": 0}', '{"samples": "9", "new": 1}'], ["report"]),
    ("samples/mlp.json", ["{}", '{"samples": 1, "new": 2}', '{"samples": -2, "new": -3}'], ["results --page page.md"]),
    ("test.json", ["[]", "3", '{"mlp": {"nll": "low"}}', '{"mlp": [2]}'], ["report", "results"]),
]


@pytest.mark.parametrize(("file", "contents", "commands"), METRICS, ids=[str(i) for i in range(len(METRICS))])
def test_metrics_of_another_form(
    outputs: Path, run: Run, file: str, contents: list[str], commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(FIGURES, "bigram_counts")  # it takes long, and none of these files
    Path("seconds.csv").write_text("model,seconds\nmlp,1\n")
    for content in contents:
        (outputs / "metrics" / file).write_text(content)
        for command in commands:
            options = {"report": " --live bigram", "results --page page.md": " --seconds seconds.csv"}
            line = error_of(run, command + options.get(command, ""))
            assert line.startswith(f"metrics/{file}: "), (content, line)


def test_metrics_and_curves_that_are_not_utf_8(outputs: Path, run: Run) -> None:
    Path("metrics/curves/mlp.csv").write_bytes(b"step,loss\n1,\xff\n")
    assert error_of(run, "figures") == "metrics/curves/mlp.csv: expected UTF-8, found the byte 0xff\n"
    Path("metrics/losses/mlp.json").write_bytes(b'{"a": "\xff"}')
    assert error_of(run, "results").startswith("metrics/losses/mlp.json: expected JSON, found something else")


def test_infinite_losses_are_shown(outputs: Path) -> None:
    """An unsmoothed model has them."""
    path = Path("metrics/losses/bigram.json")
    found = json.loads(path.read_text())
    infinite = dict.fromkeys(found["dev"], math.inf)
    path.write_text(json.dumps(found | {"dev": infinite}))
    assert Inputs().results[0].model == "bigram"


def test_the_columns_of_a_curve(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("a,b\n1,inf\n2,1e-3\n")
    assert {name: column.tolist() for name, column in read_csv(tmp_path / "c.csv").items()} == {
        "a": [1, 2],
        "b": [math.inf, 0.001],
    }


@pytest.mark.parametrize("command", ["diagnose mlp", "figures"])
def test_a_record_of_another_training(outputs: Path, run: Run, command: str) -> None:
    path = Path("data/recorded/mlp.safetensors")
    arrays, metadata = read_safetensors(path)
    layer, matrix = np.zeros((3, 2), dtype=np.float32), np.ones(1, dtype=np.float32)
    without = {name: array for name, array in arrays.items() if not name.startswith("gradient.")}
    for changed in (
        {"other": layer},
        {"activation.tanh1": np.full_like(layer, np.nan)},
        {"activation.tanh1": layer[:0]},
        {"activation.tanh2": layer},
        {"ratio.W9": matrix},
    ):
        write_safetensors(path, arrays | changed, metadata)
        assert error_of(run, command).startswith(f"{path}: expected "), changed
    write_safetensors(path, without, metadata)
    assert error_of(run, command).startswith(f"{path}: expected the record of the training of metrics/curves/mlp.csv")
    path.write_bytes(b"x")
    assert error_of(run, command).startswith(f"{path}: expected a safetensors file, found a damaged one")
