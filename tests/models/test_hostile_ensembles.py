"""Mixtures from strangers: bad weights and members, mixtures within mixtures."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hostile import TOKENS, VOCAB, Metadata, Run, V, error_of, loading, params, write
from makemore.core.model import Arrays
from makemore.models.ensemble import Ensemble
from makemore.models.ngram.model import fit


def ensemble(*weights: float) -> tuple[Arrays, Metadata]:
    """The parts of a mixture of n-gram models with these weights."""
    members = {f"m{i}": fit(params(2, 0, "additive", 1.0), TOKENS, V) for i in range(len(weights))}
    made = Ensemble(members, np.array(weights))
    return made.arrays(), {"family": "ensemble", "config": dict(made.config()), "vocab": list(VOCAB.itos)}


@pytest.mark.parametrize(
    ("weights", "found"),
    [
        ((math.nan,), "a bad config.m0.weight: expected a number >= 0 and <= 1, got nan"),
        ((2.0, -1.0), "a bad config.m0.weight: expected a number >= 0 and <= 1, got 2.0"),
        ((0.5, -0.5, 1.0), "a bad config.m1.weight: expected a number >= 0 and <= 1, got -0.5"),
        ((0.5, 0.4), "an ensemble of 2 models whose weights sum to 0.9 instead of 1"),
        ((0.5, 0.50001), "an ensemble of 2 models whose weights sum to 1.00001 instead of 1"),
        ((), "an ensemble of 0 models whose weights sum to 0 instead of 1"),
    ],
)
def test_the_weights_of_an_ensemble(outputs: Path, run: Run, weights: tuple[float, ...], found: str) -> None:
    arrays, metadata = ensemble(*weights) if weights else ({}, ensemble(1)[1] | {"config": {}})
    start = write("mlp", arrays, metadata)
    for command in loading("mlp"):
        assert error_of(run, command) == f"{start}expected a model of this project, found {found}\n"


def test_weights_that_are_rounded_are_accepted(outputs: Path, run: Run) -> None:
    write("mlp", *ensemble(0.3333333, 0.3333333, 0.3333333))
    assert run("score", "mlp", "abc").exit_code == 0


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (1, "a bad config.m0: expected keys and values, got 1"),
        ({"weight": 1}, "a bad config.m0.family: expected a string, got nothing"),
        ({"weight": 1, "family": "mlp", "config": 3}, "a bad config.m0.config: expected keys and values, got 3"),
        ({"weight": "1", "family": "mlp", "config": {}}, "a bad config.m0.weight: expected a number"),
        ({"weight": 1, "family": "os", "config": {}}, "the member m0 with the family 'os'"),
        ({"weight": 1, "family": "ngram", "config": {}}, "the member m0 with a bad config.order: expected an integer"),
    ],
)
def test_a_bad_member(outputs: Path, run: Run, entry: Any, found: str) -> None:
    start = write("mlp", {}, ensemble(1)[1] | {"config": {"m0": entry}})
    assert error_of(run, "score mlp abc").startswith(f"{start}expected a model of this project, found {found}")


@pytest.mark.parametrize("levels", [1, 2, 300])
def test_ensembles_within_ensembles(outputs: Path, run: Run, levels: int) -> None:
    arrays, metadata = ensemble(1)
    for _ in range(levels):
        arrays = {f"m.{key}": array for key, array in arrays.items()}
        entry = {"weight": 1, "family": "ensemble", "config": metadata["config"]}
        metadata = metadata | {"config": {"m": entry}}
    start = write("mlp", arrays, metadata)
    found = "an ensemble within an ensemble (m); list its members instead\n"
    for command in loading("mlp"):
        assert error_of(run, command) == f"{start}expected a model of this project, found {found}"


def test_an_ensemble_is_not_fitted_with_an_ensemble_either(outputs: Path, run: Run) -> None:
    write("mlp", *ensemble(1))
    line = error_of(run, "fit_ensemble --models bigram --models mlp")
    assert line == "an ensemble within an ensemble (mlp); list its members instead\n"
