import csv
import io
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from checkout import ROOT, environment
from conftest import additive, encoded, load_stage, text_of, tiny_names
from makemore.core.model import load_model, save_model
from makemore.core.names import Text
from makemore.core.vocab import Tokens, Vocab
from makemore.evaluation import scoring
from makemore.evaluation.losses import token_nlls
from makemore.models.ngram.model import Ngram, fit

Score = Callable[..., Result]

VOCAB = Vocab((".", "a", "b", "["))
TOKENS = encoded(VOCAB, "ab", "b[")
NLLS = -np.log([1, 0.5, 0.125, 0.25, 1e-9, 0.5])
BY_HAND = [("ab", 3, math.log(0.0625)), ("b[", 3, math.log(0.25 * 1e-9 * 0.5))]


@pytest.fixture
def score(folder: Path, real: Text) -> Score:
    """Runs the stage with the lecture's models of the whole list: `bigram` is unsmoothed, `smoothed` has N + 1."""
    vocab = Vocab.of(real)
    tokens = vocab.encode(real, "names.txt")
    vocab.write(folder / "data/vocab.json")
    for name, strength in ("bigram", 0), ("smoothed", 1):
        save_model(folder / f"models/{name}.safetensors", fit(additive(2, strength), tokens, len(vocab)), vocab)
    app = load_stage("score").app

    def invoke(*arguments: str, given: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), input=given)

    return invoke


