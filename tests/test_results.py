import json
from pathlib import Path

import pytest

from makemore import results

LOSSES = {"nll": 2.0, "nll_se": 0.01, "perplexity": 7.389056, "bits_per_char": 2.88539}


def metrics(folder: Path) -> None:
    for name, nll in ("good", 2.0), ("bad", 3.0):
        content = {"parameters": 1234, "train": LOSSES, "dev": LOSSES | {"nll": nll, "nll_unseen": nll + 0.1}}
        (folder / f"{name}.json").write_text(json.dumps(content))
    (folder / "test.json").write_text(json.dumps({"good": LOSSES}))


def test_rows(tmp_path: Path) -> None:
    metrics(tmp_path)
    assert results.read(tmp_path) == [
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
