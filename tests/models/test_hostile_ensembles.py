"""Mixtures from strangers: bad weights and members, mixtures within mixtures."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hostile import TOKENS, VOCAB, Metadata, Run, V, error_of, loading, params, write
from makemore.core.model import Arrays
from makemore.models.ensemble import Ensemble, Gate, count_contexts
from makemore.models.ngram.model import fit

SEEN = "contexts", "counts"


def ensemble(*weights: float) -> tuple[Arrays, Metadata]:
    """The parts of a mixture of n-gram models that have these weights in every context."""
    members = {f"m{i}": fit(params(2, 0, "additive", 1.0), TOKENS, V) for i in range(len(weights))}
    seen = count_contexts(TOKENS, V)
    made = Ensemble(members, Gate(seen, np.tile(weights, (seen.features, 1)), V))
    return made.arrays(), {"family": "ensemble", "config": dict(made.config()), "vocab": list(VOCAB.itos)}


def test_a_mixture_from_a_file_is_used(outputs: Path, run: Run) -> None:
    write("mlp", *ensemble(0.7, 0.4))
    assert run("score", "mlp", "abc").exit_code == 0


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"contexts": None}, "the arrays ['counts', 'm0.counts', 'm0.ngrams'] instead of contexts, counts and those"),
        ({"counts": np.ones(3)}, "counts of type float64 and shape (3,) instead of int64 and (U,)"),
        ({"contexts": np.arange(3)}, "3 contexts with"),
        ({"contexts": -1}, "contexts that are not sorted and distinct"),
        ({"contexts": V**8}, "contexts that are not sorted and distinct"),
        ({"contexts": 0}, "contexts that are not sorted and distinct"),
        ({"counts": 0}, "a count of 0 instead of at least 1"),
    ],
)
def test_the_contexts_of_an_ensemble(outputs: Path, run: Run, changes: dict[str, Any], found: str) -> None:
    arrays, metadata = ensemble(1)
    for name, change in changes.items():
        if isinstance(change, int):
            arrays[name] = arrays[name].copy()
            arrays[name][0 if change < 0 else -1] = change
        else:
            arrays[name] = change
    start = write("mlp", {name: array for name, array in arrays.items() if array is not None}, metadata)
    for command in loading("mlp"):
        assert error_of(run, command).startswith(f"{start}expected a model of this project, found {found}")


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (1, "a bad config.m0: expected keys and values, got 1"),
        ({"weights": [1]}, "a bad config.m0.family: expected a string, got nothing"),
        ({"weights": [1], "family": "mlp", "config": 3}, "a bad config.m0.config: expected keys and values, got 3"),
        ({"weights": 1, "family": "mlp", "config": {}}, "a bad config.m0.weights: expected a list"),
        (
            {"weights": [math.nan] * 17, "family": "mlp", "config": {}},
            "a bad config.m0.weights: expected a list, each entry a number",
        ),
        ({"weights": [], "family": "mlp", "config": {}}, "members with [0] weights"),
        ({"weights": [1e308] * 17, "family": "mlp", "config": {}}, "weights that are not from -1e+09 to 1e+09"),
        ({"weights": [1.0] * 4, "family": "mlp", "config": {}}, "members with [4] weights"),
        ({"weights": [1.0] * 99, "family": "mlp", "config": {}}, "members with [99] weights"),
        ({"weights": [1.0] * 17, "family": "os", "config": {}}, "the member m0 with the family 'os'"),
        ({"weights": [1.0] * 17, "family": "ngram", "config": {}}, "the member m0 with a bad config.order: expected"),
    ],
)
def test_a_bad_member(outputs: Path, run: Run, entry: Any, found: str) -> None:
    arrays, metadata = ensemble(1)
    start = write("mlp", arrays, metadata | {"config": {"m0": entry}})
    assert error_of(run, "score mlp abc").startswith(f"{start}expected a model of this project, found {found}")


def test_an_ensemble_without_members(outputs: Path, run: Run) -> None:
    arrays, metadata = ensemble(1)
    start = write("mlp", arrays, metadata | {"config": {}})
    assert error_of(run, "score mlp abc") == f"{start}expected a model of this project, found members with [] weights\n"


@pytest.mark.parametrize("levels", [1, 2, 300])
def test_ensembles_within_ensembles(outputs: Path, run: Run, levels: int) -> None:
    arrays, metadata = ensemble(1)
    for _ in range(levels):
        arrays = {f"m.{key}": array for key, array in arrays.items()} | {key: arrays[key] for key in SEEN}
        entry = {"weights": [1.0] * 17, "family": "ensemble", "config": metadata["config"]}
        metadata = metadata | {"config": {"m": entry}}
    start = write("mlp", arrays, metadata)
    found = "an ensemble within an ensemble (m); list its members instead\n"
    for command in loading("mlp"):
        assert error_of(run, command) == f"{start}expected a model of this project, found {found}"


def test_an_ensemble_is_not_fitted_with_an_ensemble_either(outputs: Path, run: Run) -> None:
    write("mlp", *ensemble(1))
    line = error_of(run, "fit_ensemble --models bigram --models mlp")
    assert line == "an ensemble within an ensemble (mlp); list its members instead\n"
