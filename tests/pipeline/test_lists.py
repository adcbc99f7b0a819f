"""Lists of any kind go through the pipeline without a warning: hand-written, long, with many characters, odd."""

import random
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from checkout import ROOT
from conftest import small_params, tiny_names
from makemore.core import names
from makemore.core.files import read_json
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import span
from makemore.search.tuning import TunedNgramParams
from makemore.tools import project

Run = Callable[..., Result]

LISTS = ROOT / "tests" / "data"
FIRST = ["clean", "vocab", "split"]
COUNTED = ["fit_ngram bigram", "tune_ngram sixgram", "mix_ngram mixed_ngram"]
TRAINED = ["train_neural_bigram", "train_mlp", "train recurrent gru"]
MODELS = ["bigram", "sixgram", "mixed_ngram", "neural_bigram", "mlp", "gru"]
EVALUATED = [f"{stage} {name}" for name in MODELS for stage in ("evaluate", "sample")]


def through(run: Run, commands: list[str]) -> None:
    for command in commands:
        result = run(*command.split())
        assert result.exit_code == 0, (command, result.stderr)


def put(folder: Path, strings: list[str], **cleaning: str) -> None:
    """A list, and how it is cleaned."""
    (folder / "data/names.txt").write_text("".join(f"{string}\n" for string in strings), encoding="utf-8")
    project.edit(folder / "params.yaml", {f"clean.{key}": value for key, value in cleaning.items()})


def test_towns_with_accents_spaces_and_dots(run: Run, folder: Path) -> None:
    towns = (LISTS / "towns.txt").read_text(encoding="utf-8").splitlines()
    put(folder, [unicodedata.normalize("NFD", town) for town in towns], spaces="keep", dots="keep")
    through(run, [*FIRST, *COUNTED, *TRAINED, *EVALUATED, "score mlp --file data/names.txt"])
    assert (folder / "data/clean.txt").read_text(encoding="utf-8").splitlines() == towns
    assert Vocab.read(folder / "data/vocab.json").boundary == "⏎"
    scored = run("score", "bigram", "St.  Po\u0308lten", "--per-character").stdout.splitlines()
    assert scored[1].startswith("St. Pölten,1,S,") and scored[-1].startswith("St. Pölten,11,⏎,")


def test_other_scripts_and_emoji(run: Run, folder: Path) -> None:
    """All stages: figures too, in a font that lacks most of these characters."""
    written = (LISTS / "scripts.txt").read_text(encoding="utf-8").splitlines()
    put(folder, written)
    through(run, [*FIRST, *COUNTED, "tune_ngram trigram_tuned", *TRAINED, "find_lr", "initialization"])
    members = " ".join(f"--models {name}" for name in MODELS)
    through(run, [f"fit_ensemble {members}", *EVALUATED, "evaluate ensemble", "sample ensemble"])
    lines = [f"  {name}: x" for name in [*MODELS, "ensemble"]]
    (folder / "models/index.yaml").write_text("\n".join(["models:", *lines]))
    through(run, ["test", "figures", "results"])
    split = [(folder / f"data/splits/{name}.txt").read_text(encoding="utf-8") for name in ("train", "dev", "test")]
    assert sorted("".join(split).splitlines()) == sorted(written)
    vocab = Vocab.read(folder / "data/vocab.json")
    assert {"\u200d", "\ufe0f", "王", "ё"} <= set(vocab.itos)
    assert len((folder / "metrics/plots/embedding.csv").read_text(encoding="utf-8").splitlines()) == 1 + 40


def test_200_000_lines(run: Run, folder: Path) -> None:
    """The last words of the names of all characters."""
    words = (unicodedata.name(chr(code), "").split()[-2:] for code in range(sys.maxunicode + 1))
    strings = [" ".join(last) for last in words if last]
    put(folder, (strings * 2)[:200_000], spaces="keep", case="lower")
    through(run, [*FIRST, "tune_ngram trigram_tuned", "fit_ngram bigram", "evaluate bigram", "sample bigram"])
    assert names.count(names.read(folder / "data/splits/dev.txt")) == 20_000
    assert read_json(folder / "metrics/losses/bigram.json")["dev"]["nll"] < 3


