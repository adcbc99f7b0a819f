"""An interrupted training resumes from its last checkpoint and ends with the bytes of an uninterrupted one."""

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from torch import Tensor, nn

import train  # stages/train.py, which train_mlp.py runs
from makemore.core.files import read_safetensors, write_safetensors
from makemore.nn import neural
from makemore.training.batches import Batches
from makemore.training.checkpoint import Checkpoint, key_of
from makemore.training.loop import Plan, train_network
from makemore.training.optimizers import SGD, AdamW, Group
from makemore.training.params import TrainingParams
from makemore.training.schedule import Schedule, learning_rate

Run = Callable[..., Result]
OUTPUTS = "models/mlp.safetensors", "metrics/curves/mlp.csv"
CHECKPOINT = ".checkpoints/mlp.safetensors"


def interrupt_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the process exit when it asks for the batch of this step."""

    def interrupted(*arguments: object) -> Batches:
        batch, calls = train_batches(*arguments), itertools.count()

        def next_batch() -> tuple[Tensor, Tensor]:
            if next(calls) == step:
                raise SystemExit(9)
            return batch()

        return next_batch

    train_batches = train.make_batches
    monkeypatch.setattr(train, "make_batches", interrupted)


def first_step(monkeypatch: pytest.MonkeyPatch, run: Run, *arguments: str) -> int:
    """The step at which a training starts or resumes."""
    steps = []

    def recording(params: TrainingParams) -> Schedule:
        rate = learning_rate(params)

        def recorded(step: int) -> float:
            steps.append(step)
            return rate(step)

        return recorded

    with monkeypatch.context() as patch:
        patch.setattr(train, "learning_rate", recording)
        assert run(*arguments).exit_code == 0
    return min(steps)


def outputs(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in OUTPUTS]


@pytest.fixture
def prepared(run: Run, folder: Path) -> Run:
    for stage in "clean", "vocab", "split":
        assert run(stage).exit_code == 0
    return run


@pytest.mark.parametrize(
    ("optimizer", "examples", "ema"), [("adamw", "all", "0"), ("adamw", "distinct", "0.9"), ("sgd", "all", "0.9")]
)
def test_it_ends_with_the_same_bytes(
    prepared: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, optimizer: str, examples: str, ema: str
) -> None:
    options = ["train_mlp", "--steps", "1003", "--optimizer", optimizer, "--examples", examples, "--ema", ema]
    assert prepared(*options).exit_code == 0
    uninterrupted = outputs(folder)
    for name in OUTPUTS:
        (folder / name).unlink()
    for step in 451, 300:  # interrupted twice, once between two rows of the curve
        with monkeypatch.context() as patch:
            interrupt_at(step, patch)
            assert prepared(*options, "--checkpoint-every", "77").exit_code == 9
        assert (folder / CHECKPOINT).exists() and not (folder / OUTPUTS[0]).exists()
    resumed_at = first_step(monkeypatch, prepared, *options, "--checkpoint-every", "77")
    assert resumed_at == 385 + 231  # the last multiple of 77 below 451, and then the last below 300
    assert outputs(folder) == uninterrupted
    assert not (folder / CHECKPOINT).exists()


@pytest.mark.parametrize("change", ["--seed=3", "--lr=0.01", "--steps=21", "--hidden=9", "data", "code", "nothing"])
def test_a_changed_training_does_not_resume(
    prepared: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    with monkeypatch.context() as patch:
        interrupt_at(15, patch)
        assert prepared("train_mlp", "--checkpoint-every", "10").exit_code == 9
    if change == "data":
        names = folder / "data/splits/train.txt"
        names.write_text("".join(reversed(names.read_text().splitlines(keepends=True))))
    if change == "code":
        monkeypatch.setattr(neural, "__file__", edited(Path(neural.__file__), folder))
    options = [change] if change.startswith("-") else []
    resumed_at = first_step(monkeypatch, prepared, "train_mlp", *options, "--checkpoint-every", "10")
    assert resumed_at == (10 if change == "nothing" else 0)
    after_a_checkpoint = outputs(folder)
    assert prepared("train_mlp", *options).exit_code == 0
    assert outputs(folder) == after_a_checkpoint


def edited(module: Path, folder: Path) -> str:
    """A copy of a source file with one more comment."""
    copy = folder / f"edited_{module.name}"
    copy.write_text(module.read_text() + "# a change\n")
    return str(copy)


@pytest.mark.parametrize("content", [b"", b"\x00" * 100])
def test_a_damaged_checkpoint_is_ignored(prepared: Run, folder: Path, content: bytes) -> None:
    assert prepared("train_mlp").exit_code == 0
    expected = outputs(folder)
    (folder / ".checkpoints").mkdir(exist_ok=True)
    (folder / CHECKPOINT).write_bytes(content)
    assert prepared("train_mlp", "--checkpoint-every", "5").exit_code == 0
    assert outputs(folder) == expected


def test_the_key_depends_on_params_vocabulary_and_data() -> None:
    tokens = np.array([1, 2, 0], dtype=np.int32)
    keys = {
        key_of({"lr": 1}, "ab", tokens),
        key_of({"lr": 2}, "ab", tokens),
        key_of({"lr": 1}, "ac", tokens),
        key_of({"lr": 1}, "ab", tokens[::-1]),
    }
    assert len(keys) == 4
    assert key_of({"b": 1, "a": 2}, tokens) == key_of({"a": 2, "b": 1}, tokens.copy())


def test_the_key_depends_on_the_source_not_on_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key, source = key_of({}), Path(neural.__file__)
    monkeypatch.setattr(neural, "__file__", shutil.copy(source, tmp_path / "copy.py"))
    assert key_of({}) == key
    monkeypatch.setattr(neural, "__file__", edited(source, tmp_path))
    assert key_of({}) != key


def checkpoint_at(path: Path, key: str = "key", every: int = 1) -> Checkpoint:
    return Checkpoint(path / "checkpoint.safetensors", every, key, torch.Generator().manual_seed(1))


def saved_state() -> list[Tensor]:
    return [torch.arange(6.0).reshape(2, 3), torch.tensor(5.0), torch.tensor([7, 8])]


def save(path: Path) -> tuple[Checkpoint, Tensor]:
    """A saved checkpoint, and what its generator draws next."""
    checkpoint = checkpoint_at(path)
    torch.rand(3, generator=checkpoint.generator)
    checkpoint.save(20, saved_state(), [(10, 2.5, 0.1), (18, 2.25, 0.1)], [torch.tensor(2.0), torch.tensor(1.5)])
    return checkpoint, torch.rand(3, generator=checkpoint.generator)


def test_loading_restores_all_that_was_saved(tmp_path: Path) -> None:
    _, drawn = save(tmp_path)
    checkpoint = checkpoint_at(tmp_path)
    state = [torch.zeros_like(tensor) for tensor in saved_state()]
    step, curve, losses = checkpoint.load(state)
    assert (step, curve, [float(loss) for loss in losses]) == (20, [(10, 2.5, 0.1), (18, 2.25, 0.1)], [2.0, 1.5])
    assert all(torch.equal(found, saved) for found, saved in zip(state, saved_state(), strict=True))
    assert torch.equal(torch.rand(3, generator=checkpoint.generator), drawn)


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, metadata: arrays.pop("state.1"),
        lambda arrays, metadata: arrays.pop("state.2"),
        lambda arrays, metadata: arrays.pop("generator"),
        lambda arrays, metadata: arrays.update({"state.0": np.zeros((2, 4), dtype=np.float32)}),
        lambda arrays, metadata: arrays.update({"generator": np.zeros(8, dtype=np.uint8)}),
        lambda arrays, metadata: arrays.update({"generator": np.zeros(8)}),
        lambda arrays, metadata: metadata.pop("step"),
        lambda arrays, metadata: metadata.pop("curve"),
        lambda arrays, metadata: metadata.update({"curve": [[1, 2.0]]}),
        lambda arrays, metadata: metadata.update({"step": None}),
        lambda arrays, metadata: metadata.pop("key"),
        lambda arrays, metadata: metadata.update({"key": "another"}),
    ],
    ids=[
        *("no state.1", "no state.2", "no generator", "wrong shape", "bad generator", "generator of floats"),
        *("no step", "no curve", "bad curve", "bad step", "no key", "another key"),
    ],
)
def test_an_incomplete_or_mismatched_checkpoint_changes_nothing(
    tmp_path: Path, change: Callable[[dict[str, object], dict[str, object]], object]
) -> None:
    saved, _ = save(tmp_path)
    arrays, metadata = read_safetensors(saved.path)
    change(arrays, metadata)
    write_safetensors(saved.path, arrays, metadata)
    checkpoint = checkpoint_at(tmp_path)
    state = [torch.full_like(tensor, 3) for tensor in saved_state()]
    assert checkpoint.load(state) == (0, [], [])
    assert all((tensor == 3).all() for tensor in state)
    assert torch.equal(torch.rand(3, generator=checkpoint.generator), torch.rand(3, generator=seeded()))


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


@pytest.mark.parametrize("make", [SGD, AdamW])
def test_batch_norm_resumes_with_its_running_statistics(make: Callable[..., SGD | AdamW], tmp_path: Path) -> None:
    def trained(checkpoint: Checkpoint | None, stop: int | None = None) -> nn.Module:
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        for weight in model.parameters():
            nn.init.constant_(weight, 0.5)
        generator = checkpoint.generator if checkpoint else seeded()
        steps = itertools.count()

        def next_loss() -> Tensor:
            if next(steps) == stop:
                raise InterruptedError
            loss: Tensor = (model(torch.rand(8, 3, generator=generator)) - 1).abs().mean()
            return loss

        train_network(model, next_loss, make([Group(list(model.parameters()))]), Plan(9, lambda _: 0.1), checkpoint)
        return model

    expected = trained(None).state_dict()
    with pytest.raises(InterruptedError):
        trained(checkpoint_at(tmp_path, every=2), stop=5)
    found = trained(checkpoint_at(tmp_path, every=2)).state_dict()
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in expected.items()
    }
