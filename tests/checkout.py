"""A copy of the project with a tiny list and little work, run by DVC: what the tests of the pipeline share."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

from makemore.core.arithmetic import SETTINGS, THREADS

ROOT = Path(__file__).resolve().parents[1]


def environment(home: Path) -> dict[str, str]:
    """Nothing of the user's: no git or DVC configuration, no shared DVC cache; this Python's environment first."""
    identity = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "MPLCONFIGDIR": matplotlib.get_cachedir(),  # its list of fonts takes seconds to make
        "GIT_CONFIG_NOSYSTEM": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(home / "dvc"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "dvc"),
        **identity,
    }


@dataclass
class Project:
    """A checkout in a temporary folder."""

    path: Path

    def run(self, *command: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=self.path,
            env=environment(self.path.parent) | variables,
            capture_output=True,
            text=True,
        )
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def trace(self, command: str) -> set[str]:
        """Run a stage's command; the files of the checkout that it loaded or read."""
        out = self.path.parent / "trace.json"
        self.run(*shlex.split(command.replace("python", f"python tests/trace.py {out}", 1)))
        return set(json.loads(out.read_text()))

    def repro(self, *arguments: str, **variables: str) -> list[str]:
        """Run `dvc repro`; the stages that ran."""
        return ran(self.run("dvc", "repro", *arguments, **variables).stdout)

    def traced_repro(self) -> dict[str, set[str]]:
        """Run `dvc repro`; for each stage that ran, the files of the checkout that it loaded or read."""
        with self.forking() as variables:
            self.repro(**variables)
        return read_traces(self.path.parent / "traces")

    @contextmanager
    def forking(self, **variables: str) -> Iterator[dict[str, str]]:
        """Variables with which `python` runs a script in a fork of a process that has the libraries loaded.

        Args:
            variables: further ones, of that process too.
        """
        folder = self.path.parent / "traces"
        folder.mkdir(exist_ok=True)
        python = folder / "python"  # stands before the real one in PATH
        script = ROOT / "tests" / "trace.py"
        python.write_text(f'#!/bin/sh\nexec {sys.executable} -IS {script} "{folder}/$DVC_STAGE.$$.json" "$@"\n')
        python.chmod(0o755)
        arithmetic = {key: os.environ[key] for key in SETTINGS | THREADS}  # before the server loads numpy and torch
        with tempfile.TemporaryDirectory() as short:  # the address of a socket has at most 100 characters
            address = f"{short}/trace"
            command = [sys.executable, script, "--serve", address]
            server = subprocess.Popen(command, cwd="/", env=environment(self.path.parent) | arithmetic | variables)
            try:
                while not Path(address).exists():
                    assert server.poll() is None
                    time.sleep(0.05)
                path = f"{folder}{os.pathsep}{environment(self.path)['PATH']}"
                yield variables | {"TRACE": address, "PATH": path}
            finally:
                server.kill()
                server.wait()

    def status(self) -> str:
        return self.run("git", "status", "--porcelain").stdout

    def commit(self, message: str = "change") -> None:
        self.run("git", "add", "--all")
        self.run("git", "commit", "--quiet", "--allow-empty", "--message", message)

    def copy(self, path: Path) -> "Project":
        """With DVC's cache and all outputs."""
        shutil.copytree(self.path, path, symlinks=True)
        return Project(path)

    def clone(self, path: Path) -> "Project":
        """What somebody else gets: what is in git."""
        self.run("git", "clone", "--quiet", ".", str(path))
        return Project(path)

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.path / file).read_text()
        assert old in text
        (self.path / file).write_text(text.replace(old, new, 1))


def read_traces(folder: Path) -> dict[str, set[str]]:
    """The files that the commands of each stage read."""
    found: dict[str, set[str]] = {}
    for path in folder.glob("*.json"):
        found.setdefault(path.name.split(".")[0], set()).update(json.loads(path.read_text()))
    return found


def ran(output: str) -> list[str]:
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def new_project(path: Path, names: list[str], params: str) -> Project:
    """The working tree as it is now, committed or not, with other names and params; nothing has been run in it."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).exists() and not name.startswith(("metrics/", "dvc.lock")):
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name)
    (path / "data/names.txt").write_text("".join(f"{name}\n" for name in names))
    (path / "params.yaml").write_text(params)
    project = Project(path)
    project.run("git", "init", "--quiet", "--initial-branch", "main")
    project.commit("a tiny list")
    return project


def stages(path: Path = ROOT) -> dict[str, Any]:
    """All stages and cells of a checkout's dvc.yaml, as DVC resolves them: name -> commands, deps, params, outs."""
    from dvc.repo import Repo

    with Repo(str(path)) as repo:
        return {
            stage.name: {
                "commands": [
                    command.replace('"${DVC_STAGE#*@}"', stage.name.partition("@")[2])
                    for command in ([stage.cmd] if isinstance(stage.cmd, str) else stage.cmd)
                ],
                "deps": {dep.def_path for dep in stage.deps if not getattr(dep, "params", None)},
                "params": {key for dep in stage.deps for key in getattr(dep, "params", None) or ()},
                "outs": {out.def_path for out in stage.outs},
            }
            for stage in repo.index.stages
        }
