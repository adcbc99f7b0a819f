import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from makemore.evaluation import molecules

Run = Callable[..., Result]


class Letters:
    """In place of RDKit: lower-case strings are molecules, whose atoms have no order."""

    @staticmethod
    def MolFromSmiles(smiles: str) -> str | None:  # noqa: N802
        return smiles if smiles.islower() or not smiles else None

    @staticmethod
    def MolToSmiles(molecule: str) -> str:  # noqa: N802
        return "".join(sorted(molecule))


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(molecules, "rdkit", Letters)


def test_the_metrics_of_moses(letters: None) -> None:
    found = molecules.score(["ab", "X", "ba", "", "c", "d", "d"], {"c", "x"}, unique_at=(2, 10))
    assert found["samples"] == 7
    assert found["valid"] == 5 / 7  # the empty string is none
    assert found["unique@2"] == 1 / 2  # of the first two valid ones: `ab` twice
    assert found["unique@10"] == 3 / 5  # of all
    assert found["novel"] == 2 / 3  # ab and d


def test_without_a_valid_string(letters: None) -> None:
    assert molecules.score(["X"], set()) == {"samples": 1, "valid": 0, "unique@1000": 0, "unique@10000": 0, "novel": 0}


def test_the_command(letters: None, run: Run, folder: Path) -> None:
    (folder / "data/splits").mkdir()
    for name, content in ("splits/train", "a"), ("splits/dev", "b"), ("one", "a\nb"), ("two", "c\nX"):
        (folder / f"data/{name}.txt").write_text(f"{content}\n")
    printed = run("score_molecules", "data/one.txt", "data/two.txt", "--metrics", "m.json").stdout
    assert printed == "4 strings: valid 0.7500, unique@1000 1.0000, unique@10000 1.0000, novel 0.3333\n"
    assert json.loads((folder / "m.json").read_text())["valid"] == 0.75


def test_without_rdkit(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdkit", None)
    result = run("score_molecules", "samples.txt")
    assert (result.exit_code, result.stderr) == (1, "RDKit is not installed; run `pip install '.[molecules]'`\n")


def test_with_rdkit() -> None:
    pytest.importorskip("rdkit")
    found = molecules.score(["OCC", "CCO", "c1ccccc", "C1=CC=CC=C1", "CC(C)(C)(C)C"], {"CCO"})
    assert found == {"samples": 5, "valid": 0.6, "unique@1000": 2 / 3, "unique@10000": 2 / 3, "novel": 0.5}
