"""Params are checked before anything runs."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from ruamel.yaml import YAML

from checkout import ROOT

Run = Callable[..., Result]


@pytest.fixture
def pipeline(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`folder` with dvc.yaml, and a dvc.lock that holds only params."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(folder / "site"))
    shutil.copy(ROOT / "dvc.yaml", folder)
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    params = YAML(typ="safe").load(folder / "params.yaml")
    split = {f"{group}.{name}": params[group][name] for group in ("ngram", "tuned_ngram") for name in params[group]}
    sections = {name: section for name, section in params.items() if name not in ("ngram", "tuned_ngram")} | split
    stages = {f"stage{name}": {"params": {"params.yaml": {name: value}}} for name, value in sections.items()}
    YAML().dump({"schema": "2.0", "stages": {"vocab": {}} | stages}, folder / "dvc.lock")
    return folder


def edit(folder: Path, *changes: tuple[str, str]) -> None:
    text = (folder / "params.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "params.yaml").write_text(text)


def test_params_that_have_not_changed_are_not_checked(pipeline: Path, run: Run) -> None:
    (pipeline / "dvc.yaml").unlink()  # so nothing was looked up
    assert run("check").output == ""


def test_all_params_are_checked_if_nothing_has_run(pipeline: Path, run: Run) -> None:
    (pipeline / "dvc.lock").unlink()
    result = run("check")
    assert (result.exit_code, result.output) == (0, "")
    edit(pipeline, ("heads: 2", "heads: 5"))
    result = run("check")
    assert (result.exit_code, result.output) == (
        1,
        "params.yaml: transformer.heads: expected a divisor of embedding, 64, got 5\n",
    )


def test_every_error_has_a_line(pipeline: Path, run: Run) -> None:
    edit(
        pipeline, ("direct: false", "direct: 0"), ("seed: 42 ", "seed: 42.0 "), ("temperature: 1 ", "temperature: 1.0 ")
    )
    edit(pipeline, ("  sixgram:", "  sevengram:"), ("    order: 2 ", "    order: two "))
    result = run("check")
    assert result.exit_code == 1
    assert [line.partition(": expected")[0] for line in result.output.splitlines()] == [
        "params.yaml: split.seed",
        "params.yaml: ngram.bigram.order",
        "params.yaml: tuned_ngram.sixgram: no such section; available: trigram_tuned, sevengram",
        "params.yaml: mlp.direct",
    ]


def test_a_stage_still_works_afterwards(pipeline: Path, run: Run) -> None:
    (pipeline / "dvc.lock").unlink()
    run("check")
    assert run("clean").exit_code == 0 and (pipeline / "data/clean.txt").exists()
