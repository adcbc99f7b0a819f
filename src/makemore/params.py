"""The typed form of a section of params.yaml: each hyperparameter declared once, with its type, range and meaning.

A `Section` is a class with one annotated field a hyperparameter, in the file that uses it. The values live in
params.yaml alone: no field has a default.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

S = TypeVar("S", bound="Section")

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class Section(BaseModel):
    """One section of params.yaml. No unknown key, no conversion: `"3"` is not 3."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class _Loader(yaml.SafeLoader):
    """PyYAML with the scalars of YAML 1.2, which is what DVC reads and writes: `1e-05` is a number, `no` a text."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", list("-+.")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(str(node.value)))  # 010 is ten, not eight


def parse_yaml(text: str, source: str) -> Any:
    """The value of a YAML text. Raises ValueError, with `source` and the line, where it is not YAML."""
    try:
        return yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ValueError(f"{source}:{mark.line + 1 if mark else 1}: expected YAML, found {error.problem}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"{source}: expected YAML, found something else ({error})".replace("\n", " ")) from None


def read_section(path: Path, name: str) -> dict[str, Any]:
    """The raw values of a section, which `name` gives with dots between its levels: `mlp`, `ngram.bigram`.

    Without a name it is the whole file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not YAML, or has no such section.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected UTF-8, found the byte 0x{error.object[error.start]:02x}") from None
    value = parse_yaml(text, str(path))
    so_far: list[str] = []
    for key in filter(None, name.split(".")):
        if not isinstance(value, dict) or key not in value:
            found = (
                f"only {', '.join(map(_shown, value))}" if isinstance(value, dict) and value else "nothing of the kind"
            )
            raise ValueError(f"{path}: {'.'.join([*so_far, key])}: expected this section, found {found}")
        value = value[key]
        so_far.append(key)
    if not isinstance(value, dict):
        raise ValueError(f"{path}: {name}: expected a section of keys and values, got {value!r}")
    return value


def check(schema: type[S], values: Mapping[str, Any], name_of: Callable[[str], str]) -> S:
    """The typed section.

    Args:
        values: the raw section.
        name_of: what an error calls a key: `params.yaml: mlp.hidden`, or `--hidden`.

    Raises:
        ValueError: one line for the first fault, `<name of the key>: expected ..., got ...`.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")  # a typo before what it lacks
    if not fault["loc"]:  # a rule over several keys: its sentence begins with the key to blame
        key, _, sentence = fault["msg"].removeprefix("Value error, ").partition(": ")
        raise ValueError(f"{name_of(key)}: {sentence}")
    key = str(fault["loc"][0])
    if fault["type"] == "extra_forbidden":
        raise ValueError(
            f"{name_of(_shown(key))}: expected one of {', '.join(schema.model_fields)}, got an unknown key"
        )
    found = "nothing" if fault["type"] == "missing" else repr(values[key])
    raise ValueError(f"{name_of(key)}: expected {describe(schema.model_fields[key])}, got {found}")


def _shown(key: object) -> str:
    """A key as it stands, or escaped where that would not be one clear line."""
    return key if isinstance(key, str) and key.isprintable() else repr(key)


def describe(field: FieldInfo) -> str:
    """What a field takes, in words: `an integer >= 1`."""
    bounds = []
    for bound in field.metadata:
        for kind, sign, name in ((Ge, ">=", "ge"), (Gt, ">", "gt"), (Le, "<=", "le"), (Lt, "<", "lt")):
            if isinstance(bound, kind):
                bounds.append(f"{sign} {getattr(bound, name)}")
    return f"{_words(field.annotation)} {' and '.join(bounds)}".rstrip()


def _words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(map(str, arguments)) if len(arguments) < 3 else f"one of {', '.join(map(str, arguments))}"
    if origin in (Union, UnionType):
        return " or ".join(_words(argument) for argument in arguments)
    if origin is list:
        return f"a list, each entry {_words(arguments[0])}"
    names = {int: "an integer", float: "a number", bool: "true or false", str: "a text", NoneType: "null"}
    return names.get(annotation, str(annotation))
