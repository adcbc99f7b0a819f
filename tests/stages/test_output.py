"""What commands print: escaped on a terminal, exact and UTF-8 elsewhere; and one line if memory runs out."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from checkout import ROOT, environment
from conftest import additive, network, text_of
from makemore.core import names
from makemore.core.files import write_safetensors
from makemore.core.model import metadata, save_model
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import fit

REVERSED = "a\u202eb"
NAMES = text_of(REVERSED, "zoë", "中👩\u200d🚀")
VOCAB = Vocab.of(NAMES)
BIGRAM = fit(additive(2, 0), VOCAB.encode(NAMES, "test"), len(VOCAB))
SHOWN = " a b o z ë \u200d \\u202e 中 "  # of the vocabulary
LOCALES = {
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
MEGABYTE = 1 << 20

needs_terminal = pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")


@pytest.fixture
def listed(folder: Path) -> Path:
    """A folder with a model of names that a terminal would reverse."""
    names.write(folder / "data/clean.txt", NAMES)
    names.write(folder / "data/splits/train.txt", NAMES)
    save_model(folder / "models/bigram.safetensors", BIGRAM, VOCAB)
    return folder


def command(stage: str, *arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "stages" / f"{stage}.py"), *arguments]


def piped(folder: Path, *stage: str, **variables: str) -> str:
    """What a stage writes to a pipe, which must be UTF-8."""
    environ = environment(folder) | variables
    done = subprocess.run(command(*stage), cwd=folder, env=environ, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def on_terminal(folder: Path, *stage: str, code: int = 0, encoding: str = "utf-8") -> str:
    """What a stage writes to a terminal, on standard output and standard error."""
    ours, theirs = os.openpty()
    environ = environment(folder) | {"PYTHONIOENCODING": encoding, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "200"}
    with subprocess.Popen(
        command(*stage), cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        content = b""
        try:
            while part := os.read(ours, 10_000):
                content += part
        except OSError:  # the stage has closed its end
            pass
    os.close(ours)
    assert process.returncode == code, content
    return content.decode(encoding)


SAMPLE = ("sample", "bigram", "--count", "5", "--prefix", "a", "--max-length", "3")


@needs_terminal
@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        (("vocab",), SHOWN),
        (SAMPLE, "a\\u202eb\r\n"),
        ((*SAMPLE, "--json"), '{"name": "a\\u202eb", "new": false}\r\n'),
        ((*SAMPLE, "--output", "out.txt"), "out.txt: 5 names: a\\u202eb, "),
        (("score", "bigram", REVERSED), "\r\na\\u202eb  "),
        (("score", "bigram", REVERSED, "--per-character"), "\r\n  \\u202e "),
        (("score", "bigram", REVERSED, "--csv"), "\r\na\\u202eb,4,"),
        (("score", "bigram", REVERSED, "--json"), '{"name": "a\\u202eb", '),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_a_terminal_shows_formatting_characters_as_escapes(listed: Path, stage: tuple[str, ...], shown: str) -> None:
    found = on_terminal(listed, *stage)
    assert shown in found and "\u202e" not in found


@needs_terminal
@pytest.mark.parametrize(
    ("stage", "code", "shown"),
    [
        (("score", "bigram", "--file", "\x1b[31mx\u202e"), 1, "\\u001b[31mx\\u202e: No such file or directory"),
        (("score", "bigram", "x\u202e"), 1, "argument 1: character 1, 'x', is not among the"),
        (("score", "bigram", "a\u202dx"), 1, "argument 1: character 2, '\\u202d', is not among the"),
        (("vocab", "extra\x1b[31m"), 2, "(extra\\x1b[31m)"),  # by Typer
    ],
)
def test_error_lines_are_escaped(listed: Path, stage: tuple[str, ...], code: int, shown: str) -> None:
    found = on_terminal(listed, *stage, code=code)
    assert shown in found and "\x1b" not in found and "\u202e" not in found


@needs_terminal
@pytest.mark.parametrize("character", ["\x1b", "\x9b", "\n", "\x07", "\r"])
def test_a_model_file_cannot_print_control_characters(listed: Path, character: str) -> None:
    crafted = metadata(BIGRAM, VOCAB) | {"vocab": [*VOCAB.itos[:-1], character]}
    write_safetensors(listed / "models/bigram.safetensors", BIGRAM.arrays(), crafted)
    for stage in ("sample", "bigram"), ("score", "bigram", "a"), ("evaluate", "bigram"):
        found = on_terminal(listed, *stage, code=1)
        assert found.startswith("models/bigram.safetensors: expected a model of this project, found ")
        assert found.removesuffix("\r\n").isprintable()


@pytest.mark.parametrize("variables", LOCALES.values(), ids=LOCALES)
def test_output_to_a_pipe_is_exact_utf8_in_any_locale(listed: Path, variables: dict[str, str]) -> None:
    assert SHOWN in piped(listed, "vocab", **variables)  # a message, not data
    sampled = piped(listed, "sample", "bigram", "--count", "50", "--max-length", "9", **variables).split("\n")
    assert {REVERSED, "zoë", "中👩\u200d🚀"} <= set(sampled)
    printed = piped(listed, "sample", "bigram", "--count", "50", "--output", "out.txt", **variables)
    assert "zoë" in printed
    listing = ("--file", "data/clean.txt")
    rows = piped(listed, "score", "bigram", *listing, **variables).split("\n")[1:-1]
    assert [row.partition(",")[0] for row in rows] == [REVERSED, "zoë", "中👩\u200d🚀"]
    objects = piped(listed, "score", "bigram", *listing, "--json", "--per-character", **variables).splitlines()
    assert [json.loads(line)["name"] for line in objects] == [REVERSED, "zoë", "中👩\u200d🚀"]
    assert "\u202e" in objects[0]


@needs_terminal
def test_a_terminal_that_lacks_a_character_shows_its_escape(listed: Path) -> None:
    assert " a b o z ë \\u200d \\u202e \\u4e2d " in on_terminal(listed, "vocab", encoding="latin-1")
    assert "\\u4e2d" in on_terminal(listed, "score", "bigram", "中👩\u200d🚀", encoding="latin-1")


@pytest.mark.parametrize("stage", ["train_neural_bigram", "score mlp a"])
def test_running_out_of_memory_while_torch_is_loaded_is_one_line(listed: Path, stage: str) -> None:
    """It is loaded before the command begins, or, for a network's file, by it."""
    save_model(listed / "models/mlp.safetensors", network("mlp", len(VOCAB)), VOCAB)
    done = subprocess.run(
        command(*stage.split()),
        cwd=listed,
        env=environment(listed),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (250 * MEGABYTE, 250 * MEGABYTE)),
    )
    assert done.returncode == 1 and done.stdout == "", done.stderr
    assert done.stderr.startswith("out of memory: ") and done.stderr.count("\n") == 1, done.stderr
