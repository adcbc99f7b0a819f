"""Networks from strangers: weights of other shapes, infinite, too large, or far too many."""

import math
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import SMALL, network
from hostile import VOCAB, Run, V, error_of, loading, read, write


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
def test_weights_that_are_not_finite(outputs: Path, run: Run, value: float) -> None:
    arrays, metadata = read("mlp")
    b1 = arrays["b1"].astype(np.float64)
    b1[2] = value
    start = write("mlp", arrays | {"b1": b1}, metadata)
    for command in loading("mlp"):
        line = error_of(run, command)
        assert line == f"{start}expected a model of this project, found weights b1 that are not all finite\n"
    found = "weights that are not all finite\n"
    assert error_of(run, "report --live mlp") == f"{start}expected a model that the page can run, found {found}"


@pytest.mark.parametrize("family", SMALL)
def test_finite_weights_that_are_too_large(outputs: Path, run: Run, family: str) -> None:
    """Products of them are infinite, and infinity minus infinity is NaN."""
    model = network(family, V)
    arrays = {name: np.full_like(array, 3e38) for name, array in model.arrays().items()}
    arrays = {name: array * np.resize([1, -1], array.shape).astype("f4") for name, array in arrays.items()}
    _, metadata = read("mlp")
    start = write("mlp", arrays, metadata | {"family": family, "config": dict(model.config())})
    if family == "neural_bigram":  # whose weights are the logits: there is no product
        assert run("score", "mlp", "abc").exit_code == 0
        return
    for command in loading("mlp"):
        line = error_of(run, command)
        found = "a network whose weights are too large: its logits are not finite\n"
        assert line == f"{start}expected a model of this project, found {found}"


def test_weights_that_are_too_large_for_some_contexts(outputs: Path, run: Run) -> None:
    arrays, metadata = read("mlp")
    C, direct = arrays["C"].copy(), np.full((arrays["W1"].shape[0], V), 3e38, dtype=np.float32)
    C[0], C[VOCAB.stoi["c"]] = 0, 3e38
    config = metadata["config"] | {"direct": True}
    write("mlp", arrays | {"C": C, "direct": direct}, metadata | {"config": config})
    for command in loading("mlp"):
        assert error_of(run, command) == "a network whose weights are too large: its logits are not finite\n"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"b2": np.zeros(V + 1)}, f"'b2' ({V + 1},) instead of ({V},)"),
        ({"b2": np.zeros((1, V))}, f"'b2' (1, {V}) instead of ({V},)"),
        ({"b2": None}, f"'b2' missing instead of ({V},)"),
        ({"x" * 1000: np.zeros(3)}, "'xxxxxxxxxxxx...xxxxxxxxxxxxx' (3,) instead of none"),
        ({f"{i}": np.zeros(i) for i in range(500)}, "'0' (0,) instead of none"),
    ],
)
def test_weights_of_other_names_or_shapes(outputs: Path, run: Run, changes: Any, found: str) -> None:
    arrays, metadata = read("mlp")
    changed = {name: array for name, array in (arrays | changes).items() if array is not None}
    start = write("mlp", changed, metadata)
    expected = f"{start}expected a model of this project, found weights of shapes that do not fit: {found}\n"
    for command in loading("mlp"):
        assert error_of(run, command) == expected


def test_a_small_file_takes_neither_time_nor_memory(outputs: Path, run: Run) -> None:
    """The biases and norms alone of this transformer would take 500 MB."""
    arrays, metadata = read("mlp")
    config = {"layers": 100, "heads": 2, "embedding": 100_000, "positions": 10_000, "dropout": 0}
    write("mlp", arrays, metadata | {"family": "transformer", "config": config})
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    assert "weights of shapes that do not fit: 'C' " in error_of(run, "score mlp abc")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
    assert time.process_time() - start < 3


def test_a_wavenet_that_looks_too_far_back(outputs: Path, run: Run) -> None:
    """Its few weights would have a state of 100 ** 19 characters."""
    arrays, metadata = read("mlp")
    config = SMALL["wavenet"] | {"kernel": 100, "layers": 20, "channels": 1}
    write("mlp", arrays, metadata | {"family": "wavenet", "config": config})
    assert "a bad config.layers: expected kernel ** layers <= 100,000, got 100 ** 20\n" in error_of(run, "sample mlp")


def test_a_negative_variance_of_batch_norm(outputs: Path, run: Run) -> None:
    """Its square root is not a number."""
    model = network("mlp", V, batch_norm="hidden")
    arrays = dict(model.arrays()) | {"bn1.running_var": np.full(8, -1, dtype=np.float32)}
    _, metadata = read("mlp")
    start = write("mlp", arrays, metadata | {"config": dict(model.config())})
    for command in loading("mlp"):
        assert error_of(run, command).startswith(f"{start}expected a model of this project, found a network whose ")
