"""How fast the networks train: a step of each beside makemore's, where its time goes, and whole trainings.

    python benchmarks/models.py [step] [time] [train] [--turns 7]

`step`: a step of each network at the sizes of makemore's script (4 layers, 64 wide, 32 names, AdamW), through the
project's own loop and batches, beside makemore's model and step, see makemore_models.py: with its loader, and with
batches that are ready. They run in turn, in the arithmetic of the stages; figures are medians of the processor's time.
`time`: where ours goes, as PyTorch's profiler finds it, which adds some time to each small operation. `train`: the
processor's seconds that the training of each model of params.yaml takes, written to benchmarks/seconds.csv. Without a
name the first two.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import mlp  # isort: skip  # the benchmark beside this one, first: it sets the arithmetic of the stages
import makemore_models as theirs
import torch
import yaml
from torch.profiler import profile, record_function

from makemore.core import files
from makemore.core.vocab import Tokens
from makemore.models.neural_bigram import NeuralBigram
from makemore.nn.neural import Neural
from makemore.training import loop
from makemore.training.loop import TrainingParams

ROOT = Path(__file__).resolve().parents[1]
NAMES, STEPS = 32, 100
WIDE = {"embedding": 64, "hidden": 64}
SHAPES = {  # each network's file of src/makemore, and its hyperparameters as makemore's script has them
    "bigram": ("neural_bigram", {}),
    "mlp": ("mlp", WIDE | {"context": 16, "direct": False, "initialization": "scaled", "examples": "all"}),
    "rnn": ("recurrent", WIDE | {"cell": "rnn", "layers": 1, "dropout": 0}),
    "gru": ("recurrent", WIDE | {"cell": "gru", "layers": 1, "dropout": 0}),
    "lstm": ("recurrent", WIDE | {"cell": "lstm", "layers": 1, "dropout": 0}),
    "bow": ("bow", WIDE | {"positions": 16, "dropout": 0}),
    "wavenet": ("wavenet", {"channels": 64, "hidden": 64, "layers": 4, "kernel": 2, "dropout": 0}),
    "transformer": ("transformer", {"embedding": 64, "layers": 4, "heads": 4, "positions": 16, "dropout": 0}),
}
RECIPE = {"optimizer": "adamw", "lr": 5e-4, "schedule": "constant", "weight_decay": 0.01, "embedding_decay": 0.01}
RECIPE |= {"embedding_lr_scale": 1, "ema": 0, "steps": STEPS, "seed": 0, "device": "cpu", "threads": 1, "checkpoint_every": 0}
KINDS = {  # of operations, by what their names hold
    "tree": ("tree",),
    "matmul": ("aten::mm", "aten::addmm", "aten::bmm"),
    "attention": ("scaled_dot_product", "flash_attention"),
    "lookups": ("embedding", "index"),
    "softmax and loss": ("softmax", "cross_entropy", "nll_loss"),
    "optimizer": ("_fused", "_foreach"),
    "autograd and Python": ("python", "autograd", "Backward"),
    "elementwise and others": ("",),
}


def build(name: str) -> Neural:
    family, shape = SHAPES[name]
    generator = torch.manual_seed(0)
    if family == "neural_bigram":
        return NeuralBigram(theirs.V, generator)
    module = import_module(f"makemore.{family}")
    network: Neural = module.build(module.Params.model_validate(shape), theirs.V, generator)
    return network


def tokens_a_step(tokens: Tokens) -> float:
    return NAMES * len(tokens) / int((tokens == 0).sum())


def ready(network: Neural, tokens: Tokens) -> mlp.Run:
    """Steps of the project's loop. A network of windows takes as many tokens a step as the names have."""
    size = NAMES if network.context is None else round(tokens_a_step(tokens))
    params = TrainingParams.model_validate(RECIPE | {"batch_size": size})
    batches = loop.batches(network, tokens, params, torch.manual_seed(0))
    optimizer, rate = loop.make_optimizer(network, params), loop.learning_rate(params)
    return lambda: loop.train(network, network.loss, batches, optimizer, rate, STEPS)


