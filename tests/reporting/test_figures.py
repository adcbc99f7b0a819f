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
from makemore.reporting.page import STATIC
from makemore.reporting.plots import PLOTS, principal_components
from makemore.search.lr_finder import smoothed


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
    shown = [[name, round(losses[name]["nll"], 4), round(losses[name]["nll_se"], 4)] for name in ranked]
    assert table("models") == shown


def test_the_figure_of_models_groups_families_and_does_not_begin_at_0(outputs: Path) -> None:
    losses = {name: Inputs().losses(name)["dev"]["nll"] for name in Inputs().model_names}
    (axes,) = FIGURES["models"](Inputs()).axes
    listed = [label.get_text() for label in axes.get_yticklabels()]
    ngrams = sorted((losses[name], listed.index(name)) for name in ("bigram", "trigram_tuned"))
    assert set(listed) == set(losses) and ngrams[1][1] - ngrams[0][1] == 1  # beside each other, the better one above
    assert losses[listed[0]] == min(losses.values())
    low, high = axes.get_xlim()
    assert min(losses.values()) - 1 < low < min(losses.values()) and max(losses.values()) < high
    assert len(axes.containers) == len(losses)  # error bars
    texts = [text.get_text() for text in axes.texts]
    assert {f"{loss:.4f}" for loss in losses.values()} | {"n-gram", "MLP", "neural bigram"} == set(texts)
    assert f"uniform: ln V = {math.log(6):.4f}" in axes.get_xlabel()


def test_an_infinite_loss_is_named_in_the_figure_of_models(outputs: Path) -> None:
    path = outputs / "metrics/losses/bigram.json"
    path.write_text(
        path.read_text().replace(
            f'"dev": {{\n    "nll": {Inputs().losses("bigram")["dev"]["nll"]}', '"dev": {\n    "nll": Infinity'
        )
    )
    assert math.isinf(Inputs().losses("bigram")["dev"]["nll"])
    (axes,) = FIGURES["models"](Inputs()).axes
    assert "∞" in [text.get_text() for text in axes.texts] and math.isfinite(axes.get_xlim()[1])


def test_names_in_the_figure_of_training_times_cover_nothing() -> None:
    models = {f"model{i}": (20 + i / 10, 1.9 + i / 500) for i in range(12)}
    drawn = figures.loss_by_time(
        {name: at[0] for name, at in models.items()}, {name: at[1] for name, at in models.items()}
    )
    (axes,) = drawn.axes
    drawn.draw_without_rendering()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert [text.get_text() for text in axes.texts] == list(models)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    points = axes.transData.transform(list(models.values()))
    assert not any(box.contains(x, y) for box in boxes for x, y in points)


def test_train_and_dev_have_the_colours_of_the_page(outputs: Path) -> None:
    css = (STATIC / "page.css").read_text(encoding="utf-8")
    for name, color in ("train", figures.TRAIN), ("dev", figures.DEV):
        assert f"--{name}: light-dark({color}," in css
    (axes,) = FIGURES["smoothing"](Inputs()).axes
    assert {line.get_label(): line.get_color() for line in axes.lines[::2]} == {
        "train": figures.TRAIN,
        "dev": figures.DEV,
    }


def test_the_learning_rate_figure_shows_the_running_mean_and_its_minimum(outputs: Path) -> None:
    rates = np.geomspace(0.001, 1, 50)
    losses = 3 + (np.log10(rates) + 1) ** 2 + 0.1 * np.cos(np.arange(50) * np.pi)
    write_csv(outputs / "metrics/curves/find_lr.csv", ("lr", "loss"), zip(rates, losses, strict=True))
    whole, minimum = FIGURES["find_lr"](Inputs()).axes
    loss, mean = (line.get_ydata() for line in whole.lines)
    np.testing.assert_allclose(mean, smoothed(losses), rtol=1e-4)
    assert minimum.get_ylim()[1] - minimum.get_ylim()[0] < np.ptp(loss)


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
    for axes in FIGURES["loss_curves"](Inputs()).axes:
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
