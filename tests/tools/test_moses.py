import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from checkout import ROOT
from makemore.core import names
from makemore.core.files import read_safetensors
from makemore.lists.splits import SplitParams, split
from makemore.tools import moses

Run = Callable[..., Result]

TRAIN = [f"C{'C' * i}Cl" for i in range(20)]
PARTS = {"train": TRAIN, "test": ["c1ccccc1", "C[N+](=O)[O-]", "N"], "test_scaffolds": ["O"]}


def wheel_of(folder: Path, parts: dict[str, list[str]], header: str = "SMILES,SPLIT") -> Path:
    path = folder / "molsets.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for part, strings in parts.items():
            rows = "".join(f"{string},{part}\n" for string in strings)
            archive.writestr(f"moses/dataset/data/{part}.csv.gz", gzip.compress(f"{header}\n{rows}".encode()))
    return path


def test_the_parts_are_read_in_order(tmp_path: Path) -> None:
    wheel = wheel_of(tmp_path, PARTS)
    assert {part: moses.read(wheel, part) for part in ("train", "test", "test_scaffolds")} == PARTS


def test_what_is_not_the_wheel(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected the wheel of molsets"):
        moses.read(wheel_of(tmp_path, {"test": ["C"]}), "train")
    with pytest.raises(ValueError, match="expected a first column SMILES"):
        moses.read(wheel_of(tmp_path, PARTS, header="NAME"), "train")
    (tmp_path / "text.whl").write_text("text")
    with pytest.raises(ValueError, match=r"text\.whl: expected the wheel"):
        moses.read(tmp_path / "text.whl", "train")


@pytest.mark.parametrize("sizes", [(1, 1, 1), (19, 1, 3), (97, 7, 13)])
def test_the_shares_cut_the_list_where_its_parts_end(sizes: tuple[int, int, int]) -> None:
    shares = {key.removeprefix("split."): share for key, share in moses.shares(*sizes).items()}
    text = names.from_string("".join(f"{i}\n" for i in range(sum(sizes))))
    parts = split(text, SplitParams(**shares, seed=None, unit="line"))
    assert tuple(map(names.count, parts)) == sizes and names.to_string(parts[0]).startswith("0\n")


def test_the_shares_cut_the_list_of_moses() -> None:
    train, dev, test = 1_568_817, 15_846, 176_074
    shares = moses.shares(train, dev, test)
    n = train + dev + test
    assert int(shares["split.train"] * n) == train
    assert int(round(shares["split.train"] + shares["split.dev"], 9) * n) == train + dev


@pytest.mark.slow
def test_a_project_for_molecules(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel, made = wheel_of(tmp_path, PARTS), tmp_path / "made"
    monkeypatch.chdir(ROOT)
    assert "19 train, 1 dev and 3 test" in run("molecules", str(made), "--wheel", str(wheel)).stdout
    assert (made / "data/test_scaffolds.txt").read_text() == "O\n"
    monkeypatch.chdir(made)
    for command in "clean", "vocab", "split", "fit_ngram ngram10", "fit_ngram ngram13":
        assert run(*command.split()).exit_code == 0, command
    for part, strings in ("train", TRAIN[:-1]), ("dev", TRAIN[-1:]), ("test", PARTS["test"]):
        assert (made / f"data/splits/{part}.txt").read_text().splitlines() == strings
    small = "--hidden", "4", "--batch-size", "8", "--steps", "2"
    assert run("train", "recurrent", "charrnn", *small).exit_code == 0
    assert read_safetensors(made / "models/charrnn.safetensors")[1]["config"]["layers"] == 3


def test_without_the_package(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moses.sys, "executable", "false")  # type: ignore[attr-defined]
    result = run("molecules", str(tmp_path / "made"))
    assert result.exit_code == 1 and result.stderr.startswith("pip download molsets==0.3.1: ")
    assert not (tmp_path / "made").exists()
