"""A finished run beside the committed one."""

import json
import math
from pathlib import Path

import pytest

from makemore.tools.comparison import CLOSE, DIFFERENT, EQUAL, Row, compare, difference, digest

LOSSES = {"parameters": 9, "dev": {"nll": 2.0, "nll_se": 0.01, "perplexity": 7.389}}
CURVE = "step,loss,lr\n1,3.0,0.1\n2,2.5,0.1\n"
FILES = {
    "data/train.txt": "emma\n",
    "models/mlp.safetensors": "weights",
    "metrics/curves/mlp.csv": CURVE,
    "metrics/losses/mlp.json": json.dumps(LOSSES),
    "data/samples/mlp.txt": "ema\n",
    "metrics/samples/mlp.json": '{"distinct": 1}',
    "metrics/figures/a/curve.png": "picture",
    "metrics/figures/b.png": "picture",
}
STAGES = {  # deps, outs
    "split": (["data/names.txt"], ["data/train.txt"]),
    "train@mlp": (["src/makemore/models/mlp.py"], ["models/mlp.safetensors", "metrics/curves/mlp.csv"]),
    "evaluate@mlp": (["models/mlp.safetensors"], ["metrics/losses/mlp.json"]),
    "sample@mlp": (["models/mlp.safetensors"], ["data/samples/mlp.txt", "metrics/samples/mlp.json"]),
    "figures": (["models"], ["metrics/figures"]),
}


def compared(folder: Path, monkeypatch: pytest.MonkeyPatch, **changed: str | None) -> dict[str, Row]:
    """The rows after some files, given by their stems and suffixes, have changed or are gone."""
    monkeypatch.chdir(folder)
    for name, content in FILES.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    committed = {
        name: {
            "deps": [{"path": dep} for dep in deps],
            "outs": [{"path": out, "md5": digest(Path(out))} for out in outs],
        }
        for name, (deps, outs) in STAGES.items()
    }
    for name, new in changed.items():
        (path,) = [Path(file) for file in FILES if file.replace("/", "_").partition(".")[0].endswith(name)]
        path.unlink() if new is None else path.write_text(new)
    rows = compare(committed, lambda path: FILES[path.as_posix()].encode(), 0.001)
    return {row.stage: row for row in rows}


def losses(nll: float) -> str:
    return json.dumps(LOSSES | {"dev": {"nll": nll, "nll_se": 0.01, "perplexity": math.exp(nll)}})


def test_equal_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {row.result for row in compared(tmp_path, monkeypatch).values()} == {EQUAL}


def test_other_weights_with_the_same_losses_are_within_tolerance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = compared(
        tmp_path,
        monkeypatch,
        models_mlp="other",
        curves_mlp=CURVE.replace("2.5", "2.6"),
        losses_mlp=losses(2.0009),
        data_samples_mlp="eva\n",
        metrics_samples_mlp='{"distinct": 2}',
        figures_b="other",
    )
    assert [row.result for row in rows.values()] == [EQUAL, CLOSE, CLOSE, CLOSE, CLOSE]
    notes = [row.note for row in rows.values()]
    assert notes == [
        "",
        "other weights, curve up to 0.1 nats apart",
        "metrics up to 0.0009 nats apart",
        "other names, other metrics",
        "other figures",
    ]


def test_a_model_whose_losses_differ_is_different_in_all_its_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = compared(tmp_path, monkeypatch, losses_mlp=losses(2.0011), data_samples_mlp="eva\n")
    assert rows["evaluate@mlp"] == Row("evaluate@mlp", DIFFERENT, "metrics up to 0.0011 nats apart")
    assert rows["sample@mlp"] == Row("sample@mlp", DIFFERENT, "other names")
    assert rows["train@mlp"].result == rows["figures"].result == EQUAL


def test_other_bytes_where_nothing_is_rounded_are_different(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(tmp_path, monkeypatch, data_train="eva\n")["split"].note == "other bytes: data/train.txt"


def test_a_missing_output_is_different(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = compared(tmp_path, monkeypatch, data_samples_mlp=None)
    assert rows["sample@mlp"] == Row("sample@mlp", DIFFERENT, "missing: data/samples/mlp.txt")
    assert rows["train@mlp"].result == EQUAL


def test_difference() -> None:
    assert difference(".json", b'{"nll": Infinity}', b'{"nll": Infinity}') == 0
    assert difference(".json", b'{"nll": 1, "initial_loss": 3}', b'{"initial_loss": 3.5, "nll": 1}') == 0.5
    assert difference(".json", b'{"nll": 1}', b'{"nll": 1, "nll_se": 1}') == math.inf
    assert difference(".csv", b"step,loss\n1,2\n", b"step,loss\n1,2\n2,2\n") == math.inf
    assert (
        difference(".csv", b"order,strength,train,dev\n1,0.1,2,3\n", b"order,strength,train,dev\n1,0.1,2,2.5\n") == 0.5
    )
