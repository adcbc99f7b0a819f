"""A training that was killed goes on from its last checkpoint and ends with the bytes of one that was not."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from makemore.training import checkpoint, loop

Run = Callable[..., Result]
OUTPUTS = "models/mlp.safetensors", "metrics/curves/mlp.csv"
CHECKPOINT = ".checkpoints/mlp.safetensors"


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends when it asks for the batch of that step."""
    make = loop.batches

    def dying(*arguments: object) -> loop.Batches:
        batch, calls = make(*arguments), 0

        def next_batch() -> object:
            nonlocal calls
            calls += 1
            if calls > step:
                raise SystemExit(9)
            return batch()

        return next_batch

    monkeypatch.setattr(training, "batches", dying)


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
    for step in 451, 300:  # killed twice, once between two rows of the curve
        with monkeypatch.context() as patch:
            kill_at(step, patch)
            assert prepared(*options, "--checkpoint-every", "77").exit_code == 9
        assert (folder / CHECKPOINT).exists() and not (folder / OUTPUTS[0]).exists()
    resumed_at = []
    monkeypatch.setattr(training, "learning_rate", noting(loop.learning_rate, resumed_at))
    assert prepared(*options, "--checkpoint-every", "77").exit_code == 0
    assert min(resumed_at) == (385 + 231)  # the last multiple of 77 below 451, then as far again below 300
    assert outputs(folder) == uninterrupted
    assert not (folder / CHECKPOINT).exists()


def noting(make: Callable[..., Callable[[int], float]], steps: list[int]) -> Callable[..., Callable[[int], float]]:
    def made(params: loop.TrainingParams) -> Callable[[int], float]:
        rate = make(params)

        def noted(step: int) -> float:
            steps.append(step)
            return rate(step)

        return noted

    return made


@pytest.mark.parametrize("change", ["--seed=3", "--lr=0.01", "--steps=21", "--hidden=9", "data"])
def test_another_configuration_starts_anew(
    prepared: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    with monkeypatch.context() as patch:
        kill_at(15, patch)
        assert prepared("train_mlp", "--checkpoint-every", "5").exit_code == 9
    if change == "data":
        train = folder / "data/splits/train.txt"
        train.write_text("".join(reversed(train.read_text().splitlines(keepends=True))))
    options = [] if change == "data" else [change]
    assert prepared("train_mlp", *options, "--checkpoint-every", "5").exit_code == 0
    after_a_checkpoint = outputs(folder)
    assert prepared("train_mlp", *options).exit_code == 0
    assert outputs(folder) == after_a_checkpoint


@pytest.mark.parametrize("content", [b"", b"\x00" * 100])
def test_a_damaged_checkpoint_is_as_good_as_none(prepared: Run, folder: Path, content: bytes) -> None:
    assert prepared("train_mlp").exit_code == 0
    expected = outputs(folder)
    (folder / ".checkpoints").mkdir(exist_ok=True)
    (folder / CHECKPOINT).write_bytes(content)
    assert prepared("train_mlp", "--checkpoint-every", "5").exit_code == 0
    assert outputs(folder) == expected


def test_keys_differ_where_anything_does() -> None:
    import numpy as np

    tokens = np.array([1, 2, 0], dtype=np.int32)
    keys = {
        checkpoint.key_of({"lr": 1}, "ab", tokens),
        checkpoint.key_of({"lr": 2}, "ab", tokens),
        checkpoint.key_of({"lr": 1}, "ac", tokens),
        checkpoint.key_of({"lr": 1}, "ab", tokens[::-1]),
    }
    assert len(keys) == 4
    assert checkpoint.key_of({"b": 1, "a": 2}, tokens) == checkpoint.key_of({"a": 2, "b": 1}, tokens.copy())
