"""The page: one HTML file with the table of models, the lectures' figures, and models that run in the browser.

This module renders the HTML text. The charts and models in `static/` are JavaScript and read embedded JSON. The file
loads nothing else, and its Content-Security-Policy enforces that. A chapter is an entry in `CHAPTERS` and an HTML file,
with CSS and JavaScript files if it needs them.

Shapes: V vocabulary, S shown characters, K stored n-grams.
"""

import base64
import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from makemore.core import names
from makemore.core.files import read_safetensors
from makemore.core.folding import folded
from makemore.core.params import Section
from makemore.core.vocab import Tokens, Vocab
from makemore.reporting import additive, cards
from makemore.reporting.exercises import answers, speaks
from makemore.reporting.initial import randn
from makemore.reporting.inputs import Columns, Inputs, Result
from makemore.reporting.known import front_coded
from makemore.reporting.modules import joined
from makemore.reporting.ngrams import packed
from makemore.reporting.plots import explained, principal_components
from makemore.search.lr_finder import TOLERANCE, smoothed

STATIC = Path(__file__).parent / "static"
CHAPTERS = {  # in order, with their names in the navigation; the files are static/chapters/<id>.html, .css, .js
    "live": "Try it",
    "bigrams": "Bigrams",
    "sampling": "Sampling",
    "loss": "Loss",
    "smoothing": "Smoothing",
    "neural-bigram": "Network",
    "learning-rate": "Learning rate",
    "mlp": "MLP",
    "training": "Training",
    "models": "Models",
    "scores": "Compare",
    "samples": "Samples",
    "exercises": "Exercises",
}
FAMILIES = ("ngram", "neural_bigram", "mlp", "recurrent", "bow", "wavenet", "transformer")  # as in models.js
MAX_BYTES = 2_000_000  # per embedded model, so that the page can be mailed and opened on a phone
MAX_UPDATES = 2_000_000  # updates of a weight in a training that runs in the page, so that it takes no time to wait for
SAMPLES = 16  # names per model
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%231f6391'/%3E"
    "%3Cpath d='M3 12V6h2l1 1 1-1h1.5l1 1 1-1H13v6' fill='none' stroke='%23fff' stroke-width='1.8'/%3E%3C/svg%3E"
)
EXAMPLE = "emma"  # the lectures' example; replaced if it is not in the list


class Params(Section):
    """The parameters of the page."""

    live: Annotated[list[str], Field(min_length=1, description="models that run in the page")]


def embed(name: str, path: Path, vocab: Vocab) -> dict[str, Any]:
    """Encode a model for models.js: family, configuration, and arrays as base64.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is damaged, or has another vocabulary or a family that models.js does not implement.
    """
    arrays, metadata = read_safetensors(path)
    family, config = metadata.get("family"), metadata.get("config")
    if family not in FAMILIES or not isinstance(config, dict):
        found = reprlib.repr(family).strip("'")
        raise ValueError(f"report.live: {name} is of the family {found}; the page can run {', '.join(FAMILIES)}")
    if metadata.get("vocab") != list(vocab.itos):
        raise ValueError(f"{path}: expected the {len(vocab)} tokens of vocab.json, found another vocabulary")
    try:
        if any(isinstance(item, list | dict) for value in config.values() for item in _items(value)):
            raise ValueError("a config that is nested")
        if family == "mlp":
            arrays = folded(arrays)
        if family == "ngram":
            arrays = packed(arrays, config, len(vocab))
        encoded = {key: _encode(array) for key, array in sorted(arrays.items())}
    except ValueError as error:
        raise ValueError(f"{path}: expected a model that the page can run, found {error}") from None
    return {"name": name, "family": family, "config": config, "arrays": encoded}


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _encode(array: NDArray[Any]) -> dict[str, Any]:
    if array.dtype.kind == "f":
        with np.errstate(over="ignore"):
            array = array.astype("<f4")
        if not np.isfinite(array).all():
            raise ValueError("weights that are not all finite")
    else:
        low, high = int(array.min(initial=0)), int(array.max(initial=0))
        if low < 0 or high >= 1 << 32:
            raise ValueError(f"integers from {low} to {high} instead of 0 to {(1 << 32) - 1}")
        smallest = next(size for size in (1, 2, 4) if high < 256**size)
        array = array.astype(f"<u{smallest}")
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"type": array.dtype.str[1:], "shape": list(array.shape), "data": data}


