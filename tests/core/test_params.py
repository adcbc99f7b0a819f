import time
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from makemore.core.params import Section, check, parse_yaml, read_section


class Example(Section):
    hidden: Annotated[int, Field(ge=1)]
    lr: Annotated[float, Field(gt=0)]
    unit: Literal["line", "name"]
    direct: bool
    models: list[str]


GOOD: dict[str, Any] = {"hidden": 200, "lr": 0.1, "unit": "line", "direct": False, "models": ["mlp"]}


def checked(values: dict[Any, Any]) -> Example:
    return check(Example, values, lambda key: f"params.yaml: mlp.{key}")


def test_good_values_pass() -> None:
    assert checked(GOOD).model_dump() == GOOD
    assert checked(GOOD | {"lr": 50}).lr == 50  # an integer is a number


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden": "abc"}, "hidden: expected an integer >= 1, got 'abc'"),
        ({"hidden": 0}, "hidden: expected an integer >= 1, got 0"),
        ({"hidden": "3"}, "hidden: expected an integer >= 1, got '3'"),
        ({"hidden": 3.5}, "hidden: expected an integer >= 1, got 3.5"),
        ({"hidden": True}, "hidden: expected an integer >= 1, got True"),
        ({"hidden": None}, "hidden: expected an integer >= 1, got None"),
        ({"lr": 0}, "lr: expected a number > 0, got 0"),
        ({"lr": float("nan")}, "lr: expected a number > 0, got nan"),
        ({"lr": float("inf")}, "lr: expected a number > 0, got inf"),
        ({"unit": "word"}, "unit: expected line or name, got 'word'"),
        ({"direct": "no"}, "direct: expected true or false, got 'no'"),
        ({"models": "mlp"}, "models: expected a list, each entry a string, got 'mlp'"),
        ({"models": [1]}, "models: expected a list, each entry a string, got [1]"),
        ({1: 2}, "1: unknown key; available: hidden, lr, unit, direct, models"),
        ({"hid\nden": 3}, "'hid\\nden': unknown key; available: hidden, lr, unit, direct, models"),
        ({"hiden": 3}, "hiden: unknown key; available: hidden, lr, unit, direct, models"),
    ],
)
def test_an_error_is_one_line_that_names_the_key(values: dict[Any, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        checked(GOOD | values)
    assert str(error.value) == f"params.yaml: mlp.{message}"


def test_the_error_names_a_missing_key() -> None:
    with pytest.raises(ValueError, match=r"^params.yaml: mlp.lr: expected a number > 0, got nothing$"):
        checked({key: value for key, value in GOOD.items() if key != "lr"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-05", 1e-05),  # `dvc exp run -S lr=0.00001` writes this, and YAML 1.1 reads it as a string
        ("1E3", 1000.0),
        ("-3", -3),
        (".5", 0.5),
        ("no", "no"),
        ("1:30", "1:30"),
        ("yes", "yes"),
        ("010", 10),
        ("0o10", 8),
        ("null", None),
        ("", None),
    ],
)
def test_scalars_are_read_as_yaml_1_2(text: str, value: object) -> None:
    found = parse_yaml(text, "f")
    assert found == value and type(found) is type(value)


def test_a_small_number_written_by_dvc_is_a_float() -> None:
    assert checked(GOOD | {"lr": parse_yaml("lr: 1e-05", "f")["lr"]}).lr == 0.00001


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("mlp: {hidden: 1\n", "params.yaml:2: invalid YAML:"),
        ("mlp:\n  - a\n b", "params.yaml:3: invalid YAML:"),
        ("mlp: !!python/object:os.system x", "params.yaml:1: invalid YAML:"),
        ('mlp: !!bool "x"', "params.yaml: invalid YAML:"),
        ("mlp: !!int x", "params.yaml: invalid YAML:"),
        ("mlp: *nothing", "params.yaml:1: invalid YAML:"),
        ("mlp:\n  lr: 1\n  hidden: 2\n  lr: 3\n", "params.yaml:4: invalid YAML:"),
        ("mlp:\n  lr: 1\nbow:\n  lr: 1\nmlp:\n  lr: 2\n", "params.yaml:5: invalid YAML:"),
        ("mlp: {[1, {2: 3}]: 4}", "params.yaml: invalid YAML:"),
        ("", "params.yaml: mlp: no such section; available: none"),
        ("split: 1", "params.yaml: mlp: no such section; available: split"),
        ("mlp: 3", "params.yaml: mlp: expected a section of keys and values, got 3"),
        ("- mlp", "params.yaml: mlp: no such section; available: none"),
        ("\x00", "params.yaml: invalid YAML:"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(content)
    with pytest.raises(ValueError) as error:
        read_section(Path("params.yaml"), "mlp")
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_sections_can_be_nested(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("ngram:\n  bigram:\n    order: 2\n")
    assert read_section(tmp_path / "params.yaml", "ngram.bigram") == {"order": 2}
    with pytest.raises(ValueError, match=r"params.yaml: ngram.trigram: no such section; available: bigram"):
        read_section(tmp_path / "params.yaml", "ngram.trigram")


def test_a_key_that_is_not_a_string_is_an_unknown_key(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("split: {1: 2}")
    with pytest.raises(ValueError, match=r"^split\.1: unknown key; available: hidden, lr, unit, direct, models$"):
        check(Example, read_section(tmp_path / "params.yaml", "split"), lambda key: f"split.{key}")


def test_the_error_names_a_duplicate_key() -> None:
    with pytest.raises(ValueError, match=r'^params.yaml:3: .*duplicate key "lr"'):
        parse_yaml("mlp:\n  lr: 1\n  lr: 2\n", "params.yaml")


def test_a_few_aliases_are_fine() -> None:
    assert parse_yaml("a: &a {lr: 1}\nb: *a\nc: {<<: *a, hidden: 2}", "f")["c"] == {"lr": 1, "hidden": 2}
    assert parse_yaml("pattern: '" + "*" * 99 + "'", "f") == {"pattern": "*" * 99}


@pytest.mark.parametrize("depth", [3, 30])
def test_nested_aliases_are_refused_quickly(depth: int) -> None:
    """Billion laughs: each level is ten times the one below, so 30 levels would fill any memory."""
    levels = [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, depth)]
    start = time.monotonic()
    with pytest.raises(ValueError, match=r"^f:3: invalid YAML: more than 16 aliases; write the values out$"):
        parse_yaml("\n".join(["a0: &a0 [x]", *levels]), "f")
    assert time.monotonic() - start < 1
