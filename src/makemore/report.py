"""The page: one HTML file with the table of models, the lectures' figures, and models that run in it.

What is text is written here; charts and models are JavaScript, in `page/`, and get what they show as JSON. The file
loads nothing, and the browser is told so (its Content-Security-Policy).

Shapes: M tokens, V vocabulary, S characters that are shown, K stored n-grams.
"""

import base64
import csv
import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Annotated, Any

import numpy as np
from markdown_it import MarkdownIt
from markdown_it.token import Token
from numpy.typing import NDArray
from pydantic import Field

from makemore.bigrams import counts as followed
from makemore.bigrams import frequent
from makemore.files import read_csv, read_json, read_safetensors
from makemore.params import Section
from makemore.results import Result
from makemore.vocab import Tokens, Vocab

FOLDER = Path(__file__).parent / "page"
FAMILIES = ("ngram", "neural_bigram", "mlp", "recurrent", "bow", "convolutional", "transformer")  # as in models.js
LARGEST = 2_000_000  # bytes of an embedded model: a page is to be sent by mail and opened on a phone
SAMPLES = 16  # of each model
EXAMPLE = "emma"  # the lectures'; of a list without it another name is shown
FIGURES = {"smoothing": "smoothing", "find_lr": "learning-rate", "embedding": "embedding", "initialization": "first"}


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


