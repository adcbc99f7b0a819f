"""What DVC adds to the work of the stages, and how long its files are, beside the project's aims.

    python benchmarks/pipeline.py [lines] [experiment] [idle] [commands] [cold] [--rounds 3]

Everything is measured in a temporary clone of the HEAD of the current folder. The clone gets a copy of DVC's cache, so
that only stages whose outputs are missing there have to run first.

`lines`: the lengths of DVC's files. `experiment`: `dvc exp run -S mlp.hidden=300`, beside the commands of the stages
that it runs, one after another without DVC; then an experiment that goes back to the committed value, which DVC should
take from its run cache. Each round tries another value, so that nothing is cached. `idle`: commands that have nothing
to do. `commands`: the stages `figures` and `test` without DVC. `cold`: the whole pipeline with an empty cache, by
`dvc repro` and by `stages/parallel.py`, in pairs. Without a name, all but `cold` run. Runs that are compared
alternate; seconds are elapsed time, and the table shows medians.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated

import typer
from _benchmark import Rounds, command, in_turn, ratio, row, seconds, table
from ruamel.yaml import YAML

HIDDEN = 300  # hidden units of the first experiment; each further one has one more
PARAMS = "params.yaml"
LINES = {"dvc.yaml": 330, "dvc.lock": 2400}  # the aims
EXPERIMENT = 1.4  # times the commands of its stages
REPRO, REPRO_TIMES = 1.5, 2.5  # seconds, times `dvc --help`
STATUS = 1.2  # seconds
JOBS, COLD = 2, 1.6  # stages at a time, times as fast
REMEMBER = "stages/remember.py"  # saves the stages that are up to date in the run cache; `make repro` runs it
IDENTITY = {
    f"GIT_{who}_{what}": f"benchmark{domain}"
    for who in ("AUTHOR", "COMMITTER")
    for what, domain in (("NAME", ""), ("EMAIL", "@localhost"))
}


class Checkout:
    """A folder with the files of the project."""

    def __init__(self, path: Path, env: Mapping[str, str]):
        self.path, self.env = path, os.environ | env

    def run(self, *command: str, check: bool = True, **variables: str) -> str:
        """The output of a command. Raises ValueError with its errors if it fails."""
        env = self.env | variables
        done = subprocess.run(command, cwd=self.path, env=env, capture_output=True, text=True)
        if check and done.returncode:
            raise ValueError(f"{' '.join(command)}: exit code {done.returncode}: {done.stderr}")
        return done.stdout

    def timed(self, *command: str, **variables: str) -> tuple[float, str]:
        """The seconds and the output of a command."""
        outputs: list[str] = []
        taken = seconds(lambda: outputs.append(self.run(*command, **variables)), time.perf_counter)
        return taken, outputs[0]

    def stage(self, name: str, cmd: str) -> float:
        """The seconds of a stage's command, run as DVC runs it."""
        return self.timed("/bin/sh", "-c", cmd, DVC_STAGE=name, DVC_ROOT=str(self.path))[0]

    def lines(self, name: str) -> int:
        return len((self.path / name).read_text(encoding="utf-8").splitlines())

    def hidden(self, value: int | None = None) -> int:
        """The hidden units of the MLP; with a value, set them first."""
        yaml = YAML()
        params = yaml.load(self.path / PARAMS)
        if value is not None:
            params["mlp"]["hidden"] = value
            yaml.dump(params, self.path / PARAMS)
        return int(params["mlp"]["hidden"])


def ran(output: str) -> list[str]:
    """The stages that DVC ran, in their order."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


class Benchmark:
    """The checkouts in a temporary folder, made when they are needed."""

    def __init__(self, source: Path, folder: Path, rounds: int):
        self.folder, self.rounds = folder, rounds
        self.env = {"DVC_SITE_CACHE_DIR": str(folder / "site"), "DVC_NO_ANALYTICS": "1"} | IDENTITY
        self.source = Checkout(source, {})
        self.source.run("git", "clone", "--quiet", str(source), str(folder / "clone"))
        self.clone = Checkout(folder / "clone", self.env)

    @cached_property
    def project(self) -> Checkout:
        """The clone with all outputs, all stages in the run cache, and everything committed."""
        cache = Path(self.source.run("dvc", "cache", "dir").strip())
        if cache.exists():
            shutil.copytree(cache, self.clone.path / ".dvc/cache", copy_function=_link, dirs_exist_ok=True)
        self.clone.run("dvc", "checkout", check=False)  # without what the cache lacks
        made = ran(self.clone.run("dvc", "repro"))
        if (self.clone.path / REMEMBER).exists():
            self.clone.run(sys.executable, REMEMBER)
        self.clone.run(sys.executable, "-m", "compileall", "-q", "src", "stages")  # or the first stages would do it
        if self.clone.run("git", "status", "--porcelain"):
            self.clone.run("git", "commit", "--quiet", "--all", "--message", "outputs")
        typer.echo(f"clone of HEAD: {len(made)} stages had to run first", err=True)
        return self.clone

    @cached_property
    def by_hand(self) -> Checkout:
        """A copy of the project, in which commands run without DVC."""
        leave_out = shutil.ignore_patterns(".git", "cache", "tmp")
        shutil.copytree(self.project.path, self.folder / "hand", ignore=leave_out, symlinks=True)
        return Checkout(self.folder / "hand", self.env)

    @cached_property
    def commands(self) -> dict[str, str]:
        """The command of each stage."""
        from dvc.repo import Repo

        with Repo(str(self.project.path)) as repo:
            cmds = {stage.name: stage.cmd for stage in repo.index.stages}
        return {name: cmd if isinstance(cmd, str) else " && ".join(cmd) for name, cmd in cmds.items()}


def _link(source: str, target: str) -> None:
    """A hard link, where the file system can: DVC replaces the files of its cache and never changes them."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def show(figure: str, value: float, digits: int = 1, aim: str = "", met: bool | None = None) -> None:
    """One row of the table."""
    row(figure, f"{value:,.{digits}f}", aim, "" if met is None else "yes" if met else "no")


