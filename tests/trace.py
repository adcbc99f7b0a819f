"""Runs a script and writes down which files of the working folder it loaded or read: `trace.py OUT SCRIPT [ARG ...]`.

Imported modules count by their source file, however late or conditionally they are imported; data files by the audit
event of `open`, which no way of opening a file from Python avoids. An empty file (`__init__.py`) has nothing to say.
"""

import atexit
import json
import runpy
import sys
from pathlib import Path
from typing import Any

out, script, *arguments = sys.argv[1:]
root = Path.cwd().resolve()
opened: set[str] = set()


def on_event(event: str, values: tuple[Any, ...]) -> None:
    if event == "open" and isinstance(values[0], str | bytes) and not set(str(values[1] or "r")) & set("wax+"):
        opened.add(values[0] if isinstance(values[0], str) else values[0].decode())


def write() -> None:
    loaded = {file for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}
    paths = {Path(path).resolve() for path in opened | loaded | {script}}
    paths = {path for path in paths if path.is_relative_to(root) and path.is_file() and path.stat().st_size}
    read = sorted(str(path.relative_to(root)) for path in paths - {Path(__file__).resolve()})
    Path(out).write_text(json.dumps([path for path in read if "__pycache__" not in path and ".venv" not in path]))


sys.argv = [script, *arguments]
sys.path[0] = str(Path(script).resolve().parent)
sys.addaudithook(on_event)
atexit.register(write)
runpy.run_path(script, run_name="__main__")
