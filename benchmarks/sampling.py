"""How fast models generate names, compared with the sampling loops of the lectures.

    python benchmarks/sampling.py [--names 1000000] [--rounds 5] [--model bigram ...]

The loops are those of the notebooks, with the weights of this project's bigram and MLP. Ours is the function that
`stages/sample.py` calls; it makes the names as text, and its time includes building the table of contexts. Both run in
turn, in one process with one thread; the tables show medians. The other models have no such loop. The last table
measures `stages/sample.py` as a user starts it: the seconds and the peak memory of the whole process.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from _benchmark import STAGES, VOCAB, Rounds, command, ratio, row, table  # isort: skip
import numpy as np
import torch
import torch.nn.functional as F
import typer

from makemore.core import names
from makemore.core.model import Model, load_model
from makemore.core.params import check, read_section
from makemore.core.vocab import Vocab
from makemore.sampling.sampler import SampleParams, sample

MODELS = ["bigram", "mlp", "trigram", "sixgram", "mlp_wide", "gru", "lstm", "transformer"]
PROCESSES = ["bigram", "mlp", "sixgram"]  # measured as whole processes too
COUNT = 1_000_000
FEWER = 20_000  # names of a model that is not compared
PARAMS = Path("params.yaml")


def load(name: str, vocab: Vocab) -> Model:
    return load_model(Path(f"models/{name}.safetensors"), vocab)


def lecture_bigram(count: int, vocab: Vocab) -> None:
    """The first lecture's loop: per character, one row of P and one multinomial."""
    P = torch.from_numpy(
        np.exp(load("bigram", vocab).log_probs(np.arange(len(vocab), dtype=np.int32)[:, None]))
    ).float()
    g = torch.Generator().manual_seed(2147483647)
    for _ in range(count):
        out = []
        ix = 0
        while True:
            p = P[ix]
            ix = torch.multinomial(p, num_samples=1, replacement=True, generator=g).item()
            out.append(vocab.itos[ix])
            if ix == 0:
                break
        "".join(out)


def lecture_mlp(count: int, vocab: Vocab) -> None:
    """The second lecture's loop: per character, one forward pass and one multinomial."""
    arrays = {key: torch.from_numpy(array) for key, array in load("mlp", vocab).arrays().items()}
    C, W1, b1, W2, b2 = (arrays[key] for key in ("C", "W1", "b1", "W2", "b2"))
    g = torch.Generator().manual_seed(2147483647)
    for _ in range(count):
        out = []
        context = [0] * 3
        while True:
            emb = C[torch.tensor([context])]  # (1, 3, 10)
            h = torch.tanh(emb.view(1, -1) @ W1 + b1)  # (1, 200)
            logits = h @ W2 + b2  # (1, 27)
            probs = F.softmax(logits, dim=1)
            ix = torch.multinomial(probs, num_samples=1, generator=g).item()
            context = context[1:] + [ix]  # noqa: RUF005  as the lecture writes it
            out.append(ix)
            if ix == 0:
                break
        "".join(vocab.itos[i] for i in out)


LOOPS = {"bigram": (lecture_bigram, 3000), "mlp": (lecture_mlp, 1000)}  # and the names that each generates


def ours(name: str, count: int, vocab: Vocab) -> None:
    section = read_section(PARAMS, "sample") | {"count": count}
    params = check(SampleParams, section, lambda key: f"{PARAMS}: sample.{key}")
    made = sum(names.to_string(text).count("\n") for text in sample(load(name, vocab), params, vocab))
    assert made == count


def seconds_per_name(work: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) / count


# Runs a command and prints its exit code, its seconds and its peak memory in KB. A process of its own, because the peak
# of a child is at least the size of the process that starts it: the one here has torch loaded.
MEASURE = """
import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(code, time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def whole_process(name: str, count: int) -> tuple[float, float]:
    """The seconds and the peak memory, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        stage = [sys.executable, str(STAGES / "sample.py"), name, "--count", str(count)]
        command = [sys.executable, "-c", MEASURE, *stage, "--output", f"{folder}/names.txt"]
        code, seconds, memory = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.split()
    if int(code):
        raise ValueError(f"sample.py {name}: exit code {int(code)}")
    return float(seconds), int(memory) * 1024 / 1e6


def main(
    count: Annotated[
        int, typer.Option("--names", min=1, help="names per measurement; fewer where the loop or the model is slow")
    ] = COUNT,
    rounds: Rounds = 5,
    model: Annotated[list[str] | None, typer.Option(help="measure only this model (repeatable)")] = None,
) -> None:
    """Measure how fast models generate names."""
    torch.set_num_threads(1)
    vocab = Vocab.read(VOCAB)
    chosen = model or MODELS
    table("model", "lecture's loop, names per second", "ours, names per second", "speedup")
    for name in chosen:
        own, theirs = [], []
        loop, few = LOOPS.get(name, (None, 0))
        size = count if loop else min(count, FEWER)
        for _ in range(rounds):
            if loop:
                theirs.append(seconds_per_name(lambda: loop(min(count, few), vocab), min(count, few)))  # noqa: B023
            own.append(seconds_per_name(lambda: ours(name, size, vocab), size))  # noqa: B023
        rates = [f"{1 / statistics.median(taken):,.0f}" if taken else "" for taken in (theirs, own)]
        row(name, *rates, f"{ratio(theirs, own):,.0f}" if theirs else "")
    table(f"whole process, {count:,} names", "seconds", "peak MB")
    for name in filter(chosen.__contains__, PROCESSES):
        seconds, memory = whole_process(name, count)
        row(name, f"{seconds:.1f}", f"{memory:,.0f}")


app = command(main)
if __name__ == "__main__":
    app()
