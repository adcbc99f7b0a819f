"""The tables of models: on a terminal, as Markdown and in the page."""

import importlib.util
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from click.testing import Result
from markdown_it import MarkdownIt
from rich.console import Console

import makemore.reporting
from checkout import ROOT
from conftest import list_models
from makemore.core import names
from makemore.lists import splits
from makemore.lists.splits import SplitParams
from makemore.reporting import inputs, tables
from makemore.reporting.inputs import Inputs

LOSSES = {"nll": 2.0, "nll_se": 0.01, "perplexity": 7.389056, "bits_per_char": 2.88539}
FIGURES = {"parameters": 1234, "train": LOSSES, "dev": LOSSES}


@pytest.fixture
def given(folder: Path) -> Inputs:
    """The metrics of two models, of which only the better one has been tested."""
    list_models(folder, "good", "bad")
    for name in "losses", "samples":
        (folder / "metrics" / name).mkdir(parents=True)
    for name, nll in ("good", 2.0), ("bad", 3.0):
        content = FIGURES | {"dev": LOSSES | {"nll": nll, "nll_unseen": nll + 0.1}}
        (folder / f"metrics/losses/{name}.json").write_text(json.dumps(content))
    (folder / "metrics/test.json").write_text(json.dumps({"good": LOSSES}))
    return Inputs(test=Path("metrics/test.json"))


def test_the_best_model_is_last(given: Inputs) -> None:
    assert tables.rows(given.results) == [
        ("bad", "1,234", "2.0000", "3.0000", "0.0100", "3.1000", "-", "7.39", "2.885"),
        ("good", "1,234", "2.0000", "2.0000", "0.0100", "2.1000", "2.0000", "7.39", "2.885"),
    ]


def test_the_test_losses_are_read_only_if_asked_for(given: Inputs) -> None:
    assert [row[6] for row in tables.rows(Inputs().results)] == ["-", "-"]
    Path("metrics/test.json").unlink()
    assert [row[6] for row in tables.rows(given.results)] == ["-", "-"]


def test_an_infinite_metric() -> None:
    result = inputs.Result("m", FIGURES | {"dev": LOSSES | {"nll": float("inf")}})
    assert tables.rows([result])[0][3] == "∞"


def test_only_the_models_of_the_index_are_shown(given: Inputs, folder: Path) -> None:
    list_models(folder, "good")
    assert [result.model for result in given.results] == ["good"]


def test_missing_or_damaged_metrics(given: Inputs, folder: Path) -> None:
    path = folder / "metrics/losses/bad.json"
    for content in "{}", "[]", '{"dev": 1}', '{"dev": {"nll": "low"}}':
        path.write_text(content)
        with pytest.raises(ValueError, match=r"^metrics/losses/bad.json: .*expected "):
            _ = given.results
    path.unlink()
    with pytest.raises(ValueError, match=r"^metrics/losses/bad.json: no such file; run `dvc repro` first$"):
        _ = given.results


def test_an_index_without_models(given: Inputs, folder: Path) -> None:
    (folder / "models/index.yaml").write_text("models: {}\n")
    with pytest.raises(ValueError, match=r"^models/index.yaml: models: expected at least one model, found none$"):
        _ = given.results


def edited(module: ModuleType, change: Callable[[str], str], patch: pytest.MonkeyPatch) -> ModuleType:
    """A module with a change of its source, in place of the one that is loaded."""
    name, spec = module.__name__, importlib.util.find_spec(module.__name__)
    assert spec and spec.origin
    made = importlib.util.module_from_spec(spec)
    patch.setitem(sys.modules, name, made)
    patch.setattr(makemore.reporting, name.rpartition(".")[2], made)
    exec(compile(change(Path(spec.origin).read_text(encoding="utf-8")), spec.origin, "exec"), made.__dict__)
    return made


