"""The lectures' figures. Each function of `FIGURES` draws one from the outputs of the other stages.

To add a figure, write a function with the decorator `figure`: the stage `figures` then writes it as a PNG of that name.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.transforms import Bbox

from makemore.core.files import replacing
from makemore.reporting import bigrams, diagnosis
from makemore.reporting.inputs import Inputs
from makemore.reporting.plots import principal_components
from makemore.search.lr_finder import smoothed

TRAIN, DEV = "#5b6067", "#0f766e"  # as in static/page.css; one colour has one meaning in all figures and on the page
PLAIN = "#6baed6"
# Where the name of a point may stand, in points from it, the first that is free: beside it, then further away
SIDES = [
    (dx, dy, "left" if dx > 0 else "right")
    for far in (7, 24, 40)
    for dy in (0, 12, -12, far, -far)
    for dx in (far, -far)
]

matplotlib.rcdefaults()  # a matplotlibrc in the working or home folder would change the figures

FIGURES: dict[str, Callable[[Inputs], Figure]] = {}


def figure(draw: Callable[[Inputs], Figure]) -> Callable[[Inputs], Figure]:
    FIGURES[draw.__name__] = draw
    return draw


def save(path: Path, drawn: Figure) -> None:
    """Write a PNG, the same bytes each time."""
    canvas: Any = FigureCanvasAgg(drawn)
    with replacing(path) as temporary:
        canvas.print_png(temporary, metadata={"Software": None})  # draws once, where savefig draws twice


def labels(itos: Sequence[str]) -> list[str]:
    """Characters as a figure shows them; those without a glyph are shown as their code points."""
    font = get_font(findfont(FontProperties()))

    def label(character: str) -> str:
        shown = character.isprintable() and not character.isspace() and unicodedata.category(character)[0] != "M"
        return character if shown and font.get_char_index(ord(character)) else f"{ord(character):04X}"

    return [label(character) for character in itos]


def uniform_line(vocab_size: int) -> dict[str, Any]:
    """The style of the baseline: ln V, the loss of the uniform model."""
    return {"color": "0.5", "linestyle": "--", "linewidth": 1, "label": f"uniform: ln V = {math.log(vocab_size):.4f}"}


def _which(inputs: Inputs) -> str:
    size = len(inputs.vocab)
    return f"\n(the {bigrams.SHOWN} most frequent of {size:,} characters)" if size > bigrams.SHOWN else ""


def _panels(count: int, **options: Any) -> tuple[Figure, Any]:
    """A figure with panels side by side."""
    drawn = Figure(figsize=(5 * count, 3.6), layout="constrained")
    return drawn, drawn.subplots(1, count, squeeze=False, **options)[0]


def _one(width: float, height: float) -> tuple[Figure, Any]:
    drawn = Figure(figsize=(width, height), layout="constrained")
    return drawn, drawn.subplots()


@figure
def bigram_counts(inputs: Inputs) -> Figure:
    """How often each character (row) is followed by each other (column), with the count in each cell."""
    counts = inputs.bigram_counts[:, inputs.shown]  # (S, S)
    shown_as = labels([inputs.vocab.itos[i] for i in inputs.shown])
    size = max(4.0, len(counts) * 0.42)
    drawn, axes = _one(size, size)
    axes.imshow(np.sqrt(counts), cmap="Blues")  # the square root keeps rare bigrams visible
    dark = counts > counts.max() / 2
    for i, j in np.ndindex(*counts.shape):
        color = "white" if dark[i, j] else "black"
        pair, small = shown_as[i] + shown_as[j], f"{shown_as[i]}\n{shown_as[j]}"
        text, font_size = (pair, 7) if len(pair) == 2 else (small, 5)
        style = {"ha": "center", "color": color, "parse_math": False, "in_layout": False}  # inside the axes in any case
        axes.text(j, i, text, va="bottom", fontsize=font_size, **style)
        axes.text(j, i, str(counts[i, j]), va="top", fontsize=6, **style)
    axes.set_axis_off()
    axes.set_title(f"Bigrams of the train names: a row's character is followed by a column's{_which(inputs)}")
    return drawn


@figure
def loss_curves(inputs: Inputs) -> Figure:
    """Training loss against step, of the lectures' networks."""
    lectures = "neural_bigram", "mlp"
    drawn, panels = _panels(len(lectures))
    for axes, name in zip(panels, lectures, strict=True):
        curve = inputs.curve(name)
        axes.plot(curve["step"], curve["loss"], linewidth=1)
        axes.axhline(math.log(len(inputs.vocab)), **uniform_line(len(inputs.vocab)))
        axes.set(title=f"{name}: training loss", xlabel="step", ylabel="loss (nats per token)")
        axes.legend()
    return drawn


