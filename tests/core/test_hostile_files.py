"""Files from strangers: whatever is in them, a stage ends with one line that says what is wrong, and loses nothing."""

import json
import math
import resource
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import SMALL, encoded, network, text_of, tiny_names
from makemore.core.files import METADATA, metadata_json, read_csv, read_safetensors, write_safetensors
from makemore.core.model import Arrays, read_model, save_model
from makemore.core.vocab import Vocab
from makemore.models.ensemble import Ensemble
from makemore.models.ngram.model import Ngram, NgramParams, count, fit, ngram_keys, possible, span
from makemore.models.ngram.smoothing import MAX_STRENGTH
from makemore.reporting import page
from makemore.reporting.figures import FIGURES
from makemore.reporting.inputs import Inputs

Run = Callable[..., Result]
Metadata = dict[str, Any]

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
V = len(VOCAB)
TOKENS = encoded(VOCAB, *NAMES)
DEEP = 900  # levels of nesting that json can still parse


def error_of(run: Run, command: str) -> str:
    """The one line with which a stage ends that fails."""
    before = snapshot()
    result = run(*command.split())
    assert result.exit_code == 1 and result.stdout == "", command
    assert result.stderr.count("\n") == 1 and len(result.stderr) < 600, result.stderr
    assert before.items() <= snapshot().items()  # some figures may have been drawn
    return result.stderr


def snapshot() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def raw(dtype: str, metadata: str, size: int = 2) -> bytes:
    """A safetensors file of one array, of a type that numpy need not have."""
    header = {"__metadata__": {METADATA: metadata}, "W": {"dtype": dtype, "shape": [1], "data_offsets": [0, size]}}
    encoded_header = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded_header)) + encoded_header + bytes(size)


def write(name: str, arrays: Arrays, metadata: Metadata) -> str:
    path = Path("models") / f"{name}.safetensors"
    write_safetensors(path, arrays, metadata)
    return f"{path}: "


def read(name: str) -> tuple[Arrays, Metadata]:
    return read_safetensors(Path("models") / f"{name}.safetensors")


def loading(name: str, *others: str) -> tuple[str, ...]:
    """The commands that read a model."""
    return f"score {name} abc", f"evaluate {name}", f"sample {name} --output data/samples/{name}.txt", *others


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


NGRAMS, COUNTS = count(NgramParams(order=2, smoothing="none", strength=None, position=0), TOKENS, V)
UNSORTED, DOUBLED = NGRAMS.copy(), NGRAMS.copy()
UNSORTED[[0, 1]] = UNSORTED[[1, 0]]
DOUBLED[1] = DOUBLED[0]
BAD_NGRAMS: dict[str, tuple[Arrays, str]] = {
    "none": ({"ngrams": NGRAMS[:0], "counts": COUNTS[:0]}, "0 n-grams with 0 counts"),
    "unsorted": ({"ngrams": UNSORTED}, "n-grams that are not sorted and distinct"),
    "doubled": ({"ngrams": DOUBLED}, "n-grams that are not sorted and distinct"),
    "negative": ({"ngrams": NGRAMS - 30}, "the n-gram -"),
    "too large": ({"ngrams": NGRAMS + V**2}, "the n-gram "),
    "too few": ({"ngrams": NGRAMS[1:]}, f"{len(NGRAMS) - 1} n-grams with {len(NGRAMS)} counts"),
    "too few counts": ({"counts": COUNTS[1:]}, f"{len(NGRAMS)} n-grams with {len(NGRAMS) - 1} counts"),
    "floats": ({"ngrams": NGRAMS.astype(np.float64)}, f"ngrams of type float64 and shape ({len(NGRAMS)},) instead of"),
    "float counts": ({"counts": COUNTS + 0.5}, f"counts of type float64 and shape ({len(NGRAMS)},) instead of int64"),
    "unsigned": ({"ngrams": NGRAMS.astype(np.uint64) + 2**63}, "ngrams of type uint64 and"),
    "rank 2": ({"ngrams": NGRAMS[:, None]}, f"ngrams of type int64 and shape ({len(NGRAMS)}, 1) instead of int64"),
    "zero counts": ({"counts": COUNTS * 0}, "counts from 0 to 0 instead of 1 to 9007199254740992"),
    "negative counts": ({"counts": -COUNTS}, "counts from -"),
    "huge counts": ({"counts": COUNTS + 2**60}, "counts from 1152921504606846"),
    "another array": ({"other": NGRAMS}, "the arrays ['counts', 'ngrams', 'other'] instead of counts and ngrams"),
}