draw = random.Random(1)
ODD = {
    "one character": ["a"] * 20,
    "names of one character": list("abcdefghijklmnopqrstuvwxyz"),
    "one name": ["anna"] * 30,
    "ten lines": tiny_names(10),
    "long names": ["ab" * draw.randint(1, 100) for _ in range(20)],
    "thousands of characters": ["".join(map(chr, draw.choices(range(0x4E00, 0x5400), k=4))) for _ in range(600)],
    "what formats use": ["$a\\b$", "_^{a}", "[red]", '"q",', "'x'", "#c", "=1+1", "%s", "{0}", "<b>"] * 2,
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_lists(run: Run, folder: Path, kind: str) -> None:
    put(folder, ODD[kind])
    text = names.read(folder / "data/names.txt")
    demanded = project.demands(text, yaml.safe_load((folder / "params.yaml").read_text()))
    project.edit(folder / "params.yaml", {key: value for key, value in demanded.items() if "ngram" in key})
    through(run, [*FIRST, *COUNTED, *TRAINED, "fit_ensemble --models sixgram --models mlp", *EVALUATED])


def test_new(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project for a list of 50 lines, in which the stages then run."""
    monkeypatch.chdir(ROOT)
    made = folder / "somewhere" / "my rivers"
    result = run("new", str(made), "--names", str(LISTS / "rivers.txt"), "--case", "lower")
    assert result.exit_code == 0 and f"cd '{made}' && dvc repro" in result.stdout, result.stderr
    status = subprocess.run(["git", "status", "--porcelain"], cwd=made, capture_output=True, text=True, check=True)
    assert status.stdout == "" and list(made.parent.iterdir()) == [made]
    assert (made / "data/names.txt").read_bytes() == (LISTS / "rivers.txt").read_bytes()
    assert not any((made / name).exists() for name in ("dvc.lock", "metrics", "tests", "docs/results.md"))
    before, after = (yaml.safe_load((path / "params.yaml").read_text()) for path in (ROOT, made))
    assert after["clean"] == before["clean"] | {"case": "lower"}
    assert after["mlp"] == before["mlp"] | {"steps": project.MIN_STEPS}
    assert all(before[section] == after[section] for section in ("split", "ngram", "tuned_ngram", "sample", "find_lr"))
    monkeypatch.chdir(made)
    (made / "params.yaml").write_text(small_params())
    (made / "models/index.yaml").write_text("\n".join(["models:", *(f"  {name}: x" for name in MODELS)]))
    through(run, [*FIRST, *COUNTED, *TRAINED, *EVALUATED, "results"])


@pytest.mark.parametrize(
    ("content", "options", "line"),
    [
        (
            "St. Louis\n",
            [],
            "found '.', the boundary symbol; clean.dots: keep or remove (--dots)",
        ),
        ("St. Louis\n", ["--dots=keep"], "found white space (' '); clean.spaces: keep (--spaces)"),
        ("a\n\nb\n", [], "list.txt:2: expected a name, found a blank line"),
        ("a\nb\n", [], "list.txt: too few names, 2, for three splits"),
    ],
)
def test_new_refuses_a_bad_list(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, content: str, options: list[str], line: str
) -> None:
    monkeypatch.chdir(ROOT)
    (folder / "list.txt").write_text(content)
    result = run("new", str(folder / "made"), "--names", str(folder / "list.txt"), *options)
    assert result.exit_code == 1 and line in result.stderr and result.stderr.count("\n") == 1
    assert not (folder / "made").exists()


def test_new_leaves_nothing_half_made(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(folder.iterdir())
    arguments = str(folder / "made"), "--names", str(LISTS / "rivers.txt")
    result = run("new", *arguments)  # here, where there is no checkout
    assert result.exit_code == 1 and result.stderr.startswith("git ls-files: ") and result.stderr.count("\n") == 1
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("GIT_COMMITTER_NAME", " ")  # with which git cannot commit
    result = run("new", *arguments)
    assert result.exit_code == 1 and result.stderr.startswith("git commit: ") and result.stderr.count("\n") == 1
    assert sorted(folder.iterdir()) == before
    result = run("new", str(folder / "data"), "--names", str(LISTS / "rivers.txt"))
    assert f"{folder / 'data'}: the folder is not empty; choose a new or empty folder" in result.stderr


def test_demands(folder: Path) -> None:
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    assert project.demands(names.read(ROOT / "data/names.txt"), params) == {}
    found = project.demands(names.from_string("abc" * 30 + "\n" + "d\n" * 16_000), params)
    assert (found["sample.max_length"], found["bow.positions"], found["mlp.steps"]) == (180, 91, 1399)
    many = names.from_string("".join(map(chr, range(0x4E00, 0x4E00 + 3000))) + "\n")
    order = project.demands(many, params)["tuned_ngram.sixgram.order"]
    sixgram = TunedNgramParams(**params["tuned_ngram"]["sixgram"])
    assert span(sixgram, order, 3001) < 2**63 <= span(sixgram, order + 1, 3001)