def show_limited(figure: str, value: float, limit: float, digits: int = 1) -> None:
    """One row of the table whose aim is a largest value."""
    show(figure, value, digits, f"<= {limit:,}", value <= limit)


def lines(benchmark: Benchmark) -> None:
    """The lengths of DVC's files."""
    for name, limit in LINES.items():
        show_limited(f"`{name}`, lines", benchmark.clone.lines(name), limit, 0)


def experiment(benchmark: Benchmark) -> None:
    """An experiment with and without DVC, and the way back."""
    project, hand, commands = benchmark.project, benchmark.by_hand, benchmark.commands
    committed = project.hidden()
    with_dvc, by_hand, back = [], [], []
    stages: list[str] = []
    rerun = 0
    for place in range(benchmark.rounds):
        hidden = HIDDEN + place

        def run_dvc(hidden: int = hidden) -> None:
            taken, output = project.timed("dvc", "exp", "run", "-S", f"mlp.hidden={hidden}")
            with_dvc.append(taken)
            stages[:] = ran(output)

        def run_by_hand(hidden: int = hidden) -> None:
            hand.hidden(hidden)
            by_hand.append(sum(hand.stage(name, commands[name]) for name in stages))

        both = [run_dvc, run_by_hand]
        for run in both if place % 2 == 0 else reversed(both):
            run()
        taken, output = project.timed("dvc", "exp", "run", "-S", f"mlp.hidden={committed}")
        back.append(taken)
        rerun = max(rerun, len(ran(output)))
    show(f"`dvc exp run -S mlp.hidden={HIDDEN}`, seconds", statistics.median(with_dvc))
    show(f"the commands of its {len(stages)} stages without DVC, seconds", statistics.median(by_hand))
    show_limited("ratio of these two", ratio(with_dvc, by_hand), EXPERIMENT, 2)
    show(f"going back, `dvc exp run -S mlp.hidden={committed}`, seconds", statistics.median(back))
    show("stages that going back runs", rerun, 0, "0", rerun == 0)


def idle(benchmark: Benchmark) -> None:
    """Commands that have nothing to do."""
    project = benchmark.project
    runs = [partial(project.run, "dvc", argument) for argument in ("--help", "repro", "status")]
    help_, nothing, status = in_turn(runs, benchmark.rounds, time.perf_counter)
    repro, times = statistics.median(nothing), ratio(nothing, help_)
    show("`dvc --help`, seconds", statistics.median(help_), 2)
    aim = f"<= {REPRO}, or <= {REPRO_TIMES} times `dvc --help`"
    show("`dvc repro` with nothing to do, seconds", repro, 2, aim, repro <= REPRO or times <= REPRO_TIMES)
    show("ratio of these two", times, 2)
    show_limited("`dvc status`, seconds", statistics.median(status), STATUS, 2)


def commands(benchmark: Benchmark) -> None:
    """The stages that read the outputs of all models, without DVC."""
    for name in "figures", "test":
        cmd = benchmark.commands[name]
        taken = [benchmark.by_hand.stage(name, cmd) for _ in range(benchmark.rounds)]
        show(f"`{cmd}` without DVC, seconds", statistics.median(taken))


def cold(benchmark: Benchmark) -> None:
    """The whole pipeline in fresh clones, one stage at a time and several."""
    runs = {"dvc repro": ["dvc", "repro"], "parallel": [sys.executable, "stages/parallel.py", "--jobs", str(JOBS)]}
    taken: dict[str, list[float]] = {name: [] for name in runs}
    locks = set()
    for place in range(benchmark.rounds):
        for name, run in runs.items() if place % 2 == 0 else reversed(runs.items()):
            with tempfile.TemporaryDirectory(dir=benchmark.folder) as folder:
                benchmark.source.run("git", "clone", "--quiet", str(benchmark.clone.path), f"{folder}/clone")
                clone = Checkout(Path(folder) / "clone", benchmark.env | {"DVC_SITE_CACHE_DIR": f"{folder}/site"})
                for output in "metrics", "dvc.lock":  # what is in git would not run
                    clone.run("git", "rm", "-r", "--quiet", output)
                taken[name].append(clone.timed(*run)[0])
                locks.add((clone.path / "dvc.lock").read_bytes())
    for name, run in runs.items():
        command = " ".join(run).replace(sys.executable, "python")
        show(f"all stages by `{command}`, seconds", statistics.median(taken[name]))
    speed_up = ratio(taken["dvc repro"], taken["parallel"])
    show("ratio of these two", speed_up, 2, f">= {COLD}", speed_up >= COLD)
    show("different dvc.lock", len(locks), 0, "1", len(locks) == 1)


PARTS = {"lines": lines, "experiment": experiment, "idle": idle, "commands": commands, "cold": cold}
Part = StrEnum("Part", list(PARTS))


def main(
    parts: Annotated[
        list[Part] | None, typer.Argument(metavar="PART", help=f"any of {', '.join(PARTS)}; default: all but cold")
    ] = None,
    rounds: Rounds = 3,
) -> None:
    """Measure what DVC adds to the work of the stages, in a temporary clone of HEAD."""
    with tempfile.TemporaryDirectory() as folder:
        benchmark = Benchmark(Path.cwd(), Path(folder).resolve(), rounds)
        table("figure", "measured", "aim", "met")
        for name in parts or [name for name in PARTS if name != "cold"]:
            PARTS[name](benchmark)


app = command(main)
if __name__ == "__main__":
    app()
