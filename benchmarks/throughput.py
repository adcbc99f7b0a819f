"""How many tokens per second training processes, by batch size, and which share of the chip's limit that is.

    python benchmarks/throughput.py --device cuda [--compile] [--largest 65536] [--seconds 0.5] [--model lstm ...]

A step is what the stage `train` does: batch, loss, gradients, update, with AdamW. Its useful work is taken as 6
floating-point operations per weight and token (2 forward, 4 backward), without the lookup of the embeddings; padding
and prefixes that are computed once for several names do not count. The limit is the speed of a large matrix product of
the same precision in the same process. cuDNN's recurrent layers use TF32 where the column says float32, as PyTorch's
defaults have it. With `--compile`, a last column gives bfloat16 with torch.compile, which takes up to a minute per row.
On a CPU there is no column for bfloat16 alone, which is slow there. The names are those of data/names.txt.
"""

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

from _benchmark import command, row, table  # isort: skip
import torch
import typer
from torch import Tensor

from makemore.core import names
from makemore.core.params import read_section
from makemore.core.vocab import Tokens, Vocab
from makemore.nn.neural import Neural, pick_device
from makemore.training.acceleration import make_loss
from makemore.training.batches import make_batches
from makemore.training.optimizers import make_optimizer
from makemore.training.params import TrainingParams

NETWORKS: dict[str, tuple[str, str, dict[str, Any]]] = {  # family, section of params.yaml, changes to it
    "mlp": ("mlp", "mlp", {}),
    "mlp, 4,096 wide": ("mlp", "mlp_wide", {"hidden": 4096}),
    "lstm": ("recurrent", "lstm", {}),
    "lstm, 3 x 768": ("recurrent", "lstm", {"hidden": 768, "layers": 3, "dropout": 0.2}),
    "transformer": ("transformer", "transformer", {}),
    "transformer, 6 x 384": ("transformer", "transformer", {"embedding": 384, "layers": 6, "heads": 6}),
}
BATCHES = 64, 512, 4096, 32768  # names, or contexts of an MLP
MATRIX = {"cuda": 8192, "cpu": 1024}  # rows of the matrix product that gives the limit
WARMUP = 3  # steps that are not measured


def measure(work: Iterator[object], seconds: float) -> float:
    """The seconds per item of `work`, which does something whenever it is asked for the next."""

    def now() -> float:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return time.perf_counter()

    for _ in range(WARMUP):
        next(work)
    start, count, each = now(), 0, 1
    while True:
        for _ in range(each):
            next(work)
        count += each
        if (taken := now() - start) >= seconds:
            return taken / count
        each = max(1, min(1000, int(count * (seconds - taken) / max(taken, 1e-6))))


def limit(device: str, dtype: torch.dtype, seconds: float) -> float:
    """Floating-point operations per second of a large matrix product."""
    n = MATRIX[device]
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))

    def products() -> Iterator[Tensor]:
        while True:
            yield a @ b

    return 2 * n**3 / measure(products(), seconds)


def network_of(name: str, vocab_size: int, changes: dict[str, Any]) -> tuple[Neural, TrainingParams]:
    family, section, shape = NETWORKS[name]
    values = read_section(Path("params.yaml"), section) | shape | changes
    made: type[Neural] = import_module(f"makemore.models.{family}").MODEL
    params, training = (
        schema.model_validate({key: values[key] for key in schema.model_fields if key in values})
        for schema in (made.Params, TrainingParams)
    )
    assert isinstance(training, TrainingParams)
    return made(params, vocab_size, torch.Generator().manual_seed(0)).to(pick_device(training.device)), training


def steps(network: Neural, params: TrainingParams, tokens: Tokens) -> Iterator[object]:
    """Training steps, one whenever asked."""
    generator = torch.Generator().manual_seed(0)
    next_loss = make_loss(network, make_batches(network, tokens, params, generator), params, generator)
    optimizer = make_optimizer(network, params)
    while True:
        loss = next_loss()
        for weight in network.parameters():
            weight.grad = None
        loss.backward()
        yield optimizer.step(params.lr)


def main(
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    compiled: Annotated[bool, typer.Option("--compile", help="also measure torch.compile")] = False,
    largest: Annotated[int, typer.Option(help="largest batch")] = BATCHES[-1],
    seconds: Annotated[float, typer.Option(help="of each measurement, at least")] = 0.5,
    model: Annotated[list[str] | None, typer.Option(help="networks; default: all")] = None,
) -> None:
    """Print a table of tokens per second."""
    device = pick_device(device)
    unknown = set(model or []) - set(NETWORKS)
    if unknown:
        raise ValueError(f"--model: expected some of {'; '.join(NETWORKS)}, got {unknown.pop()!r}")
    text = names.read(Path("data/names.txt"))
    vocab = Vocab.of(text)
    tokens = vocab.encode(text, "data/names.txt")
    per_name = len(tokens) / names.count(text)
    variants: dict[str, dict[str, Any]] = {"float32": {"precision": "float32"}}
    if device == "cuda":  # no CPU here multiplies bfloat16 faster
        variants["bfloat16"] = {"precision": "bfloat16"}
    if compiled:
        variants["bfloat16, compiled"] = {"precision": "bfloat16", "compile": True}
    dtypes = {getattr(torch, changes["precision"]) for changes in variants.values()}
    limits = {dtype: limit(device, dtype, seconds) for dtype in dtypes}
    chip = torch.cuda.get_device_name() if device == "cuda" else "one thread"
    print(f"{chip}: " + ", ".join(f"{rate / 1e12:,.2f} TFLOP/s in {str(kind)[6:]}" for kind, rate in limits.items()))

    table("network, batch", *(cell for name in variants for cell in (f"{name}, tokens/s", "of the limit")))
    for name in model or NETWORKS:
        for batch in [size for size in BATCHES if size <= largest] or [largest]:
            cells = []
            for changes in variants.values():
                rate = share = math.nan
                network, params = network_of(name, len(vocab), {"batch_size": batch, "device": device} | changes)
                matrices = sum(weight.numel() for key, weight in network.named_parameters() if key not in ("C", "P"))
                with suppress(torch.OutOfMemoryError, ValueError):  # a dash: too large, or not compiled
                    examples = batch * (per_name if network.context is None else 1)
                    rate = examples / measure(steps(network, params, tokens), seconds)
                    share = 6 * matrices * rate / limits[getattr(torch, params.precision)]
                cells += ["-", "-"] if math.isnan(rate) else [f"{rate:,.0f}", f"{share:.1%}"]
            row(f"{name}, {batch:,}", *cells)


app = command(main)
if __name__ == "__main__":
    app()
