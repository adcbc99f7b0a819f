"""Typed sections of params.yaml: each hyperparameter is declared once, with its type, range and meaning.

A `Section` is a class with one annotated field per hyperparameter, in the file that uses it. All values are in
params.yaml; only those that few sections need, such as `precision`, have a default.
"""

import reprlib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.tokens import AliasToken

from makemore.core.files import read_text

S = TypeVar("S", bound="Section")

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]

MAX_ALIASES = 16  # per file, which limits the expansion of nested aliases
UNREADABLE = YAMLError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError


class Section(BaseModel):
    """One section of params.yaml. Unknown keys are errors, and values are not converted: `"3"` is not 3."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def parse_yaml(text: str, source: str) -> Any:
    """Parse YAML 1.2 with the library that DVC uses.

    Raises:
        ValueError: invalid YAML, a duplicate key or too many aliases; the message gives `source` and the line.
    """
    try:
        if "*" in text:  # nested aliases expand exponentially ("billion laughs")
            tokens = YAML(typ="safe", pure=True).scan(text)
            aliases = [token for token in tokens if isinstance(token, AliasToken)]
            if len(aliases) > MAX_ALIASES:
                problem = f"more than {MAX_ALIASES} aliases; write the values out"
                raise MarkedYAMLError(problem=problem, problem_mark=aliases[MAX_ALIASES].start_mark)
        return YAML(typ="safe").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        found = " ".join(str(error.problem).split())
        raise ValueError(f"{source}:{mark.line + 1 if mark else 1}: invalid YAML: {found}") from None
    except UNREADABLE as error:
        raise ValueError(f"{source}: invalid YAML: {' '.join(str(error).split())}") from None


def read_section(path: Path, name: str) -> dict[str, Any]:
    """Read the raw values of a section, such as `mlp` or `ngram.bigram`. The name "" is the whole file.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not YAML, or has no such section.
    """
    value = parse_yaml(read_text(path), str(path))
    path_so_far: list[str] = []
    for key in filter(None, name.split(".")):
        path_so_far.append(key)
        if not isinstance(value, dict) or key not in value:
            available = ", ".join(map(_shown, value)) if isinstance(value, dict) and value else "none"
            raise ValueError(f"{path}: {'.'.join(path_so_far)}: no such section; available: {available}")
        value = value[key]
    if not isinstance(value, dict):
        raise ValueError(f"{path}: {name}: expected a section of keys and values, got {reprlib.repr(value)}")
    return value


def check(schema: type[S], values: Mapping[str, Any], name_of: Callable[[str], str]) -> S:
    """Validate a section.

    Args:
        values: the raw values.
        name_of: the name of a key in error messages, such as `params.yaml: mlp.hidden` or `--hidden`.

    Raises:
        ValueError: the first error, in one line: `<name of the key>: expected ..., got ...`.
    """
    unknown = [key for key in values if key not in schema.model_fields]
    if unknown:
        available = ", ".join(schema.model_fields) or "none"
        raise ValueError(f"{name_of(_shown(unknown[0]))}: unknown key; available: {available}")
    try:
        return schema.model_validate(values)
    except ValidationError as invalid:
        error = invalid.errors()[0]
    if not error["loc"]:  # a rule over several keys, whose message starts with one of them
        key, _, sentence = error["msg"].removeprefix("Value error, ").partition(": ")
        raise ValueError(f"{name_of(key)}: {sentence}")
    key = str(error["loc"][0])
    found = "nothing" if error["type"] == "missing" else reprlib.repr(values[key])
    raise ValueError(f"{name_of(key)}: expected {describe(schema.model_fields[key])}, got {found}")


def from_config(schema: type[S], config: object, name: str = "config") -> S:
    """Validate the configuration in a model file; error messages call it `name`.

    Raises:
        ValueError: like `check`.
    """
    if not isinstance(config, dict):
        raise ValueError(f"a bad {name}: expected keys and values, got {reprlib.repr(config)}")
    return check(schema, config, lambda key: f"a bad {name}.{key}")


def _shown(key: object) -> str:
    """A key for an error message, escaped and shortened if it is long or unprintable."""
    return key if isinstance(key, str) and key.isprintable() and len(key) <= 100 else reprlib.repr(key)


def describe(field: FieldInfo) -> str:
    """The values that a field accepts, in words: `an integer >= 1`."""
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
    if origin is dict:
        return "keys and values"
    if origin is list:
        return f"a list, each entry {_words(arguments[0])}"
    names = {int: "an integer", float: "a number", bool: "true or false", str: "a string", NoneType: "null"}
    return names.get(annotation, str(annotation))
