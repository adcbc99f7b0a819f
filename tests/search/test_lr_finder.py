import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from makemore.search import lr_finder

Run = Callable[..., Result]


def test_the_rate_grows_by_a_constant_factor() -> None:
    rate = lr_finder.growing(-3, 0, 4)
    assert [rate(step) for step in range(4)] == pytest.approx([0.001, 0.01, 0.1, 1])
    assert lr_finder.growing(-2, 0, 1)(0) == pytest.approx(0.01)


def test_the_good_range_is_around_the_lowest_loss() -> None:
    rates = 10 ** np.linspace(-3, 0, 301)
    losses = 2 + 10 * (np.log10(rates) + 1) ** 2  # lowest at 0.1, and 0.1 nats higher a tenth of a decade away
    low, high, best = lr_finder.good_range(rates, losses)
    assert best == pytest.approx(0.1, rel=0.05)
    assert np.log10([low, high]) == pytest.approx([-1.1, -0.9], abs=0.02)
    noisy = losses + np.where(np.arange(301) % 2, 0.3, -0.3)  # the noise of single steps averages out
    assert lr_finder.good_range(rates, noisy) == pytest.approx((low, high, best), rel=0.1)


def test_if_the_loss_falls_to_the_end_the_best_rate_is_the_last() -> None:
    rates = np.array([0.01, 0.02, 0.04])
    assert lr_finder.good_range(rates, np.array([3.0, 2.5, 2.0])) == (0.04, 0.04, 0.04)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_the_stage(run: Run, folder: Path, optimizer: str) -> None:
    for stage in "clean", "vocab", "split":
        assert run(stage).exit_code == 0
    assert run("find_lr", "--optimizer", optimizer, "--steps", "300").exit_code == 0
    found = json.loads((folder / "metrics/training/find_lr.json").read_text())
    assert 0.001 < found["lowest"] <= found["best"] <= found["highest"] <= 1
    failed = run("find_lr", "--highest", "-3.5")
    assert failed.exit_code == 2 and "--highest: -3.5 is not above lowest, -3.0" in failed.stderr


def test_the_first_losses_of_the_initializations(run: Run, folder: Path) -> None:
    for stage in "clean", "vocab", "split":
        assert run(stage).exit_code == 0
    assert run("initialization", "--hidden", "200").exit_code == 0
    found = json.loads((folder / "metrics/training/initialization.json").read_text())
    assert found["scaled"]["initial_loss"] == pytest.approx(found["uniform_loss"], abs=0.05)
    assert found["randn"]["initial_loss"] > found["uniform_loss"] + 5
    assert found["randn"]["saturated"] > 3 * found["scaled"]["saturated"]
    shares = np.genfromtxt(folder / "metrics/curves/initialization.csv", delimiter=",", names=True)
    assert shares["randn"].sum() == pytest.approx(1, abs=1e-4) and shares["scaled"].sum() == pytest.approx(1, abs=1e-4)
