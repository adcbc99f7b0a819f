"""docs/formats.md describes every array, key and column in the output files, and its Python code runs."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result

from checkout import ROOT
from conftest import SMALL, additive, network, text_of
from makemore.core.model import Model, save_model
from makemore.core.pipeline import model_names
from makemore.core.vocab import Vocab
from makemore.models.mixing import model as mixing
from makemore.models.ngram.model import fit

PAGE = (ROOT / "docs/formats.md").read_text(encoding="utf-8")
VOCAB = Vocab.of(text_of("emma", "zoë"))
LSTM = network("recurrent", len(VOCAB), cell="lstm")
CODE_SPAN = r"`([^`\n]+)`"


def example(word: str, page: str = PAGE) -> dict[str, Any]:
    """Run the Python block with this word; its variables."""
    (code,) = (block for block in re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE) if word in block)
    names: dict[str, Any] = {}
    exec(code, names)
    return names


@pytest.fixture
def saved(folder: Path) -> Path:
    save_model(folder / "models/lstm.safetensors", LSTM, VOCAB)
    return folder


@pytest.mark.parametrize("page", ["docs/formats.md", "README.md"])
def test_the_package_reads_a_model(saved: Path, page: str) -> None:
    found = example("read_model", (ROOT / page).read_text(encoding="utf-8"))
    assert found["vocab"] == VOCAB
    assert np.array_equal(found["log_probs"], LSTM.token_log_probs(VOCAB.tokens("emma")))


def test_numpy_alone_reads_the_mlp(saved: Path) -> None:
    mlp = network("mlp", len(VOCAB), initialization="randn")
    save_model(saved / "models/mlp.safetensors", mlp, VOCAB)
    em = np.array([[0, VOCAB.stoi["e"], VOCAB.stoi["m"]]], dtype=np.int32)
    assert np.log(example("safe_open")["probs"]) == pytest.approx(mlp.log_probs(em)[0], abs=1e-5)


def test_onnxruntime_reads_an_exported_network(saved: Path, run: Callable[..., Result]) -> None:
    pytest.importorskip("onnxruntime")
    assert run("export", "lstm").exit_code == 0
    expected = LSTM.log_probs(VOCAB.tokens("emma")[None, :-1])[0]
    assert example("onnxruntime")["log_probs"][0, -1] == pytest.approx(expected, abs=1e-5)


MIXING = mixing.MixingParams(order=3, position=2, classes=2, sample=5, iterations=2)
MODELS: dict[str, Model] = {
    **{family: network(family, len(VOCAB)) for family in SMALL},
    "mlp": network("mlp", len(VOCAB), direct=True),
    "ngram": fit(additive(2, 1), VOCAB.tokens("emma"), len(VOCAB)),
    "mixing": mixing.fit(MIXING, VOCAB.tokens("emma"), len(VOCAB)),
}


@pytest.mark.parametrize("family", MODELS)
def test_each_array_is_described(family: str) -> None:
    section = PAGE.split(f"\n`{family}`: ")[1]
    table = re.findall(r"^\|.*\n", section.partition("\n\n`")[0] + "\n", re.MULTILINE)
    described = {span for row in table for span in re.findall(CODE_SPAN, row.split("|")[1])}
    arrays = MODELS[family].arrays()
    assert described - {"norm2"} == {re.sub(r"\.\d+\.", ".K.", name).replace("norm2", "norm1") for name in arrays}
    types = {"ngram": {"int64"}, "mixing": {"int32", "int64", "float64"}}.get(family, {"float32"})
    assert {array.dtype.name for array in arrays.values()} == types


def keys(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from keys(item)


def test_each_key_and_column_is_described() -> None:
    described = set(re.findall(CODE_SPAN, PAGE))
    files = sorted((ROOT / "metrics").rglob("*.json"))
    parts = {part for path in files if path.parent.name == "diagnosis" for part in json.loads(path.read_text())}
    found = {key for path in files for key in keys(json.loads(path.read_text()))} - parts
    assert found - set(model_names(ROOT / "models")) <= described
    for path in (ROOT / "metrics").rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            columns = {re.sub(r"^update\..+", "update.<matrix>", column) for column in next(csv.reader(file))}
            assert columns <= described, path
