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

import typer

from makemore import model as models
from makemore.evaluation import evaluate
from makemore.vocab import Vocab, read_tokens

ROOT = Path(__file__).resolve().parents[1]


def seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(
    family: Annotated[str, typer.Argument(help="the file of src/makemore")],
    name: Annotated[str, typer.Argument(help="the section of params.yaml")],
    options: Annotated[list[str] | None, typer.Argument(help="of stages/train.py, after --")] = None,
    seeds: Annotated[int, typer.Option(help="how many: 1, 2, 3, ...")] = 5,
    keep: Annotated[Path | None, typer.Option(help="folder for the models")] = None,
) -> None:
    """Train one model with several seeds."""
    vocab = Vocab.read(ROOT / "data/vocab.json")
    splits = {split: read_tokens(ROOT / f"data/splits/{split}.txt", vocab) for split in ("train", "dev", "test")}
    print(f"{' '.join([name, *(options or [])])}\n\n| seed | train | dev | test | seconds |\n|---|---:|---:|---:|---:|")
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
            trained = models.load(path, vocab)
            rows.append([*(evaluate(trained, tokens)["nll"] for tokens in splits.values()), took])
            print(f"| {seed} | {' | '.join(f'{loss:.4f}' for loss in rows[-1][:3])} | {took:.1f} |", flush=True)
    columns = list(zip(*rows, strict=True))
    print(f"| mean | {' | '.join(f'{mean(column):.4f}' for column in columns[:3])} | {mean(columns[3]):.1f} |")
    if seeds > 1:
        print(f"| sd | {' | '.join(f'{stdev(column):.4f}' for column in columns[:3])} | {stdev(columns[3]):.1f} |")
    print(f"\n{trained.parameter_count:,} parameters")


if __name__ == "__main__":
    typer.run(main)
