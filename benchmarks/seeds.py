"""How good a recipe is over several seeds.

    python benchmarks/seeds.py mlp mlp --seeds 5 -- --steps 8000

Trains one model once per seed, with the options of `stages/train.py` after `--`. It prints the loss of each in nats per
token, their mean and their standard deviation. The outputs of the pipeline stay as they are. Run `dvc repro split
vocab` first. Seconds are the processor time of the whole training command. The test loss is there for the record:
choose nothing by it.
"""

import resource
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated

from _benchmark import DEV, TEST, TRAIN, VOCAB, command, row, run_stage, table  # isort: skip
import numpy as np
import typer
from numpy.typing import NDArray

from makemore.core.model import load_model
from makemore.core.vocab import Vocab, read_tokens
from makemore.evaluation.losses import evaluate


def seconds() -> float:
    """The processor time of all child processes so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def interpolated(parts: list[NDArray[np.float64]], weight: float) -> NDArray[np.float64]:
    """The log of the weighted mean of two arrays of probabilities (linear interpolation, Jelinek and Mercer 1980)."""
    return np.asarray(np.logaddexp(parts[0] + np.log(weight), parts[1] + np.log(1 - weight)))


def fitted_weight(parts: list[NDArray[np.float64]]) -> float:
    """The best weight of the first model, by expectation maximization: the mean share that it has in a token."""
    weight = 0.5
    for _ in range(200):
        weight = float(np.exp(parts[0] + np.log(weight) - interpolated(parts, weight)).mean())
    return weight


def cells(figures: list[float]) -> list[str]:
    return [f"{figure:.1f}" if place == 3 else f"{figure:.4f}" for place, figure in enumerate(figures)]


def main(
    family: Annotated[str, typer.Argument(metavar="FAMILY", help="file of src/makemore/models, such as mlp")],
    name: Annotated[str, typer.Argument(metavar="MODEL", help="section of params.yaml")],
    options: Annotated[list[str] | None, typer.Argument(metavar="-- OPTION", help="options of stages/train.py")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="number of seeds: 1, 2, 3, ...")] = 5,
    mix: Annotated[str | None, typer.Option(help="model of the pipeline to mix each with")] = None,
    keep: Annotated[Path | None, typer.Option(help="folder to keep the models in")] = None,
) -> None:
    """Train one model with several seeds."""
    vocab = Vocab.read(VOCAB)
    splits = [read_tokens(path, vocab) for path in (TRAIN, DEV, TEST)]
    other = load_model(Path(f"models/{mix}.safetensors"), vocab) if mix else None
    mixed = [f"dev, half {mix}", f"dev, {mix} by EM"] if mix else []
    print(" ".join([name, *(options or [])]))
    table("seed", "train", "dev", "test", "seconds", *mixed)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(1, seeds + 1):
            path = (keep or Path(scratch)) / f"{name}_{seed}.safetensors"
            outputs = ["--model", str(path), "--curve", f"{scratch}/c.csv", "--metrics", f"{scratch}/m.json"]
            outputs += ["--checkpoint", f"{scratch}/checkpoint"]
            before = seconds()
            run_stage("train.py", family, name, *(options or []), "--seed", str(seed), *outputs)
            took = seconds() - before
            trained = load_model(path, vocab)
            rows.append([*(evaluate(trained, tokens)["nll"] for tokens in splits), took])
            if other:
                parts = [part.token_log_probs(splits[1]) for part in (trained, other)]  # (M,)
                rows[-1] += [-interpolated(parts, weight).mean() for weight in (0.5, fitted_weight(parts))]
            row(seed, *cells(rows[-1]))
    columns = [list(column) for column in zip(*rows, strict=True)]
    row("mean", *cells([mean(column) for column in columns]))
    if seeds > 1:
        row("standard deviation", *cells([stdev(column) for column in columns]))
    print(f"\n{trained.parameter_count:,} parameters")


app = command(main)
if __name__ == "__main__":
    app()
