"""How fast the MLP trains, compared with the second lecture's loop and with what the processor can do.

    python benchmarks/mlp.py [goal] [work] [batch] [layer] [threads] [--seeds 10] [--rounds 5] [--whole]

`goal` trains until the dev loss is at most 2.17 nats per token, with a number of steps that is fixed beforehand.
`work` runs the lecture's own recipe. `batch` shows examples per second by batch size, and where the time goes. `layer`
compares the two ways to compute the first layer, as a matrix product and as a lookup. `threads` compares 1 thread with
2. Without a name, all of them run. The network is the lecture's (context 3, embedding 10, hidden 200) unless a table
says otherwise. It learns from the pipeline's splits, with the arithmetic of the stages. Runs that are compared
alternate, and the tables show medians. Seconds are processor time, because other work shares the machine; `threads`
shows elapsed time.
"""

import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from typing import Annotated, NamedTuple

from _benchmark import DEV, HERE, TRAIN, Clock, Rounds, Run, command, in_turn, ratio, read, row, seconds, table  # isort: skip
import lecture_mlp
import torch
import typer
from torch.profiler import profile

from makemore.core.arithmetic import SETTINGS, THREADS
from makemore.core.vocab import Tokens
from makemore.models import mlp
from makemore.models.mlp import MLP, MLPParams
from makemore.nn import neural
from makemore.training.batches import make_batches
from makemore.training.loop import Plan, train_network
from makemore.training.optimizers import make_optimizer
from makemore.training.params import TrainingParams
from makemore.training.schedule import learning_rate

IMPORTED = time.process_time()  # since the process began

V = 27  # tokens of the lecture's list
GOAL = 2.17  # nats per token
LECTURE_STEPS = 200_000
SLICE = 2000  # steps of the lecture's loop that are measured; the time of all is calculated from them
SAME = 50  # steps after which the weights are compared; rounding errors grow from the lecture's first losses, near 20
EXAMPLES = 30_000  # per measurement of `batch`
ACTIVATIONS = 400_000  # of hidden units, per measurement of `layer` and `threads`
RECIPES = {
    "ours": {"examples": "distinct", "initialization": "scaled", "batch_size": 192, "steps": 180, "optimizer": "adamw",
             "lr": 0.05, "embedding_lr_scale": 6, "schedule": "linear"},
    "lecture": {"examples": "all", "initialization": "randn", "batch_size": 32, "steps": LECTURE_STEPS,
                "optimizer": "sgd", "lr": 0.1, "schedule": "step"},
}  # fmt: skip
LECTURE = {"context": 3, "embedding": 10, "hidden": 200}
WIDE = {"context": 7, "embedding": 24, "hidden": 512}
WIDER = {"context": 8, "embedding": 32, "hidden": 1024}


class Options(NamedTuple):
    """How much to measure, see `main`."""

    seeds: int
    rounds: int
    scale: float
    goal: float
    whole: bool
    largest: int

    def sizes(self, *sizes: int) -> list[int]:
        """The batch sizes to measure."""
        return [size for size in sizes if size <= self.largest]

    def steps(self, usual: float) -> int:
        """The steps of a measurement."""
        return max(1, round(usual * self.scale))

    @property
    def lecture_steps(self) -> int:
        return LECTURE_STEPS if self.whole else self.steps(SLICE)


def recipe(name: str, **changes: object) -> tuple[MLPParams, TrainingParams]:
    values = LECTURE | {"layers": 1, "flatten": None, "batch_norm": "none", "momentum": 0.001, "gradients": "autograd"}
    values |= {"direct": False, "device": "cpu", "threads": 1, "checkpoint_every": 0, "seed": 2147483647}
    values |= {"weight_decay": 0, "embedding_decay": 0, "embedding_lr_scale": 1, "warmup": 0, "ema": 0}
    values |= RECIPES[name] | changes
    shape, training = (
        {key: values[key] for key in schema.model_fields if key in values} for schema in (MLPParams, TrainingParams)
    )
    return MLPParams.model_validate(shape), TrainingParams.model_validate(training)


def ready(tokens: Tokens, steps: int | None = None, name: str = "ours", **changes: object) -> tuple[MLP, Run]:
    """A network and its training through the project's own loop, with the examples prepared."""
    shape, params = recipe(name, **changes)
    generator = torch.Generator().manual_seed(params.seed)
    model = MLP(shape, V, generator)
    next_batch = make_batches(model, tokens, params, generator)
    optimizer = make_optimizer(model, params)
    plan = Plan(steps or params.steps, learning_rate(params))
    return model, lambda: train_network(model, lambda: model.loss(*next_batch()), optimizer, plan)


