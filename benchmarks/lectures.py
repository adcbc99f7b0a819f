"""The published runs of lectures 3 to 5: the lectures' own loops beside this project's.

    python benchmarks/lectures.py recipes     # the loss of our recipes, and their share of the lecture loop's time
    python benchmarks/lectures.py backprop    # a step with the backward pass by hand beside autograd's

Seconds are processor time of one core. The lecture's loop is timed over some hundred steps, in turn with ours, and
multiplied up to its 200,000. Losses are on dev, of the list in `data`; the published ones are of the lectures' list.
"""

import statistics
import time
from collections.abc import Callable
from typing import Annotated, Any

import _benchmark  # isort: skip  # first: it sets the arithmetic of the stages
import torch
import torch.nn.functional as F
import typer
from _benchmark import DEV, TRAIN, Rounds, in_turn, ratio, read, row, table
from torch import Tensor

from makemore.core.params import read_section
from makemore.core.vocab import Tokens
from makemore.evaluation.losses import evaluate
from makemore.models.mlp import MLP, MLPParams
from makemore.nn.neural import examples
from makemore.tools.lectures import RECIPE, RUNS, Run
from makemore.training.batches import make_batches
from makemore.training.loop import Plan, train_network
from makemore.training.optimizers import make_optimizer
from makemore.training.params import TrainingParams
from makemore.training.schedule import learning_rate

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)

NORMALIZED = {"momentum": 0.05}
OURS: dict[str, dict[str, Any]] = {  # changes of `mlp` in params.yaml, by run; the architecture is the run's
    "kaiming": {"steps": 500, "lr": 0.03, "weight_decay": 0.3, "ema": 0.99},
    "batch-norm": NORMALIZED | {"steps": 700, "lr": 0.03, "weight_decay": 0.6, "batch_size": 384, "ema": 0.995},
    "baseline": NORMALIZED | {"steps": 700, "lr": 0.03, "weight_decay": 0.6, "batch_size": 384, "ema": 0.995},
    "context-8": NORMALIZED | {"steps": 3500, "lr": 0.02, "weight_decay": 0.3, "ema": 0.998},
    "both": NORMALIZED | {"steps": 2500, "lr": 0.015, "weight_decay": 0.6, "ema": 0.998},
    "wider": NORMALIZED | {"steps": 3500, "lr": 0.01, "weight_decay": 1.2, "ema": 0.998},
}
SHAPE = "context", "embedding", "hidden", "layers", "flatten", "batch_norm"


class Linear:
    """As the lecture's notebook: weights in plain tensors."""

    def __init__(self, inputs: int, outputs: int, bias: bool):
        self.parameters = [torch.randn(inputs, outputs) / inputs**0.5] + ([torch.zeros(outputs)] if bias else [])

    def __call__(self, x: Tensor) -> Tensor:
        x = x @ self.parameters[0]
        return x + self.parameters[1] if len(self.parameters) > 1 else x


class BatchNorm1d:
    def __init__(self, units: int):
        self.parameters = [torch.ones(units), torch.zeros(units)]
        self.mean, self.var = torch.zeros(units), torch.ones(units)

    def __call__(self, x: Tensor) -> Tensor:
        dimensions = (0, 1) if x.ndim == 3 else 0
        mean, var = x.mean(dimensions, keepdim=True), x.var(dimensions, keepdim=True)
        with torch.no_grad():
            self.mean = 0.9 * self.mean + 0.1 * mean
            self.var = 0.9 * self.var + 0.1 * var
        return self.parameters[0] * (x - mean) / torch.sqrt(var + 1e-5) + self.parameters[1]