def makemore(name: str) -> tuple[int, list[mlp.Run]]:
    """The weights of makemore's model; its steps with the loader, and with batches that are ready."""
    network = theirs.MODELS[name]()
    optimizer = theirs.optimizer_of(network)
    names = (ROOT / "data/splits/train.txt").read_text().splitlines()
    sources = theirs.loader(names, NAMES), theirs.ready(names, NAMES)
    runs = [lambda batches=batches: theirs.train(network, optimizer, batches, STEPS) for batches in sources]
    return sum(weight.numel() for weight in network.parameters()), runs


def step(given: argparse.Namespace) -> None:
    tokens, _ = mlp.read("train")
    header = "makemore, ms a step", "batches ready", "ours", "makemore, thousand tokens/s", "ours", "times as fast"
    mlp.table(f"{NAMES} names a step", "weights: makemore", "ours", *header, "batches ready")
    for name in SHAPES:
        network = build(name)
        weights, others = makemore(name) if name in theirs.MODELS else ("-", [])
        *others, own = mlp.in_turn([*others, ready(network, tokens)], given.turns)
        ms = [f"{statistics.median(taken) / STEPS * 1e3:.2f}" for taken in (*others, own)]
        rates = [f"{tokens_a_step(tokens) / float(one):.0f}" for one in (*ms[:-2], ms[-1])]
        faster = [f"{mlp.ratio(taken, own):.1f}" for taken in others]
        if not others:
            ms, rates, faster = ["-", "-", *ms], ["-", *rates], ["-", "-"]
        mlp.row(name, f"{weights:,}" if others else "-", f"{network.parameter_count:,}", *ms, *rates, *faster)


def time(given: argparse.Namespace) -> None:
    tokens, _ = mlp.read("train")
    mlp.table("of a step's time, %", *KINDS)
    for name in SHAPES:
        network = build(name)
        if network.context is None:
            network.tree = record_function("tree")(network.tree)
        run = ready(network, tokens)
        run()
        with profile() as found, record_function("python"):
            run()
        spent = dict.fromkeys(KINDS, 0.0)
        for event in found.key_averages():
            kind = next(kind for kind, marks in KINDS.items() if any(mark in event.key for mark in marks))
            spent[kind] += event.self_cpu_time_total
        mlp.row(name, *(f"{100 * value / sum(spent.values()):.0f}" for value in spent.values()))


def seconds(*command: str) -> float:
    """The processor's, of a stage."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def train(given: argparse.Namespace) -> None:
    """Count models take what their tuning takes, if they are tuned; a mixture what its models take, and its weights."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    models = yaml.safe_load((ROOT / "dvc.yaml").read_text())["vars"][1]["models"]
    taken: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        metrics, curve = ["--metrics", f"{scratch}/m.json"], ["--curve", f"{scratch}/c.csv"]
        tuned, checkpoint = ["--tuned", f"{scratch}/t.json"], ["--checkpoint", f"{scratch}/checkpoint"]
        for name in [*models, "ensemble"]:
            family = models.get(name, ["ensemble"])[0]
            model = ["--model", f"{scratch}/{name}.safetensors"]
            if family == "ngram":
                tuning = params["ngram"][name]["strength"] == "tuned"
                taken[name] = seconds("stages/tune_ngram.py", name, *tuned, *curve) if tuning else 0
                taken[name] += seconds("stages/fit_ngram.py", name, *tuned, *model)
            elif family == "neural_bigram":
                taken[name] = seconds("stages/train_neural_bigram.py", *model, *curve)
            elif family == "ensemble":
                taken[name] = sum(taken[part] for part in params["ensemble"]["models"])
                taken[name] += seconds("stages/fit_ensemble.py", "--folder", scratch, *model, *metrics)
            else:
                taken[name] = seconds("stages/train.py", family, name, *model, *curve, *metrics, *checkpoint)
            print(f"{name}: {taken[name]:.1f} s", flush=True)
    rows = [(name, f"{value:.1f}") for name, value in taken.items()]
    files.write_csv(ROOT / "benchmarks/seconds.csv", ("model", "seconds"), rows)


TABLES = {"step": step, "time": time, "train": train}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"of {', '.join(TABLES)}; the first two by default")
    parser.add_argument("--turns", type=int, default=7, help="measurements of each")
    given = parser.parse_args()
    torch.set_num_threads(1)
    for name in given.tables or ["step", "time"]:
        TABLES[name](given)


if __name__ == "__main__":
    main()
