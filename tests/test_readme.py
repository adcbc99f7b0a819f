"""The README shows what commands print, and nothing older."""

import shlex
import subprocess
import sys
from pathlib import Path

from checkout import ROOT
from makemore.reporting import tables
from makemore.reporting.inputs import Inputs

README = (ROOT / "README.md").read_text(encoding="utf-8")


def between(begin: str, end: str) -> str:
    return README.split(begin)[1].split(end)[0].strip()


def test_the_table_is_that_of_the_metrics() -> None:
    inputs = Inputs(ROOT / "data", ROOT / "models", ROOT / "metrics", ROOT / "metrics/test.json")
    table = tables.markdown(tables.rows(inputs.results)).strip()
    assert between(tables.BEGIN, tables.END) == table, "run: python stages/results.py --write README.md"


def test_the_picture_is_that_of_dvc_yaml() -> None:
    command = "dvc dag --md --collapse-foreach-matrix"
    dvc = Path(sys.executable).parent / "dvc"
    printed = subprocess.run([dvc, *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert between(f"<!-- dag: {command} -->", "<!-- end of dag -->") == printed.stdout.strip()


def test_every_file_has_its_place_in_the_tree() -> None:
    tree = between("## Where things are", "Metrics, curves")
    assert not [path.name for path in (ROOT / "src/makemore").rglob("[!_]*.py") if path.name not in tree]
    assert not [path.name for path in ROOT.glob("docs/*") if path.name not in tree]
