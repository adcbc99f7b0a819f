"""Any bytes as a names file, any text as params.yaml: a valid result or one clear line, and no file lost.

Some 100 inputs each here; `FUZZ=10000 pytest tests/test_fuzz.py` tries more.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from conftest import lines_of, load_stage, small_params, tiny_names
from makemore.core import names, params
from makemore.lists import cleaning
from makemore.lists.cleaning import CleanParams
from makemore.lists.splits import SplitParams
from makemore.models.mixing.model import MixingParams
from makemore.models.mlp import MLPParams
from makemore.models.ngram.model import NgramParams
from makemore.reporting import page
from makemore.sampling.sampler import SampleParams
from makemore.search.tuning import TunedNgramParams
from makemore.training.params import TrainingParams

often = settings(
    max_examples=int(os.environ.get("FUZZ", "40")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SECTIONS = {
    "clean": CleanParams,
    "split": SplitParams,
    "ngram.bigram": NgramParams,
    "tuned_ngram.sixgram": TunedNgramParams,
    "mixed_ngram": MixingParams,
    "neural_bigram": load_stage("train_neural_bigram").Params,
    "mlp": type("Params", (TrainingParams, MLPParams), {}),
    "find_lr": load_stage("find_lr").Params,
    "initialization": load_stage("initialization").Params,
    "ensemble": load_stage("fit_ensemble").Params,
    "sample": SampleParams,
    "report": page.Params,
}
CLEAR = re.compile(r".+: (invalid YAML: |expected |(no such section|unknown key); available: ).*")  # one line


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


APPS = {stage: load_stage(stage).app for stage in ("clean", "vocab", "split")}


def run(place: Path, stage: str, *options: str) -> str | None:
    """Run a stage; None if it ended well, otherwise its one line. Nothing else may happen."""
    result = CliRunner().invoke(APPS[stage], list(options))
    assert isinstance(result.exception, SystemExit | None), result.exception
    if result.exit_code == 0:
        return None
    assert result.exit_code == 1 and result.stderr.count("\n") == 1 and "Traceback" not in result.stderr
    assert not list(place.rglob("*.tmp"))
    return result.stderr


LINES = st.lists(st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(["emma", "ava", "a.b", "", " "]))
NAMES_FILES = (
    st.binary()
    | LINES.map(lambda lines: "\n".join(lines).encode())
    | LINES.map(lambda lines: "\r\n".join(lines).encode())
)


CLEAN = st.builds(
    CleanParams,
    form=st.sampled_from(["NFC", "NFKC", "none"]),
    case=st.sampled_from(["keep", "lower"]),
    spaces=st.sampled_from(["refuse", "keep"]),
    dots=st.sampled_from(["refuse", "remove", "keep"]),
)
DEFAULT = CleanParams(form="NFC", case="keep", spaces="refuse", dots="refuse")


@often
@given(NAMES_FILES, CLEAN)
@example("\n".join(tiny_names()).encode(), DEFAULT)
@example(b"\xef\xbb\xbf" + "é\n".encode() * 20, DEFAULT)
@example("ǰ H\u0331.\u0301\n".encode() * 20, CleanParams(form="NFC", case="lower", spaces="keep", dots="keep"))
def test_any_bytes_as_a_names_file(place: Path, content: bytes, wanted: CleanParams) -> None:
    file, clean, folder, vocab = (place / name for name in ("names.txt", "clean.txt", "splits", "vocab.json"))
    (place / "params.yaml").write_text(small_params())
    options = ("--params", str(place / "params.yaml"))
    folder.mkdir(exist_ok=True)
    for name in "train.txt", "dev.txt", "test.txt":
        (folder / name).write_text("before")
    vocab.write_text("before")
    clean.write_text("before")
    file.write_bytes(content)

    how = [f"--{key}={value}" for key, value in wanted.model_dump().items()]
    no_clean = run(place, "clean", "--names-file", str(file), "--output", str(clean), *how, *options)
    if no_clean:
        assert no_clean.startswith(str(file)) and ": expected " in no_clean and ", found " in no_clean
        assert file.read_bytes() == content and clean.read_text() == "before"
        return
    assert run(place, "vocab", "--names-file", str(clean), "--vocab", str(vocab)) is None
    no_split = run(place, "split", "--names-file", str(clean), "--folder", str(folder), *options)
    splits = [(folder / name).read_bytes() for name in ("train.txt", "dev.txt", "test.txt")]
    assert file.read_bytes() == content
    if no_split:
        assert no_split.startswith(f"{clean}: too few names") and splits == [b"before"] * 3
    else:
        made = sorted(line for part in splits for line in names.to_string(names.parse(part, "part")).split("\n")[:-1])
        assert made == sorted(names.to_string(cleaning.clean(content, "file", wanted)).split("\n")[:-1])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([0, 1, 0.5, "line", "adamw"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@st.composite
def changed_params(draw: st.DrawFn) -> str:
    """The project's params with some values replaced or keys added."""
    content = yaml.safe_load(small_params())
    for _ in range(draw(st.integers(1, 3))):
        section = content
        while True:
            key = draw(st.sampled_from([*section, "new"]) if section else st.just("new"))
            if isinstance(section.get(key), dict) and draw(st.booleans()):
                section = section[key]
            else:
                section[key] = draw(VALUES)
                break
    return str(yaml.safe_dump(content, allow_unicode=True))


PARAMS_FILES = (
    st.text(st.characters(codec="utf-8")).map(str.encode)
    | st.binary()
    | VALUES.map(lambda value: yaml.safe_dump(value).encode())
    | changed_params().map(str.encode)
)


@often
@given(PARAMS_FILES)
@example(small_params().encode())
@example(b"split: &a {train: *a}")
@example(b"a: " + b"[" * 5000)
@example(b"a: " + b"9" * 5000)
@example(b"split: !!timestamp 2020-99-99")
@example(b"? {a: b}\n: c")
def test_any_text_as_params(place: Path, content: bytes) -> None:
    file = place / "params.yaml"
    file.write_bytes(content)
    for name, schema in SECTIONS.items():
        try:
            section: Any = params.check(schema, params.read_section(file, name), lambda key, name=name: f"{name}.{key}")
        except ValueError as error:
            assert CLEAR.fullmatch(str(error)), str(error)
        else:
            assert section.model_dump(mode="json").keys() == schema.model_fields.keys()
    (place / "list.txt").write_text("".join(f"{name}\n" for name in tiny_names()))
    options = "--names-file", str(place / "list.txt"), "--folder", str(place / "out"), "--params", str(file)
    line = run(place, "split", *options)
    assert line is None or str(place) in line
    assert file.read_bytes() == content


def test_valid_params_and_names_are_accepted(place: Path) -> None:
    file = place / "params.yaml"
    file.write_text(small_params())
    for name, schema in SECTIONS.items():
        params.check(schema, params.read_section(file, name), lambda key: key)
    assert lines_of(names.parse("\n".join(tiny_names()).encode(), "f")) == tiny_names()