def lecture_loop(run: Run, tokens: Tokens, vocab_size: int) -> Callable[[int], None]:
    """The lecture's training loop, as a function that takes some steps."""
    params = run.params
    X, Y = examples(tokens, params["context"])
    joined = params["flatten"] or params["context"]
    normalized = params["batch_norm"] != "none"
    layers: list[Any] = []
    width = params["embedding"]
    for layer in range(params["layers"]):
        size = joined if layer == 0 or params["flatten"] else 1
        layers.append(lambda x, size=size: x.reshape(x.shape[0], -1, x.shape[2] * size))
        layers.append(Linear(width * size, params["hidden"], bias=not normalized))
        layers += [BatchNorm1d(params["hidden"])] if normalized else []
        layers.append(torch.tanh)
        width = params["hidden"]
    layers.append(Linear(width, vocab_size, bias=True))
    C = torch.randn(vocab_size, params["embedding"])
    parameters = [C, *(weight for layer in layers for weight in getattr(layer, "parameters", []))]
    for p in parameters:
        p.requires_grad = True

    def steps(count: int) -> None:
        for _ in range(count):
            ix = torch.randint(0, X.shape[0], (32,))
            x = C[X[ix]]
            for layer in layers:
                x = layer(x)
            loss = F.cross_entropy(x.squeeze(1), Y[ix])
            for p in parameters:
                p.grad = None
            loss.backward()  # type: ignore[no-untyped-call]
            for p in parameters:
                assert p.grad is not None
                p.data += -0.1 * p.grad
            loss.log10().item()

    return steps


def training(changes: dict[str, Any], tokens: Tokens, vocab_size: int) -> tuple[MLP, Callable[[], object]]:
    """A network with `mlp`'s params but for `changes`, and a function that trains it."""
    params = read_section(_benchmark.HERE.parent / "params.yaml", "mlp") | changes
    shape = MLPParams(**{key: params[key] for key in MLPParams.model_fields})
    plan = TrainingParams(**{key: params[key] for key in TrainingParams.model_fields if key in params})
    generator = torch.Generator().manual_seed(params["seed"])
    network = MLP(shape, vocab_size, generator)
    next_batch, optimizer = make_batches(network, tokens, plan, generator), make_optimizer(network, plan)
    schedule = Plan(plan.steps, learning_rate(plan), plan.ema)
    return network, lambda: train_network(network, lambda: network.loss(*next_batch()), optimizer, schedule)


Share = Annotated[float, typer.Option(help="of the steps; below 1 for a try")]


@app.command()
def recipes(rounds: Rounds = 3, share: Share = 1.0) -> None:
    """The dev loss of our recipes for the published networks, and their share of the lecture loop's time."""
    torch.set_num_threads(1)
    tokens, vocab = read(TRAIN)
    dev, _ = read(DEV)
    table("network", "parameters", "published", "ours", "lecture's seconds", "ours", "share")
    sample = max(1, round(500 * share))
    for run in (run for run in RUNS if run.name in OURS):
        loop = lecture_loop(run, tokens, len(vocab))
        changes = OURS[run.name] | {key: run.params[key] for key in SHAPE}
        changes["steps"] = max(1, round(changes["steps"] * share))
        lectures, ours, losses = [], [], []
        for seed in range(1, rounds + 1):
            start = time.process_time()
            loop(sample)
            lectures.append((time.process_time() - start) * RECIPE["steps"] / sample)
            network, train = training(changes | {"seed": seed}, tokens, len(vocab))
            ours.append(_benchmark.seconds(train))
            losses.append(evaluate(network.eval(), dev)["nll"])
        mean = statistics.mean(losses)
        spread = f" ± {statistics.stdev(losses):.4f}" if rounds > 1 else ""
        times = statistics.median(lectures), statistics.median(ours)
        published = f"{run.dev:.4f}" if run.dev else "-"
        reached = f"{mean:.4f}{spread}"
        row(run.what, f"{network.parameter_count:,}", published, reached, *(f"{t:.1f}" for t in times),
            f"1/{times[0] / times[1]:.0f}")  # fmt: skip


@app.command()
def backprop(rounds: Rounds = 5, share: Share = 1.0) -> None:
    """Seconds per step with gradients by hand and with autograd's, in turn."""
    torch.set_num_threads(1)
    tokens, vocab = read(TRAIN)
    steps = max(1, round(1000 * share))
    table("batch size", "autograd, µs per step", "by hand", "by hand / autograd")
    for size in 32, 512:
        changes = {"batch_norm": "hidden", "examples": "all", "steps": steps, "batch_size": size, "optimizer": "sgd"}
        changes |= {"ema": 0.0, "weight_decay": 0.0, "lr": 0.1}
        runs = [training(changes | {"gradients": kind}, tokens, len(vocab))[1] for kind in ("autograd", "manual")]
        autograd, manual = in_turn(runs, rounds)
        per_step = (f"{1e6 * statistics.median(times) / steps:.0f}" for times in (autograd, manual))
        row(size, *per_step, f"{ratio(manual, autograd):.2f}")


if __name__ == "__main__":
    app()