def bigrams(inputs: Inputs) -> dict[str, Any]:
    """The bigram table of the shown characters.

    `shown`, (S,), are their ids. `counts`, (S, S), has one row per first character. `totals`, (S,), are the row sums
    over the whole vocabulary. `ranks`, (S, S), order the successors of a character, 1 for the most frequent.
    """
    counts = inputs.bigram_counts  # (S, V)
    ranks = np.stack([1 + (row > row[inputs.shown, None]).sum(axis=1) for row in counts])  # (S, S)
    return {
        "shown": inputs.shown.tolist(),
        "counts": counts[:, inputs.shown].tolist(),
        "totals": counts.sum(axis=1).tolist(),
        "ranks": ranks.tolist(),
    }


def charts(inputs: Inputs) -> dict[str, Any]:
    """The data of the charts."""
    shares, first = inputs.curve("initialization"), inputs.training("initialization")
    sweep = inputs.curve("find_lr")
    edges = [*shares.pop("from").tolist(), shares.pop("to").tolist()[-1]]
    C = inputs.arrays("mlp")["C"]
    points = principal_components(C)[inputs.shown].tolist()  # (S, 2)
    return {
        "bigrams": bigrams(inputs),
        "additive": countable(inputs.tokens, inputs.dev, len(inputs.vocab)),
        "neural_bigram": trainable(inputs.recipes.get("neural_bigram", {}), len(inputs.vocab)),
        "curves": {name: lists(curve) for name, curve in inputs.learning_curves().items()},
        "rates": lists(sweep) | {"mean": smoothed(sweep["loss"]).tolist(), "good": inputs.training("find_lr")},
        "first": {"edges": edges, "shares": lists(shares), "of": {name: first[name] for name in shares}},
        "train": front_coded(inputs.train),
        "explained": explained(C),
        "embedding": [(inputs.vocab.itos[i], *point) for i, point in zip(inputs.shown, points, strict=True)],
    }


def countable(train: Tokens, dev: Tokens, vocab_size: int) -> dict[str, Any]:
    """What smooths bigrams and trigrams in the page: see `additive`."""
    counts = {name: _encode(array) for name, array in additive.trigrams(train, vocab_size).items()}
    return {"losses": additive.losses(train, dev, vocab_size), **counts}


def trainable(recipe: Mapping[str, Any], vocab_size: int) -> dict[str, Any] | None:
    """What trains the neural bigram in the page; None if it has no recipe or would take too long at each change."""
    lr, steps, regularization, seed = (recipe.get(key) for key in ("lr", "steps", "regularization", "seed"))
    if not (isinstance(steps, int) and isinstance(seed, int) and 0 <= seed < 1 << 32):
        return None
    rates = isinstance(lr, int | float) and isinstance(regularization, int | float)
    if not rates or not 0 < steps * vocab_size**2 <= MAX_UPDATES:
        return None
    W = _encode(randn((vocab_size, vocab_size), seed))
    return {"lr": lr, "steps": steps, "regularization": regularization, "W": W}


def lists(columns: Columns) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in columns.items()}


def samples(inputs: Inputs) -> str:
    """The first generated names of each model, best model first, and the share of its names that are new."""
    blocks = []
    for result in reversed(inputs.results):
        counts = inputs.samples(result.model)
        listed = "".join(f'<li dir="auto">{escape(name)}</li>' for name in inputs.generated[result.model][:SAMPLES])
        new = f"{counts['new'] / counts['samples']:.0%} of {counts['samples']:,} are new"
        blocks.append(f"<article><h3>{escape(result.model)}</h3><p>{new}</p><ul>{listed}</ul></article>")
    return "\n".join(blocks)


def example(inputs: Inputs) -> str:
    """The name that is filled in when the page opens."""
    known = names.is_in(names.from_string(f"{EXAMPLE}\n"), inputs.train).all()
    return EXAMPLE if known else names.to_string(names.first(inputs.train, 1)).rstrip("\n")


