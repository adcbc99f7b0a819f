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

from makemore.core.files import replacing
from makemore.reporting import bigrams, diagnosis
from makemore.reporting.inputs import Inputs
from makemore.reporting.plots import principal_components

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
    dark = counts > counts.max() / 4
    for i, j in np.ndindex(*counts.shape):
        color = "white" if dark[i, j] else "0.25"
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
    """The loss while the learning rate grows, against the exponent of the rate as in the lecture."""
    sweep, found = inputs.curve("find_lr"), inputs.training("find_lr")
    good = found["lowest"], found["highest"]
    drawn, axes = _one(6, 4)
    axes.plot(np.log10(sweep["lr"]), sweep["loss"], linewidth=1)
    axes.axvspan(*np.log10(good), color="#9ecae1", alpha=0.5, label=f"good: {good[0]:.2g} to {good[1]:.2g}")
    axes.set(title="Learning rate finder", xlabel="exponent of the learning rate", ylabel="loss (nats per token)")
    axes.legend()
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
        axes.stairs(share, edges, fill=True, color="#6baed6")
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
    for name, losses in columns.items():
        (line,) = axes.semilogx(strengths, losses, marker=".", label=name)
        best = int(losses.argmin())
        axes.plot(strengths[best], losses[best], "o", color=line.get_color(), fillstyle="none", markersize=10)
    axes.set(title="Smoothing: trigram_tuned", xlabel="strength (added to each count)", ylabel="NLL (nats per token)")
    axes.legend()
    return drawn


@figure
def models(inputs: Inputs) -> Figure:
    """The dev loss of each model with its standard error, beside the uniform model."""
    results = inputs.results
    losses, errors = [result["dev.nll"] for result in results], [result["dev.nll_se"] for result in results]
    drawn, axes = _one(7, 1.4 + 0.45 * len(results))
    axes.barh([result.model for result in results], losses, xerr=errors, color="#6baed6", ecolor="0.3")
    for place, value in enumerate(losses):
        axes.text(0.05, place, f"{value:.4f}", va="center", color="white")
    axes.axvline(math.log(len(inputs.vocab)), **uniform_line(len(inputs.vocab)))
    axes.invert_yaxis()
    axes.set(title="All models on the dev names", xlabel="NLL (nats per token), with standard error")
    axes.legend(loc="lower right")
    return drawn


def loss_by_time(seconds: dict[str, float], nll: dict[str, float]) -> Figure:
    """The dev loss of each model against the seconds of its training, on a logarithmic axis."""
    drawn, axes = _one(8, 6)
    axes.semilogx(list(seconds.values()), [nll[name] for name in seconds], "o", color="#6baed6")
    for name, taken in seconds.items():
        axes.annotate(name, (taken, nll[name]), xytext=(5, 3), textcoords="offset points", fontsize=8)
    axes.margins(x=0.15)
    axes.set(title="All models on the dev names", xlabel="seconds of training", ylabel="NLL (nats per token)")
    axes.grid(alpha=0.3)
    return drawn
