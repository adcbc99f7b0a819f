"""Check params.yaml before anything runs. It is not a pipeline stage; `make repro` runs it.

To DVC, 0 equals false and 42.0 equals 42, so it calls a stage up to date that would refuse such a value. A wrong value
that DVC does notice is found when its stage runs, which may be after a long training.
"""

import functools
import runpy
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import _stage
from _stage import PARAMS, command

import typer
from click import ClickException

from makemore.core.params import read_section
from makemore.tools.dvc_yaml import definitions

STAGES = Path(__file__).parent


def main() -> None:
    """Check the sections of params.yaml that have changed since their stages ran. Prints one line per error."""
    changed = {key for key, _ in {*leaves(read_section(PARAMS, ""))} ^ {*leaves(recorded(Path("dvc.lock")))}}
    if not changed:
        return
    commands: dict[str, str] = {}  # one per section
    for name, stage in definitions().items():
        for section in stage.get("params", []):
            ours = str(stage["cmd"]).startswith("python stages/")
            if ours and any(f"{key}.".startswith(f"{section}.") for key in changed):
                commands[section] = stage["cmd"].replace('"${DVC_STAGE#*@}"', name.partition("@")[2])
    refused = [line for line in commands.values() if not accepts(*shlex.split(line)[1:])]
    if refused:
        raise typer.Exit(1)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The keys, with dots between levels, and the values, in which 0, 0.0 and false differ."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}".removeprefix("."))
    else:
        yield path, repr(value)


def recorded(lock: Path) -> dict[str, Any]:
    """The sections with which the stages last ran."""
    if not lock.exists():
        return {}
    try:
        stages = read_section(lock, "stages").values()
        sections = [stage["params"][str(PARAMS)].items() for stage in stages if "params" in stage]
    except (AttributeError, KeyError, TypeError):
        raise ValueError(f"{lock}: incomplete; repair it with `python stages/repair.py`") from None
    return {name: section for items in sections for name, section in items}


def accepts(script: str, *arguments: str) -> bool:
    """Whether a stage accepts its section of params.yaml. If not, the stage prints why."""

    def without_work(main: Callable[..., None], **sections: str) -> typer.Typer:
        return command(functools.wraps(main)(lambda **arguments: None), **sections)

    _stage.command = without_work
    try:
        app = runpy.run_path(str(STAGES / Path(script).name))["app"]
        return not app(arguments, standalone_mode=False)
    except ClickException as error:
        typer.echo(error.format_message(), err=True)
        return False
    finally:
        _stage.command = command


app = command(main)
if __name__ == "__main__":
    app()
