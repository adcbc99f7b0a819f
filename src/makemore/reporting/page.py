"""The page: one HTML file with the table of models, the lectures' figures, and models that run in it.

This module renders the HTML text. The charts and models in `static/` are JavaScript and read embedded JSON. The file
loads nothing else, and its Content-Security-Policy enforces that.

Shapes: M tokens, V vocabulary, S shown characters, K stored n-grams.
"""

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template
from typing import Annotated, Any

import numpy as np
from markdown_it import MarkdownIt
from markdown_it.token import Token
from numpy.typing import NDArray
from pydantic import Field

from makemore.core import names
from makemore.core.files import read_json, read_safetensors
from makemore.core.params import Section
from makemore.core.vocab import Vocab
from makemore.reporting.inputs import Columns, Inputs, Result
from makemore.reporting.plots import principal_components
from makemore.reporting.tables import COLUMNS

STATIC = Path(__file__).parent / "static"
FAMILIES = ("ngram", "neural_bigram", "mlp", "recurrent", "bow", "wavenet", "transformer")  # as in models.js
MAX_BYTES = 2_000_000  # bytes of an embedded model: a page is to be sent by mail and opened on a phone
SAMPLES = 16  # of each model
EXAMPLE = "emma"  # the lectures'; of a list without it another name is shown
CHARTS = {"smoothing": "smoothing", "find_lr": "learning-rate", "embedding": "embedding", "initialization": "first"}


class Params(Section):
    """What the page holds."""

    live: Annotated[list[str], Field(min_length=1, description="the models that run in the page")]


def embed(name: str, path: Path, vocab: Vocab) -> dict[str, Any]:
    """A model as models.js reads it: family, configuration, and arrays as base64.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, of another vocabulary, or of a family that has no JavaScript.
    """
    arrays, metadata = read_safetensors(path)
    family, config = metadata.get("family"), metadata.get("config")
    if family not in FAMILIES or not isinstance(config, dict):
        raise ValueError(f"report.live: expected models of {', '.join(FAMILIES)}, got {name}, which is of {family}")
    if metadata.get("vocab") != list(vocab.itos):
        raise ValueError(f"{path}: expected a model with the vocabulary at hand, {len(vocab)} characters")
    if family == "ngram":
        try:
            arrays["ngrams"] = digits(arrays["ngrams"], config["order"], config["position"], len(vocab))
        except KeyError as error:
            raise ValueError(f"{path}: expected a count model, found none without {error}") from None
    coded = {key: _coded(array) for key, array in sorted(arrays.items())}
    return {"name": name, "family": family, "config": config, "arrays": coded}


def digits(ngrams: NDArray[np.int64], order: int, position: int, vocab_size: int) -> NDArray[np.int64]:
    """N-grams as numbers, (K,), taken apart (see `ngram.span`): token, characters so far, context from the nearest on.

    (K, 1 + order). JavaScript's numbers have 53 bits, which these may exceed.
    """
    columns, rest = [], ngrams
    for base in (vocab_size, position + 1, *[vocab_size] * (order - 1)):
        rest, digit = np.divmod(rest, base)
        columns.append(digit)
    return np.stack(columns, axis=1)


def _coded(array: NDArray[Any]) -> dict[str, Any]:
    if array.dtype.kind == "f":
        array = array.astype("<f4")
    else:
        smallest = next(size for size in (1, 2, 4) if int(array.max(initial=0)) < 256**size)
        array = array.astype(f"<u{smallest}")
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"type": array.dtype.str[1:], "shape": list(array.shape), "data": data}