@figure
def find_lr(inputs: Inputs) -> Figure:
    """The loss while the learning rate grows, against the exponent of the rate as in the lecture; and its minimum."""
    sweep, found = inputs.curve("find_lr"), inputs.training("find_lr")
    exponents, means = np.log10(sweep["lr"]), smoothed(sweep["loss"])
    good = found["lowest"], found["highest"]
    drawn, panels = _panels(2)
    for axes in panels:
        axes.plot(exponents, sweep["loss"], linewidth=0.7, color="#9ecae1", label="loss")
        axes.plot(exponents, means, linewidth=1.5, color="#1f6391", label="running mean")
        axes.axvspan(*np.log10(good), color="0.5", alpha=0.25, label=f"good: {good[0]:.2g} to {good[1]:.2g}")
        axes.set(xlabel="exponent of the learning rate", ylabel="loss (nats per token)")
    whole, minimum = panels
    whole.set_title("Learning rate finder")
    whole.legend()
    best, lowest = math.log10(found["best"]), float(means.min())
    minimum.set(title=f"Near the minimum, {found['best']:.2g}", xlim=(best - 0.6, best + 0.6))
    if math.isfinite(lowest):
        minimum.set_ylim(lowest - 0.4, lowest + 1.6)
    return drawn


@figure
def initialization(inputs: Inputs) -> Figure:
    """The distribution of the MLP's tanh units before training, under each initialization."""
    shares, first = inputs.curve("initialization"), inputs.training("initialization")
    edges = np.append(shares.pop("from"), shares.pop("to")[-1])
    columns = math.ceil(len(shares) / 2)
    drawn = Figure(figsize=(5 * columns, 6.5), layout="constrained")
    panels = drawn.subplots(2, columns, squeeze=False, sharey=True).flat
    for axes, (name, share) in zip(panels, shares.items(), strict=False):
        axes.stairs(share, edges, fill=True, color=PLAIN)
        loss = f"first loss {first[name]['initial_loss']:.2f}, ln V = {math.log(len(inputs.vocab)):.2f}"
        axes.set(title=f"{name}: {loss}", xlabel="tanh unit", ylabel="share")
    return drawn


@figure
def inside_training(inputs: Inputs) -> Figure:
    """Activations, gradients and updates of every network, as in the third lecture."""
    return diagnosis.draw(inputs.diagnoses)


@figure
def embedding(inputs: Inputs) -> Figure:
    """The MLP's embedding of the characters: those that it treats alike are close together."""
    C = inputs.arrays("mlp")["C"]
    points = principal_components(C)[inputs.shown]  # (S, 2)
    drawn, axes = _one(7, 7)
    axes.scatter(points[:, 0], points[:, 1], s=260, color="#9ecae1")
    for (x, y), character in zip(points, labels([inputs.vocab.itos[i] for i in inputs.shown]), strict=True):
        size = 10 if len(character) == 1 else 7
        axes.text(x, y, character, ha="center", va="center", fontsize=size, parse_math=False)
    axes.grid(alpha=0.3)
    axes.set_aspect("equal", adjustable="datalim")
    projected = f": 2 principal components of {C.shape[1]}" if C.shape[1] > 2 else ""
    axes.set_title(f"Embedding of the MLP{projected}{_which(inputs)}")
    return drawn


