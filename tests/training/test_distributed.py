"""Several processes train as one does. Threads stand in for them, but for the last test."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import Result
from torch import Tensor

from checkout import ROOT
from conftest import encoded, mlp_params, text_of, tiny_names
from makemore.core.vocab import Vocab
from makemore.models.mlp import MLP
from makemore.models.recurrent import Recurrent, RecurrentParams
from makemore.nn.neural import Neural
from makemore.training.batches import make_batches
from makemore.training.distributed import Workers, sharded_loss
from makemore.training.params import StepParams

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
TOKENS = encoded(VOCAB, *NAMES)
PARAMS = StepParams.model_construct(batch_size=18)
Run = Callable[..., Result]


class Threads(Workers):
    """Adds tensors over threads in the order in which `Workers` adds them over processes."""

    def sum(self, tensor: Tensor) -> None:
        barrier, sent = self.store
        for level in range(self.count.bit_length() - 1):
            sent[self.rank] = tensor.clone()
            barrier.wait()
            tensor += sent[self.rank ^ 1 << level]
            barrier.wait()


def network_of(kind: str, dropout: float = 0, **changes: object) -> Neural:
    generator = torch.Generator().manual_seed(1)
    if kind == "gru":
        shape = RecurrentParams(cell="gru", embedding=4, hidden=8, layers=1, dropout=dropout)
        return Recurrent(shape, len(VOCAB), generator)
    return MLP(mlp_params(**changes), len(VOCAB), generator)


def gradients(count: int, kind: str, *, dropout: float = 0, **changes: object) -> list[list[Tensor]]:
    """The loss and the gradients of each weight, as each of the processes finds them."""
    found: list[list[Tensor]] = [[] for _ in range(count)]
    shared = threading.Barrier(count), [torch.empty(0)] * count

    def work(rank: int) -> None:
        network, generator = network_of(kind, dropout, **changes), torch.Generator().manual_seed(2)
        next_batch = make_batches(network, TOKENS, PARAMS, generator)
        loss = sharded_loss(network, next_batch, PARAMS, generator, Threads(rank, count, shared, []))
        found[rank] = [loss(), *(weight.grad for weight in network.parameters() if weight.grad is not None)]

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize(("kind", "examples"), [("mlp", "all"), ("mlp", "distinct"), ("gru", "names")])
def test_the_shards_add_up_to_the_batch(kind: str, examples: str) -> None:
    changes = {"examples": examples} if kind == "mlp" else {}
    network, generator = network_of(kind, **changes), torch.Generator().manual_seed(2)
    whole = network.loss(*make_batches(network, TOKENS, PARAMS, generator)())
    ((loss, *parts),) = gradients(1, kind, **changes)
    assert loss.item() == pytest.approx(whole.item(), abs=1e-6) and not loss.requires_grad
    for part, expected in zip(parts, torch.autograd.grad(whole, list(network.parameters())), strict=True):
        assert torch.allclose(part, expected, atol=1e-6)


@pytest.mark.parametrize(("kind", "dropout"), [("mlp", 0), ("gru", 0.5)])
def test_any_number_of_processes_gives_the_same_bytes(kind: str, dropout: float) -> None:
    (alone,) = gradients(1, kind, dropout=dropout)
    for count in 2, 4:
        for found in gradients(count, kind, dropout=dropout):
            assert all(torch.equal(a, b) for a, b in zip(alone, found, strict=True))


def test_what_several_processes_cannot_train() -> None:
    workers = Workers(0, 1, None, [])
    with pytest.raises(ValueError, match=r"^batch_norm: needs whole batches; train without torchrun$"):
        sharded_loss(network_of("mlp", batch_norm="hidden"), lambda: (), PARAMS, torch.Generator(), workers)
    small = StepParams.model_construct(batch_size=3)
    with pytest.raises(ValueError, match=r"^batch_size: expected at least 4 with torchrun, got 3$"):
        sharded_loss(network_of("mlp"), lambda: (), small, torch.Generator(), workers)


DYING = """
import itertools, os, sys
import train
make, calls = train.make_batches, itertools.count()
def make_batches(*arguments):
    batch = make(*arguments)
    return lambda: batch() if next(calls) < 15 else os._exit(9)
train.make_batches = make_batches
train.app()
"""


def test_a_lost_process_ends_the_training_and_another_number_of_processes_resumes_it(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(run(stage).exit_code == 0 for stage in ("clean", "vocab", "split"))
    for name, value in rendezvous("0", "1").items():
        monkeypatch.setenv(name, value)
    command = "train", "mlp", "mlp", "--steps", "20", "--checkpoint-every", "10"
    assert run(*command).exit_code == 0
    expected = (folder / "models/mlp.safetensors").read_bytes()

    shared = rendezvous("0", "2")
    processes = []
    for rank, program in enumerate([[str(ROOT / "stages/train.py")], ["-c", DYING]]):
        env = os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        env["PYTHONPATH"] = f"{ROOT / 'stages'}:{ROOT / 'src'}"
        arguments = [sys.executable, *program, *command[1:]]
        processes.append(
            subprocess.Popen(arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    ends = [process.communicate(timeout=100) for process in processes]
    assert [process.returncode for process in processes] == [1, 9]
    again = "run the same command again: with checkpoint_every, it resumes from the last checkpoint"
    assert ends[0] == ("", f"a process of this training ended; {again}\n") and ends[1][0] == ""
    assert (folder / ".checkpoints/mlp.safetensors").exists()

    (folder / "models/mlp.safetensors").unlink()
    monkeypatch.setenv("MASTER_PORT", rendezvous("0", "1")["MASTER_PORT"])
    assert run(*command).exit_code == 0
    assert (folder / "models/mlp.safetensors").read_bytes() == expected


def test_the_number_of_processes_is_a_power_of_two(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in rendezvous("0", "3").items():
        monkeypatch.setenv(name, value)
    assert run("train", "mlp", "mlp").stderr.startswith("torchrun: expected 1, 2, 4 or another power of two")


def rendezvous(rank: str, count: str) -> dict[str, str]:
    """What torchrun puts into the environment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {"RANK": rank, "WORLD_SIZE": count, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
