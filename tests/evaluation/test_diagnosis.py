"""What a training records, and what `diagnose` makes of it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result

from conftest import encoded, network, text_of, tiny_names
from makemore.core.files import write_csv, write_safetensors
from makemore.core.vocab import Vocab
from makemore.evaluation.diagnosis import read_diagnosis
from makemore.nn.neural import examples
from makemore.training.loop import Plan, header, train_network
from makemore.training.optimizers import SGD, Group
from makemore.training.record import Record

VOCAB = Vocab.of(text_of(*tiny_names()))
TOKENS = encoded(VOCAB, *tiny_names())


def test_a_training_records_its_last_step(tmp_path: Path) -> None:
    """Activations, gradients and updates, against those of the same step by hand."""
    model, twin = (network("mlp", len(VOCAB)) for _ in range(2))
    X, Y = examples(TOKENS, 3)
    record = Record()
    optimizer = SGD([Group(list(model.parameters()))])
    curve = train_network(model, lambda: model.loss(X, Y), optimizer, Plan(1, lambda _: 0.1), record=record)
    write_safetensors(tmp_path / "r.safetensors", record.arrays(), {"bounded": model.bounded})
    write_csv(tmp_path / "c.csv", header(model), curve)
    found = read_diagnosis(tmp_path / "r.safetensors", tmp_path / "c.csv")

    h = torch.tanh(twin.C[X].flatten(1) @ twin.W1 + twin.b1)
    h.retain_grad()
    torch.nn.functional.cross_entropy(h @ twin.W2 + twin.b2, Y).backward()
    kept = len(found.activations["tanh1"])
    assert np.allclose(found.activations["tanh1"], h.detach()[:kept], atol=1e-6)
    assert np.allclose(found.gradients["tanh1"], h.grad[:kept], atol=1e-7)
    ratio = float((0.1 * twin.W1.grad).std() / twin.W1.detach().std())
    assert found.updates["W1"][0] == pytest.approx(np.log10(ratio), abs=1e-3)
    summary = found.summary()
    assert summary["W1"]["gradient_to_data"] == pytest.approx(10 * ratio, rel=1e-4)
    assert summary["tanh1"]["saturated"] == pytest.approx(float((np.abs(found.activations["tanh1"]) > 0.97).mean()))
    assert sum(1 for _ in found.histograms()) == 100
    assert model.watched is None


def test_without_a_training_diagnose_says_so(run: Callable[..., Result]) -> None:
    done = run("diagnose", "unknown")
    assert done.exit_code == 1 and done.output == "data/recorded/unknown.safetensors: No such file or directory\n"


@pytest.mark.parametrize("model", ["mlp", "neural_bigram"])
def test_diagnose_writes_numbers_of_every_layer(run: Callable[..., Result], outputs: Path, model: str) -> None:
    assert run("diagnose", model).exit_code == 0
    found = json.loads(Path(f"metrics/diagnosis/{model}.json").read_text())
    assert any("gradient_std" in part for part in found.values())
    assert any("log10_update_to_data" in part for part in found.values())
