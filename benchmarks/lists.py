"""How good the n-gram models are on any lists, compared with KenLM.

    python benchmarks/lists.py [FILE ...] [--lines 50000] [--kenlm FOLDER]

Each file has one name or word per line. Longer lists are reduced to `--lines` random lines. Every list is split as the
pipeline splits the names, and the models are fitted with the values of params.yaml: those of `tuned_ngram`, whose
strengths are tuned on dev, and those that models/index.yaml calls `mixed`, which see train only.

KenLM's figures are in kenlm.csv, beside this script: modified Kneser-Ney of the orders 4 to 9, with one token per
character and `--discount_fallback`. `--kenlm` measures them again, with the programs `lmplz` and `query` in `build/bin`
after these commands:

    pip download --no-deps --no-binary kenlm kenlm==0.3.0 && tar xf kenlm-0.3.0.tar.gz
    cmake -S kenlm-0.3.0 -B build -DKENLM_MAX_ORDER=10 && cmake --build build --target lmplz query
"""

import csv
import hashlib
import random
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NamedTuple

from _benchmark import HERE, command, row, table  # isort: skip
import numpy as np
import typer

from makemore.core import names
from makemore.core.model import Model
from makemore.core.names import Text
from makemore.core.params import read_section
from makemore.core.vocab import Tokens, Vocab
from makemore.lists.cleaning import CleanParams, clean
from makemore.lists.splits import SplitParams, split
from makemore.models.mixing import model as mixing
from makemore.models.ngram import model as ngram
from makemore.search.tuning import TunedNgramParams, tune

PARAMS = Path("params.yaml")
INDEX = Path("models/index.yaml")
RECORDED = HERE / "kenlm.csv"
HEADER = "list", "digest", "order", "dev", "test"
ORDERS = range(4, 10)
SEED = 42

Splits = list[Text]  # train, dev and test


class Score(NamedTuple):
    """Mean NLLs in nats per token, and the processor time of the fit."""

    dev: float
    test: float
    seconds: float | None


def read(file: Path, lines: int) -> Text:
    """The cleaned list, or a random part of it in its order."""
    params = CleanParams(form="NFC", case="keep", spaces="keep", dots="keep")
    text = clean(file.read_bytes(), str(file), params)
    count = names.count(text)
    if count > lines:
        text = names.take(text, np.array(sorted(random.Random(SEED).sample(range(count), lines))))
    return text


def nll(model: Model, tokens: Tokens) -> float:
    return -float(model.token_log_probs(tokens).mean())


def ours(parts: Splits, vocab: Vocab) -> dict[str, Score]:
    """The n-gram models of params.yaml, fitted to train."""
    train, dev, test = (vocab.encode(part, "the list") for part in parts)

    def tuned(name: str) -> Model:
        params = TunedNgramParams(**read_section(PARAMS, f"tuned_ngram.{name}"))
        best, _ = tune(params, train, dev, len(vocab))
        return ngram.fit(params.with_strength(best), train, len(vocab))

    def mixed(name: str) -> Model:
        return mixing.fit(mixing.MixingParams(**read_section(PARAMS, name)), train, len(vocab))

    scores = {}
    for group, fit in ("tuned", tuned), ("mixed", mixed):
        for name in read_section(INDEX, group):
            start = time.process_time()
            fitted = fit(name)
            seconds = time.process_time() - start
            scores[name] = Score(nll(fitted, dev), nll(fitted, test), seconds)
    return scores


def spaced(text: Text, vocab: Vocab) -> str:
    """A list as KenLM reads it: one token per character, written as its id, since a token cannot be white space."""
    return "".join("\n" if token == 0 else f"{token} " for token in vocab.encode(text, "the list").tolist())


def kenlm(folder: Path, parts: Splits, vocab: Vocab) -> dict[int, tuple[float, float]]:
    """Dev and test losses of KenLM by order."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        arpa = Path(scratch) / "model.arpa"
        for order in ORDERS:
            build = [str(folder / "lmplz"), "-o", str(order), "--discount_fallback", "-T", scratch, "-S", "1G"]
            with arpa.open("w") as output:
                run = subprocess.run(
                    build, input=spaced(parts[0], vocab), text=True, stdout=output, stderr=subprocess.PIPE
                )
            if run.returncode:
                raise ValueError(f"lmplz: exit code {run.returncode}: {run.stderr}")
            dev, test = (queried(folder, arpa, spaced(part, vocab)) for part in parts[1:])
            found[order] = dev, test
    return found


def queried(folder: Path, arpa: Path, text: str) -> float:
    """The mean NLL of a list. `query` prints log10 P of each line, its end token included."""
    ask = [str(folder / "query"), "-v", "sentence", str(arpa)]
    output = subprocess.run(ask, input=text, text=True, check=True, capture_output=True).stdout
    totals = [float(line.split()[1]) for line in output.splitlines() if line.startswith("Total:")]
    assert len(totals) == text.count("\n")
    tokens = len(text.split()) + len(totals)
    return -sum(totals) * float(np.log(10)) / tokens


def recorded(digest: str) -> dict[int, tuple[float, float]]:
    """KenLM's losses on a list by order; empty if they were not measured."""
    if not RECORDED.exists():
        return {}
    with RECORDED.open(newline="") as file:
        rows = [line for line in csv.DictReader(file) if line["digest"] == digest]
    return {int(line["order"]): (float(line["dev"]), float(line["test"])) for line in rows}


def record(name: str, digest: str, losses: dict[int, tuple[float, float]]) -> None:
    """Keep KenLM's losses on a list, in place of earlier ones."""
    kept: list[Iterable[object]] = []
    if RECORDED.exists():
        with RECORDED.open(newline="") as file:
            kept = [list(line.values()) for line in csv.DictReader(file) if line["digest"] != digest]
    kept += [(name, digest, order, f"{dev:.6f}", f"{test:.6f}") for order, (dev, test) in losses.items()]
    with RECORDED.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEADER, *kept])


def main(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="lists; default: the names")] = None,
    lines: Annotated[int, typer.Option(min=10, help="lines of a list that are used at most")] = 50_000,
    kenlm_folder: Annotated[
        Path | None, typer.Option("--kenlm", help="folder of lmplz and query: measure KenLM")
    ] = None,
) -> None:
    """Compare the n-gram models with KenLM on lists of names or words."""
    for file in files or [Path("data/names.txt")]:
        text = read(file, lines)
        digest = hashlib.sha256(text.tobytes()).hexdigest()[:12]
        vocab = Vocab.of(text)
        parts = list(split(text, SplitParams(train=0.8, dev=0.1, seed=SEED, unit="line")))
        if kenlm_folder:
            record(file.stem, digest, kenlm(kenlm_folder, parts, vocab))
        scores = ours(parts, vocab)
        reference = recorded(digest)
        if reference:
            order = min(reference, key=lambda order: reference[order][0])
            scores[f"KenLM, order {order}"] = Score(*reference[order], None)
        print(f"\n{file.stem}: {names.count(text):,} lines, {len(vocab)} tokens", end="")
        table("model", "dev", "test", "fit, seconds")
        for name, (dev, test, seconds) in scores.items():
            row(name, f"{dev:.4f}", f"{test:.4f}", "" if seconds is None else f"{seconds:.1f}")


app = command(main)
if __name__ == "__main__":
    app()
