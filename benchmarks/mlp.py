"""How fast the MLP trains, beside the second lecture's loop and beside what the processor can do.

    python benchmarks/mlp.py [goal] [work] [batch] [layer] [threads] [--seeds 10] [--whole]

`goal`: until dev is at most 2.17, by a number of steps that is fixed beforehand. `work`: the lecture's recipe itself.
`batch`: examples a second by batch size, and where the time goes. `layer`: the first layer as a product or a lookup.
`threads`: 1 or 2. Without a name all of them. The lecture's net (context 3, embedding 10, hidden 200) unless a table
says otherwise, on the splits of the pipeline, in the arithmetic of the stages. What is compared runs in turn; figures
are medians. Seconds are the processor's, since other work shares the machine; those of `threads` are the clock's.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "stages"))

import _stage  # isort: skip  # noqa: F401  first: it sets the arithmetic of the stages
import lecture_mlp
import torch
from torch.profiler import profile

from makemore.core.vocab import Tokens, Vocab, read_tokens
from makemore.models import mlp
from makemore.models.mlp import MLP
from makemore.nn import neural
from makemore.training import loop
from makemore.training.loop import TrainingParams

IMPORTED = time.process_time()  # since the process began

ROOT = Path(__file__).resolve().parents[1]
GOAL = 2.17
LECTURE_STEPS = 200_000
SLICE = 2000  # of the lecture's steps, from which the time of all is calculated
SAME = 50  # steps after which the weights are compared; later rounding errors grow, as the first losses are near 20
RECIPES = {
    "ours": {"examples": "distinct", "initialization": "scaled", "batch_size": 192, "steps": 180, "optimizer": "adamw",
             "lr": 0.05, "embedding_lr_scale": 6, "schedule": "linear"},
    "lecture": {"examples": "all", "initialization": "randn", "batch_size": 32, "steps": LECTURE_STEPS,
                "optimizer": "sgd", "lr": 0.1, "schedule": "step"},
}  # fmt: skip
WIDE = {"context": 7, "embedding": 24, "hidden": 512}
WIDER = {"context": 8, "embedding": 32, "hidden": 1024}

Run = Callable[[], object]


def recipe(name: str, **changes: object) -> tuple[mlp.Params, TrainingParams]:
    values = {"context": 3, "embedding": 10, "hidden": 200, "direct": False, "device": "cpu", "threads": 1}
    values |= {"weight_decay": 0, "embedding_decay": 0, "embedding_lr_scale": 1, "warmup": 0, "ema": 0}
    values |= {"seed": 2147483647, "checkpoint_every": 0}
    values |= RECIPES[name] | changes
    return tuple(
        schema.model_validate({key: values[key] for key in schema.model_fields})
        for schema in (mlp.Params, TrainingParams)
    )


def read(split: str) -> tuple[Tokens, Vocab]:
    vocab = Vocab.read(ROOT / "data/vocab.json")
    return read_tokens(ROOT / f"data/splits/{split}.txt", vocab), vocab


def ready(tokens: Tokens, steps: int | None = None, name: str = "ours", **changes: object) -> tuple[MLP, Run]:
    """A network and its training through the project's own loop, with the examples prepared."""
    shape, params = recipe(name, **changes)
    generator = torch.Generator().manual_seed(params.seed)
    model = MLP(shape, 27, generator)
    batches = loop.batches(model, tokens, params, generator)
    optimizer, rate = loop.make_optimizer(model, params), loop.learning_rate(params)
    return model, lambda: loop.train(model, model.loss, batches, optimizer, rate, steps or params.steps)


def seconds(run: Run, clock: Callable[[], float] = time.process_time) -> float:
    start = clock()
    run()
    return clock() - start


def in_turn(runs: list[Run], times: int, clock: Callable[[], float] = time.process_time) -> list[list[float]]:
    """The seconds of each, taken turn by turn after one that does not count."""
    for run in runs:
        run()
    turns = [[seconds(run, clock) for run in runs] for _ in range(times)]
    return [list(column) for column in zip(*turns, strict=True)]


def ratio(a: list[float], b: list[float]) -> float:
    return statistics.median(x / y for x, y in zip(a, b, strict=True))


