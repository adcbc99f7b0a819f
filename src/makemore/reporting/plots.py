"""The data of the charts that `dvc plots` draws, as tables. dvc.yaml has their titles and axes."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from makemore.reporting.inputs import Inputs

Rows = tuple[Sequence[str], Iterable[Sequence[float | str]]]  # header, rows

PLOTS: dict[str, Callable[[Inputs], Rows]] = {}


def plot(tabulate: Callable[[Inputs], Rows]) -> Callable[[Inputs], Rows]:
    PLOTS[tabulate.__name__] = tabulate
    return tabulate


@plot
def bigram_counts(inputs: Inputs) -> Rows:
    """How often each shown character is followed by each other."""
    itos = [inputs.vocab.itos[i] for i in inputs.shown]
    counts = inputs.bigram_counts[:, inputs.shown]  # (S, S)
    rows = ((itos[i], itos[j], int(count)) for (i, j), count in np.ndenumerate(counts))
    return ("character", "next", "count"), rows


@plot
def embedding(inputs: Inputs) -> Rows:
    """The MLP's embedding of the shown characters, on its first two principal components."""
    points = principal_components(inputs.arrays("mlp")["C"])[inputs.shown]  # (S, 2)
    itos = [inputs.vocab.itos[i] for i in inputs.shown]
    return ("character", "x", "y"), zip(itos, *points.T.tolist(), strict=True)


def principal_components(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The vectors, (V, C), projected on their first two principal components, (V, 2); unchanged if C is 2.

    The sign of a component is arbitrary: it is chosen so that its largest coordinate is positive.
    """
    if vectors.shape[1] <= 2:
        return np.pad(vectors, ((0, 0), (0, 2 - vectors.shape[1])))
    centered = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    points = centered @ directions[:2].T  # (V, 2)
    return np.asarray(points * np.sign(points[np.abs(points).argmax(axis=0), [0, 1]]))


def explained(vectors: NDArray[np.float64]) -> float:
    """The share of the variance of the vectors, (V, C), that the first two principal components explain."""
    variances = np.linalg.svd(vectors.astype(np.float64) - vectors.mean(axis=0), compute_uv=False) ** 2
    return float(variances[:2].sum() / variances.sum()) if variances.any() else 1.0


@plot
def loss_curves(inputs: Inputs) -> Rows:
    """The learning curves of all networks."""
    curves = inputs.learning_curves().items()
    rows = (
        (name, int(step), loss)
        for name, curve in curves
        for step, loss in zip(curve["step"].tolist(), curve["loss"].tolist(), strict=True)
    )
    return ("model", "step", "loss"), rows


@plot
def models(inputs: Inputs) -> Rows:
    """The dev loss of each model with its standard error, the best last."""
    rows = ((result.model, round(result["dev.nll"], 4), round(result["dev.nll_se"], 4)) for result in inputs.results)
    return ("model", "nll", "nll_se"), rows
