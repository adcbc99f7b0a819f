import fnmatch
import math
import os
from pathlib import Path

import numpy as np
import pytest

from checkout import ROOT
from makemore.core import files


def test_a_failed_write_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write_bytes(path, b"before")
    with pytest.raises(RuntimeError), files.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise RuntimeError
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_replaces_the_file_instead_of_changing_it(tmp_path: Path) -> None:
    """A hard link to it, which may be in DVC's cache, keeps the old content."""
    path, cached = tmp_path / "file", tmp_path / "cached"
    files.write_bytes(path, b"before")
    cached.hardlink_to(path)
    files.write_bytes(path, b"after")
    assert (path.read_bytes(), cached.read_bytes()) == (b"after", b"before")


def test_two_writers_of_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In two containers that share a folder both may have the process id 1."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    path = tmp_path / "file"
    with files.replacing(path) as first:
        first.write_bytes(b"first")
        with files.replacing(path) as second:
            assert second != first and second.parent == first.parent == tmp_path
            second.write_bytes(b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_planted_link_is_neither_followed_nor_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, planted, victim = tmp_path / "file", tmp_path / ".file.00000000.tmp", tmp_path / "victim"
    monkeypatch.setattr(os, "urandom", bytes)
    for target in victim, tmp_path / "absent":
        victim.write_bytes(b"precious")
        planted.symlink_to(target)
        with pytest.raises(FileExistsError) as error:
            files.write_bytes(path, b"new")
        assert error.value.filename == str(path)
        assert victim.read_bytes() == b"precious" and planted.is_symlink() and not (tmp_path / "absent").exists()
        planted.unlink()


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_a_file_has_the_permissions_that_the_umask_leaves(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        files.write_bytes(tmp_path / "file", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_the_name_of_a_temporary_file_is_ignored_by_git_and_dvc(tmp_path: Path) -> None:
    with files.replacing(tmp_path / "file") as temporary:
        assert fnmatch.fnmatch(temporary.name, ".file.*.tmp")
    for ignored in ".gitignore", ".dvcignore":
        assert ".*.tmp" in (ROOT / ignored).read_text().splitlines()


def test_json_is_rounded_and_can_hold_infinity_but_not_nan(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    files.write_json(path, {"nll": 2.123456789, "names": 3, "dev": {"nll": math.inf}})
    assert files.read_json(path) == {"nll": 2.123457, "names": 3, "dev": {"nll": math.inf}}
    with pytest.raises(ValueError, match=r"metrics.json: dev: nll: expected a number, got NaN"):
        files.write_json(path, {"dev": {"nll": math.nan}})
    assert files.read_json(path)["names"] == 3


def test_csv_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "curve.csv"
    files.write_csv(path, ("step", "loss"), [(1, 2.123456789), (2, 1e-9)])
    assert path.read_text() == "step,loss\n1,2.12346\n2,1e-09\n"
    assert {name: column.tolist() for name, column in files.read_csv(path).items()} == {
        "step": [1, 2],
        "loss": [2.12346, 1e-9],
    }
    path.write_text("step,loss\n1\n")
    with pytest.raises(ValueError, match=r"curve.csv: expected columns of numbers"):
        files.read_csv(path)


def test_csv_quotes_commas_and_quotes(tmp_path: Path) -> None:
    files.write_csv(tmp_path / "f", ("character", "count"), [(",", 1), ('"', 2)])
    assert (tmp_path / "f").read_text() == 'character,count\n",",1\n"""",2\n'


def test_safetensors_files_are_deterministic(tmp_path: Path) -> None:
    arrays = {name: np.arange(3.0) for name in "dacb"}
    metadata = dict.fromkeys("zyxwvut", 1)
    for copy in "12":
        files.write_safetensors(tmp_path / copy, arrays, metadata)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    read, found = files.read_safetensors(tmp_path / "1")
    assert found == metadata and sorted(read) == sorted(arrays)


def test_a_pickle_in_a_model_file_is_not_executed(tmp_path: Path) -> None:
    import pickle

    class Attack:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "attacked"),)

    path = tmp_path / "model.safetensors"
    path.write_bytes(pickle.dumps(Attack()))
    with pytest.raises(ValueError, match=r"model.safetensors: expected a safetensors file"):
        files.read_safetensors(path)
    assert not (tmp_path / "attacked").exists()


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, tmp_path / "model")
    with pytest.raises(ValueError, match="expected a model of this project, found no 'makemore' in its metadata"):
        files.read_safetensors(tmp_path / "model")


@pytest.mark.parametrize("content", ["", "{", "\xff", "[" * 100_000])
def test_the_error_for_bad_json_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "f.json").write_text(content)
    with pytest.raises(ValueError, match=r"f.json: expected JSON") as error:
        files.read_json(tmp_path / "f.json")
    assert "\n" not in str(error.value)


def test_pipes_and_devices_are_written_directly(tmp_path: Path) -> None:
    """Otherwise, as root, `--output /dev/null` would replace the device by a file."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.write_bytes(pipe, b"emma\n")
    assert os.read(reader, 100) == b"emma\n" and pipe.is_fifo()
    os.close(reader)