def too_large(live: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the models that are too large to embed. Raises ValueError if none is left."""
    sizes = {model["name"]: sum(len(array["data"]) for array in model["arrays"].values()) for model in live}
    large = [name for name, size in sizes.items() if size > MAX_BYTES]
    if len(large) == len(live):
        found = ", ".join(f"{name} has {size:,}" for name, size in sizes.items())
        raise ValueError(f"report.live: no model has at most {MAX_BYTES:,} bytes: {found}; add a smaller one")
    return large


@dataclass(frozen=True)
class Page:
    """The contents of the page."""

    results: Sequence[Result]  # best last
    live: Sequence[Mapping[str, Any]]  # from `embed`
    charts: Mapping[str, Any]
    vocab: Vocab
    names: int  # number of train names
    example: str
    groups: cards.Groups
    cards: str  # HTML
    samples: str  # HTML
    exercises: str  # Markdown

    @property
    def too_large(self) -> list[str]:
        return too_large(self.live)

    def html(self) -> str:
        large, size, shown = self.too_large, len(self.vocab), len(self.charts["bigrams"]["shown"])
        live = [model for model in self.live if model["name"] not in large]
        data = {"itos": self.vocab.itos, "live": live, **self.charts}
        text = json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        best, good = self.results[-1], self.charts["rates"]["good"]
        tested = f" Its loss on the test names, which were not used to choose it, is {best['test.nll']:.4f}."
        return Template(
            _part("page.html").replace("$chapters", _chapters("html"))
        ).substitute(
            description=f"{len(self.results)} character-level language models of names, live in the page.",
            icon=ICON,
            explained=f"{self.charts['explained']:.0%}".replace("%", " %"),
            style=_part("page.css") + _chapters("css"),
            script=joined([*_files("js"), STATIC / "main.js"]),
            navigation="\n".join(f'<a href="#{id}">{name}</a>' for id, name in CHAPTERS.items()),
            data=text.replace("<", "\\u003c"),  # no name can end the script element
            models=len(self.results),
            names=f"{self.names:,}",
            tokens=size,
            shown=f"All {size} tokens" if shown == size else f"The {shown} most frequent of {size:,} tokens",
            best=escape(best.model),
            loss=f"{best['dev.nll']:.4f}",
            perplexity=f"{best['dev.perplexity']:.2f}",
            tested="" if math.isnan(best["test.nll"]) else tested,
            uniform=f"{math.log(size):.4f}",
            tolerance=f"{TOLERANCE:g}",
            good=f"{good['lowest']:.3g} to {good['highest']:.3g}",
            name=escape(self.example),
            beginning=escape(self.example[:2]),
            left_out=f" Too large to include: {escape(', '.join(large))}." if large else "",
            header=cards.header(self.groups),
            table=cards.table(self.groups),
            cards=self.cards,
            samples=self.samples,
            exercises=answers(self.exercises),
            speaks=speaks(self.exercises, self.results),
        )


def make_page(inputs: Inputs, live: Sequence[str], exercises: str) -> Page:
    """Collect the contents of the page.

    Args:
        live: the models that run in the page.
        exercises: the answers to the lectures' exercises, in Markdown.
    """
    embedded = [embed(name, inputs.models / f"{name}.safetensors", inputs.vocab) for name in live]
    return Page(
        inputs.results,
        embedded,
        charts(inputs),
        inputs.vocab,
        names.count(inputs.train),
        example(inputs),
        inputs.families,
        cards.cards(inputs, set(live) - set(too_large(embedded))),
        samples(inputs),
        exercises,
    )


def _part(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _files(kind: str) -> list[Path]:
    """The chapters' files of a kind, in the order of the page."""
    paths = [STATIC / "chapters" / f"{id}.{kind}" for id in CHAPTERS]
    return [path for path in paths if path.exists()]


def _chapters(kind: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in _files(kind))


def _finite(value: Any) -> Any:
    """Replace NaN and infinity, which JSON lacks, by null; charts omit such points."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
