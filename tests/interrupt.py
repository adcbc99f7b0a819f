"""Kills stages and DVC at random moments, then lets `dvc repro` finish: the bytes must be those of an untouched run.

    python tests/interrupt.py --times 200

Each time the outputs of some stages are taken away, from DVC's cache too. Then a stage or `dvc repro` is started and,
after a random delay, killed: by SIGKILL, SIGTERM or SIGINT, alone (its child lives on and writes beside the next run)
or with its children. What follows is one `dvc repro`, started at once.
"""

import hashlib
import os
import random
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import typer

from checkout import Project, environment, new_project, stages
from conftest import small_params, tiny_names

# What DVC writes in place, so that it is left empty when DVC is killed just then, and what DVC says the next time.
# `make repro` mends both; with `dvc repro` a user does it by hand, see docs/exact.md.
HALF_WRITTEN = {".dvc/tmp/rwlock": "Unable to read RWLock-file", "dvc.lock": "'./dvc.lock' validation failed"}
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def contents(project: Project, declared: dict[str, Any]) -> dict[str, bytes]:
    outs = [out for stage in declared.values() for out in stage["outs"]]
    return {out: (project.path / out).read_bytes() for out in [*outs, "dvc.lock"]}


def interrupt(project: Project, declared: dict[str, Any], expected: dict[str, bytes], draw: random.Random) -> str:
    """Once. Returns what was done; raises AssertionError, with that, where the pipeline did not recover."""
    lost = draw.sample(sorted(declared), draw.randint(1, 3))
    cache = project.path / ".dvc" / "cache"
    for out in (out for stage in lost for out in declared[stage]["outs"]):
        (project.path / out).unlink()
        md5 = hashlib.md5(expected[out]).hexdigest()
        (cache / "files" / "md5" / md5[:2] / md5[2:]).unlink(missing_ok=True)
    shutil.rmtree(cache / "runs", ignore_errors=True)

    direct, number, group = draw.random() < 0.4, draw.choice(SIGNALS), draw.random() < 0.5
    command = shlex.split(declared[lost[0]]["commands"][0]) if direct else ["dvc", "repro"]
    delay = draw.uniform(0, 2.5 if direct else 6)
    story = f"{' '.join(command)}, without {', '.join(lost)}: {number.name} after {delay:.2f} s, group {group}"
    victim = subprocess.Popen(
        command,
        cwd=project.path,
        env=environment(project.path.parent),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    time.sleep(delay)
    if victim.poll() is None:
        os.killpg(victim.pid, number) if group else victim.send_signal(number)
    victim.wait()

    done = project.run("dvc", "repro", check=False)
    half_written = next((file for file, words in HALF_WRITTEN.items() if words in done.stderr), None)
    if half_written == "dvc.lock":
        project.run("git", "checkout", "--", half_written)
    elif half_written:
        (project.path / half_written).unlink()
    if half_written:
        done = project.run("dvc", "repro", check=False)
    assert done.returncode == 0, f"{story}\n{done.stdout}\n{done.stderr}"
    for process in orphans(project):  # what the killed DVC left behind may still write: its last word counts too
        process.wait(60)
    found = contents(project, declared)
    wrong = [name for name in expected if found[name] != expected[name]]
    assert not wrong and not project.status(), f"{story}\nwrong: {wrong}\n{project.status()}"
    way = f"{'stage' if direct else 'dvc'} {number.name} {'with children' if group else 'alone'}"
    return f"{way}, {half_written} to be mended" if half_written else way


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
    for done in range(1, times + 1):
        counts[interrupt(project, declared, expected, draw)] += 1
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
