from pathlib import Path

import numpy as np
import pytest

from makemore.reporting import figures


def test_every_figure_is_the_same_bytes_each_time(tmp_path: Path) -> None:
    for copy in "12":
        drawn = {
            "counts": figures.bigram_counts(np.array([[0, 3], [2, 1]]), ".a"),
            "curves": figures.loss_curves({"mlp": (np.arange(3.0), np.array([3.0, 2.0, 1.0]))}, 27),
            "embedding": figures.embedding(np.array([[0.0, 1.0], [1.0, 0.0]]), ".a", "title"),
            "rates": figures.learning_rates(np.array([0.01, 0.1, 1]), np.array([3.0, 2.0, 4.0]), (0.05, 0.2)),
            "units": figures.initializations(
                np.array([-1.0, 0, 1]), {"randn": np.array([0.4, 0.6])}, {"randn": 20}, 27
            ),
            "time": figures.loss_by_time({"a": 1, "b": 100}, {"a": 2.4, "b": 2.1}),
            "models": figures.comparison({"a": 2.4, "b": 2.1}, {"a": 0.1, "b": 0.2}, 27),
        }
        for name, figure in drawn.items():
            figures.save(tmp_path / copy / f"{name}.png", figure)
    for path in (tmp_path / "1").iterdir():
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.read_bytes() == (tmp_path / "2" / path.name).read_bytes()


def test_what_the_font_lacks_is_shown_by_its_code_point() -> None:
    assert figures.labels("aё$ \u200d\u0301中👩") == ["a", "ё", "$", "0020", "200D", "0301", "4E2D", "1F469"]


def test_principal_components_keep_the_distances_of_a_plane() -> None:
    plane = (
        np.random.default_rng(0).normal(size=(20, 2)) @ np.linalg.qr(np.random.default_rng(1).normal(size=(5, 2)))[0].T
    )
    points = figures.principal_components(plane)
    assert np.linalg.norm(points[3] - points[7]) == pytest.approx(np.linalg.norm(plane[3] - plane[7]))
    assert points[np.abs(points).argmax(axis=0), [0, 1]].min() > 0
    assert np.array_equal(figures.principal_components(plane[:, :2]), plane[:, :2])
    assert figures.principal_components(plane[:, :1]).shape == (20, 2)
