"""`dvc repro` with stages that do not depend on each other side by side.

DVC runs one stage after the other (iterative/dvc#10784). Here each thread has a DVC of its own, which checks, runs and
records one stage as `dvc repro --single-item --wait-for-lock` does. DVC gives up its lock while the command of a stage
runs. Only then does another thread go on, so dvc.lock is written by one at a time, and a killed run leaves what a
killed `dvc repro` leaves.
"""

import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.reproduce import _reproduce_stage, collect_stages, plan_repro

from makemore.core.files import write_bytes
from makemore.tools.lockfile import HEADER, entries

LOCK = Path("dvc.lock")


class Turn:
    """DVC's lock, preceded by one that the threads of this process share."""

    shared = threading.Lock()

    def __init__(self, lock: Any):
        self.own = lock

    def lock(self) -> None:
        self.shared.acquire()
        try:
            self.own.lock()
        except BaseException:
            self.shared.release()
            raise

    def unlock(self) -> None:
        self.own.unlock()
        self.shared.release()

    @property
    def is_locked(self) -> bool:
        return bool(self.own.is_locked)

    def __enter__(self) -> None:
        self.lock()

    def __exit__(self, *error: object) -> None:
        self.unlock()


def open_repo() -> Any:
    repo = Repo(_wait_for_lock=True)
    repo.lock = Turn(repo.lock)
    return repo


def reproduce(jobs: int) -> None:
    """Run the stages that are out of date, at most `jobs` at a time. Those with most dependents come first.

    Raises:
        ValueError: a stage failed. Stages that were running have ended, and are recorded; no others were started.
    """
    first = open_repo()
    with first.lock:
        graph = first.index.graph
        order = plan_repro(graph, collect_stages(first, ["dvc.yaml"]))
    needed = {stage.addressing: {other.addressing for other in graph.successors(stage)} for stage in order}
    plan = list(needed)
    above = [upstream(name, needed) for name in plan]
    dependents = {name: sum(name in found for found in above) for name in plan}
    before = list(entries(LOCK.read_text(encoding="utf-8"))) if LOCK.exists() else []
    idle = [first]

    def run(name: str, repo: Any) -> None:
        repo = repo or open_repo()
        with repo.lock:
            (stage,) = repo.stage.collect(name)
            _reproduce_stage(stage)
        idle.append(repo)

    waiting, running = set(plan), dict[Future[None], str]()
    done: set[str] = set()
    failed: list[str] = []
    with ThreadPoolExecutor(jobs) as threads:
        while running or (waiting and not failed):
            ready = [name for name in waiting if not failed and needed[name] <= done]
            for name in sorted(ready, key=lambda name: (-dependents[name], plan.index(name)))[: jobs - len(running)]:
                running[threads.submit(run, name, idle.pop() if idle else None)] = name
                waiting.remove(name)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                name = running.pop(future)
                try:
                    future.result()
                    done.add(name)
                except DvcException as error:
                    failed.append(f"{name}: {error}")
    with first.lock:
        sort_entries([*before, *plan])
    if failed:
        raise ValueError("; ".join(failed))


def upstream(name: str, needed: dict[str, set[str]]) -> set[str]:
    """All stages that a stage depends on, directly or not."""
    return needed[name].union(*(upstream(other, needed) for other in needed[name]))


def sort_entries(order: Iterable[str]) -> None:
    """Give dvc.lock the order that `dvc repro` gives it: old entries first, new ones in the order of the plan."""
    text = LOCK.read_text(encoding="utf-8") if LOCK.exists() else HEADER
    found = entries(text)
    ordered = HEADER + "".join(found[name] for name in dict.fromkeys(order) if name in found)
    if ordered != text and len(ordered) == len(text):
        write_bytes(LOCK, ordered.encode())