def json_rows(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def csv_rows(result: Result) -> list[dict[str, str]]:
    assert result.exit_code == 0, result.stderr
    return list(csv.DictReader(io.StringIO(result.stdout)))


def random_names() -> tuple[Ngram, Vocab, Tokens]:
    vocab = Vocab.of(text_of(*tiny_names()))
    tokens = encoded(vocab, *tiny_names(500))
    return fit(additive(3, 0.5), tokens, len(vocab)), vocab, tokens


def test_rows_by_hand() -> None:
    for row, (name, count, log_likelihood) in zip(scoring.rows(TOKENS, NLLS, VOCAB), BY_HAND, strict=True):
        assert (row.name, row.tokens) == (name, count)
        figures = log_likelihood, -log_likelihood / count, math.exp(-log_likelihood / count)
        assert row[2:5] == pytest.approx(figures)
    assert row.losses == NLLS[3:].tolist()


def test_total_by_hand() -> None:
    assert scoring.total(TOKENS, np.full(6, math.log(2))) == (
        "2 names, 6 tokens: log-likelihood -4.1589, NLL 0.6931 nats per token, perplexity 2.00"
    )


@pytest.mark.parametrize("chunk", [1, 7])
def test_the_chunk_size_does_not_matter(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    model, vocab, tokens = random_names()
    nlls = token_nlls(model, tokens)
    whole = list(scoring.rows(tokens, nlls, vocab))
    monkeypatch.setattr(scoring, "CHUNK", chunk)
    assert list(scoring.rows(tokens, nlls, vocab)) == whole
    assert [loss for row in whole for loss in row.losses] == nlls.tolist()


def test_a_table_truncates_neither_names_nor_numbers() -> None:
    file = io.StringIO()
    scoring.write_table(file, scoring.rows(TOKENS, NLLS, VOCAB), True, len(VOCAB))
    assert [line.split() for line in file.getvalue().splitlines()] == [
        ["name", "tokens", "probability", "log-likelihood", "NLL", "perplexity"],
        ["ab", "3", "-2.7726", "0.9242", "2.52"],
        ["a", "1.0000", "0.0000"],
        ["b", "0.5000", "-0.6931"],
        [".", "0.1250", "-2.0794"],
        ["b[", "3", "-22.8027", "7.6009", "2,000.00"],
        ["b", "0.2500", "-1.3863"],
        ["[", "0.0000", "-20.7233"],
        [".", "0.5000", "-0.6931"],
    ]
    assert len({len(line) for line in file.getvalue().splitlines()}) == 1


def test_a_long_list_is_shown_as_several_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "CHUNK", 1)
    file = io.StringIO()
    scoring.write_table(file, scoring.rows(TOKENS, NLLS, VOCAB), False, len(VOCAB))
    assert [line.split()[0] for line in file.getvalue().splitlines()] == ["name", "ab", "name", "b["]


def test_the_lectures_figures(score: Score) -> None:
    result = score("bigram", "emma", "olivia", "ava", "--json", "--per-character")
    rows = json_rows(result)
    assert [row["tokens"] for row in rows] == [5, 7, 4]
    assert sum(row["log_likelihood"] for row in rows) == pytest.approx(-38.7856, abs=2e-4)  # to six digits each
    assert rows[0]["characters"] == ["e", "m", "m", "a", "."]
    assert rows[0]["probabilities"] == pytest.approx([0.0478, 0.0377, 0.0253, 0.3899, 0.1960], abs=5e-5)
    assert result.stderr == "3 names, 16 tokens: log-likelihood -38.7856, NLL 2.4241 nats per token, perplexity 11.29\n"
    assert json_rows(score("bigram", "andrej", "--json"))[0]["nll"] == pytest.approx(3.0391, abs=5e-5)
    assert json_rows(score("smoothed", "andrejq", "--json"))[0]["nll"] == pytest.approx(3.4834, abs=5e-5)


def test_the_loss_of_an_impossible_name_is_infinite(score: Score) -> None:
    (row,) = json_rows(score("bigram", "andrejq", "--json", "--per-character"))
    assert (row["log_likelihood"], row["nll"], row["perplexity"]) == (-math.inf, math.inf, math.inf)
    assert row["probabilities"][6] == 0  # jq never occurs
    (row,) = csv_rows(score("bigram", "andrejq"))
    assert (row["log_likelihood"], row["nll"], row["perplexity"]) == ("-inf", "inf", "inf")
    assert score("bigram", "andrejq", "ava").stderr.endswith("NLL inf nats per token, perplexity inf\n")


def test_json_and_csv_agree_with_the_evaluation(score: Score, folder: Path) -> None:
    listed = ["emma", "zoe", "emma", "x"]
    vocab = Vocab.read(folder / "data/vocab.json")
    nlls = token_nlls(load_model(folder / "models/smoothed.safetensors", vocab), encoded(vocab, *listed))
    objects, lines = (json_rows(score("smoothed", *listed, "--json")), csv_rows(score("smoothed", *listed)))
    means = [part.mean() for part in np.split(nlls, [5, 9, 14])]
    for rows in objects, lines:
        assert [row["name"] for row in rows] == listed
        assert [float(row["nll"]) for row in rows] == pytest.approx(means, rel=1e-5)
    objects = json_rows(score("smoothed", *listed, "--json", "--per-character"))
    lines = csv_rows(score("smoothed", *listed, "--csv", "--per-character"))
    for probabilities in (
        [p for row in objects for p in row["probabilities"]],
        [float(row["probability"]) for row in lines],
    ):
        assert probabilities == pytest.approx(np.exp(-nlls), rel=1e-5)
    assert [row["character"] for row in lines] == list("emma.zoe.emma.x.")
    assert [int(row["position"]) for row in lines] == [1, 2, 3, 4, 5, 1, 2, 3, 4, 1, 2, 3, 4, 5, 1, 2]


def test_names_with_special_characters_are_written_unchanged() -> None:
    awkward = ['a,"b"', "ёж😀", "[red]"]
    vocab = Vocab.of(text_of(*awkward))
    tokens = encoded(vocab, *awkward)
    rows = list(scoring.rows(tokens, np.ones(len(tokens)), vocab))
    as_csv, as_json, as_table = io.StringIO(), io.StringIO(), io.StringIO()
    scoring.write_csv(as_csv, rows, False)
    assert [row[0] for row in csv.reader(io.StringIO(as_csv.getvalue()))] == ["name", *awkward]
    scoring.write_json(as_json, rows, False)
    assert [json.loads(line)["name"] for line in as_json.getvalue().splitlines()] == awkward
    scoring.write_table(as_table, rows, False, len(vocab))
    assert [line.split()[0] for line in as_table.getvalue().splitlines()] == ["name", *awkward]


def test_a_name_that_a_spreadsheet_would_take_for_a_formula_is_written_unchanged() -> None:
    formulas = ["=1+1", "+1", "-1", "@a"]
    vocab = Vocab.of(text_of(*formulas))
    tokens = encoded(vocab, *formulas)
    file = io.StringIO()
    scoring.write_csv(file, scoring.rows(tokens, np.ones(len(tokens)), vocab), False)
    assert [line.partition(",")[0] for line in file.getvalue().splitlines()] == ["name", *formulas]


def test_file_arguments_and_standard_input_give_the_same_output(score: Score, folder: Path) -> None:
    (folder / "list.txt").write_bytes(b"emma\r\nava")
    expected = score("bigram", "emma", "ava").stdout
    assert expected.count("\n") == 3
    assert score("bigram", "--file", "list.txt").stdout == expected
    assert score("bigram", "-", given="emma\nava\n").stdout == expected
    assert score("bigram", given="emma\nava\n").stdout == expected


@pytest.mark.parametrize(
    ("arguments", "given", "line"),
    [
        (["emma", "zoé"], None, "argument 2: character 3, 'é', is not among the 27 tokens of the vocabulary"),
        (["-"], "ava\nchlóe\n", "standard input:2: character 4, 'ó', is not among the 27 tokens of the vocabulary"),
        (["--file", "list.txt"], None, "list.txt:1: character 3, 'B', is not among the 27 tokens of the vocabulary"),
        (
            ["an na"],
            None,
            "argument 1: expected a name, found white space (' '); clean.spaces: keep (--spaces) allows it",
        ),
        (["emma", "\udcff"], None, "argument 2: expected UTF-8, found the byte 0xff"),
        (["emma", ""], None, "argument 2: empty name"),
        ([], "emma\n\nava\n", "standard input:2: expected a name, found a blank line"),
        ([], "", "standard input: expected one name per line, found no name"),
        (["--file", "nix"], None, "nix: No such file or directory"),
    ],
)
def test_each_error_is_one_line(score: Score, folder: Path, arguments: list[str], given: str | None, line: str) -> None:
    (folder / "list.txt").write_text("abB\n")
    result = score("bigram", *arguments, given=given)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{line}\n")


def test_names_are_cleaned_with_the_rules_of_the_list(score: Score, folder: Path) -> None:
    assert score("bigram", "EMMA", "--case", "lower").stdout == score("bigram", "emma").stdout
    text = (folder / "params.yaml").read_text()
    (folder / "params.yaml").write_text(
        text.replace("form: NFC ", "form: NFKC ").replace("case: keep ", "case: lower ")
    )
    assert score("bigram", "\uff25\uff4d\uff4d\uff41").stdout == score("bigram", "emma").stdout


def test_the_end_is_shown_as_the_vocabularys_boundary_symbol() -> None:
    vocab = Vocab.of(text_of("a.b"))
    tokens = encoded(vocab, "a.b")
    file = io.StringIO()
    scoring.write_json(file, scoring.rows(tokens, np.ones(len(tokens)), vocab), True)
    assert json.loads(file.getvalue())["characters"] == ["a", ".", "b", "⏎"]


@pytest.mark.parametrize("arguments", [["emma", "--file", "list.txt"], ["emma", "--json", "--csv"]])
def test_conflicting_options_are_an_error(score: Score, arguments: list[str]) -> None:
    result = score("bigram", *arguments)
    assert result.exit_code == 2 and "exclude each other" in result.stderr


def command(*arguments: str) -> list[str]:
    return [sys.executable, str(ROOT / "stages/score.py"), "bigram", *arguments]


def test_a_closed_pipe_is_not_an_error(score: Score, folder: Path) -> None:
    (folder / "list.txt").write_text("emma\n" * 20_000)
    with subprocess.Popen(
        command("--file", "list.txt"), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a terminal")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_shows_a_coloured_table(score: Score, folder: Path, no_color: str) -> None:
    ours, theirs = os.openpty()
    colours = environment(folder) | {"NO_COLOR": no_color, "TERM": "xterm"}
    subprocess.run(
        command("ava", "zzqx"), cwd=folder, stdout=theirs, stderr=subprocess.DEVNULL, env=colours, check=True
    )
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "log-likelihood" in shown and "-8.7055" in shown
    assert ("\x1b[32mava" in shown and "\x1b[31mzzqx" in shown) == (not no_color)
