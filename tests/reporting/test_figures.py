"""The figures, and the data of the plots."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from checkout import ROOT, environment
from conftest import list_models
from makemore.core.files import read_csv, write_csv
from makemore.reporting import bigrams, figures, plots
from makemore.reporting.figures import FIGURES
from makemore.reporting.inputs import Inputs
from makemore.reporting.plots import PLOTS, principal_components


def table(name: str) -> list[list[object]]:
    header, rows = PLOTS[name](Inputs())
    listed = [list(row) for row in rows]
    assert all(len(row) == len(header) for row in listed)
    return listed


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_has_the_same_bytes_each_time(outputs: Path, name: str) -> None:
    for copy in "12":
        figures.save(outputs / f"{copy}.png", FIGURES[name](Inputs()))
    assert (outputs / "1.png").read_bytes().startswith(b"\x89PNG")
    assert (outputs / "1.png").read_bytes() == (outputs / "2.png").read_bytes()


def test_loss_by_time_has_the_same_bytes_each_time(tmp_path: Path) -> None:
    for copy in "12":
        figures.save(tmp_path / f"{copy}.png", figures.loss_by_time({"a": 1, "b": 100}, {"a": 2.4, "b": 2.1}))
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()


def test_a_matplotlibrc_does_not_change_the_figures(outputs: Path, run: Callable[..., Result]) -> None:
    assert run("figures", "--folder", "plain", "--tables", "tables").exit_code == 0
    settings = {"figure.dpi": 33, "font.family": "serif", "font.size": 20, "lines.linewidth": 9, "text.color": "red"}
    hostile = "".join(f"{key}: {value}\n" for key, value in (settings | {"axes.grid": True, "nonsense": 1}).items())
    (outputs / "matplotlibrc").write_text(f"{hostile}neither key nor value\n")
    script = ROOT / "stages/figures.py"
    command = [sys.executable, script, "--folder", "hostile", "--tables", "tables"]
    variables = environment(outputs) | {"MATPLOTLIBRC": str(outputs / "matplotlibrc")}
    subprocess.run(command, cwd=outputs, env=variables, check=True, capture_output=True)
    for name in FIGURES:
        assert (outputs / f"plain/{name}.png").read_bytes() == (outputs / f"hostile/{name}.png").read_bytes(), name


def test_a_new_figure_or_plot_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FIGURES", {})
    monkeypatch.setattr(plots, "PLOTS", {})

    def new(inputs: Inputs) -> None: ...

    assert figures.figure(new) is plots.plot(new) is new  # type: ignore[arg-type, comparison-overlap]
    assert figures.FIGURES == plots.PLOTS == {"new": new}


def test_bigram_counts_are_those_of_the_train_names(outputs: Path) -> None:
    (outputs / "data/splits/train.txt").write_text("ab\nad\n")
    counts = {(first, second): count for first, second, count in table("bigram_counts")}
    assert len(counts) == 36  # all pairs of the 5 letters and the boundary
    assert {pair: count for pair, count in counts.items() if count} == {
        (".", "a"): 2,
        ("a", "b"): 1,
        ("a", "d"): 1,
        ("b", "."): 1,
        ("d", "."): 1,
    }


def test_of_many_characters_only_the_most_frequent_are_shown(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigrams, "SHOWN", 3)
    (outputs / "data/splits/train.txt").write_text("ad\nda\nadb\n")
    assert [row[0] for row in table("embedding")] == [".", "a", "d"]
    assert len(table("bigram_counts")) == 9
    for name in "bigram_counts", "embedding":
        (axes,) = FIGURES[name](Inputs()).axes
        assert "the 3 most frequent of 6 characters" in axes.get_title()


def test_models_are_ordered_by_their_dev_loss(outputs: Path) -> None:
    losses = {name: Inputs().losses(name)["dev"] for name in Inputs().model_names}
    ranked = sorted(losses, key=lambda name: -losses[name]["nll"])
    assert table("models") == [[name, losses[name]["nll"], losses[name]["nll_se"]] for name in ranked]
    (axes,) = FIGURES["models"](Inputs()).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ranked


def test_loss_curves_are_those_of_the_models_that_have_one(outputs: Path) -> None:
    shown = {row[0] for row in table("loss_curves")}
    assert shown == {"neural_bigram", "mlp"}
    curve = read_csv(outputs / "metrics/curves/mlp.csv")
    assert [row[1:] for row in table("loss_curves") if row[0] == "mlp"] == [
        list(row) for row in zip(curve["step"], curve["loss"], strict=True)
    ]
    list_models(outputs, "mlp")  # the curve of neural_bigram is left behind
    assert {row[0] for row in table("loss_curves")} == {"mlp"}


def test_the_smoothing_figure_marks_the_best_strengths(outputs: Path) -> None:
    """And takes only the rows in which all orders have the same strength."""
    rows = [(0, 0.1, 1.0, 3.0), (0, 1.0, 1.5, 2.0), (0, 10.0, 2.0, 2.5), (1, 0.5, 0.5, 0.5)]
    write_csv(outputs / "metrics/curves/trigram_tuned_strength.csv", ("order", "strength", "train", "dev"), rows)
    (axes,) = FIGURES["smoothing"](Inputs()).axes
    train, best_on_train, dev, best_on_dev = (line.get_xydata().tolist() for line in axes.lines)
    assert train == [[0.1, 1.0], [1.0, 1.5], [10.0, 2.0]] and best_on_train == [[0.1, 1.0]]
    assert dev == [[0.1, 3.0], [1.0, 2.0], [10.0, 2.5]] and best_on_dev == [[1.0, 2.0]]


def test_the_uniform_model_is_the_baseline(outputs: Path) -> None:
    for name in "loss_curves", "models":
        for axes in FIGURES[name](Inputs()).axes:
            assert f"uniform: ln V = {math.log(6):.4f}" in [text.get_text() for text in axes.get_legend().get_texts()]


def test_characters_that_the_font_lacks_are_shown_as_code_points() -> None:
    assert figures.labels("aё$ \u200d\u0301中👩") == ["a", "ё", "$", "0020", "200D", "0301", "4E2D", "1F469"]


def test_principal_components_keep_the_distances_of_a_plane() -> None:
    plane = np.random.default_rng(0).normal(size=(20, 2))
    directions, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 2)))
    vectors = plane @ directions.T  # (20, 5)
    points = principal_components(vectors)
    assert np.linalg.norm(points[3] - points[7]) == pytest.approx(np.linalg.norm(vectors[3] - vectors[7]))
    assert points[np.abs(points).argmax(axis=0), [0, 1]].min() > 0
    assert np.array_equal(principal_components(plane), plane)
    assert principal_components(plane[:, :1]).shape == (20, 2)