def too_large(live: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the embedded models that a page leaves out. Raises ValueError where none is left."""
    sizes = {model["name"]: sum(len(array["data"]) for array in model["arrays"].values()) for model in live}
    large = [name for name, size in sizes.items() if size > LARGEST]
    if len(large) == len(live):
        found = ", ".join(f"{name} with {size:,}" for name, size in sizes.items())
        raise ValueError(f"report.live: expected a model of at most {LARGEST:,} bytes, got {found}")
    return large


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


def bigrams(tokens: Tokens, vocab: Vocab) -> dict[str, Any]:
    """How often each of the most frequent characters follows each other, and how it ranks among all that do.

    `shown`: their ids, (S,); `counts`, (S, S), row by row what follows one; `totals`, (S,), over the whole vocabulary;
    `ranks`, (S, S), 1 for what follows most often.
    """
    shown = frequent(tokens, len(vocab))  # (S,)
    counts = followed(tokens, shown, len(vocab))  # (S, V)
    ranks = np.stack([1 + (row > row[shown, None]).sum(axis=1) for row in counts])  # (S, S)
    return {
        "shown": shown.tolist(),
        "counts": counts[:, shown].tolist(),
        "totals": counts.sum(axis=1).tolist(),
        "ranks": ranks.tolist(),
    }


def embedding(path: Path, shown: Sequence[str]) -> list[tuple[str, float, float]]:
    """The characters to show with their places, from the table that the stage `figures` writes."""
    with path.open(encoding="utf-8", newline="") as file:
        places = {row["character"]: (float(row["x"]), float(row["y"])) for row in csv.DictReader(file)}
    try:
        return [(character, *places[character]) for character in shown]
    except KeyError as error:
        raise ValueError(f"{path}: expected a line for each character, found none for {error}") from None


def columns(path: Path) -> dict[str, list[float]]:
    return {name: column.tolist() for name, column in read_csv(path).items()}


def figures(
    metrics: Path, strengths: Path, curves: Sequence[str], vocab: Vocab, pairs: Mapping[str, Any]
) -> dict[str, Any]:
    """What the charts show, from the metrics of the stages.

    Args:
        strengths: losses against the strength of a smoothing.
        curves: the models with a learning curve.
        pairs: what `bigrams` gave.
    """
    tried = columns(strengths)
    together = [i for i, order in enumerate(tried.pop("order")) if order == 0]  # rows in which all orders share one
    sweep = columns(metrics / "curves" / "find_lr.csv")
    shares, first = (
        columns(metrics / "curves" / "initialization.csv"),
        read_json(metrics / "training" / "initialization.json"),
    )
    edges = [*shares.pop("from"), shares.pop("to")[-1]]
    return {
        "bigrams": pairs,
        "curves": {name: columns(metrics / "curves" / f"{name}.csv") for name in curves},
        "smoothing": {name: [column[i] for i in together] for name, column in tried.items()},
        "rates": sweep | {"good": read_json(metrics / "training" / "find_lr.json")},
        "first": {"edges": edges, "shares": shares, "of": {name: first[name] for name in shares}},
        "embedding": embedding(metrics / "figures" / "embedding.csv", [vocab.itos[i] for i in pairs["shown"]]),
    }


def table(models: Sequence[Result]) -> str:
    """The rows of the table of models, the best first, each with its place on a scale of losses."""
    finite = [loss for model in models for loss in (model.train, model.dev) if math.isfinite(loss)] or [0.0]
    low, high = math.floor(min(finite) * 10) / 10, math.ceil(max(finite) * 10) / 10

    def place(loss: float) -> float:
        return 100 * (min(loss, high) - low) / ((high - low) or 1)

    def cell(value: float | None, form: str = ".4f") -> str:
        return f"<td>{'-' if value is None else '∞' if math.isinf(value) else format(value, form)}</td>"

    lines = []
    for model in reversed(models):
        left, right = sorted((place(model.train), place(model.dev)))
        marks = (
            f'<i style="left:{left:.2f}%;width:{right - left:.2f}%"></i>'
            f'<b class="train" style="left:{place(model.train):.2f}%"></b><b style="left:{place(model.dev):.2f}%"></b>'
        )
        lines.append(
            f'<tr><th scope="row">{escape(model.model)}</th>'
            f'<td class="place" aria-hidden="true"><div class="range">{marks}</div></td>'
            f"{cell(model.dev)}{cell(model.dev_se)}{cell(model.train)}{cell(model.unseen)}{cell(model.test)}"
            f"{cell(model.perplexity, '.2f')}{cell(model.bits, '.3f')}{cell(model.parameters, ',')}</tr>"
        )
    return "\n".join(lines)


def samples(models: Sequence[Result], folder: Path, metrics: Path) -> str:
    """The first names of each model, the best first, and how many of all that it made up are new."""
    blocks = []
    for model in reversed(models):
        names = (folder / f"{model.model}.txt").read_text(encoding="utf-8").split("\n")[:SAMPLES]
        found = read_json(metrics / f"{model.model}.json")
        listed = "".join(f'<li dir="auto">{escape(name)}</li>' for name in names if name)
        new = f"{found['new'] / found['samples']:.0%} of {found['samples']:,} are new"
        blocks.append(f"<article><h3>{escape(model.model)}</h3><p>{new}</p><ul>{listed}</ul></article>")
    return "\n".join(blocks)


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
    place = FIGURES.get(Path(str(token.attrs["src"])).stem)
    if place is None:
        return [label]
    label.content = f"Figure: {token.content}"
    return [Token("link_open", "a", 1, attrs={"href": f"#{place}"}), label, Token("link_close", "a", -1)]


def page(
    models: Sequence[Result],
    live: Sequence[Mapping[str, Any]],
    charts: Mapping[str, Any],
    vocab: Vocab,
    train_size: int,
    example: str,
    sampled: str,
    exercises: str,
) -> str:
    """The whole page.

    Args:
        models: the best last, as `results.read` gives them.
        live: what `embed` gave.
        charts: what `figures` gave.
        train_size: names that the models learned from.
        example: one of them, to show until another is typed.
        sampled: what `samples` gave.
        exercises: what `answers` gave.
    """
    large = too_large(live)
    loss = models[-1].dev if models[-1].test is None else models[-1].test
    data = {"itos": vocab.itos, "live": [model for model in live if model["name"] not in large], **charts}
    text = json.dumps(_finite(data), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    best, shown = models[-1], len(charts["bigrams"]["shown"])
    return Template(
        _part("page.html")
    ).substitute(
        style=_part("page.css"),
        scripts="\n".join(f"<script>\n{_part(name)}</script>" for name in ("models.js", "charts.js", "page.js")),
        data=text.replace("<", "\\u003c"),  # so that no name, whatever it holds, ends the script
        models=len(models),
        names=f"{train_size:,}",
        tokens=len(vocab),
        shown=f"All {len(vocab)} tokens"
        if shown == len(vocab)
        else f"The {shown} most frequent of {len(vocab):,} tokens",
        best=escape(best.model),
        loss=f"{loss:.4f}",
        perplexity=f"{math.exp(loss):.2f}",
        names_tried="dev names" if best.test is None else "test names, by which nothing was chosen",
        uniform=f"{math.log(len(vocab)):.4f}",
        name=escape(example),
        beginning=escape(example[:2]),
        left_out=f" Left out, as too large for a page: {escape(', '.join(large))}." if large else "",
        table=table(models),
        samples=sampled,
        exercises=exercises,
    )


def _part(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _finite(value: Any) -> Any:
    """JSON has no infinity: a chart leaves such a point out."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