@pytest.mark.parametrize("case", BAD_NGRAMS)
def test_bad_ngrams(outputs: Path, run: Run, case: str) -> None:
    _, metadata = read("bigram")
    changes, message = BAD_NGRAMS[case]
    start = write("bigram", {"ngrams": NGRAMS, "counts": COUNTS} | changes, metadata)
    for command in loading("bigram"):
        assert error_of(run, command).startswith(f"{start}expected a model of this project, found {message}")
    if case not in ("unsorted", "doubled", "another array"):  # which a page reads all the same
        line = error_of(run, "report --live bigram")
        assert line.startswith(f"{start}expected a model that the page can run, found ")


def test_arrays_that_are_missing(outputs: Path, run: Run) -> None:
    _, metadata = read("bigram")
    start = write("bigram", {"ngrams": NGRAMS}, metadata)
    found = "the arrays ['ngrams'] instead of counts and ngrams\n"
    assert error_of(run, "score bigram abc") == f"{start}expected a model of this project, found {found}"
    assert error_of(run, "report --live bigram").startswith(f"{start}expected a model that the page can run, found ")


def test_scalars_in_place_of_ngrams() -> None:
    with pytest.raises(ValueError, match=r"^ngrams of type int64 and shape \(\) instead of int64 and \(K,\)$"):
        Ngram.from_arrays(params(2, 0).model_dump(), {"ngrams": NGRAMS[0], "counts": COUNTS[0]}, V)


def params(order: int, position: int, smoothing: str = "none", strength: Any = None) -> NgramParams:
    values = {"order": order, "smoothing": smoothing, "strength": strength, "position": position}
    return NgramParams.model_validate(values)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("position", [0, 1, 2, 3, 5])
def test_the_ngrams_that_names_can_contain(order: int, position: int) -> None:
    """All of them occur in the names of two letters of at most 7 characters, and no others."""
    size = 3
    names = [[int(digit) + 1 for digit in f"{i:0{length}b}"] for length in range(1, 8) for i in range(2**length)]
    tokens = np.array([token for name in names for token in [*name, 0]], dtype=np.int32)
    seen = set(ngram_keys(params(order, position), tokens, size).tolist())
    keys = np.arange(-20, span(params(order, position), order, size) + 20)
    fits = set(keys[possible(params(order, position), keys, size)].tolist())
    assert fits - seen <= {0}  # the end of an empty name
    assert seen <= fits


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_is_accepted_has_probabilities_that_sum_to_1(data: st.DataObject) -> None:
    """Also where no list of names has these n-grams and counts."""
    size, order, position = (data.draw(st.integers(low, high)) for low, high in ((2, 4), (1, 4), (0, 3)))
    smoothing = data.draw(st.sampled_from(["none", "kneser_ney", *MAX_STRENGTH]))
    strength = data.draw(st.floats(0, min(MAX_STRENGTH[smoothing], 1e300))) if smoothing in MAX_STRENGTH else None
    chosen = params(order, position, smoothing, strength)
    keys = np.arange(span(chosen, order, size))
    keys = keys[possible(chosen, keys, size)]
    ngrams = np.array(sorted(data.draw(st.sets(st.sampled_from(keys.tolist()), min_size=1))))
    counts = np.array(data.draw(st.lists(st.integers(1, 2**53), min_size=len(ngrams), max_size=len(ngrams))))
    model = Ngram.from_arrays(chosen.model_dump(), {"ngrams": ngrams, "counts": counts}, size)
    contexts = np.indices((size,) * model.context, dtype=np.int32).reshape(model.context, size**model.context).T
    probs = model.probs(contexts)
    assert (probs >= 0).all()
    assert probs.sum(axis=1) == pytest.approx(np.ones(len(contexts)), abs=1e-9)


