"""Training on several processes, which torchrun starts: the gradients of a batch are computed in shards and summed.

Every process draws the same batches and makes the same updates. A batch is cut into a fixed number of shards, and the
gradients of the shards are summed in the order of a binary tree: processes sum those of their own shards, then pairs of
processes exchange and add theirs. Since a + b = b + a, 1, 2 and 4 processes give the same bytes. Those of a training
without torchrun, which does not cut its batches, differ by rounding.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from makemore.nn.neural import Neural
from makemore.nn.sequence import Dropout
from makemore.training.acceleration import make_loss
from makemore.training.batches import Batches
from makemore.training.params import StepParams

SHARDS = 4  # per batch; with more processes, one for each


class LostWorkerError(ValueError):
    """Another process ended."""


@dataclass(frozen=True)
class Workers:
    """The processes of this training, seen from one of them."""

    rank: int
    count: int
    store: Any  # shared by all processes
    groups: list[Any]  # of two processes, this one among them: one group for each level of the tree

    def sum(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes.

        Raises:
            LostWorkerError: another process ended. Only one of those that remain raises it, the others exit.
        """
        try:
            for group in self.groups:
                dist.all_reduce(tensor, group=group)
        except RuntimeError:
            if self.store.add("lost", 1) > 1:
                raise SystemExit(1) from None
            again = "run the same command again: with checkpoint_every, it resumes from the last checkpoint"
            raise LostWorkerError(f"a process of this training ended; {again}") from None

    def leave(self) -> None:
        dist.destroy_process_group()


def started_by_torchrun() -> bool:
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def join(device: str) -> Workers:
    """Wait for the other processes. Raises ValueError if their number is not a power of two."""
    count = int(os.environ["WORLD_SIZE"])
    if count.bit_count() != 1:
        raise ValueError(f"torchrun: expected 1, 2, 4 or another power of two of processes, got {count}")
    if device == "cuda":
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    store, rank, _ = next(rendezvous("env://"))
    dist.init_process_group("nccl" if device == "cuda" else "gloo", store=store, rank=rank, world_size=count)
    own = []
    for level in range(count.bit_length() - 1):
        for first in (member for member in range(count) if not member >> level & 1):
            pair = first, first | 1 << level
            group = dist.new_group(list(pair))  # all processes have to make all groups
            if rank in pair:
                own.append(group)
    return Workers(rank, count, store, own)


def sharded_loss(
    network: Neural, next_batch: Batches, params: StepParams, generator: torch.Generator, workers: Workers
) -> Callable[[], Tensor]:
    """A function that sets the gradients of the loss on the next batch, and returns that loss, in nats per token.

    Raises:
        ValueError: the batches are too small, or the network has BatchNorm, whose statistics are those of a batch.
    """
    shards = max(SHARDS, workers.count)
    if params.batch_size < shards:
        raise ValueError(f"batch_size: expected at least {shards} with torchrun, got {params.batch_size}")
    if list(network.buffers()):
        raise ValueError("batch_norm: needs whole batches; train without torchrun")
    own = range(workers.rank * shards // workers.count, (workers.rank + 1) * shards // workers.count)
    weights = list(network.parameters())
    dropout = torch.Generator()  # seeded for each shard, so that masks do not depend on the process
    for module in network.modules():
        if isinstance(module, Dropout):
            module.generator = dropout
    shard: list[tuple[Tensor, ...]] = []
    shard_loss = make_loss(network, shard.pop, params, dropout)

    def gradients(batch: tuple[Tensor, ...], scale: float) -> Tensor:
        """The gradients of `scale` times the loss on some examples, and that itself, as one vector."""
        shard.append(batch)
        for weight in weights:
            weight.grad = None
        loss = shard_loss() * scale
        loss.backward()  # type: ignore[no-untyped-call]
        parts = [torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in weights]
        return torch.cat([*(part.flatten() for part in parts), loss.detach().view(1)])

    def loss() -> Tensor:
        batch = next_batch()
        seed = int(torch.randint(1 << 62, (), generator=generator))
        cut = list(zip(*(part.tensor_split(shards) for part in batch), strict=True))
        total, watched, sums = count_of(network, batch), network.watched, []
        for place in own:
            network.watched = watched if place == 0 else None
            dropout.manual_seed(seed + place)
            sums.append(gradients(cut[place], count_of(network, cut[place]) / total))
        network.watched = watched
        while len(sums) > 1:
            sums = [a + b for a, b in zip(sums[::2], sums[1::2], strict=True)]
        workers.sum(sums[0])
        *parts, whole = sums[0].split_with_sizes([*(weight.numel() for weight in weights), 1])
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = part.view_as(weight)
        return whole[0]

    return loss


def count_of(network: Neural, batch: tuple[Tensor, ...]) -> float:
    """The weight of a batch among others: its number of tokens."""
    first, second, *_ = batch
    if network.context is None:
        return float(first.sum())
    return float(second.sum()) if second.ndim == 2 else float(len(second))
