"""How good a recipe is over several seeds: `python benchmarks/seeds.py mlp mlp --seeds 5 -- --steps 8000`.

Trains the model of a section of params.yaml once a seed, with the options of `stages/train.py` after `--`, outside of
the pipeline's outputs, and prints each loss, their mean and standard deviation. Run `dvc repro split vocab` first.
Seconds are processor time of the whole training command. Test is given beside dev, for the record: nothing is chosen
by it.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated

import numpy as np
import typer

from makemore.core.model import load_model
from makemore.core.vocab import Vocab, read_tokens
from makemore.evaluation.losses import evaluate
from makemore.models import ensemble

ROOT = Path(__file__).resolve().parents[1]


def seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def line(name: object, figures: list[float]) -> str:
    cells = [f"{figure:.1f}" if place == 3 else f"{figure:.4f}" for place, figure in enumerate(figures)]
    return f"| {name} | {' | '.join(cells)} |"


def main(
    family: Annotated[str, typer.Argument(help="the file of src/makemore")],
    name: Annotated[str, typer.Argument(help="the section of params.yaml")],
    options: Annotated[list[str] | None, typer.Argument(help="of stages/train.py, after --")] = None,
    seeds: Annotated[int, typer.Option(help="how many: 1, 2, 3, ...")] = 5,
    mix: Annotated[str | None, typer.Option(help="a model of the pipeline to mix each with")] = None,
    keep: Annotated[Path | None, typer.Option(help="folder for the models")] = None,
) -> None:
    """Train one model with several seeds."""
    vocab = Vocab.read(ROOT / "data/vocab.json")
    splits = {split: read_tokens(ROOT / f"data/splits/{split}.txt", vocab) for split in ("train", "dev", "test")}
    other = mix and load_model(ROOT / f"models/{mix}.safetensors", vocab)
    mixed = [f"dev, half {mix}", f"dev, {mix} by EM"] if mix else []
    header = ["seed", "train", "dev", "test", "seconds", *mixed]
    print(f"{' '.join([name, *(options or [])])}\n\n| {' | '.join(header)} |\n|---|{'---:|' * (len(header) - 1)}")
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for seed in range(1, seeds + 1):
            path = (keep or Path(scratch)) / f"{name}_{seed}.safetensors"
            outputs = ["--model", path, "--curve", f"{scratch}/c.csv", "--metrics", f"{scratch}/m.json"]
            checkpoint = ["--checkpoint", f"{scratch}/checkpoint"]
            command = [sys.executable, "stages/train.py", family, name, *(options or []), "--seed", str(seed)]
            before = seconds()
            subprocess.run([*command, *outputs, *checkpoint], cwd=ROOT, check=True, capture_output=True)
            took = seconds() - before
            trained = load_model(path, vocab)
            rows.append([*(evaluate(trained, tokens)["nll"] for tokens in splits.values()), took])
            if other:
                parts = [part.token_log_probs(splits["dev"]) for part in (trained, other)]  # (M,)
                weights = np.full(2, 0.5), ensemble.fit_weights(np.stack(parts))
                rows[-1] += [-ensemble.mixed(parts, weight).mean() for weight in weights]
            print(line(seed, rows[-1]), flush=True)
    columns = list(zip(*rows, strict=True))
    print(line("mean", [mean(column) for column in columns]))
    if seeds > 1:
        print(line("sd", [stdev(column) for column in columns]))
    print(f"\n{trained.parameter_count:,} parameters")


if __name__ == "__main__":
    typer.run(main)
