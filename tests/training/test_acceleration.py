"""bfloat16 and torch.compile, as far as a machine without a GPU can try them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result
from torch import Tensor

from conftest import encoded, mlp_params, text_of, tiny_names
from makemore.core.vocab import Vocab
from makemore.models.mlp import MLP
from makemore.models.recurrent import Recurrent, RecurrentParams
from makemore.training.acceleration import make_loss
from makemore.training.batches import make_batches
from makemore.training.params import StepParams

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
Run = Callable[..., Result]


def first_loss(**params: object) -> tuple[MLP, Callable[[], Tensor]]:
    generator = torch.Generator().manual_seed(1)
    model = MLP(mlp_params(), len(VOCAB), generator)
    given = StepParams.model_construct(batch_size=32, **params)
    return model, make_loss(model, make_batches(model, encoded(VOCAB, *NAMES), given, generator), given, generator)


def test_bfloat16_is_less_exact_and_keeps_the_weights() -> None:
    _, exact = first_loss()
    model, short = first_loss(precision="bfloat16")
    loss, rounded = exact(), short()
    assert rounded.dtype == torch.float32 and 0 < abs(loss.item() - rounded.item()) < 0.05
    rounded.backward()
    assert all(weight.grad is not None and weight.grad.dtype == torch.float32 for weight in model.parameters())


def test_compiled_code_serves_all_steps_but_those_that_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def compile_(function: Callable[..., Tensor], dynamic: bool) -> Callable[..., Tensor]:
        return lambda *batch: calls.append(batch) or function(*batch)

    monkeypatch.setattr(torch, "compile", compile_)
    model, loss = first_loss(compile=True)
    loss()
    assert len(calls) == 1
    model.watched = {}
    loss()
    assert len(calls) == 1 and model.watched


def test_a_recurrent_network_is_not_compiled() -> None:
    shape = RecurrentParams(cell="gru", embedding=2, hidden=2, layers=1, dropout=0)
    network = Recurrent(shape, len(VOCAB), torch.Generator())
    with pytest.raises(ValueError, match=r"^compile: a recurrent network uses kernels of cuDNN; set it to false$"):
        make_loss(network, lambda: (), StepParams.model_construct(compile=True), torch.Generator())


def test_the_stages_take_both_as_options(run: Run, folder: Path) -> None:
    assert all(run(stage).exit_code == 0 for stage in ("clean", "vocab", "split"))
    for command in ["find_lr"], ["train", "recurrent", "gru"], ["train", "mlp", "mlp", "--gradients", "manual"]:
        assert run(*command, "--precision", "bfloat16").exit_code == 0
    assert "[default: float32]" in " ".join(run("find_lr", "--help").stdout.split())
    result = run("train", "mlp", "mlp", "--precision", "float16")
    assert result.exit_code == 2 and "float16" in result.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
@pytest.mark.parametrize("device", ["cuda", "gpu"])
def test_models_are_loaded_on_the_device_of_the_environment(
    outputs: Path, run: Run, monkeypatch: pytest.MonkeyPatch, device: str
) -> None:
    monkeypatch.setenv("MAKEMORE_DEVICE", device)
    result = run("evaluate", "mlp")
    expected = f"MAKEMORE_DEVICE: expected auto, cpu or, where CUDA is available, cuda, got '{device}'\n"
    assert result.exit_code == 1 and result.stderr == expected
    monkeypatch.setenv("MAKEMORE_DEVICE", "auto")
    assert run("evaluate", "mlp").exit_code == 0