def table(*header: str) -> None:
    print("\n| " + " | ".join(header) + " |\n|" + "---|" + "---:|" * (len(header) - 1))


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def process(*arguments: str, free: bool = False) -> dict[str, float]:
    """The seconds of a fresh process; `free`: in the arithmetic that torch chooses by itself."""
    fixed = {"ATEN_CPU_CAPABILITY", "MKL_CBWR"} if free else set()
    env = {key: value for key, value in os.environ.items() if key not in fixed}
    done = subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def goal(given: argparse.Namespace) -> None:
    tokens, vocab = read("train")
    contexts, followers = neural.distinct_examples(read("dev")[0], 3, len(vocab))
    dev = contexts, followers.all()
    X, Y = neural.examples(tokens, 3)
    steps = LECTURE_STEPS if given.whole else SLICE
    losses, ours, lecture = [], [], []
    lecture_mlp.train(X, Y, 100)
    ready(tokens, 20)[1]()
    for seed in range(given.seeds):
        model, run = ready(tokens, seed=seed)
        ours.append(seconds(run))
        lecture.append(seconds(lambda: lecture_mlp.train(X, Y, steps)) * LECTURE_STEPS / steps)
        with torch.no_grad():
            losses.append(model.loss(*dev).item())
    print(f"\ndev by seed: {' '.join(f'{loss:.4f}' for loss in losses)}; mean {statistics.mean(losses):.4f}")
    assert max(losses) <= GOAL, f"a seed ends at {max(losses)}"
    lines = [process("benchmarks/mlp.py", "--process") for _ in range(3)]
    theirs = [process("benchmarks/lecture_mlp.py", str(steps)) for _ in range(3)]
    free = [process("benchmarks/lecture_mlp.py", str(steps), free=True) for _ in range(3)]
    table("until dev <= 2.17, seconds", "import", "read and prepare", "train", "all", "ours: train", "all")
    row(f"ours, {given.seeds} seeds, worst dev {max(losses):.4f}", "", "", f"{statistics.median(ours):.3f}", "", "", "")
    times = f"{ratio(lecture, ours):.0f} times as fast"
    row("lecture, in turn with them", "", "", f"{statistics.median(lecture):.1f}", "", times, "")
    mine: list[float] = []
    for name, found in (
        ("ours, a whole process", lines),
        ("lecture, a whole process", theirs),
        ("lecture, a whole process, plain torch", free),
    ):
        parts = {key: statistics.median(line[key] for line in found) for key in found[0]}
        parts["train"] *= 1 if found is lines else LECTURE_STEPS / steps
        whole = sum(parts.values())
        mine = mine or [parts["train"], whole]
        ratios = ("", "") if found is lines else (f"{parts['train'] / mine[0]:.0f}", f"{whole / mine[1]:.0f}")
        row(name, *(f"{value:.2f}" for value in (*parts.values(), whole)), *ratios)
    if not given.whole:
        print(f"\nThe lecture's {LECTURE_STEPS:,} steps are calculated from {steps:,}; --whole runs them all.")


def whole_process() -> None:
    """What a user waits for, in its parts."""
    tokens, _ = read("train")
    _, run = ready(tokens)
    prepared = time.process_time()
    run()
    parts = {"import": IMPORTED, "prepare": prepared - IMPORTED, "train": time.process_time() - prepared}
    print(json.dumps(parts))


def work(given: argparse.Namespace) -> None:
    tokens, _ = read("train")
    X, Y = neural.examples(tokens, 3)
    model, run = ready(tokens, SAME, "lecture")
    run()
    parameters, _ = lecture_mlp.train(X, Y, SAME)
    worst = max((a - b).abs().max().item() for a, b in zip(model.parameters(), parameters, strict=True))
    assert worst < 1e-3, f"the weights differ by {worst}"
    _, run = ready(tokens, SLICE, "lecture")
    theirs, ours = in_turn([lambda: lecture_mlp.train(X, Y, SLICE), run], given.seeds)
    table(f"the same {SLICE:,} steps of 32", "microseconds a step", "times as fast")
    row("lecture", f"{statistics.median(theirs) / SLICE * 1e6:.0f}", "1.00")
    row("ours", f"{statistics.median(ours) / SLICE * 1e6:.0f}", f"{ratio(theirs, ours):.2f}")
    print(f"\nAfter {SAME} steps no weight of the two differs by more than {worst:.0e}.")


def products(size: int, shapes: list[tuple[int, int]]) -> Run:
    """The multiplications that a step cannot do without: of each layer one forward and two backward."""
    layers = [(torch.randn(size, i), torch.randn(i, o), torch.randn(size, o)) for i, o in shapes]

    def run() -> None:
        for x, W, d in layers:
            x @ W, d @ W.t(), x.t() @ d

    return run


