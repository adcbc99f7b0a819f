"""How fast the count models are, and how much memory they need, as the list grows.

    python benchmarks/ngram.py [--times 1 10 100] [--order 6] [--smoothing kneser_ney] [--position 0]

The lists are made by splicing: the beginning of one name and the end of another, so that new n-grams keep coming, as
they do in a longer list. Each size takes three fresh processes of one thread. One makes the list. One reads it, counts,
smooths all orders and writes the model. One loads the model and scores the list, a million names of it at most, in both
ways that there are: the tokens alone, and rows, all V probabilities of each distinct context, as `evaluate` does.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np

from makemore.core import names
from makemore.core.model import load_model, save_model
from makemore.core.names import Text
from makemore.core.vocab import Vocab, read_tokens
from makemore.evaluation.losses import token_nlls
from makemore.models.ngram import model

LIST = Path(__file__).resolve().parents[1] / "data/names.txt"
SCORED = 1_000_000  # names

Figures = dict[str, float]


def spliced(text: Text, count: int, seed: int) -> Text:
    """New names: the first part of a name and the second of another, both cut at the same share of their lengths."""
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


def make(times: int, seed: int, source: Path) -> Figures:
    text = names.read(LIST)
    names.write(source, spliced(text, times * names.count(text), seed))
    return {"names": times * names.count(text)}


def fit(params: model.NgramParams, source: Path, target: Path) -> Figures:
    figures: Figures = {}
    vocab = Vocab.of(names.read(LIST))
    with timed(figures, "read"):
        tokens = read_tokens(source, vocab)
    with timed(figures, "count"):
        fitted = model.fit(params, tokens, len(vocab))
    figures["tokens"] = len(tokens)
    del tokens
    with timed(figures, "smooth"):
        figures["ngrams"] = sum(len(own) - 1 for own, _ in fitted.weights)
    with timed(figures, "write"):
        save_model(target, fitted, vocab)
    figures["file"] = target.stat().st_size / 1e6
    return figures


def score(source: Path, target: Path) -> Figures:
    figures: Figures = {}
    vocab = Vocab.of(names.read(LIST))
    with timed(figures, "load"):
        fitted = load_model(target, vocab)
        assert isinstance(fitted, model.Ngram)
        assert fitted.weights
    text = names.read(source)
    some = names.take(text, np.arange(min(SCORED, names.count(text))))
    tokens = vocab.encode(some, str(source))
    with timed(figures, "tokens"):
        log_probs = fitted.token_log_probs(tokens)
    with timed(figures, "rows"):
        nlls = token_nlls(fitted, tokens)
    assert np.allclose(nlls, -log_probs)
    minutes = {way: names.count(some) / figures.pop(way) * 60 / 1e6 for way in ("tokens", "rows")}
    return figures | minutes


def worker(step: str, source: Path, target: Path, times: int) -> Figures:
    """Run one step in a fresh process, whose peak memory is then its own."""
    command = [sys.executable, __file__, *sys.argv[1:], "--step", step, str(source), str(target), "--times", str(times)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=one_thread)
    figures: Figures = json.loads(done.stdout)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10, 100], help="sizes, in lengths of the list")
    parser.add_argument("--order", type=int, default=6)
    parser.add_argument("--smoothing", default="kneser_ney")
    parser.add_argument("--strength", type=float)
    parser.add_argument("--position", type=int, default=0)
    parser.add_argument("--seed", type=int, default=42, help="of the splicing")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    keys = ("order", "smoothing", "strength", "position")
    params = model.NgramParams(**{key: getattr(given, key) for key in keys})
    if given.step:
        step, source, target = given.step[0], Path(given.step[1]), Path(given.step[2])
        if step == "make":
            figures = make(given.times[0], given.seed, source)
        else:
            figures = fit(params, source, target) if step == "fit" else score(source, target)
        figures["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        print(json.dumps(figures))
        return
    print(f"order {params.order}, smoothing {params.smoothing}, position {params.position}; one thread")
    print(f"{'':31}|{'fit, seconds':^35}|{'million':^9}|{'MB':^13}|{'load':^6}|{'million names/min':^17}| MB")
    fit_columns = "".join(f"{step:>7}" for step in ("read", "count", "smooth", "write", "all"))
    print(f"    names      tokens   n-grams|{fit_columns}| tokens/s|  peak  model|     s|   tokens     rows| peak")
    for times in given.times:
        with tempfile.TemporaryDirectory() as folder:
            files = Path(folder, "names.txt"), Path(folder, "model.safetensors")
            made, fitted, scored = (worker(step, *files, times) for step in ("make", "fit", "score"))
        seconds = [fitted[step] for step in ("read", "count", "smooth", "write")]
        print(
            f"{made['names']:9,} {fitted['tokens']:11,} {fitted['ngrams']:9,}|"
            + "".join(f"{value:7.2f}" for value in [*seconds, sum(seconds)])
            + f"|{fitted['tokens'] / sum(seconds) / 1e6:9.2f}|{fitted['peak']:6.0f} {fitted['file']:6.1f}"
            + f"|{scored['load']:6.2f}|{scored['tokens']:9.1f}{scored['rows']:9.1f}|{scored['peak']:5.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
