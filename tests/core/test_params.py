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


def checked(values: dict[str, Any]) -> Example:
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
        ({"models": "mlp"}, "models: expected a list, each entry a text, got 'mlp'"),
        ({"models": [1]}, "models: expected a list, each entry a text, got [1]"),
        ({"hiden": 3}, "hiden: expected one of hidden, lr, unit, direct, models, got an unknown key"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        checked(GOOD | values)
    assert str(error.value) == f"params.yaml: mlp.{message}"


def test_a_missing_key_is_named() -> None:
    with pytest.raises(ValueError, match=r"^params.yaml: mlp.lr: expected a number > 0, got nothing$"):
        checked({key: value for key, value in GOOD.items() if key != "lr"})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-05", 1e-05),  # what `dvc exp run -S lr=0.00001` writes, and what YAML 1.1 takes for a text
        ("1E3", 1000.0),
        ("-3", -3),
        (".5", 0.5),
        ("no", "no"),
        ("1:30", "1:30"),
        ("2020-01-01", "2020-01-01"),
        ("010", 10),
        ("null", None),
        ("", None),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    assert parse_yaml(text, "f") == value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("mlp: {hidden: 1", "params.yaml:1: expected YAML, found"),
        ("mlp:\n  - a\n b", "params.yaml:3: expected YAML, found"),
        ("mlp: !!python/object:os.system x", "params.yaml:1: expected YAML, found"),
        ("", "params.yaml: mlp: expected this section, found nothing of the kind"),
        ("split: 1", "params.yaml: mlp: expected this section, found only split"),
        ("mlp: 3", "params.yaml: mlp: expected a section of keys and values, got 3"),
        ("- mlp", "params.yaml: mlp: expected this section, found nothing of the kind"),
        ("\x00", "params.yaml: expected YAML, found"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text(content)
    with pytest.raises(ValueError) as error:
        read_section(Path("params.yaml"), "mlp")
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_a_section_in_a_section(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text("ngram:\n  bigram:\n    order: 2\n")
    assert read_section(tmp_path / "params.yaml", "ngram.bigram") == {"order": 2}
    with pytest.raises(ValueError, match=r"params.yaml: ngram.trigram: expected this section, found only bigram"):
        read_section(tmp_path / "params.yaml", "ngram.trigram")