KINDS = {
    "matmul": ("aten::mm", "aten::addmm"),
    "tanh": ("aten::tanh", "aten::tanh_backward"),
    "softmax and loss": ("softmax", "cross_entropy", "nll_loss"),
    "lookups": ("embedding", "index", "aten::sort", "aten::bmm"),
    "optimizer": ("Optimizer", "_fused"),
    "sums": ("aten::sum", "aten::add", "aten::mul", "aten::div"),
}


def shares(run: Run) -> list[float]:
    """Of the time of a run: the share of each kind of operation, and of everything else."""
    with profile() as found:
        run()
    spent = dict.fromkeys(KINDS, 0.0)
    everything = 0.0
    for event in found.key_averages():
        everything += event.self_cpu_time_total
        kind = next((kind for kind, marks in KINDS.items() if any(mark in event.key for mark in marks)), None)
        if kind:
            spent[kind] += event.self_cpu_time_total
    return [*(value / everything for value in spent.values()), 1 - sum(spent.values()) / everything]


def batch(given: argparse.Namespace) -> None:
    tokens, _ = read("train")
    header = [*(f"{kind} %" for kind in KINDS), "rest %"]
    table("batch", "thousand examples/s", "limit", "share %", *header)
    for size in 32, 128, 512, 2048, 8192, 16384:
        steps = max(3, 30_000 // size)
        _, run = ready(tokens, steps, batch_size=size)
        multiply = products(size, [(30, 200), (200, 27)])
        ours, limit = in_turn([run, lambda: [multiply() for _ in range(steps)]], 5)  # noqa: B023
        rates = [size * steps / statistics.median(taken) / 1000 for taken in (ours, limit)]
        parts = [f"{share:.0%}"[:-1] for share in shares(run)]
        row(f"{size:,}", *(f"{rate:.0f}" for rate in rates), f"{100 * ratio(limit, ours):.0f}", *parts)


def layer(given: argparse.Namespace) -> None:
    tokens, _ = read("train")
    table("first layer: context, embedding, hidden; batch", "product, ms a step", "lookup", "times as fast")

    def with_bound(bound: float, run: Run) -> Run:
        def bounded() -> None:
            mlp.LARGE = bound
            run()

        return bounded

    default = mlp.LARGE
    for shape in {"context": 3, "embedding": 10, "hidden": 200}, WIDE, WIDER:
        for size in 32, 128, 192, 512, 2048:
            steps = max(2, 400_000 // size // shape["hidden"])
            _, run = ready(tokens, steps, batch_size=size, **shape)
            product, lookup = in_turn([with_bound(float("inf"), run), with_bound(0, run)], 5)
            shown = (f"{statistics.median(taken) / steps * 1e3:.2f}" for taken in (product, lookup))
            row(f"{', '.join(map(str, shape.values()))}; {size:,}", *shown, f"{ratio(product, lookup):.2f}")
    mlp.LARGE = default
    print(f"\nThe network takes the lookup from {default} V = {default * 27} examples on.")


def threads(given: argparse.Namespace) -> None:
    tokens, _ = read("train")
    table("context, embedding, hidden; batch", "1 thread, ms a step", "2 threads", "times as fast")

    def with_threads(count: int, run: Run) -> Run:
        def threaded() -> None:
            torch.set_num_threads(count)
            run()

        return threaded

    for shape in {"context": 3, "embedding": 10, "hidden": 200}, WIDE, WIDER:
        for size in 32, 512, 4096:
            steps = max(2, 400_000 // size // shape["hidden"])
            _, run = ready(tokens, steps, batch_size=size, **shape)
            one, two = in_turn([with_threads(1, run), with_threads(2, run)], 5, time.perf_counter)
            shown = (f"{statistics.median(taken) / steps * 1e3:.2f}" for taken in (one, two))
            row(f"{', '.join(map(str, shape.values()))}; {size:,}", *shown, f"{ratio(one, two):.2f}")
    torch.set_num_threads(1)


TABLES = {"goal": goal, "work": work, "batch": batch, "layer": layer, "threads": threads}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; all where none is named")
    parser.add_argument("--seeds", type=int, default=10, help="trainings, and pairs of measurements")
    parser.add_argument("--whole", action="store_true", help="run all of the lecture's 200,000 steps each time")
    parser.add_argument("--process", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.process:
        whole_process()
        return
    for name in given.tables or TABLES:
        TABLES[name](given)


if __name__ == "__main__":
    main()
