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

from conftest import SMALL, additive, network, text_of, tiny_names
from makemore.core.files import read_safetensors
from makemore.core.model import save_model
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import fit
from makemore.nn.neural import Neural

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from makemore.tools import onnx_export  # noqa: E402  it imports onnx

VOCAB = Vocab.of(text_of(*tiny_names()))
V = len(VOCAB)
NETWORKS: dict[str, Callable[[], Neural]] = {
    "neural bigram": lambda: network("neural_bigram", V),
    "mlp": lambda: network("mlp", V),
    "mlp, direct, one character": lambda: network("mlp", V, context=1, direct=True),
    "mlp, three layers, BatchNorm": lambda: network("mlp", V, layers=3, batch_norm="all"),
    "mlp, hierarchical": lambda: network("mlp", V, context=4, layers=2, flatten=2, batch_norm="hidden", direct=True),
    "rnn": lambda: network("recurrent", V, cell="rnn", layers=1),
    "gru": lambda: network("recurrent", V, cell="gru"),
    "lstm": lambda: network("recurrent", V, cell="lstm"),
    "bow": lambda: network("bow", V),
    "wavenet": lambda: network("wavenet", V),
    "transformer": lambda: network("transformer", V),
}


def shaken(make: Callable[[], Neural]) -> Neural:
    """A network whose predictions are far from uniform and depend on all that they can depend on."""
    model, draw = make(), torch.Generator().manual_seed(1)
    for weight in model.parameters():
        weight.data = 0.7 * torch.randn(weight.shape, generator=draw)
    return model


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_onnxruntime_finds_the_same_probabilities(make: Callable[[], Neural]) -> None:
    """Of a batch of names; what pads the shorter ones makes no difference."""
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


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_the_file_says_what_the_model_is_and_nothing_of_the_machine(make: Callable[[], Neural], tmp_path: Path) -> None:
    model = shaken(make)
    content = onnx_export.export(model, VOCAB)
    assert content == onnx_export.export(model, VOCAB)
    assert str(Path.cwd()).encode() not in content and b".py" not in content and b"torch" not in content
    onnx.checker.check_model(content, full_check=True)
    save_model(tmp_path / "model.safetensors", model, VOCAB)
    found = onnxruntime.InferenceSession(content).get_modelmeta().custom_metadata_map
    assert found == {"makemore": onnx_export.metadata_json(read_safetensors(tmp_path / "model.safetensors")[1])}


def test_every_family_of_networks_can_be_exported() -> None:
    assert onnx_export.FAMILIES.keys() == SMALL.keys()


def test_the_command(run: Callable[..., Result], folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lstm = shaken(NETWORKS["lstm"])
    save_model(folder / "models/lstm.safetensors", lstm, VOCAB)
    assert run("export", "lstm").exit_code == 0
    assert (folder / "models/lstm.onnx").read_bytes() == onnx_export.export(lstm, VOCAB)

    save_model(folder / "models/bigram.safetensors", fit(additive(2, 1), VOCAB.tokens("ab", "c"), V), VOCAB)
    refused = run("export", "bigram")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("no ONNX export for the family ngram; ") and refused.stderr.count("\n") == 1

    monkeypatch.delitem(sys.modules, "makemore.tools.onnx_export")
    monkeypatch.delattr("makemore.tools.onnx_export")
    monkeypatch.setitem(sys.modules, "onnx", None)
    without = run("export", "lstm")
    assert without.exit_code == 1 and without.stderr == "the package onnx is missing: pip install '.[onnx]'\n"