def test_a_column_is_added_in_one_place(given: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    from makemore.reporting import cards

    def add(source: str) -> str:
        before, begin, after = source.partition("\nCOLUMNS = (\n")
        return f'{before}{begin}    Column("test.nll_se", "± test", ".3f", "its error"),\n{after}'

    changed = edited(tables, add, monkeypatch)
    html = edited(cards, lambda source: source, monkeypatch)
    header, _, bad, good = changed.markdown(changed.rows(given.results)).splitlines()
    assert header.startswith("| model | ± test | parameters |")
    assert bad.startswith("| bad | - | 1,234 |") and good.startswith("| good | 0.010 | 1,234 |")

    names.write(Path("data/splits/train.txt"), names.from_string("ann\n"))
    names.write(Path("data/splits/dev.txt"), names.from_string("bo\n"))
    lines = changed.document(given, {"good": 1.5}).splitlines()
    assert any(line.startswith("| model | ± test | seconds | parameters |") for line in lines)
    assert any(line.startswith("| good | 0.010 | 1.5 | 1,234 |") for line in lines)

    printed = io.StringIO()
    Console(file=printed, width=200).print(changed.rich_table(given.results))
    shown = [line.split() for line in printed.getvalue().splitlines()]
    assert ["model", "test", "parameters"] in [line[:3] for line in shown]
    assert ["bad", "-", "1,234"] in [line[:3] for line in shown]
    assert ["good", "0.010", "1,234"] in [line[:3] for line in shown]

    groups = {"kind": list(reversed(given.results))}
    assert '<th scope="col" data-sort="test.nll_se" title="its error">± test</th>' in html.header(groups)
    rows = html.table(groups).splitlines()[1:]
    cells = '<td data-value="1234">1,234</td>'
    assert [f'<td data-value="0.01">0.010</td>{cells}' in row for row in rows] == [True, False]
    assert [f'<td data-value="">-</td>{cells}' in row for row in rows] == [False, True]


def test_insert_replaces_the_text_between_the_markers(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(f"before\n{tables.BEGIN}\nold\n{tables.END}\nafter\n")
    tables.insert(path, "new\n")
    assert path.read_text() == f"before\n{tables.BEGIN}\nnew\n{tables.END}\nafter\n"
    path.write_text("no markers")
    with pytest.raises(ValueError, match=r"README.md: expected the lines"):
        tables.insert(path, "new\n")


def test_the_document(given: Inputs, folder: Path) -> None:
    for name, content in ("train", "ann\nbo\n"), ("dev", "bo\ncy\ndi\ned\n"):
        names.write(folder / f"data/splits/{name}.txt", names.from_string(content))
    (folder / "metrics/samples/good.json").write_text('{"samples": 1000, "new": 900}')
    lines = tables.document(given, {"good": 12.345, "removed": 1}).splitlines()
    assert "| bad | 1,234 | - | 2.0000 | 3.0000 | 0.0100 | 3.1000 | - | 7.39 | 2.885 |" in lines
    assert "| good | 1,234 | 12.3 | 2.0000 | 2.0000 | 0.0100 | 2.1000 | 2.0000 | 7.39 | 2.885 |" in lines
    assert lines[-2:] == ["| good | 10.0 | 0.9 |", "| *dev names* | 25.0 | 21.7 |"]


def test_the_first_samples_of_each_model_that_has_them(given: Inputs, folder: Path) -> None:
    (folder / "data/samples").mkdir()
    (folder / "data/samples/good.txt").write_text("".join(f"name{i}\n" for i in range(12)))
    lines = tables.samples(given).splitlines()
    assert lines[-1] == "| good | " + " | ".join(f"name{i}" for i in range(10)) + " |"
    assert lines[-2].startswith("| ---")


def test_samples_look_like_neither_markdown_nor_html(given: Inputs, folder: Path) -> None:
    """GitHub would also show `$x$` as mathematics and `:tada:` as an emoji."""
    awkward = ["a|b", "a\\|b", "<b>a</b>", "*a*", "_a_", "`a`", "[a](b)", "&lt;", "~~a~~", "$x$ :tada:"]
    (folder / "data/samples").mkdir()
    (folder / "data/samples/good.txt").write_text("".join(f"{name}\n" for name in awkward))
    parsed = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(tables.samples(given))
    (row,) = (child for token in parsed if token.content == "good" for child in [parsed.index(token)])
    cells = [token for token in parsed[row:] if token.type == "inline"]
    assert all(child.type in ("text", "text_special") for cell in cells for child in cell.children or [])
    assert ["".join(child.content for child in cell.children or []) for cell in cells] == ["good", *awkward]
    assert "$" not in tables.escaped("$x$").replace("\\$", "") and tables.escaped(":a:") == "\\:a\\:"
    assert tables.escaped("a\u202eb") == "a\\\\u202eb"


def test_a_models_name_controls_no_terminal() -> None:
    file = io.StringIO()
    result = inputs.Result("a\x1b[31m[red]\u202e", FIGURES)
    Console(file=file, width=200).print(tables.rich_table([result]))
    assert "a\\u001b[31m[red]\\u202e" in file.getvalue()


def test_the_command_writes_the_same_document_each_time(outputs: Path, run: Callable[..., Result]) -> None:
    (outputs / "seconds.csv").write_text("model,seconds\nmlp,1.5\nremoved,2\n")
    for copy in "12":
        assert run("results", "--page", f"{copy}/page.md", "--seconds", "seconds.csv").exit_code == 0
    assert (outputs / "1/page.md").read_bytes() == (outputs / "2/page.md").read_bytes()
    assert (outputs / "1/time.png").read_bytes() == (outputs / "2/time.png").read_bytes()


def test_seconds_that_are_not_numbers(tmp_path: Path) -> None:
    (tmp_path / "seconds.csv").write_text("model,seconds\nmlp,long\n")
    with pytest.raises(ValueError, match=r"seconds.csv: expected one model and its seconds per line"):
        tables.read_seconds(tmp_path / "seconds.csv")


def test_docs_results_is_up_to_date(tmp_path: Path) -> None:
    """Except for the samples, which are not in git."""
    params = SplitParams(**yaml.safe_load((ROOT / "params.yaml").read_text())["split"])
    text = names.read(ROOT / "data/names.txt")
    for name, part in zip(splits.NAMES, splits.split(text, params), strict=True):
        names.write(tmp_path / "splits" / f"{name}.txt", part)
    known = tables.read_seconds(ROOT / "benchmarks/seconds.csv")
    given = Inputs(tmp_path, ROOT / "models", ROOT / "metrics", ROOT / "metrics/test.json")
    written = (ROOT / "docs/results.md").read_text(encoding="utf-8").partition("\n## Samples")[0]
    assert written == tables.document(given, known), "run: python stages/results.py --page docs/results.md"
