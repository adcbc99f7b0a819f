"""Kills stages and DVC, then lets them recover: the bytes must be those of an uninterrupted run.

    python tests/interrupt.py --times 200

Each time the outputs of some stages are deleted, from DVC's cache too. Then a stage, `dvc repro` or
`stages/parallel.py` is started and killed: by SIGKILL, SIGTERM or SIGINT, alone (its child lives on and writes beside
the next run) or with its children. The moment is random, or while DVC writes dvc.lock or `.dvc/tmp/rwlock`. What
follows at once are the steps of `make repro`: `python stages/repair.py`, `dvc repro`.
"""

import os
import random
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from itertools import cycle
from pathlib import Path
from typing import Any

import psutil
import typer
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from ruamel.yaml import YAML, YAMLError
from voluptuous import Invalid

from checkout import Project, environment, new_project, stages
from conftest import small_params, tiny_names

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LOCK, RWLOCK = "dvc.lock", ".dvc/tmp/rwlock"
AIMS = ("", LOCK, RWLOCK)  # kill at a random moment, or while DVC writes this file
LATEST = {LOCK: 0.4, RWLOCK: 0.0002}  # seconds from the beginning of a write to the kill, at most

Contents = dict[str, bytes]


def contents(project: Project, declared: dict[str, Any]) -> Contents:
    outs = [project.path / out for stage in declared.values() for out in stage["outs"]]
    files = [file for out in outs for file in ([out] if out.is_file() else sorted(out.rglob("*")))]
    return {str(file.relative_to(project.path)): file.read_bytes() for file in [*files, project.path / LOCK]}


def lose(project: Project, lost: list[str]) -> None:
    """Delete the outputs of these stages, in the cache too, and the run cache."""
    cache = project.path / ".dvc" / "cache"
    shutil.rmtree(cache / "runs", ignore_errors=True)
    locked = YAML(typ="safe").load(project.path / LOCK)["stages"]
    for out in (out for stage in lost for out in locked[stage]["outs"]):
        (cache / "files" / "md5" / out["md5"][:2] / out["md5"][2:]).unlink(missing_ok=True)
        path = project.path / out["path"]
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def interrupt(project: Project, declared: dict[str, Any], expected: Contents, draw: random.Random, aim: str) -> str:
    """Once. Returns what was done; raises AssertionError, with that, where the pipeline did not recover."""
    lost = draw.sample(sorted(declared), draw.randint(1, 3))
    lose(project, lost)

    direct = not aim and draw.random() < 0.4
    number, group = draw.choice(SIGNALS), draw.random() < 0.5
    repro = ["dvc", "repro"] if draw.random() < 0.5 else ["python", "stages/parallel.py", "--jobs", "2"]
    command = shlex.split(declared[lost[0]]["commands"][0]) if direct else repro
    write = draw.randint(1, len(lost) if aim == LOCK else 60)
    delay = draw.uniform(0, LATEST[aim] if aim else 2.5 if direct else 6)
    story = f"{' '.join(command)}, without {', '.join(lost)}: {number.name} after {delay:.4f} s, group {group}"
    story += f", from write {write} of {aim} on" if aim else ""
    victim = subprocess.Popen(
        command,
        cwd=project.path,
        env=environment(project.path.parent) | {"DVC_STAGE": lost[0]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    if aim:
        wait_for_write(project.path / aim, victim, write)
    time.sleep(delay)
    in_time = victim.poll() is None
    if in_time:
        os.killpg(victim.pid, number) if group else victim.send_signal(number)
    victim.wait()

    way = f"{'stage' if direct else 'dvc'} {number.name} {'with children' if group else 'alone'}"
    way = f"{aim or 'random'}: {way if in_time else 'too late'}; {state(project, len(declared))}"
    repaired = project.run("python", "stages/repair.py").stdout
    done = project.run("dvc", "repro", check=False)
    told = f"{story}\n{way}\n{repaired}{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, told
    for process in orphans(project):  # what the killed DVC left behind may still write: its last word counts too
        process.wait(60)
    found = contents(project, declared)
    wrong = [name for name in {**expected, **found} if found.get(name) != expected.get(name)]
    assert not wrong and not project.status(), f"{told}\nwrong: {wrong}\n{project.status()}"
    return way


def wait_for_write(path: Path, victim: subprocess.Popen[bytes], count: int) -> None:
    """Wait for the beginning of the next write of a file, or of a later one; or for the end of the process."""
    last = path.stat() if path.exists() else None
    while count and victim.poll() is None:
        try:
            now = path.stat()
        except FileNotFoundError:
            continue
        count -= last is None or now.st_size < last.st_size or (not now.st_size and now.st_mtime_ns > last.st_mtime_ns)
        last = now


def state(project: Project, stages: int) -> str:
    """What is left of the files that DVC writes in place."""
    lock, rwlock = project.path / LOCK, project.path / RWLOCK
    found = "rwlock empty, " if rwlock.exists() and not rwlock.stat().st_size else ""
    content = lock.read_bytes() if lock.exists() else b""
    try:
        number = len(COMPILED_LOCKFILE_SCHEMA(YAML(typ="safe").load(content))["stages"])
        return f"{found}lock valid with {'all' if number == stages else 'some'} stages"
    except (YAMLError, Invalid):
        return f"{found}lock {'invalid' if content else 'empty'}"


def orphans(project: Project) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(project.path) and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    return found


def interrupt_often(project: Project, times: int, seed: int, report: bool = False) -> Counter[str]:
    """Interrupt a project in which everything has run and is committed; how often, in which way."""
    declared = stages(project.path)
    expected = contents(project, declared)
    draw = random.Random(seed)
    counts: Counter[str] = Counter()
    for done, aim in zip(range(1, times + 1), cycle(AIMS), strict=False):
        counts[interrupt(project, declared, expected, draw, aim)] += 1
        if report and done % 10 == 0:
            print(f"{done} of {times} recovered", flush=True)
    return counts


def main(times: int = 200, seed: int = 1) -> None:
    """Interrupt the pipeline many times; end with how often it was, in which way."""
    with tempfile.TemporaryDirectory() as folder:
        project = new_project(Path(folder).resolve() / "project", tiny_names(), small_params())
        project.repro()
        project.commit("results")
        for way, count in sorted(interrupt_often(project, times, seed, report=True).items()):
            print(f"{count:4} {way}")


if __name__ == "__main__":
    typer.run(main)
