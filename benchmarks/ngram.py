"""How fast the n-gram models are, and how much memory they need, as the list grows.

    python benchmarks/ngram.py [--times 1 --times 10 ...] [--order 6] [--smoothing kneser_ney] [--position 0]

The lists are spliced from the beginning of one name and the end of another, so that new n-grams keep coming, as they do
in a longer list. Each size takes three fresh processes with one thread. The first makes the list. The second reads it,
counts, smooths all orders and writes the model. The third loads the model and scores up to a million names of the list,
as `evaluate` does, which computes the probability of each token alone. It also computes rows, all V probabilities of a
context, as sampling needs them, for up to a million contexts.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from _benchmark import command, row, table  # isort: skip
import numpy as np
import typer

from makemore.core import names
from makemore.core.contexts import sliding
from makemore.core.model import load_model, save_model
from makemore.core.names import Text
from makemore.core.params import check
from makemore.core.vocab import Vocab
from makemore.evaluation.losses import token_nlls
from makemore.models.ngram import model
from makemore.models.ngram.smoothing import Smoothing

LIST = Path("data/names.txt")
TIMES = [1, 10, 100]
SCORED = 1_000_000  # names that are scored at most, and contexts
ROWS = 1 << 16  # contexts per call

Step = Literal["make", "fit", "score"]
Figures = dict[str, float]


def spliced(text: Text, count: int, seed: int) -> Text:
    """New names: the first part of one name and the second part of another, both cut at the same relative place."""
    generator = np.random.default_rng(seed)
    starts, lengths = names.bounds(text)
    one, two = generator.integers(len(starts), size=(2, count))  # (count,), (count,)
    share = generator.random(count)
    heads = 1 + (share * lengths[one]).astype(np.int64)  # characters of the first name, at least one
    sizes = heads + lengths[two] - (share * lengths[two]).astype(np.int64)  # with those of the second and the newline
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # place in the new name
    first = np.repeat(starts[one], sizes)
    second = np.repeat(starts[two] + lengths[two] + 1 - sizes, sizes)  # so that the newlines fall together
    result: Text = text[np.where(within < np.repeat(heads, sizes), first, second) + within]
    return result


@contextmanager
def timed(figures: Figures, what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    figures[what] = time.perf_counter() - start


def make(file: Path, times: int, seed: int, source: Path) -> Figures:
    """Write a list that is `times` as long."""
    text = names.read(file)
    names.write(source, spliced(text, times * names.count(text), seed))
    return {"names": times * names.count(text)}


def fit(file: Path, params: model.NgramParams, source: Path, target: Path) -> Figures:
    """Read a list, count, smooth and write the model."""
    figures: Figures = {}
    vocab = Vocab.of(names.read(file))
    with timed(figures, "count"):
        fitted = model.fit_file(params, source, vocab)
    figures["tokens"] = int(fitted.counts.sum())
    with timed(figures, "smooth"):
        figures["ngrams"] = sum(len(own) - 1 for own, _ in fitted.weights)
    with timed(figures, "write"):
        save_model(target, fitted, vocab)
    figures["file"] = target.stat().st_size / 1e6
    return figures


def score(file: Path, source: Path, target: Path) -> Figures:
    """Load the model, and score the first names of the list both ways."""
    figures: Figures = {}
    vocab = Vocab.of(names.read(file))
    with timed(figures, "load"):
        fitted = load_model(target, vocab)
        assert isinstance(fitted, model.Ngram)
        assert fitted.weights
    text = names.read(source)
    scored = names.take(text, np.arange(min(SCORED, names.count(text))))
    tokens = vocab.encode(scored, str(source))
    with timed(figures, "evaluate"):
        nlls = token_nlls(fitted, tokens)
    contexts = sliding(tokens[:SCORED], fitted.context)
    with timed(figures, "rows"):
        for start in range(0, len(contexts), ROWS):
            rows = fitted.log_probs(contexts[start : start + ROWS])
            chosen = tokens[start : start + len(rows)]
            assert np.allclose(nlls[start : start + len(rows)], -rows[np.arange(len(rows)), chosen])
    return figures | {"scored": names.count(scored), "contexts": len(contexts)}


def main(
    file: Annotated[Path, typer.Option("--list", help="names that the longer lists are spliced from")] = LIST,
    times: Annotated[list[int], typer.Option(help="length of a list, in lengths of this one (repeatable)")] = TIMES,
    order: Annotated[int, typer.Option(help="order of the model")] = 6,
    smoothing: Annotated[Smoothing, typer.Option(help="its smoothing")] = "kneser_ney",
    strength: Annotated[float | None, typer.Option(help="strength of the smoothing, where it has one")] = None,
    position: Annotated[int, typer.Option(help="contexts also hold the position in the name, up to this")] = 0,
    seed: Annotated[int, typer.Option(help="seed of the splicing")] = 42,
    step: Annotated[Step | None, typer.Option(hidden=True)] = None,
    folder: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    """Measure how fast n-gram models are, and how much memory they need."""
    values = {"order": order, "smoothing": smoothing, "strength": strength, "position": position}
    params = check(model.NgramParams, values, lambda key: f"--{key}")
    source, target = folder / "names.txt", folder / "model.safetensors"
    if step:
        figures = {
            "make": lambda: make(file, times[0], seed, source),
            "fit": lambda: fit(file, params, source, target),
            "score": lambda: score(file, source, target),
        }[step]()
        figures["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(json.dumps(figures))
        return
    print(f"order {order}, smoothing {smoothing}, position {position}; one thread")
    seconds = "fit, seconds: read and count", "smooth", "write", "total"
    speeds = "fit, million tokens per second", "fit, peak MB", "model, MB"
    scoring = "load, seconds", "evaluate, names per second", "rows, contexts per second", "score, peak MB"
    table("names", "tokens", "n-grams", *seconds, *speeds, *scoring)
    given = {"list": file, "seed": seed} | {key: value for key, value in values.items() if value is not None}
    for size in times:
        with tempfile.TemporaryDirectory() as scratch:
            options = {**given, "times": size, "folder": scratch}
            made, fitted, scored = (worker(name, options) for name in ("make", "fit", "score"))
        parts = [fitted[part] for part in ("count", "smooth", "write")]
        row(
            *(f"{int(value):,}" for value in (made["names"], fitted["tokens"], fitted["ngrams"])),
            *(f"{value:.2f}" for value in (*parts, sum(parts), fitted["tokens"] / sum(parts) / 1e6)),
            f"{fitted['peak']:.0f}",
            f"{fitted['file']:.1f}",
            f"{scored['load']:.2f}",
            f"{scored['scored'] / scored['evaluate']:,.0f}",
            f"{scored['contexts'] / scored['rows']:,.0f}",
            f"{scored['peak']:.0f}",
        )


def worker(step: Step, options: Mapping[str, object]) -> Figures:
    """Run one step in a fresh process, whose peak memory is then its own."""
    arguments = [f"--{key}={value}" for key, value in options.items()]
    command = [sys.executable, __file__, "--step", step, *arguments]
    figures: Figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return figures


app = command(main)
if __name__ == "__main__":
    app()
