"""How fast the networks train: a step of each beside makemore's, where its time goes, and whole trainings.

    python benchmarks/models.py [step] [time] [train] [--rounds 7] [--model mlp ...]

`step`: one training step of each network at the sizes of makemore's script (4 layers, 64 wide, 32 names, AdamW), with
the project's own loop and batches, beside makemore's model and step (`makemore_models.py`), once with its data loader
and once with batches that are ready. They alternate, with the arithmetic of the stages; the tables show medians of
processor time. `time`: where the time of our step goes, as PyTorch's profiler finds it, which makes small operations
slower. `train`: the processor seconds that the training of each model of the pipeline takes, written to
benchmarks/seconds.csv. Without a name, `step` and `time` run.
"""

import resource
import statistics
import tempfile
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, NamedTuple

from _benchmark import TRAIN, Rounds, Run, command, in_turn, ratio, read, row, run_stage, table  # isort: skip
import makemore_models as theirs
import torch
import typer
from torch.profiler import profile, record_function

from makemore.core import files
from makemore.core.params import Section, read_section
from makemore.core.pipeline import INDEX, model_names
from makemore.core.vocab import Tokens
from makemore.nn.neural import Neural
from makemore.reporting.tables import read_seconds
from makemore.training.batches import make_batches
from makemore.training.loop import Plan, train_network
from makemore.training.optimizers import make_optimizer
from makemore.training.params import TrainingParams
from makemore.training.schedule import learning_rate

PARAMS, MODELS = Path("params.yaml"), Path("models")
NAMES, STEPS = 32, 100
WIDE = {"embedding": 64, "hidden": 64}
SHAPES = {  # the family of each network, and its hyperparameters as makemore's script has them
    "bigram": ("neural_bigram", {}),
    "mlp": (
        "mlp",
        WIDE
        | {"context": 16, "layers": 1, "flatten": None, "direct": False, "batch_norm": "none", "momentum": 0.001}
        | {"initialization": "scaled", "examples": "all", "gradients": "autograd"},
    ),
    "rnn": ("recurrent", WIDE | {"cell": "rnn", "layers": 1, "dropout": 0}),
    "gru": ("recurrent", WIDE | {"cell": "gru", "layers": 1, "dropout": 0}),
    "lstm": ("recurrent", WIDE | {"cell": "lstm", "layers": 1, "dropout": 0}),
    "bow": ("bow", WIDE | {"positions": 16, "dropout": 0}),
    "wavenet": ("wavenet", {"channels": 64, "hidden": 64, "layers": 4, "kernel": 2, "dropout": 0}),
    "transformer": ("transformer", {"embedding": 64, "layers": 4, "heads": 4, "positions": 16, "dropout": 0}),
}
RECIPE = {"optimizer": "adamw", "lr": 5e-4, "schedule": "constant", "weight_decay": 0.01, "embedding_decay": 0.01}
RECIPE |= {"embedding_lr_scale": 1, "warmup": 0, "ema": 0, "steps": STEPS, "seed": 0, "device": "cpu", "threads": 1}
RECIPE |= {"checkpoint_every": 0}
KINDS = {  # kinds of operations, and substrings of their names
    "prefix tree": ("tree",),
    "matmul": ("aten::mm", "aten::addmm", "aten::bmm"),
    "attention": ("scaled_dot_product", "flash_attention"),
    "lookups": ("embedding", "index"),
    "softmax and loss": ("softmax", "cross_entropy", "nll_loss"),
    "optimizer": ("_fused", "_foreach"),
    "autograd and Python": ("python", "autograd", "Backward"),
    "elementwise and other": ("",),
}


class Options(NamedTuple):
    """What to measure, see `main`."""

    rounds: int
    steps: int
    models: list[str]
    output: Path

    def networks(self) -> list[str]:
        unknown = [name for name in self.models if name not in SHAPES]
        if unknown:
            raise ValueError(f"{unknown[0]}: no such network; available: {', '.join(SHAPES)}")
        return self.models or list(SHAPES)


def build(name: str) -> Neural:
    family, shape = SHAPES[name]
    network_class: type[Neural] = import_module(f"makemore.models.{family}").MODEL
    params: Section = network_class.Params.model_validate(shape)
    return network_class(params, theirs.V, torch.manual_seed(0))


def tokens_per_step(tokens: Tokens) -> float:
    return NAMES * len(tokens) / int((tokens == 0).sum())


def ready(network: Neural, tokens: Tokens, steps: int) -> Run:
    """Steps of the project's loop. A network with a fixed context takes as many tokens per step as the names have."""
    size = NAMES if network.context is None else round(tokens_per_step(tokens))
    params = TrainingParams.model_validate(RECIPE | {"batch_size": size})
    next_batch = make_batches(network, tokens, params, torch.manual_seed(0))
    optimizer = make_optimizer(network, params)
    plan = Plan(steps, learning_rate(params))
    return lambda: train_network(network, lambda: network.loss(*next_batch()), optimizer, plan)


def makemore(name: str, steps: int) -> tuple[int, list[Run]]:
    """The number of weights of makemore's model; its steps with the data loader, and with batches that are ready."""
    network = theirs.MODELS[name]()
    optimizer = theirs.optimizer_of(network)
    names = TRAIN.read_text().splitlines()
    sources = theirs.loader(names, NAMES), theirs.ready(names, NAMES)
    runs = [lambda batches=batches: theirs.train(network, optimizer, batches, steps) for batches in sources]
    return sum(weight.numel() for weight in network.parameters()), runs


