import os
from pathlib import Path

import pytest

from makemore.tools import project


def test_two_makers_of_one_folder_do_not_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)  # as in two containers that share a folder
    with project._creating(tmp_path / "new") as first, project._creating(tmp_path / "other" / "new") as second:
        pass
    assert first != second
    with pytest.raises(OSError, match="not empty"), project._creating(tmp_path / "made") as first:
        (first / "file").touch()
        with project._creating(tmp_path / "made") as second:
            (second / "file").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "new", "other"]


def test_the_new_folder_has_the_permissions_that_the_umask_leaves(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with project._creating(tmp_path / "new") as made:
            assert made.name.startswith(".new.") and made.name.endswith(".tmp")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o750


def test_a_planted_link_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "urandom", bytes)
    (tmp_path / "elsewhere").mkdir()
    planted = tmp_path / ".new.00000000.tmp"
    planted.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError), project._creating(tmp_path / "new"):
        pass
    assert planted.is_symlink() and not list((tmp_path / "elsewhere").iterdir())
