"""The lectures' pictures. Each function draws one; `save` writes it with the same bytes each time."""

import math
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from numpy.typing import NDArray

from makemore.files import replacing

Curve = tuple[NDArray[np.float64], NDArray[np.float64]]  # steps, losses in nats a token


def labels(itos: Sequence[str]) -> list[str]:
    """Characters as a figure shows them: what the font lacks, and what has no shape of its own, by its code point."""
    font = get_font(findfont(FontProperties()))

    def label(character: str) -> str:
        shown = character.isprintable() and not character.isspace() and unicodedata.category(character)[0] != "M"
        return character if shown and font.get_char_index(ord(character)) else f"{ord(character):04X}"

    return [label(character) for character in itos]


def uniform_line(vocab_size: int) -> dict[str, Any]:
    """How the baseline is drawn: the loss, ln V, of a model to which all tokens are equally likely."""
    return {"color": "0.5", "linestyle": "--", "linewidth": 1, "label": f"uniform: ln V = {math.log(vocab_size):.4f}"}


def save(path: Path, figure: Figure) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100, metadata={"Software": None})


def bigram_counts(counts: NDArray[np.int64], itos: Sequence[str], shown: str = "") -> Figure:
    """How often each character, row, is followed by each other, column: (V, V), with the count in each cell.

    Args:
        shown: which characters they are, where they are not all.
    """
    size = max(4.0, len(itos) * 0.42)
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(np.sqrt(counts), cmap="Blues")  # the root keeps the rare ones visible
    strong = counts > counts.max() / 4
    shown_as = labels(itos)
    for i, j in np.ndindex(*counts.shape):
        color = "white" if strong[i, j] else "0.25"
        pair, small = shown_as[i] + shown_as[j], f"{shown_as[i]}\n{shown_as[j]}"
        text, font_size = (pair, 7) if len(pair) == 2 else (small, 5)
        axes.text(j, i, text, ha="center", va="bottom", color=color, fontsize=font_size, parse_math=False)
        axes.text(j, i, str(counts[i, j]), ha="center", va="top", color=color, fontsize=6)
    axes.set_axis_off()
    axes.set_title(f"Bigrams of the train names: a row's character is followed by a column's{shown}")
    return figure


def loss_curves(curves: Mapping[str, Curve], vocab_size: int) -> Figure:
    """Loss against step, one panel a model."""
    figure = Figure(figsize=(5 * len(curves), 3.6), layout="constrained")
    panels = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (name, (steps, losses)) in zip(panels, curves.items(), strict=True):
        axes.plot(steps, losses, linewidth=1)
        axes.axhline(math.log(vocab_size), **uniform_line(vocab_size))
        axes.set(title=f"{name}: training loss", xlabel="step", ylabel="loss (nats a token)")
        axes.legend()
    return figure


def learning_rates(rates: NDArray[np.float64], losses: NDArray[np.float64], good: tuple[float, float]) -> Figure:
    """The loss while the learning rate grows, against the rate's exponent as in the lecture; `good` is shaded."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(np.log10(rates), losses, linewidth=1)
    axes.axvspan(*np.log10(good), color="#9ecae1", alpha=0.5, label=f"good: {good[0]:.2g} to {good[1]:.2g}")
    axes.set(title="Learning rate finder", xlabel="exponent of the learning rate", ylabel="loss (nats a token)")
    axes.legend()
    return figure


def initializations(
    edges: NDArray[np.float64], shares: Mapping[str, NDArray[np.float64]], losses: Mapping[str, float], vocab_size: int
) -> Figure:
    """How the tanh units are spread before training under each initialization, with its first loss."""
    figure = Figure(figsize=(5 * len(shares), 3.6), layout="constrained")
    panels = figure.subplots(1, len(shares), squeeze=False, sharey=True)[0]
    for axes, (name, share) in zip(panels, shares.items(), strict=True):
        axes.stairs(share, edges, fill=True, color="#6baed6")
        first = f"first loss {losses[name]:.2f}, ln V = {math.log(vocab_size):.2f}"
        axes.set(title=f"{name}: {first}", xlabel="tanh unit", ylabel="share")
    return figure


def embedding(points: NDArray[np.float64], itos: Sequence[str], title: str) -> Figure:
    """Where the network puts each character, (V, 2): those that it treats alike lie close together."""
    figure = Figure(figsize=(7, 7), layout="constrained")
    axes = figure.subplots()
    axes.scatter(points[:, 0], points[:, 1], s=260, color="#9ecae1")
    for (x, y), character in zip(points, labels(itos), strict=True):
        size = 10 if len(character) == 1 else 7
        axes.text(x, y, character, ha="center", va="center", fontsize=size, parse_math=False)
    axes.grid(alpha=0.3)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_title(title)
    return figure


def principal_components(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The vectors, (V, C), on their first two principal components, (V, 2); as they are where C is 2.

    The sign of a component is free: it is chosen so that its largest coordinate is positive.
    """
    if vectors.shape[1] <= 2:
        return np.pad(vectors, ((0, 0), (0, 2 - vectors.shape[1])))
    centered = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    points = centered @ directions[:2].T  # (V, 2)
    return np.asarray(points * np.sign(points[np.abs(points).argmax(axis=0), [0, 1]]))


def smoothing(strengths: NDArray[np.float64], losses: Mapping[str, NDArray[np.float64]], title: str) -> Figure:
    """Loss against the strength of the smoothing, for each split: train rises, dev has a minimum."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, values in losses.items():
        (line,) = axes.semilogx(strengths, values, marker=".", label=name)
        best = int(values.argmin())
        axes.plot(strengths[best], values[best], "o", color=line.get_color(), fillstyle="none", markersize=10)
    axes.set(title=title, xlabel="strength (added to each count)", ylabel="NLL (nats a token)")
    axes.legend()
    return figure


def comparison(nll: Mapping[str, float], error: Mapping[str, float], vocab_size: int) -> Figure:
    """The dev loss of each model with its standard error, beside the uniform model."""
    figure = Figure(figsize=(7, 1.4 + 0.45 * len(nll)), layout="constrained")
    axes = figure.subplots()
    axes.barh(list(nll), list(nll.values()), xerr=list(error.values()), color="#6baed6", ecolor="0.3")
    for place, value in enumerate(nll.values()):
        axes.text(0.05, place, f"{value:.4f}", va="center", color="white")
    axes.axvline(math.log(vocab_size), **uniform_line(vocab_size))
    axes.invert_yaxis()
    axes.set(title="All models on the dev names", xlabel="NLL (nats a token), with standard error")
    axes.legend(loc="lower right")
    return figure


def loss_by_time(seconds: Mapping[str, float], nll: Mapping[str, float]) -> Figure:
    """The dev loss of each model against the seconds of its training, a logarithmic axis."""
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.subplots()
    axes.semilogx(list(seconds.values()), [nll[name] for name in seconds], "o", color="#6baed6")
    for name, taken in seconds.items():
        axes.annotate(name, (taken, nll[name]), xytext=(5, 3), textcoords="offset points", fontsize=8)
    axes.margins(x=0.15)
    axes.set(title="All models on the dev names", xlabel="seconds of training", ylabel="NLL (nats a token)")
    axes.grid(alpha=0.3)
    return figure