def step(options: Options) -> None:
    """A step of each network, beside makemore's."""
    tokens, _ = read(TRAIN)
    header = [f"{NAMES} names per step", "weights: makemore", "ours", "ms per step: makemore", "batches ready", "ours"]
    header += ["thousand tokens per second: makemore", "ours", "speedup", "speedup, batches ready"]
    table(*header)
    for name in options.networks():
        network = build(name)
        weights, others = makemore(name, options.steps) if name in theirs.MODELS else ("-", [])
        *other, own = in_turn([*others, ready(network, tokens, options.steps)], options.rounds)
        per_step = [statistics.median(taken) / options.steps * 1e3 for taken in (*other, own)]
        ms = [f"{one:.2f}" for one in per_step]
        rates = [f"{tokens_per_step(tokens) / one:.0f}" for one in (*per_step[:-2], per_step[-1])]
        faster = [f"{ratio(taken, own):.1f}" for taken in other]
        if not others:
            ms, rates, faster = ["-", "-", *ms], ["-", *rates], ["-", "-"]
        row(name, f"{weights:,}" if others else "-", f"{network.parameter_count:,}", *ms, *rates, *faster)


def time(options: Options) -> None:
    """The shares of a step's time."""
    tokens, _ = read(TRAIN)
    table("share of a step's time, %", *KINDS)
    for name in options.networks():
        network = build(name)
        if network.context is None:
            network.tree = record_function("tree")(network.tree)
        run = ready(network, tokens, options.steps)
        run()
        with profile() as found, record_function("python"):
            run()
        spent = dict.fromkeys(KINDS, 0.0)
        for event in found.key_averages():
            kind = next(kind for kind, marks in KINDS.items() if any(mark in event.key for mark in marks))
            spent[kind] += event.self_cpu_time_total
        row(name, *(f"{100 * value / sum(spent.values()):.0f}" for value in spent.values()))


def seconds(script: str, *arguments: str) -> float:
    """The processor time of a stage."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run_stage(script, *arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def train(options: Options) -> None:
    """Whole trainings. The time of a mixture is that of its members and of fitting the weights."""
    members = read_section(PARAMS, "ensemble")["models"]
    available = [name for name in model_names(MODELS) if name != "ensemble"]
    unknown = set(options.models) - {*available, "ensemble"}
    if unknown:
        raise ValueError(f"{min(unknown)}: no such model; available: {', '.join(available)}, ensemble")
    mixture = not options.models or "ensemble" in options.models
    chosen = {*options.models, *(members if mixture else [])} if options.models else {*available}
    groups = "fixed", "tuned", "mixed", "networks"
    fixed, tuned, mixed, networks = (read_section(MODELS / INDEX, group) for group in groups)
    taken: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        curve, metrics = ["--curve", f"{scratch}/c.csv"], ["--metrics", f"{scratch}/m.json"]

        def measure(name: str, script: str, *arguments: str) -> None:
            taken[name] = seconds(script, *arguments, "--model", f"{scratch}/{name}.safetensors")
            print(f"{name}: {taken[name]:.1f} s", flush=True)

        for name in filter(chosen.__contains__, available):
            if name in fixed:
                measure(name, "fit_ngram.py", name)
            elif name in tuned:
                measure(name, "tune_ngram.py", name, *curve, "--tuned", f"{scratch}/t.json")
            elif name in mixed:
                measure(name, "mix_ngram.py", name)
            elif name in networks:
                checkpoint = ["--checkpoint", f"{scratch}/checkpoint"]
                measure(name, "train.py", networks[name], name, *curve, *metrics, *checkpoint)
            else:
                measure(name, f"train_{name}.py", *curve)
        if mixture:
            measure("ensemble", "fit_ensemble.py", "--folder", scratch, *metrics)
            taken["ensemble"] += sum(taken[name] for name in members)
            print(f"ensemble with its members: {taken['ensemble']:.1f} s", flush=True)
    known = read_seconds(options.output) if options.models and options.output.exists() else {}
    known |= taken
    rows = [(name, f"{known[name]:.1f}") for name in [*available, "ensemble"] if name in known]
    files.write_csv(options.output, ("model", "seconds"), rows)


TABLES = {"step": step, "time": time, "train": train}
Table = StrEnum("Table", list(TABLES))


def main(
    tables: Annotated[
        list[Table] | None, typer.Argument(metavar="TABLE", help="any of step, time, train; default: step and time")
    ] = None,
    rounds: Rounds = 7,
    steps: Annotated[int, typer.Option(min=1, help="steps per measurement of `step` and `time`")] = STEPS,
    model: Annotated[list[str] | None, typer.Option(help="measure only this model (repeatable)")] = None,
    output: Annotated[Path, typer.Option(help="file that `train` writes")] = Path("benchmarks/seconds.csv"),
) -> None:
    """Measure how fast the networks train."""
    torch.set_num_threads(1)
    for name in tables or ["step", "time"]:
        TABLES[name](Options(rounds, steps, model or [], output))


app = command(main)
if __name__ == "__main__":
    app()
