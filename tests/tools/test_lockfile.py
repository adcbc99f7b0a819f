"""dvc.lock, cut off anywhere."""

import pytest

from makemore.tools import lockfile

CLEAN = """  clean:
    cmd: python clean.py
    deps:
    - path: raw.txt
      hash: md5
      md5: e414ffb22c3e7a642fe37eebd4d605c2
      size: 31
    - path: src
      hash: md5
      md5: 1b99ac90b35232aff1ba7b95028344fa.dir
      size: 32799
      nfiles: 8
    params:
      params.yaml:
        clean:
          pattern: 'a*'
    outs:
    - path: clean.txt
      hash: md5
      md5: 2d695b54bf259e0d0f23db51ec565a41
      size: 912
"""
SPLIT = """  split@a:
    cmd: python split.py
    deps:
    - path: clean.txt
      hash: md5
      md5: 2d695b54bf259e0d0f23db51ec565a41
      size: 912
    outs:
    - path: dev.txt
      hash: md5
      md5: 88a98ca736ed26172e7b8fb00db44729
      size: 673
    - path: train
      hash: md5
      md5: 0b99ac90b35232aff1ba7b95028344fb.dir
      size: 900
      nfiles: 2
"""
WHOLE = lockfile.HEADER + CLEAN + SPLIT


@pytest.fixture(autouse=True)
def stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of dvc.yaml."""
    monkeypatch.setattr(lockfile, "definitions", lambda: {"clean": {}, "split@a": {}, "test": {}})


def test_a_whole_file_stays_as_it_is() -> None:
    for last in "", WHOLE, lockfile.HEADER + SPLIT, lockfile.HEADER + SPLIT.replace("673", "674"):
        assert lockfile.repair(WHOLE, last) == WHOLE
    other_order = lockfile.HEADER + SPLIT + CLEAN
    assert lockfile.repair(other_order, WHOLE) == other_order


def test_a_file_that_is_cut_off_anywhere_is_restored_from_gits() -> None:
    assert lockfile.repair(None, WHOLE) == WHOLE
    assert {lockfile.repair(WHOLE[:length], WHOLE) for length in range(len(WHOLE))} == {WHOLE}


def test_without_gits_version_the_complete_entries_are_left() -> None:
    first = lockfile.HEADER + CLEAN
    assert {lockfile.repair(text, "") for text in (None, "", lockfile.HEADER, first[:-1])} == {None}
    assert lockfile.repair(first, "") == first
    # cut between two lists or two files, which only DVC can tell: the outs that it does not find are new to it
    ends = [SPLIT.index(line) + len(line) for line in ("size: 912\n", "size: 673\n")]
    found = {lockfile.repair(WHOLE[:length], "") for length in range(len(first), len(WHOLE))}
    assert found == {first, *(first + SPLIT[:end] for end in ends)}


def test_entries_that_are_newer_than_gits_are_kept() -> None:
    newer = CLEAN.replace("912", "913").replace("a*", "ü*")
    current = lockfile.HEADER + newer + SPLIT[:50]
    assert lockfile.repair(current, WHOLE) == lockfile.HEADER + newer + SPLIT
    new = SPLIT.replace("split@a", "test")
    assert lockfile.repair(current[:-50] + new, WHOLE) == lockfile.HEADER + newer + SPLIT + new


@pytest.mark.parametrize("damage", ["<<<<<<< HEAD\n", "\0\0", "    cmd: twice\n", "\N{REPLACEMENT CHARACTER}: {"])
def test_an_entry_that_is_damaged_comes_from_git(damage: str) -> None:
    assert lockfile.repair(lockfile.HEADER + CLEAN + damage + SPLIT, WHOLE) == WHOLE


def test_stages_that_dvc_yaml_no_longer_has_are_not_restored() -> None:
    last = WHOLE + SPLIT.replace("split@a", "removed")
    assert lockfile.repair(WHOLE, last) == WHOLE
    assert lockfile.repair(lockfile.HEADER + CLEAN, last) == WHOLE
