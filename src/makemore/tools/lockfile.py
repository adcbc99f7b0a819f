"""Repair a dvc.lock that was cut off.

DVC rewrites dvc.lock in place whenever a stage has run. If it is killed meanwhile, the file ends anywhere: it is empty,
is not YAML, breaks DVC's schema, or is a valid file that lacks the last stages.
"""

import re
import subprocess
from functools import cache
from pathlib import Path

from makemore.core.params import parse_yaml
from makemore.tools.dvc_yaml import definitions

HEADER = "schema: '2.0'\nstages:\n"


def committed(path: Path) -> bytes | None:
    """The content of a file in git's HEAD, or None. The path is relative to the working folder."""
    try:
        shown = subprocess.run(["git", "show", f"HEAD:./{path.as_posix()}"], capture_output=True, check=False)
    except FileNotFoundError:  # no git
        return None
    return shown.stdout if shown.returncode == 0 else None


def repair(current: str | None, last: str) -> str | None:
    """The content that dvc.lock should have, or None if there should be no file.

    It keeps every complete entry of `current`. Those that are missing or damaged come from `last`, if dvc.yaml still
    has the stage. An entry in neither is dropped: DVC restores that stage from its run cache, or runs it again. DVC
    checks every entry, so it does no harm if those of `last` are out of date.

    Args:
        current: the content of dvc.lock, or None if there is no file.
        last: git's version of it, which may be empty.
    """
    old = entries(last)
    kept = {name: lines for name, lines in entries(current or "").items() if not _begins(old.get(name, ""), lines)}
    missing = old.keys() - kept.keys()
    if missing:
        missing &= definitions().keys()
    # DVC keeps the order of the entries and appends new ones, so the complete file had the order of `last`.
    order = [*(name for name in old if name in kept or name in missing), *kept] if missing else kept
    lines = "".join(kept.get(name) or old[name] for name in dict.fromkeys(order))
    return HEADER + lines if lines else None


def entries(text: str) -> dict[str, str]:
    """The lines of each stage whose entry is complete."""
    blocks = re.split(r"^(?=  \S)", text.rstrip(" "), flags=re.MULTILINE)[1:]
    return {name: lines for lines in blocks if (name := _stage(lines))}


def _begins(entry: str, lines: str) -> bool:
    """Whether the lines are the beginning of the entry, but not all of it."""
    return entry.startswith(lines) and entry != lines


@cache
def _stage(lines: str) -> str | None:
    """The name of the stage, or None if its entry is damaged or cut off."""
    from dvc.schema import COMPILED_LOCKFILE_SCHEMA
    from voluptuous import Invalid

    try:
        stages = COMPILED_LOCKFILE_SCHEMA({"schema": "2.0", "stages": parse_yaml(lines, "dvc.lock")})["stages"]
    except (ValueError, Invalid):
        return None
    ((name, entry),) = stages.items()
    files = entry.get("deps", []) + entry.get("outs", [])
    last = files[-1] if files else {}  # its size, and the number of files in a folder, come last
    cut = "size" not in last or ("nfiles" not in last and last.get("md5", "").endswith(".dir"))
    return None if cut or not lines.endswith("\n") else str(name)
