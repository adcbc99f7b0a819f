"""What DVC left half written when it was killed."""

import pytest
import zc.lockfile

from checkout import Project


@pytest.mark.parametrize("share", [0, 0.3, 0.6])
def test_dvc_lock_is_restored_from_git(project: Project, share: float) -> None:
    path = project.path / "dvc.lock"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    repaired = project.run("python", "stages/repair.py").stdout
    assert repaired.startswith("dvc.lock was cut off: kept ") and repaired.count("\n") == 1
    assert path.read_bytes() == whole
    assert project.run("python", "stages/repair.py").stdout == ""


def test_without_gits_dvc_lock_the_run_cache_restores_stages(project: Project) -> None:
    path = project.path / "dvc.lock"
    whole = path.read_bytes()
    project.run("git", "rm", "--quiet", "--cached", "dvc.lock")
    project.run("git", "commit", "--quiet", "--message", "no lock")
    path.write_bytes(whole[: whole.index(b"\n  figures:") - 50])
    assert project.run("python", "stages/repair.py").stdout.endswith("stages, restored 0 from git\n")
    assert project.repro() == []
    assert path.read_bytes() == whole

    path.write_bytes(b"")
    project.run("python", "stages/repair.py")
    assert not path.exists()


def test_an_empty_rwlock_is_removed(project: Project) -> None:
    path = project.path / ".dvc/tmp/rwlock"
    path.write_bytes(b"")
    assert "Unable to read RWLock-file" in project.run("dvc", "repro", check=False).stderr
    assert project.run("python", "stages/repair.py").stdout == ".dvc/tmp/rwlock was cut off: removed\n"
    assert project.repro() == []


def test_nothing_is_repaired_while_dvc_runs(project: Project) -> None:
    """It may be writing the file."""
    path = project.path / "dvc.lock"
    path.write_bytes(b"")
    running = zc.lockfile.LockFile(str(project.path / ".dvc/tmp/lock"))
    refused = project.run("python", "stages/repair.py", check=False)
    running.close()
    assert refused.returncode == 1 and "Unable to acquire lock" in refused.stderr
    assert path.read_bytes() == b""


def test_a_project_that_has_never_run_is_left_alone(project: Project) -> None:
    for name in ".dvc/tmp/rwlock", "dvc.lock":
        (project.path / name).unlink()
    project.run("git", "rm", "--quiet", "--cached", "dvc.lock")
    project.run("git", "commit", "--quiet", "--message", "no lock")
    assert project.run("python", "stages/repair.py").stdout == ""
    assert not (project.path / "dvc.lock").exists()