def test_counts_beyond_32_bits_are_scored_but_not_embedded(outputs: Path, run: Run) -> None:
    arrays, metadata = read("bigram")
    write("bigram", arrays | {"counts": np.full_like(arrays["counts"], 2**53)}, metadata)
    for command in loading("bigram"):
        assert run(*command.split()).exit_code == 0
    assert error_of(run, "report --live bigram") == (
        "models/bigram.safetensors: expected a model that the page can run, found integers from 0 to 9007199254740992 "
        "instead of 0 to 4294967295\n"
    )


def test_the_largest_count_of_a_page(tmp_path: Path) -> None:
    model = fit(params(2, 0), TOKENS, V)
    model.counts[0] = 2**32 - 1
    save_model(tmp_path / "m", model, VOCAB)
    assert page.embed("m", tmp_path / "m", VOCAB)["arrays"]["large"]["type"] == "u4"


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


def test_an_embedding_that_is_missing_or_of_another_vocabulary(outputs: Path, run: Run) -> None:
    arrays, metadata = read("mlp")
    bad = np.full_like(arrays["C"], np.nan)
    for C in {"C": bad}, {"C": arrays["C"][:2]}, {"C": arrays["C"][0]}, {"c": arrays["C"]}:
        write("mlp", {name: array for name, array in arrays.items() if name != "C"} | C, metadata)
        for command in "figures", "report --live bigram":
            assert error_of(run, command).startswith("models/mlp.safetensors: expected finite numbers C, (6, C)")


METRICS = [
    ("training/find_lr.json", ["[]", "{}", '{"lowest": "a", "highest": 1, "best": 1}'], ["figures", "report"]),
    ("training/initialization.json", ["[]", "{}", '{"scaled": 1}'], ["figures", "report"]),
    ("losses/mlp.json", ["[]", "{}", "3", '{"dev": [1]}'], ["figures", "report", "results"]),
    ("losses/mlp.json", ['{"train": {"nll": 1}, "dev": {"nll": "low"}}', "[" * 9999], ["figures", "report", "results"]),
    ("losses/mlp.json", ['{"train": {"nll": 1}, "dev": {"nll": true}}', '{"dev": {"nll": 1e400}}'], ["results"]),
    ("losses/mlp.json", ['{"a": 1' + "0" * 400 + "}", '{"a": {"b": {"c": 1}}}', '{"a": -Infinity}'], ["results"]),
    ("curves/mlp.csv", ["", "step,loss\n", "step,loss\n1\n", "step,loss\n1,2,3\n"], ["figures", "report"]),
    ("curves/mlp.csv", ["step,loss\n1,x\n", "step,loss\nnan,1\n", "step,loss\ninf,1\n"], ["figures", "report"]),
    ("curves/mlp.csv", ["step,x\n1,2\n", "a,loss\n1,2\n"], ["figures", "report"]),
    ("curves/find_lr.csv", ["", "step,loss\n1,2\n", "lr,loss\n1\n"], ["figures", "report"]),
    ("curves/initialization.csv", ["", "from,to\n0,1\n", "a,b\n1,2\n"], ["figures", "report"]),
    ("curves/trigram_tuned_strength.csv", ["", "order,strength,train\n0,1,2\n"], ["figures"]),
    ("curves/trigram_tuned_strength.csv", ["order,strength,train,dev\n1,1,2,3\n"], ["figures"]),
    ("samples/mlp.json", ["[]", "{}", '{"samples": 0, "new": 0}', '{"samples": "9", "new": 1}'], ["report"]),
    ("samples/mlp.json", ["{}", '{"samples": 1, "new": 2}', '{"samples": -2, "new": -3}'], ["results --page page.md"]),
    ("test.json", ["[]", "3", '{"mlp": {"nll": "low"}}', '{"mlp": [2]}'], ["report", "results"]),
]


