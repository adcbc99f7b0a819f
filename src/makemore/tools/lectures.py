"""The runs that the lectures publish, as params of `mlp`, and DVC experiments that repeat them.

Losses are of the lectures' own list. On another list, or another order of its lines, they differ by about 0.01.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOSSES, DIAGNOSIS = "metrics/losses/mlp.json", "metrics/diagnosis/mlp.json"
TARGETS = "evaluate@mlp", "diagnose@mlp"

RECIPE = {  # of all runs, unless they say otherwise: lecture 2's
    "context": 3,
    "embedding": 10,
    "hidden": 200,
    "layers": 1,
    "flatten": None,
    "direct": False,
    "batch_norm": "none",
    "momentum": 0.001,
    "initialization": "randn",
    "examples": "all",
    "gradients": "autograd",
    "batch_size": 32,
    "steps": 200_000,
    "optimizer": "sgd",
    "lr": 0.1,
    "schedule": "step",
    "weight_decay": 0.0,
    "embedding_lr_scale": 1.0,
    "ema": 0.0,
}
FIFTH = {"initialization": "linear", "batch_norm": "hidden", "momentum": 0.1, "schedule": "late_step"}
HIERARCHICAL = FIFTH | {"context": 8, "flatten": 2, "layers": 3, "hidden": 68}


@dataclass(frozen=True)
class Run:
    """One row of a lecture's table."""

    part: int
    name: str  # of the experiment, after `lecture-<part>-`
    what: str
    train: float | None  # NLL as published, in nats per token
    dev: float | None
    changes: dict[str, Any] = field(default_factory=dict)  # of the recipe

    @property
    def params(self) -> dict[str, Any]:
        return RECIPE | self.changes

    @property
    def experiment(self) -> str:
        return f"lecture-{self.part}-{self.name}"


SMALL = {"embedding": 2, "lr": 0.01, "schedule": "constant"}
RUNS = (
    Run(2, "2-100", "(2, 100), 10,000 steps at 0.01", None, 2.565, SMALL | {"hidden": 100, "steps": 10_000}),
    Run(2, "2-300", "(2, 300), 30,000 steps at 0.01", None, 2.456, SMALL | {"hidden": 300, "steps": 30_000}),
    Run(2, "10-200", "(10, 200), 200,000 steps at 0.1, then 0.01", 2.13, 2.17),
    Run(3, "randn", "as it begins", 2.1245, 2.1682),
    Run(3, "small-output", "output layer begins small", 2.07, 2.13, {"initialization": "small_output"}),
    Run(3, "unsaturated", "tanh units not saturated", 2.0356, 2.1027, {"initialization": "unsaturated"}),
    Run(3, "kaiming", "Kaiming initialization", 2.0377, 2.1070, {"initialization": "kaiming"}),
    Run(3, "batch-norm", "BatchNorm", 2.0668, 2.1048, {"initialization": "kaiming", "batch_norm": "hidden"}),
    Run(
        *(3, "deep", "six Linear + BatchNorm layers, 1,000 steps", None, None),
        {"initialization": "kaiming", "batch_norm": "all", "momentum": 0.1, "layers": 5, "hidden": 100, "steps": 1000}
        | {"schedule": "constant"},
    ),
    Run(
        *(4, "manual", "backward pass by hand", 2.0705, 2.1099),
        {"initialization": "perturbed", "batch_norm": "hidden", "gradients": "manual"},
    ),
    Run(5, "baseline", "baseline, context 3", 2.058, 2.105, FIFTH),
    Run(5, "context-8", "context 8, flat", 1.918, 2.027, FIFTH | {"context": 8}),
    Run(5, "hierarchical", "hierarchical", 1.941, 2.029, HIERARCHICAL | {"batch_norm": "per_position"}),
    Run(5, "both", "BatchNorm over both dimensions", 1.912, 2.022, HIERARCHICAL),
    Run(5, "wider", "embedding 24, hidden 128", 1.769, 1.993, HIERARCHICAL | {"embedding": 24, "hidden": 128}),
)
SATURATED = "2.78 2.56 2.25 1.69 1.88"  # of `deep`: percent of tanh units beyond 0.97, by layer


def settings(run: Run) -> list[str]:
    """The options of `dvc exp run` that set the params of a run; DVC reads the values as YAML, which JSON is."""
    return [f"--set-param=mlp.{key}={json.dumps(value)}" for key, value in run.params.items()]


def queue(runs: list[Run]) -> None:
    """Queue the experiments; those of the same names are replaced. Raises ValueError if DVC fails."""
    known = experiments()
    names = [run.experiment for run in runs if run.experiment in known]
    if names:
        _dvc("exp", "remove", "--quiet", *names)
    for run in runs:
        _dvc("exp", "run", "--quiet", "--queue", "--name", run.experiment, *settings(run), *TARGETS)


def table(runs: list[Run]) -> Iterator[str]:
    """Markdown: what each run reached, beside what is published. Raises ValueError if an experiment is missing."""
    known = experiments()
    yield "| run | parameters | train | dev | published: train | dev |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for run in runs:
        losses = _metrics(known, run, LOSSES)
        published = (f"{loss:.4f}".rstrip("0") if loss else "-" for loss in (run.train, run.dev))
        reached = f"{losses['parameters']:,} | {losses['train']['nll']:.4f} | {losses['dev']['nll']:.4f}"
        yield f"| {run.what} | {reached} | {' | '.join(published)} |"
    for run in runs:
        if run.name == "deep":
            layers = [layer for name, layer in _metrics(known, run, DIAGNOSIS).items() if name.startswith("tanh")]
            shares = " ".join(f"{100 * layer['saturated']:.2f}" for layer in layers)
            gradients = " ".join(f"{layer['gradient_std']:.2e}" for layer in layers)
            yield ""
            yield f"tanh units beyond 0.97, percent by layer: {shares}; published: {SATURATED}"
            yield f"standard deviation of their gradients: {gradients}; published: 2.64e-03 to 1.95e-03"


def experiments() -> dict[str, str]:
    """The git references of the experiments that were run, by name."""
    listed = subprocess.run(["git", "for-each-ref", "--format=%(refname)", "refs/exps"], capture_output=True, text=True)
    return {Path(reference).name: reference for reference in listed.stdout.split()}


def _metrics(known: Mapping[str, str], run: Run, path: str) -> dict[str, Any]:
    if run.experiment not in known:
        raise ValueError(f"{run.experiment}: no such experiment; run `make lecture-{run.part}`")
    shown = subprocess.run(["git", "show", f"{known[run.experiment]}:{path}"], capture_output=True, text=True)
    if shown.returncode:
        raise ValueError(f"{run.experiment}: {shown.stderr.strip()}")
    found: dict[str, Any] = json.loads(shown.stdout)
    return found


def _dvc(*arguments: str) -> None:
    done = subprocess.run(["dvc", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"dvc {' '.join(arguments[:2])}: {done.stderr.strip() or done.stdout.strip()}")