def process(script: str, *arguments: str, free: bool = False) -> dict[str, float]:
    """The seconds of the parts of a fresh process. If `free`, torch chooses its arithmetic itself."""
    env = {key: value for key, value in os.environ.items() if not free or key not in SETTINGS | THREADS}
    run = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True, env=env)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def goal(options: Options) -> None:
    """Both loops train until the dev loss is low enough: in this process, and as whole processes."""
    tokens, _ = read(TRAIN)
    contexts, following = neural.distinct_examples(read(DEV)[0], LECTURE["context"], V)
    dev = contexts, following.all()
    X, Y = neural.examples(tokens, LECTURE["context"])
    steps = options.lecture_steps
    losses, ours, lecture = [], [], []
    lecture_mlp.train(X, Y, options.steps(100))
    ready(tokens, options.steps(20))[1]()
    for seed in range(options.seeds):
        model, run = ready(tokens, seed=seed)
        ours.append(seconds(run))
        lecture.append(seconds(lambda: lecture_mlp.train(X, Y, steps)) * LECTURE_STEPS / steps)
        with torch.no_grad():
            losses.append(model.loss(*dev).item())
    shown = " ".join(f"{loss:.4f}" for loss in losses)
    print(f"\ndev loss of each seed, nats per token: {shown}; mean {statistics.mean(losses):.4f}")
    if max(losses) > options.goal:
        raise ValueError(f"the dev loss of one seed is {max(losses):.4f} nats per token, above {options.goal}")
    lines = [process("mlp.py", "--process") for _ in range(options.rounds)]
    theirs = [process("lecture_mlp.py", str(steps)) for _ in range(options.rounds)]
    free = [process("lecture_mlp.py", str(steps), free=True) for _ in range(options.rounds)]
    header = f"until dev <= {options.goal} nats per token, seconds", "import", "read and prepare", "train", "total"
    table(*header, "speedup: train", "speedup: total")
    row(
        f"ours, {options.seeds} seeds, worst dev {max(losses):.4f}",
        "",
        "",
        f"{statistics.median(ours):.3f}",
        "",
        "",
        "",
    )
    times = f"{ratio(lecture, ours):.0f}"
    row("lecture, in turn with ours", "", "", f"{statistics.median(lecture):.1f}", "", times, "")
    mine: list[float] = []
    for name, found in (
        ("ours, whole process", lines),
        ("lecture, whole process", theirs),
        ("lecture, whole process, torch's own arithmetic", free),
    ):
        parts = {key: statistics.median(line[key] for line in found) for key in found[0]}
        parts["train"] *= 1 if found is lines else LECTURE_STEPS / steps
        total = sum(parts.values())
        mine = mine or [parts["train"], total]
        ratios = ("", "") if found is lines else (f"{parts['train'] / mine[0]:.0f}", f"{total / mine[1]:.0f}")
        row(name, *(f"{value:.2f}" for value in (*parts.values(), total)), *ratios)
    if not options.whole:
        print(
            f"\nThe time of the lecture's {LECTURE_STEPS:,} steps is calculated from {steps:,}; --whole runs them all."
        )


def whole_process() -> None:
    """What a user waits for, in its parts, as JSON."""
    tokens, _ = read(TRAIN)
    _, run = ready(tokens)
    prepared = time.process_time()
    run()
    parts = {"import": IMPORTED, "prepare": prepared - IMPORTED, "train": time.process_time() - prepared}
    print(json.dumps(parts))


def work(options: Options) -> None:
    """Both loops do the same steps."""
    tokens, _ = read(TRAIN)
    X, Y = neural.examples(tokens, LECTURE["context"])
    model, run = ready(tokens, SAME, "lecture")
    run()
    parameters, _ = lecture_mlp.train(X, Y, SAME)
    worst = max((a - b).abs().max().item() for a, b in zip(model.parameters(), parameters, strict=True))
    assert worst < 1e-3, f"the weights differ by {worst}"
    steps = options.steps(SLICE)
    _, run = ready(tokens, steps, "lecture")
    theirs, ours = in_turn([lambda: lecture_mlp.train(X, Y, steps), run], options.rounds)
    table(f"the same {steps:,} steps with batches of 32", "microseconds per step", "speedup")
    row("lecture", f"{statistics.median(theirs) / steps * 1e6:.0f}", "1.00")
    row("ours", f"{statistics.median(ours) / steps * 1e6:.0f}", f"{ratio(theirs, ours):.2f}")
    print(f"\nAfter {SAME} steps no weight of the two networks differs by more than {worst:.0e}.")


