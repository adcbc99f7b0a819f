"""Model files from strangers: their arrays' types, metadata, vocabulary and configuration."""

import math
import time
from pathlib import Path
from typing import Any

import pytest

from hostile import Metadata, Run, error_of, loading, raw, read, write
from makemore.core.files import metadata_json
from makemore.core.model import read_model, save_model


@pytest.mark.parametrize(
    ("dtype", "size"), [("BF16", 2), ("F8_E4M3", 1), ("F8_E5M2", 1), ("F8_E8M0", 1), ("C64", 8), ("BOOL", 1)]
)
def test_arrays_of_a_type_that_is_not_read(outputs: Path, run: Run, dtype: str, size: int) -> None:
    metadata = metadata_json(read("neural_bigram")[1])
    Path("models/neural_bigram.safetensors").write_bytes(raw(dtype, metadata, size))
    for command in loading("neural_bigram", "report --live neural_bigram"):
        line = error_of(run, command)
        assert line.startswith("models/neural_bigram.safetensors: expected arrays of the types F16, F32, F64, I8,")
        assert line.endswith(f", found 'W' of type {dtype}; convert it to F32\n")


@pytest.mark.parametrize("metadata", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, "{", "\x00"])
def test_metadata_that_are_not_json(outputs: Path, run: Run, metadata: str) -> None:
    Path("models/mlp.safetensors").write_bytes(raw("F32", metadata, 4))
    for command in "score mlp abc", "report --live mlp":
        assert error_of(run, command).startswith("models/mlp.safetensors: expected a safetensors file, found a damaged")


DEEP = 900  # levels of nesting that json can still parse


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("value", [None, "x", {}, [1], "x" * 10_000, [0] * 10_000, nested(DEEP)])
@pytest.mark.parametrize("key", ["family", "config", "vocab", "config.order"])
def test_metadata_of_another_type(outputs: Path, run: Run, key: str, value: Any) -> None:
    arrays, metadata = read("bigram")
    part, _, inner = key.partition(".")
    metadata[part] = metadata[part] | {inner: value} if inner else value
    start = write("bigram", arrays, metadata)
    assert error_of(run, "score bigram abc").startswith(f"{start}expected a model of this project, found ")
    assert "bigram" in error_of(run, "report --live bigram")


@pytest.mark.parametrize(
    "vocab", [[".", "a", "a"], [".", "ab"], ["a", "b"], [".", "\n"], ".abcde", [".", ["a"]], [".", 1], [".", None]]
)
def test_a_bad_vocabulary(outputs: Path, run: Run, vocab: Any) -> None:
    arrays, metadata = read("bigram")
    start = write("bigram", arrays, metadata | {"vocab": vocab})
    for command in loading("bigram"):
        assert "vocabulary" in error_of(run, command).removeprefix(f"{start}expected a model of this project, found ")


def test_a_vocabulary_that_uses_all_symbols_for_the_boundary(outputs: Path, run: Run) -> None:
    arrays, metadata = read("bigram")
    write("bigram", arrays, metadata | {"vocab": ["x", ".", *map(chr, range(0x23CE, 0xD800))]})
    start = time.process_time()
    assert "a bad vocabulary (" in error_of(run, "score bigram abc")
    assert time.process_time() - start < 2


CONFIGS: list[tuple[str, Metadata, str]] = [
    ("mlp", {"hidden": -1}, "a bad config.hidden: expected an integer >= 1 and <= 1000000, got -1"),
    ("mlp", {"hidden": "8"}, "a bad config.hidden: expected an integer >= 1 and <= 1000000, got '8'"),
    ("mlp", {"foo": 1}, "a bad config.foo: unknown key; available: context, embedding, hidden, layers,"),
    ("neural_bigram", {"foo": 1}, "a bad config.foo: unknown key; available: none"),
    ("bigram", {"order": 0}, "a bad config.order: expected an integer >= 1 and <= 63, got 0"),
    ("bigram", {"order": 63}, "order: 63 is too high for a vocabulary of 6 tokens; try a lower order"),
    ("bigram", {"smoothing": "x" * 1000}, "a bad config.smoothing: expected one of none, additive, "),
    ("bigram", {"strength": math.nan}, "a bad config.strength: expected a number or a list"),
    ("bigram", {"strength": -1}, "a bad config.strength: expected a number >= 0 for smoothing additive, got -1"),
    ("bigram", {"strength": 1e305}, "a bad config.strength: expected at most 1e+300, got 1e+305"),  # times V infinite
    (
        "bigram",
        {"strength": [0.5] * 1000},
        "a bad config.strength: expected a number >= 0 for smoothing additive, ",
    ),
]


@pytest.mark.parametrize(("name", "changes", "message"), CONFIGS)
def test_a_bad_configuration_is_one_short_line(
    outputs: Path, run: Run, name: str, changes: Metadata, message: str
) -> None:
    arrays, metadata = read(name)
    start = write(name, arrays, metadata | {"config": metadata["config"] | changes})
    for command in loading(name):
        line = error_of(run, command)
        assert line.startswith(f"{start}expected a model of this project, found {message}") and len(line) < 250


@pytest.mark.parametrize("key", ["order", "smoothing", "position"])
def test_a_configuration_without_a_key(outputs: Path, run: Run, key: str) -> None:
    arrays, metadata = read("bigram")
    del metadata["config"][key]
    write("bigram", arrays, metadata)
    assert f"a bad config.{key}: expected " in error_of(run, "score bigram abc")


def test_what_the_project_writes_is_read_again(outputs: Path) -> None:
    for name in "bigram", "trigram_tuned", "neural_bigram", "mlp":
        path = Path(f"models/{name}.safetensors")
        before = path.read_bytes()
        save_model(path, *read_model(path))
        assert path.read_bytes() == before
