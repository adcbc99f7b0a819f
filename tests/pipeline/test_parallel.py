"""`make repro JOBS=2`: what `dvc repro` does, several stages at a time."""

import sys

from checkout import Project, ran, stages
from interrupt import contents, lose
from makemore.tools import parallel

COMMAND = "python", "stages/parallel.py", "--jobs", "2"


def test_it_gives_the_same_outputs_and_the_same_lock(project: Project) -> None:
    declared = stages(project.path)
    expected = contents(project, declared)
    lose(project, ["sample@bigram"])
    lock = project.path / "dvc.lock"
    whole = lock.read_text()
    lock.write_text(whole[: whole.index("\n  test:") + 1])  # the last entries are then new, in any order
    with project.forking() as variables:  # for the stages
        found = ran(project.run(sys.executable, *COMMAND[1:], **variables).stdout)
    assert sorted(found) == ["figures", "report", "sample@bigram", "test"] and found[-1] == "report"
    assert contents(project, declared) == expected


def test_a_stage_that_fails_ends_the_run(project: Project) -> None:
    whole = (project.path / "dvc.lock").read_bytes()
    project.edit("params.yaml", "  train: 0.8", "  train: 2")
    done = project.run(*COMMAND, check=False)
    assert done.returncode == 1 and ran(done.stdout) == ["split"]
    assert done.stderr.splitlines()[-1].startswith("split: failed to run: python stages/split.py")
    assert "Traceback" not in done.stderr and (project.path / "dvc.lock").read_bytes() == whole


def test_a_stage_waits_for_all_that_it_depends_on() -> None:
    needed = {"a": set[str](), "b": {"a"}, "c": {"a"}, "d": {"b"}}
    assert parallel.upstream("d", needed) == {"a", "b"} and parallel.upstream("c", needed) == {"a"}
