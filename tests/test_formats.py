"""docs/formats.md is true: its Python runs, and it names whatever the files hold."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import Result

from checkout import ROOT
from conftest import load_stage, mlp_params, text_of
from makemore.core.model import family_of, save_model
from makemore.core.vocab import Vocab
from makemore.models import bow, recurrent, transformer, wavenet
from makemore.models.mlp import MLP
from makemore.models.neural_bigram import NeuralBigram
from makemore.models.recurrent import Recurrent
from makemore.nn.neural import Neural

PAGE = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
VOCAB = Vocab.of(text_of("emma", "zoë"))
V = len(VOCAB)
LOAD, NUMPY, ONNX = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
CODE_SPANS = r"`([^`\n]+)`"
LSTM = Recurrent(recurrent.Params(cell="lstm", embedding=3, hidden=5, layers=2, dropout=0), V)


def ran(code: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(code, names)
    return names


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_model(tmp_path / "models/lstm.safetensors", LSTM, VOCAB)
    return tmp_path


def test_three_lines_load_a_model_and_ask_it(saved: Path) -> None:
    assert LOAD in (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(list(filter(None, LOAD.splitlines()))) == 3
    found = ran(LOAD)
    assert found["vocab"] == VOCAB
    assert np.array_equal(found["log_probs"], LSTM.token_log_probs(VOCAB.tokens("emma")))


def test_numpy_alone_reads_the_mlp(saved: Path) -> None:
    network = MLP(mlp_params(initialization="randn"), V)
    save_model(saved / "models/mlp.safetensors", network, VOCAB)
    em = np.array([[0, VOCAB.stoi["e"], VOCAB.stoi["m"]]], dtype=np.int32)
    assert np.log(ran(NUMPY)["probs"]) == pytest.approx(network.log_probs(em)[0], abs=1e-5)


def test_onnxruntime_reads_what_the_command_exported(saved: Path, run: Callable[..., Result]) -> None:
    pytest.importorskip("onnxruntime")
    load_stage("export").main("lstm")
    expected = LSTM.log_probs(VOCAB.tokens("emma")[None, :-1])[0]
    assert ran(ONNX)["log_probs"][0, -1] == pytest.approx(expected, abs=1e-5)


NETWORKS = [
    NeuralBigram(V),
    MLP(mlp_params(direct=True), V),
    LSTM,
    bow.BagOfWords(bow.Params(embedding=3, hidden=5, positions=4, dropout=0), V),
    wavenet.WaveNet(wavenet.Params(channels=3, hidden=5, layers=2, kernel=2, dropout=0), V),
    transformer.Transformer(transformer.Params(layers=2, heads=1, embedding=4, positions=4, dropout=0), V),
]


@pytest.mark.parametrize("network", NETWORKS, ids=family_of)
def test_each_array_is_described(network: Neural) -> None:
    section = PAGE.split(f"\n`{family_of(network)}`: ")[1].split("\n\n`")[0]
    arrays = {re.sub(r"\.\d+\.", ".K.", name).replace("norm2", "norm1") for name in network.arrays()}
    assert set(re.findall(CODE_SPANS, section.partition("| --- |")[2])) >= arrays
    assert all(weight.dtype == torch.float32 for weight in network.parameters())


def keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys(item)


def test_each_key_and_column_is_described() -> None:
    described = set(re.findall(CODE_SPANS, PAGE))
    members = {path.stem for path in (ROOT / "metrics").glob("*.json")}
    files = sorted((ROOT / "metrics").rglob("*.json"))
    assert {key for path in files for key in keys(json.loads(path.read_text()))} - members <= described
    for path in (ROOT / "metrics").rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            assert set(next(csv.reader(file))) <= described, path