def bigrams(inputs: Inputs) -> dict[str, Any]:
    """How often each shown character follows each other, and its rank among all tokens that do.

    `shown`: their ids, (S,); `counts`, (S, S), row by row what follows one; `totals`, (S,), over the whole vocabulary;
    `ranks`, (S, S), 1 for the most frequent successor.
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
    """What the charts show."""
    shares, first = inputs.curve("initialization"), inputs.training("initialization")
    edges = [*shares.pop("from").tolist(), shares.pop("to").tolist()[-1]]
    points = principal_components(inputs.arrays("mlp")["C"])[inputs.shown].tolist()  # (S, 2)
    return {
        "bigrams": bigrams(inputs),
        "curves": {name: lists(curve) for name, curve in inputs.learning_curves().items()},
        "smoothing": lists(inputs.smoothing("trigram_tuned")),
        "rates": lists(inputs.curve("find_lr")) | {"good": inputs.training("find_lr")},
        "first": {"edges": edges, "shares": lists(shares), "of": {name: first[name] for name in shares}},
        "embedding": [(inputs.vocab.itos[i], *point) for i, point in zip(inputs.shown, points, strict=True)],
    }


def lists(columns: Columns) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in columns.items()}


def header() -> str:
    """The header cells of the metrics."""
    cells = (
        f'<abbr title="{escape(column.meaning)}">{escape(column.header)}</abbr>' if column.meaning else column.header
        for column in COLUMNS
    )
    return "".join(f'<th scope="col">{cell}</th>' for cell in cells)


def table(results: Sequence[Result]) -> str:
    """The rows of the table of models, the best first, each with its place on a scale of losses."""
    losses = [result[key] for result in results for key in ("train.nll", "dev.nll")]
    finite = [loss for loss in losses if math.isfinite(loss)] or [0.0]
    low, high = math.floor(min(finite) * 10) / 10, math.ceil(max(finite) * 10) / 10

    def place(loss: float) -> float:
        return 100 * (min(loss, high) - low) / ((high - low) or 1)

    lines = []
    for result in reversed(results):
        train, dev = place(result["train.nll"]), place(result["dev.nll"])
        marks = (
            f'<i style="left:{min(train, dev):.2f}%;width:{abs(train - dev):.2f}%"></i>'
            f'<b class="train" style="left:{train:.2f}%"></b><b style="left:{dev:.2f}%"></b>'
        )
        lines.append(
            f'<tr><th scope="row">{escape(result.model)}</th>'
            f'<td class="place" aria-hidden="true"><div class="range">{marks}</div></td>'
            f"{''.join(f'<td>{column.text(result)}</td>' for column in COLUMNS)}</tr>"
        )
    return "\n".join(lines)


def samples(inputs: Inputs) -> str:
    """The first generated names of each model, the best model first, and how many of all its names are new."""
    blocks = []
    for result in reversed(inputs.results):
        path = inputs.data / "samples" / f"{result.model}.txt"
        generated = path.read_text(encoding="utf-8").split("\n")[:SAMPLES]
        found = read_json(inputs.metrics / "samples" / f"{result.model}.json")
        listed = "".join(f'<li dir="auto">{escape(name)}</li>' for name in generated if name)
        new = f"{found['new'] / found['samples']:.0%} of {found['samples']:,} are new"
        blocks.append(f"<article><h3>{escape(result.model)}</h3><p>{new}</p><ul>{listed}</ul></article>")
    return "\n".join(blocks)


def example(inputs: Inputs) -> str:
    """The name to show until another is typed."""
    known = names.is_in(names.from_string(f"{EXAMPLE}\n"), inputs.train).all()
    return EXAMPLE if known else names.to_string(names.first(inputs.train, 1)).rstrip("\n")


def answers(markdown: str) -> str:
    """The exercises as HTML that stands by itself: pictures are links to the page's charts, other links plain text."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(markdown)
    while tokens and not (tokens[0].type == "heading_open" and tokens[0].tag == "h2"):
        tokens.pop(0)  # the title and the line about the losses, which the page has itself
    kept = []
    for token in tokens:
        if token.type.startswith("heading_"):
            token.tag = f"h{int(token.tag[1]) + 1}"
        if token.children:
            token.children = [part for child in token.children for part in _local(child)]
        if token.type != "html_block":
            kept.append(token)
    html: str = parser.renderer.render(kept, parser.options, {})
    region = '<div class="scroll" tabindex="0" role="region" aria-label="table"><table>'
    return html.replace("<table>", region).replace("</table>", "</table></div>")


def _local(token: Token) -> list[Token]:
    """What an inline part of the exercises becomes."""
    if token.type in ("html_inline", "link_open", "link_close"):
        return []
    if token.type != "image":
        return [token]
    label = Token("text", "", 0, content=token.content)
    place = CHARTS.get(Path(str(token.attrs["src"])).stem)
    if place is None:
        return [label]
    label.content = f"Figure: {token.content}"
    return [Token("link_open", "a", 1, attrs={"href": f"#{place}"}), label, Token("link_close", "a", -1)]


@dataclass(frozen=True)
class Page:
    """The parts of the page."""

    results: Sequence[Result]  # the best last
    live: Sequence[Mapping[str, Any]]  # from `embed`
    charts: Mapping[str, Any]
    vocab: Vocab
    names: int  # in train
    example: str
    samples: str  # HTML
    exercises: str  # HTML

    @property
    def too_large(self) -> list[str]:
        """The names of the embedded models that the page leaves out. Raises ValueError if none is left."""
        sizes = {model["name"]: sum(len(array["data"]) for array in model["arrays"].values()) for model in self.live}
        large = [name for name, size in sizes.items() if size > MAX_BYTES]
        if len(large) == len(self.live):
            found = ", ".join(f"{name} with {size:,}" for name, size in sizes.items())
            raise ValueError(f"report.live: expected a model of at most {MAX_BYTES:,} bytes, got {found}")
        return large

    def html(self) -> str:
        large, size, shown = self.too_large, len(self.vocab), len(self.charts["bigrams"]["shown"])
        live = [model for model in self.live if model["name"] not in large]
        data = {"itos": self.vocab.itos, "live": live, **self.charts}
        text = json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        best = self.results[-1]
        tested = not math.isnan(best["test.nll"])
        loss = best["test.nll" if tested else "dev.nll"]
        return Template(
            _part("page.html")
        ).substitute(
            style=_part("page.css"),
            scripts="\n".join(f"<script>\n{_part(name)}</script>" for name in ("models.js", "charts.js", "page.js")),
            data=text.replace("<", "\\u003c"),  # so that no name can end the script
            models=len(self.results),
            names=f"{self.names:,}",
            tokens=size,
            shown=f"All {size} tokens" if shown == size else f"The {shown} most frequent of {size:,} tokens",
            best=escape(best.model),
            loss=f"{loss:.4f}",
            perplexity=f"{math.exp(loss):.2f}",
            names_tried="test names, by which nothing was chosen" if tested else "dev names",
            uniform=f"{math.log(size):.4f}",
            name=escape(self.example),
            beginning=escape(self.example[:2]),
            left_out=f" Left out because they are too large: {escape(', '.join(large))}." if large else "",
            header=header(),
            table=table(self.results),
            samples=self.samples,
            exercises=self.exercises,
        )


def make_page(inputs: Inputs, live: Sequence[str], exercises: str) -> Page:
    """The page of the pipeline's outputs.

    Args:
        live: the models that run in the page.
        exercises: the answers to the lectures' exercises, as Markdown.
    """
    embedded = [embed(name, inputs.models / f"{name}.safetensors", inputs.vocab) for name in live]
    return Page(
        inputs.results,
        embedded,
        charts(inputs),
        inputs.vocab,
        names.count(inputs.train),
        example(inputs),
        samples(inputs),
        answers(exercises),
    )


def _part(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def _finite(value: Any) -> Any:
    """JSON has no infinity: a chart leaves such a point out."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
