"""What turns a function into a stage: its command line, its hyperparameters from params.yaml, its one-line errors.

Import this before numpy and torch: it pins their arithmetic. It also makes `makemore` the one of this checkout: in
`dvc exp run --temp` and in queue workers an editable install would point at the workspace (iterative/dvc#10419).
"""

import functools
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
from makemore.core.arithmetic import pin

try:
    pin()
except ValueError as error:
    raise SystemExit(str(error)) from None

from makemore.core.params import Section, check, describe, parse_yaml, read_section
from makemore.core.terminal import set_encoding, visible

set_encoding(sys.stdout)
set_encoding(sys.stderr)


def _out_of_memory(error: BaseException) -> str | None:
    """What to end with if memory ran out, also while a library was loaded; None for other errors."""
    reason = re.search(r".*(memory|failed to map segment from shared object$).*", str(error), re.MULTILINE)
    if not reason and not isinstance(error, MemoryError):
        return None
    return f"out of memory: {reason[0] if reason else error}".removesuffix(": ")


def _on_import_error(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if isinstance(error, MemoryError | ImportError | OSError) and (message := _out_of_memory(error)):
        print(message, file=sys.stderr)
    else:
        _excepthook(kind, error, traceback)


_excepthook = sys.excepthook
sys.excepthook = _on_import_error  # while the stage imports; Typer then sets its own

RawPath = Annotated[Path, typer.Option(help="raw list, one name per line")]
NamesPath = Annotated[Path, typer.Option(help="cleaned list, one name per line")]
VocabPath = Annotated[Path, typer.Option(help="vocabulary to read")]
TrainPath = Annotated[Path, typer.Option(help="train names to read")]
DevPath = Annotated[Path, typer.Option(help="dev names to read")]
DataPath = Annotated[Path, typer.Option(help="folder of the splits, the vocabulary and the samples")]
ModelsPath = Annotated[Path, typer.Option(help="folder of the models")]
MetricsPath = Annotated[Path, typer.Option(help="folder of the metrics")]


def option(meaning: str, default: str) -> Any:
    """An option whose default, which depends on the model's name MODEL, the stage fills in."""
    return typer.Option(help=meaning, show_default=default)


ModelPath = Annotated[Path | None, option("model to read", "models/MODEL.safetensors")]
ModelOut = Annotated[Path | None, option("model to write", "models/MODEL.safetensors")]
CurveOut = Annotated[Path | None, option("learning curve to write", "metrics/curves/MODEL.csv")]
TrainingOut = Annotated[Path | None, option("metrics before training to write", "metrics/training/MODEL.json")]


def _model_name(value: str) -> str:
    if not re.fullmatch(r"[\w-]+", value):  # it becomes part of paths
        raise typer.BadParameter(f"expected letters, digits, - and _, got {value!r}")
    return value


ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="name of the model, as in models/index.yaml", callback=_model_name)
]

PARAMS = Path("params.yaml")


def command(main: Callable[..., None], **sections: str) -> typer.Typer:
    """A Typer app of one command for a stage's `main`.

    A parameter of `main` that is a `Section` becomes one option for each of its fields, and `--params FILE` says where
    their values come from. `sections` gives, for each such parameter, the section of params.yaml; it may hold arguments
    of `main` in braces, as in `params="ngram.{name}"`.

    A ValueError or OSError ends the command with one line and exit code 1; an option's bad value with exit code 2.
    """
    hints = get_type_hints(main, include_extras=True)
    parameters = [
        parameter.replace(annotation=hints[name], kind=parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(main).parameters.items()
        if name not in sections
    ]
    for parameter in parameters:
        get_args(parameter.annotation)[1].readable = False  # the library says what is wrong with a file
    if sections:
        params_option = typer.Option("--params", help="read the hyperparameters from this file")
        parameters.append(_parameter("params_file", Annotated[Path, params_option], PARAMS))
        for name, section in sections.items():
            parameters += _options(hints[name], section)

    @functools.wraps(main)
    def run(**arguments: Any) -> None:
        try:
            file = arguments.pop("params_file", PARAMS)
            for name, section in sections.items():
                given = {key: arguments.pop(key) for key in hints[name].model_fields}
                arguments[name] = _section(hints[name], file, section.format(**arguments), given)
            main(**arguments)
            sys.stdout.flush()  # here, where what goes wrong with it is still caught
        except BrokenPipeError:  # `| head` has seen enough: Typer ends quietly
            raise
        except OSError as error:
            _fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        except ValueError as error:
            _fail(str(error))
        except (MemoryError, RuntimeError, ImportError) as error:
            message = _out_of_memory(error)
            if not message:
                raise
            _fail(message)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(run)
    return app


def _fail(message: str) -> None:
    typer.echo(visible(" ".join(message.split())), err=True)
    raise typer.Exit(1)


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _options(schema: type[Section], section: str) -> list[inspect.Parameter]:
    values = _values(section, schema)
    options = []
    for name, field in schema.model_fields.items():
        shown = ", ".join(f"{cell}{value[name]}" for cell, value in values.items() if name in value)
        source = (
            f"default: {field.default}" if not shown and not field.is_required() else f"params.yaml: {shown or '-'}"
        )
        help_text = f"{field.description} ({describe(field)})" if field.metadata else field.description
        flag = typer.Option(help=f"{help_text}  [{source}]", show_default=False)
        options.append(_parameter(name, Annotated[_option_type(field.annotation) | None, flag], None))
    return options


def _values(section: str, schema: type[Section]) -> dict[str, dict[str, Any]]:
    """The values for `--help`; if the section has a placeholder, those of all cells. Empty if they cannot be read."""
    try:
        above, placeholder, _ = section.partition("{")
        values = read_section(PARAMS, above.rstrip("."))
    except (ValueError, OSError):
        return {}
    if not placeholder:
        return {"": values}
    cells = {f"{name} ": cell for name, cell in values.items() if isinstance(cell, dict)}
    return {name: cell for name, cell in cells.items() if cell.keys() <= schema.model_fields.keys()}


def _option_type(annotation: Any) -> Any:
    """What Typer can parse by itself; anything else is given as YAML."""
    simple = annotation in (int, float, bool, str, str | None) or get_origin(annotation) is Literal
    return annotation if simple or (get_origin(annotation) is list and get_args(annotation) == (str,)) else str


def _section(schema: type[Section], file: Path, name: str, options: dict[str, Any]) -> Section:
    given = {key: value for key, value in options.items() if value is not None}
    for key, value in given.items():
        annotation = schema.model_fields[key].annotation
        if _option_type(annotation) is str and annotation is not str:
            given[key] = parse_yaml(value, f"--{key}")
    flags = {key: f"--{key.replace('_', '-')}" for key in given}
    try:
        return check(schema, read_section(file, name) | given, lambda key: flags.get(key, f"{file}: {name}.{key}"))
    except ValueError as error:
        if str(error).startswith("--"):
            raise typer.BadParameter(str(error)) from None
        raise
