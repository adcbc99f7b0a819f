import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from checkout import ROOT
from conftest import text_of
from makemore.core import names
from makemore.lists import splits
from makemore.lists.splits import SplitParams
from makemore.reporting import results

LOSSES = {"nll": 2.0, "nll_se": 0.01, "perplexity": 7.389056, "bits_per_char": 2.88539}


def metrics(folder: Path) -> None:
    for name, nll in ("good", 2.0), ("bad", 3.0):
        content = {"parameters": 1234, "train": LOSSES, "dev": LOSSES | {"nll": nll, "nll_unseen": nll + 0.1}}
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "test.json").write_text(json.dumps({"good": LOSSES}))


def test_rows(tmp_path: Path) -> None:
    metrics(tmp_path)
    assert results.table(results.read(tmp_path)) == [
        ("bad", "1,234", "2.0000", "3.0000", "0.0100", "3.1000", "-", "7.39", "2.885"),
        ("good", "1,234", "2.0000", "2.0000", "0.0100", "2.1000", "2.0000", "7.39", "2.885"),
    ]


def test_insert_replaces_what_stands_between_the_markers(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n")
    results.insert(path, "new\n")
    assert path.read_text() == f"before\n{results.BEGIN}\nnew\n{results.END}\nafter\n"
    path.write_text("no markers")
    with pytest.raises(ValueError, match=r"README.md: expected the lines"):
        results.insert(path, "new\n")


def test_no_metrics(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected the metrics of models, found none; dvc repro makes them"):
        results.read(tmp_path)
    (tmp_path / "mlp.json").write_text("{}")
    with pytest.raises(ValueError, match="expected the metrics that evaluate writes"):
        results.read(tmp_path)


def page(folder: Path, seconds: dict[str, float]) -> str:
    return results.page(
        results.read(folder), seconds, folder / "samples", text_of("ann", "bo"), text_of("bo", "cy", "di", "ed")
    )


def test_page(tmp_path: Path) -> None:
    metrics(tmp_path)
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/good.json").write_text('{"samples": 1000, "new": 900}')
    lines = page(tmp_path, {"good": 12.345, "gone": 1}).splitlines()
    assert "| bad | 1,234 | - | 2.0000 | 3.0000 | 0.0100 | 3.1000 | - | - |" in lines
    assert "| good | 1,234 | 12.3 | 2.0000 | 2.0000 | 0.0100 | 2.1000 | 2.0000 | 0.0100 |" in lines
    assert lines[-2:] == ["| good | 10.0 | 0.9 |", "| *dev names* | 25.0 | 21.7 |"]


def test_samples_where_they_are_at_hand(tmp_path: Path) -> None:
    metrics(tmp_path)
    (tmp_path / "good.txt").write_text("".join(f"name{i}\n" for i in range(12)))
    lines = results.samples(results.read(tmp_path), tmp_path).splitlines()
    assert lines[-1] == "| good | " + " | ".join(f"name{i}" for i in range(10)) + " |"
    assert lines[-2].startswith("| ---")


def test_the_command_writes_the_same_page_each_time(run: Callable[..., Result], folder: Path) -> None:
    (folder / "metrics").mkdir()
    metrics(folder / "metrics")
    for name in "train", "dev":
        (folder / f"{name}.txt").write_text("ann\n")
    (folder / "seconds.csv").write_text("model,seconds\ngood,1.5\ngone,2\n")
    inputs = ["--seconds", "seconds.csv", "--train", "train.txt", "--dev", "dev.txt"]
    for copy in "12":
        result = run("results", "--page", f"{copy}/page.md", *inputs)
        assert result.exit_code == 0, result.stderr
    assert (folder / "1/page.md").read_bytes() == (folder / "2/page.md").read_bytes()
    assert (folder / "1/time.png").read_bytes() == (folder / "2/time.png").read_bytes()


def test_seconds_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "seconds.csv").write_text("model,seconds\nmlp,long\n")
    with pytest.raises(ValueError, match=r"seconds.csv: expected a model and its seconds a line"):
        results.read_seconds(tmp_path / "seconds.csv")


def test_the_page_is_that_of_the_metrics() -> None:
    """All but the samples, which are not in git."""
    params = SplitParams(**yaml.safe_load((ROOT / "params.yaml").read_text())["split"])
    train, dev, _ = splits.split(names.read(ROOT / "data/names.txt"), params)
    seconds = results.read_seconds(ROOT / "benchmarks/seconds.csv")
    made = results.page(results.read(ROOT / "metrics"), seconds, ROOT / "metrics/samples", train, dev)
    written = (ROOT / "docs/results.md").read_text(encoding="utf-8").partition("\n## Samples")[0]
    assert written == made, "run: python stages/results.py --page docs/results.md"
