"""Repair the files that DVC leaves half written when it is killed. It is not a pipeline stage; `make repro` runs it.

DVC writes `.dvc/tmp/rwlock` and dvc.lock in place. It does not start if the first is empty (iterative/dvc#7615) or the
second is cut off within a line. If dvc.lock is cut off between two lines, DVC has forgotten the stages that follow.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from _stage import command

import typer

from makemore.core.files import write_bytes
from makemore.tools import lockfile

LOCK = Path("dvc.lock")
RWLOCK = Path(".dvc/tmp/rwlock")


def main() -> None:
    """Repair dvc.lock and .dvc/tmp/rwlock if DVC was killed while it wrote them."""
    current, last = read(LOCK), (lockfile.committed(LOCK) or b"").decode(errors="replace")
    if rwlock_is_whole() and ((current == last and last.endswith("\n")) or current == lockfile.repair(current, last)):
        return
    from dvc.exceptions import DvcException  # slow to import, and seldom needed
    from dvc.repo import Repo

    try:
        with Repo() as repo, repo.lock:  # so that no DVC is writing these files
            typer.echo("".join(f"{line}\n" for line in repairs(last)), nl=False)
    except DvcException as error:
        raise ValueError(str(error)) from None


def repairs(last: str) -> Iterator[str]:
    """Repair what is damaged, and say what was done."""
    if not rwlock_is_whole():
        RWLOCK.unlink()
        yield f"{RWLOCK} was cut off: removed"
    current = read(LOCK)
    repaired = lockfile.repair(current, last)
    if repaired == current:
        return
    if repaired is None:
        LOCK.unlink()
    else:
        write_bytes(LOCK, repaired.encode())
    stages = lockfile.entries(repaired or "").items()
    kept = len(stages & lockfile.entries(current or "").items())
    yield f"{LOCK} was cut off: kept {kept} stages, restored {len(stages) - kept} from git"


def read(path: Path) -> str | None:
    return path.read_bytes().decode(errors="replace") if path.exists() else None


def rwlock_is_whole() -> bool:
    try:
        json.loads(RWLOCK.read_bytes())
    except FileNotFoundError:
        return True
    except ValueError:
        return False
    return True


app = command(main)
if __name__ == "__main__":
    app()