def products(size: int, shapes: list[tuple[int, int]]) -> Run:
    """The matrix products that a step cannot avoid: one forward and two backward for each layer."""
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
    """The share of each kind of operation in the time of a run, and of everything else."""
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


def batch(options: Options) -> None:
    """Examples per second by batch size, and the limit that the matrix products alone set."""
    tokens, _ = read(TRAIN)
    header = [*(f"{kind} %" for kind in KINDS), "rest %"]
    table("batch", "thousand examples per second", "limit", "share of the limit %", *header)
    for size in options.sizes(32, 128, 512, 2048, 8192, 16384):
        steps = options.steps(max(3, EXAMPLES // size))
        _, run = ready(tokens, steps, batch_size=size)
        multiply = products(size, [(30, 200), (200, V)])
        ours, limit = in_turn([run, lambda: [multiply() for _ in range(steps)]], options.rounds)  # noqa: B023
        rates = [size * steps / statistics.median(taken) / 1000 for taken in (ours, limit)]
        parts = [f"{share:.0%}"[:-1] for share in shares(run)]
        row(f"{size:,}", *(f"{rate:.0f}" for rate in rates), f"{100 * ratio(limit, ours):.0f}", *parts)


def compare(options: Options, sizes: list[int], ways: Sequence[Run], clock: Clock) -> None:
    """One row for each network and batch size, with the time of a step each way. A way is set up before its runs."""
    tokens, _ = read(TRAIN)

    def after(way: Run, run: Run) -> Run:
        def both() -> None:
            way()
            run()

        return both

    for shape in LECTURE, WIDE, WIDER:
        for size in sizes:
            steps = options.steps(max(2, ACTIVATIONS // size // shape["hidden"]))
            _, run = ready(tokens, steps, batch_size=size, **shape)
            one, other = in_turn([after(way, run) for way in ways], options.rounds, clock)
            shown = (f"{statistics.median(taken) / steps * 1e3:.2f}" for taken in (one, other))
            row(f"{', '.join(map(str, shape.values()))}; {size:,}", *shown, f"{ratio(one, other):.2f}")


def layer(options: Options) -> None:
    """The first layer as a matrix product and as a lookup."""
    default = mlp.LOOKUP_MIN_BATCH
    table("context, embedding, hidden; batch", "product, ms per step", "lookup, ms per step", "speedup")
    ways = [partial(setattr, mlp, "LOOKUP_MIN_BATCH", bound) for bound in (math.inf, 0)]
    compare(options, options.sizes(32, 128, 192, 512, 2048), ways, time.process_time)
    mlp.LOOKUP_MIN_BATCH = default
    print(f"\nThe network uses the lookup for batches of {default} V = {default * V} examples and more.")


def threads(options: Options) -> None:
    """One thread and two."""
    table("context, embedding, hidden; batch", "1 thread, ms per step", "2 threads, ms per step", "speedup")
    ways = [partial(torch.set_num_threads, count) for count in (1, 2)]
    compare(options, options.sizes(32, 512, 4096), ways, time.perf_counter)
    torch.set_num_threads(1)


TABLES = {"goal": goal, "work": work, "batch": batch, "layer": layer, "threads": threads}
Table = StrEnum("Table", list(TABLES))


def main(
    tables: Annotated[
        list[Table] | None, typer.Argument(metavar="TABLE", help=f"any of {', '.join(TABLES)}; default: all")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="trainings of `goal`")] = 10,
    rounds: Rounds = 5,
    scale: Annotated[float, typer.Option(min=0, help="multiplies the steps of each measurement; 0: one step")] = 1.0,
    goal: Annotated[float, typer.Option(help="dev loss that `goal` must reach, in nats per token")] = GOAL,
    whole: Annotated[bool, typer.Option("--whole", help="run all of the lecture's 200,000 steps each time")] = False,
    largest: Annotated[int, typer.Option(help="largest batch of `batch`, `layer` and `threads`")] = 16384,
    process: Annotated[bool, typer.Option("--process", hidden=True)] = False,
) -> None:
    """Measure how fast the MLP trains."""
    torch.set_num_threads(1)
    if process:
        whole_process()
        return
    for name in tables or TABLES:
        TABLES[name](Options(seeds, rounds, scale, goal, whole, largest))


app = command(main)
if __name__ == "__main__":
    app()
