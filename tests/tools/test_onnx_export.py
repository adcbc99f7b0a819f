"""onnxruntime computes from an exported network what the network does."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import additive, mlp_params, text_of, tiny_names
from makemore.core.files import read_safetensors
from makemore.core.model import save_model
from makemore.core.vocab import Vocab
from makemore.models import bow, recurrent, transformer, wavenet
from makemore.models.mlp import MLP
from makemore.models.neural_bigram import NeuralBigram
from makemore.models.ngram import model
from makemore.nn.neural import Neural

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from makemore.tools import onnx_export  # noqa: E402  it imports onnx

VOCAB = Vocab.of(text_of(*tiny_names()))
V = len(VOCAB)
BOW = bow.Params(embedding=8, hidden=12, positions=4, dropout=0.5)
WAVENET = wavenet.Params(channels=6, hidden=10, layers=2, kernel=3, dropout=0.5)
TRANSFORMER = transformer.Params(layers=2, heads=2, embedding=8, positions=4, dropout=0.5)


def cell(kind: str, layers: int) -> recurrent.Recurrent:
    sizes = {"embedding": 5, "hidden": 7, "layers": layers, "dropout": 0.5}
    return recurrent.Recurrent(recurrent.Params.model_validate({"cell": kind} | sizes), V)


MODELS: dict[str, Callable[[], Neural]] = {
    "neural bigram": lambda: NeuralBigram(V),
    "mlp": lambda: MLP(mlp_params(), V),
    "mlp, direct, one character": lambda: MLP(mlp_params(context=1, direct=True), V),
    "rnn": lambda: cell("rnn", 1),
    "gru": lambda: cell("gru", 2),
    "lstm": lambda: cell("lstm", 2),
    "bow": lambda: bow.BagOfWords(BOW, V),
    "wavenet": lambda: wavenet.WaveNet(WAVENET, V),
    "transformer": lambda: transformer.Transformer(TRANSFORMER, V),
}


def shaken(make: Callable[[], Neural]) -> Neural:
    """A model whose predictions are far from uniform and differ with all that they can depend on."""
    model, draw = make(), torch.Generator().manual_seed(1)
    for weight in model.parameters():
        weight.data = 0.7 * torch.randn(weight.shape, generator=draw)
    return model


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_onnxruntime_finds_the_same_probabilities(make: Callable[[], Neural]) -> None:
    """Of names side by side, what is behind the shorter ones being anything."""
    model = shaken(make)
    content = onnx_export.export(model, VOCAB)
    session = onnxruntime.InferenceSession(content)

    @settings(max_examples=20)
    @given(st.lists(st.text("abcde", min_size=1, max_size=9), min_size=1, max_size=5), st.integers(0, V - 1))
    def check(names: list[str], padding: int) -> None:
        tokens = np.full((len(names), 1 + max(map(len, names))), padding)  # (N, T)
        for row, name in zip(tokens, names, strict=True):
            row[: len(name) + 1] = [0, *(VOCAB.stoi[character] for character in name)]
        (log_probs,) = session.run(None, {"tokens": tokens})  # (N, T, V)
        assert log_probs.dtype == np.float32
        targets = VOCAB.tokens(*names)
        picked = [row[: len(name) + 1] for row, name in zip(log_probs, names, strict=True)]
        found = np.concatenate(picked)[np.arange(len(targets)), targets]
        assert np.exp(found) == pytest.approx(np.exp(model.token_log_probs(targets)), abs=1e-5)

    check()


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_the_file_says_what_the_model_is_and_nothing_of_the_machine(make: Callable[[], Neural], tmp_path: Path) -> None:
    model = shaken(make)
    content = onnx_export.export(model, VOCAB)
    assert content == onnx_export.export(model, VOCAB)
    assert str(Path.cwd()).encode() not in content and b".py" not in content and b"torch" not in content
    onnx.checker.check_model(content, full_check=True)
    save_model(tmp_path / "model.safetensors", model, VOCAB)
    found = onnxruntime.InferenceSession(content).get_modelmeta().custom_metadata_map
    assert found == {"makemore": onnx_export.metadata_json(read_safetensors(tmp_path / "model.safetensors")[1])}


def test_the_command(run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = shaken(MODELS["lstm"])
    save_model(folder / "models/lstm.safetensors", network, VOCAB)
    assert run("export", "lstm").exit_code == 0
    assert (folder / "models/lstm.onnx").read_bytes() == onnx_export.export(network, VOCAB)

    save_model(folder / "models/bigram.safetensors", model.fit(additive(2, 1), VOCAB.tokens("ab", "c"), V), VOCAB)
    refused = run("export", "bigram")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("expected a network (") and refused.stderr.count("\n") == 1
    assert "got a model of the family ngram" in refused.stderr

    monkeypatch.delitem(sys.modules, "makemore.onnx_export")
    monkeypatch.delattr("makemore.onnx_export")
    monkeypatch.setitem(sys.modules, "onnx", None)
    without = run("export", "lstm")
    assert without.exit_code == 1 and without.stderr == "expected the package onnx, found none: pip install '.[onnx]'\n"
