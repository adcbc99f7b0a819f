"""Names in a second, beside the sampling loops of the lectures.

    python benchmarks/sampling.py [--names 1000000] [--rounds 5]

The loops are those of the notebooks, over the weights of this project's models: for the bigram one row of P and one
multinomial a character, for the MLP one forward pass and one multinomial a character. Ours makes as many names as asked
for, with stages/sample.py's own function, as text; the table of contexts is made anew each time, and counts. Pairs run
in turn, in one process of one thread; the figures are medians. The others, which have no such loop, are for comparison.
Then `stages/sample.py` as a user starts it, to a file: seconds and memory of the whole process.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "stages"))

import _stage  # isort: skip  # noqa: F401  first: it sets the arithmetic of the stages

import numpy as np
import torch
import torch.nn.functional as F

from makemore.core import names
from makemore.core.model import Model, load_model
from makemore.core.params import check, read_section
from makemore.core.vocab import Vocab
from makemore.sampling.sampler import SampleParams, sample

ROOT = Path(__file__).resolve().parents[1]
VOCAB = Vocab.read(ROOT / "data/vocab.json")
OTHERS = ("trigram", "sixgram", "mlp_wide", "gru", "lstm", "transformer")


def load(name: str) -> Model:
    return load_model(ROOT / f"models/{name}.safetensors", VOCAB)


def lecture_bigram(count: int) -> None:
    P = torch.from_numpy(np.exp(load("bigram").log_probs(np.arange(len(VOCAB), dtype=np.int32)[:, None]))).float()
    g = torch.Generator().manual_seed(2147483647)
    for _ in range(count):
        out = []
        ix = 0
        while True:
            p = P[ix]
            ix = torch.multinomial(p, num_samples=1, replacement=True, generator=g).item()
            out.append(VOCAB.itos[ix])
            if ix == 0:
                break
        "".join(out)


def lecture_mlp(count: int) -> None:
    arrays = {key: torch.from_numpy(array) for key, array in load("mlp").arrays().items()}
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
        "".join(VOCAB.itos[i] for i in out)


def ours(name: str, count: int) -> None:
    section = read_section(ROOT / "params.yaml", "sample") | {"count": count}
    params = check(SampleParams, section, lambda key: f"sample.{key}")
    made = sum(names.to_string(text).count("\n") for text in sample(load(name), params, VOCAB))
    assert made == count


def rate(work: Callable[[int], None], count: int) -> float:
    start = time.perf_counter()
    work(count)
    return count / (time.perf_counter() - start)


def whole_process(name: str, count: int) -> tuple[float, float]:
    """Seconds, and the most memory that it held, in MB."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "stages/sample.py", name, "--count", str(count), "--output", f"{folder}/names.txt"]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        assert status == 0
        return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| model | the lecture's loop, names/s | ours, names/s | ratio |\n| --- | ---: | ---: | ---: |")
    for name, loop, few in (("bigram", lecture_bigram, 3000), ("mlp", lecture_mlp, 1000)):
        pairs = [
            (rate(loop, few), rate(lambda count: ours(name, count), arguments.names))  # noqa: B023  called at once
            for _ in range(arguments.rounds)
        ]
        theirs, own = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"| {name} | {theirs:,.0f} | {own:,.0f} | {ratio:,.0f} |", flush=True)
    for name in OTHERS:
        own = statistics.median(rate(lambda count: ours(name, count), 20_000) for _ in range(3))  # noqa: B023
        print(f"| {name} | | {own:,.0f} | |", flush=True)
    print(f"\n| a whole process, {arguments.names:,} names | seconds | MB |\n| --- | ---: | ---: |")
    for name in ("bigram", "mlp", "sixgram"):
        seconds, memory = whole_process(name, arguments.names)
        print(f"| {name} | {seconds:.1f} | {memory:,.0f} |", flush=True)


main()