@figure
def smoothing(inputs: Inputs) -> Figure:
    """Loss against the strength of the trigram's smoothing: train rises, dev has a minimum."""
    columns = inputs.smoothing("trigram_tuned")
    strengths = columns.pop("strength")
    drawn, axes = _one(6, 4)
    for name, style in ("train", {"color": TRAIN, "linestyle": "--"}), ("dev", {"color": DEV}):
        losses = columns[name]
        axes.semilogx(strengths, losses, marker=".", label=name, **style)
        best = int(losses.argmin())
        axes.plot(strengths[best], losses[best], "o", color=style["color"], fillstyle="none", markersize=10)
    axes.set(title="Smoothing: trigram_tuned", xlabel="strength (added to each count)", ylabel="NLL (nats per token)")
    axes.legend()
    return drawn


@figure
def models(inputs: Inputs) -> Figure:
    """The dev loss of each model with its standard error, grouped by family, the best at the top."""
    groups = inputs.families
    finite = [loss for result in inputs.results if math.isfinite(loss := result["dev.nll"])]
    drawn, axes = _one(7.5, 1.5 + 0.28 * len(inputs.results) + 0.1 * len(groups))
    place, places = 0.0, {}
    for family, results in groups.items():
        axes.axhspan(place - 0.55, place + len(results) - 0.45, color="0.95", zorder=0)
        middle = (1, place + (len(results) - 1) / 2)
        axes.annotate(family, middle, **_beside("axes fraction", "data"), color="0.35", annotation_clip=False)
        for result in results:
            loss, error = result["dev.nll"], result["dev.nll_se"]
            if math.isfinite(loss):
                axes.errorbar(loss, place, xerr=error, fmt="o", color=DEV, capsize=3, markersize=5)
            end = (loss + error if math.isfinite(loss + error) else max(finite, default=0), place)
            axes.annotate(f"{loss:.4f}" if math.isfinite(loss) else "∞", end, **_beside("data", "data"))
            places[result.model] = place
            place += 1
        place += 0.35
    axes.set_yticks(list(places.values()), list(places))
    axes.set_ylim(place - 0.1, -0.8)
    axes.margins(x=0.17)
    axes.grid(axis="x", alpha=0.3)
    uniform = f"uniform: ln V = {math.log(len(inputs.vocab)):.4f}"
    axes.set(title="All models on the dev names", xlabel=f"NLL (nats per token) ± standard error; {uniform}")
    return drawn


def _beside(x: str, y: str) -> dict[str, Any]:
    """The style of a text to the right of a point."""
    return {"xycoords": (x, y), "xytext": (7, 0), "textcoords": "offset points", "va": "center", "fontsize": 9}


def loss_by_time(seconds: dict[str, float], nll: dict[str, float]) -> Figure:
    """The dev loss of each model against the seconds of its training, on a logarithmic axis."""
    drawn, axes = _one(8, 6)
    axes.semilogx(list(seconds.values()), [nll[name] for name in seconds], "o", color=DEV)
    axes.margins(x=0.15)
    axes.set(title="All models on the dev names", xlabel="seconds of training", ylabel="NLL (nats per token)")
    axes.grid(alpha=0.3)
    name_points(drawn, axes, {name: (taken, nll[name]) for name, taken in seconds.items()})
    return drawn


def name_points(drawn: Figure, axes: Any, points: dict[str, tuple[float, float]]) -> None:
    """Write the name of each point beside it, where it covers no other name and no point."""
    FigureCanvasAgg(drawn)
    drawn.draw_without_rendering()
    marks = [Bbox.from_bounds(x - 5, y - 5, 10, 10) for x, y in axes.transData.transform(list(points.values()))]
    taken: list[Bbox] = []
    for (name, at), mark in zip(points.items(), marks, strict=True):
        for dx, dy, align in SIDES:
            style = {"xytext": (dx, dy), "textcoords": "offset points", "ha": align, "va": "center", "fontsize": 8}
            line = {"arrowprops": {"arrowstyle": "-", "color": "0.6", "shrinkB": 4}} if math.hypot(dx, dy) > 12 else {}
            text = axes.annotate(name, at, **style, **line)
            box = text.get_window_extent().padded(1)
            if not any(box.overlaps(other) for other in [*taken, *(other for other in marks if other is not mark)]):
                break
            text.remove()
        else:
            text = axes.annotate(name, at, **style, **line)  # too crowded: the last place that was tried
        taken.append(box)