@pytest.mark.parametrize(("file", "contents", "commands"), METRICS, ids=[str(i) for i in range(len(METRICS))])
def test_metrics_of_another_form(
    outputs: Path, run: Run, file: str, contents: list[str], commands: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(FIGURES, "bigram_counts")  # it takes long, and none of these files
    Path("seconds.csv").write_text("model,seconds\nmlp,1\n")
    for content in contents:
        (outputs / "metrics" / file).write_text(content)
        for command in commands:
            options = {"report": " --live bigram", "results --page page.md": " --seconds seconds.csv"}
            line = error_of(run, command + options.get(command, ""))
            assert line.startswith(f"metrics/{file}: "), (content, line)


def test_metrics_and_curves_that_are_not_utf_8(outputs: Path, run: Run) -> None:
    Path("metrics/curves/mlp.csv").write_bytes(b"step,loss\n1,\xff\n")
    assert error_of(run, "figures") == "metrics/curves/mlp.csv: expected UTF-8, found the byte 0xff\n"
    Path("metrics/losses/mlp.json").write_bytes(b'{"a": "\xff"}')
    assert error_of(run, "results").startswith("metrics/losses/mlp.json: expected JSON, found something else")


def test_infinite_losses_are_shown(outputs: Path) -> None:
    """An unsmoothed model has them."""
    path = Path("metrics/losses/bigram.json")
    found = json.loads(path.read_text())
    infinite = dict.fromkeys(found["dev"], math.inf)
    path.write_text(json.dumps(found | {"dev": infinite}))
    assert Inputs().results[0].model == "bigram"


def test_the_columns_of_a_curve(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text("a,b\n1,inf\n2,1e-3\n")
    assert {name: column.tolist() for name, column in read_csv(tmp_path / "c.csv").items()} == {
        "a": [1, 2],
        "b": [math.inf, 0.001],
    }


PARAMS = [
    ("split: {1: 2}", "params.yaml: split.1: unknown key; available: train, dev, seed, unit"),
    ('split: !!bool "x"', "params.yaml: invalid YAML:"),
    ('split: {train: !!float "x"}', "params.yaml: invalid YAML:"),
    ("split: {train: 0.5, train: 0.6}", "params.yaml:1: invalid YAML:"),
    ("split: 1\nsplit: 2", "params.yaml:2: invalid YAML:"),
    ("split: &a {train: *a}", "params.yaml: split.train: expected a number"),
    ("split: {[1, 2]: 3}", "params.yaml: split."),
    ("split: {train: 0.5, dev: 0.1, unit: line, seed: " + "9" * 5000 + "}", "params.yaml: "),
    ("split: " + "[" * 5000, "params.yaml"),
    ("split: {train: " + "x" * 5000 + "}", "params.yaml: split.train: expected a number"),
    ("split: {" + "x" * 1000 + ": 1}", "params.yaml: split.'xxxxxxxxxxxx...xxxxxxxxxxxxx': unknown key"),
    ("split: [" + "1, " * 5000 + "]", "params.yaml: split: expected a section of keys and values, got [1, 1, "),
    (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in ("ab", "bc", "cd", "de", "ef", "fg", "gh"))
        + "split: *h\n",
        "params.yaml:3: invalid YAML: more than 16 aliases; write the values out",
    ),
]


@pytest.mark.parametrize(("content", "message"), PARAMS, ids=[str(i) for i in range(len(PARAMS))])
def test_params_from_strangers(outputs: Path, run: Run, content: str, message: str) -> None:
    Path("params.yaml").write_text(content + "\n")
    start = time.process_time()
    assert error_of(run, "split").startswith(message)
    assert run("split", "--help").exit_code == 0
    assert time.process_time() - start < 5


def test_what_the_project_writes_is_read_again(outputs: Path) -> None:
    for name in "bigram", "trigram_tuned", "neural_bigram", "mlp":
        path = Path(f"models/{name}.safetensors")
        before = path.read_bytes()
        save_model(path, *read_model(path))
        assert path.read_bytes() == before
