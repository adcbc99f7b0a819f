"""A params.yaml from a stranger."""

import time
from pathlib import Path

import pytest

from hostile import Run, error_of

PARAMS = [
    ("split: {1: 2}", "params.yaml: split.1: unknown key; available: train, dev, seed, unit"),
    ('split: !!bool "x"', "params.yaml: invalid YAML:"),
    ('split: {train: !!float "x"}', "params.yaml: invalid YAML:"),
    ("split: {train: 0.5, train: 0.6}", "params.yaml:1: invalid YAML:"),
    ("split: 1\nsplit: 2", "params.yaml:2: invalid YAML:"),
    ("split: &a {train: *a}", "params.yaml: split.train: expected a number"),
    ("split: {[1, 2]: 3}", "params.yaml: split."),
    ("split: {train: 0.5, dev: 0.1, unit: line, seed: " + "9" * 5000 + "}", "params.yaml: "),
    ("split: " + "[" * 5000, "params.yaml"),
    ("split: {train: " + "x" * 5000 + "}", "params.yaml: split.train: expected a number"),
    ("split: {" + "x" * 1000 + ": 1}", "params.yaml: split.'xxxxxxxxxxxx...xxxxxxxxxxxxx': unknown key"),
    ("split: [" + "1, " * 5000 + "]", "params.yaml: split: expected a section of keys and values, got [1, 1, "),
    (
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in ("ab", "bc", "cd", "de", "ef", "fg", "gh"))
        + "split: *h\n",
        "params.yaml:3: invalid YAML: more than 16 aliases; write the values out",
    ),
]


@pytest.mark.parametrize(("content", "message"), PARAMS, ids=[str(i) for i in range(len(PARAMS))])
def test_params_from_strangers(outputs: Path, run: Run, content: str, message: str) -> None:
    Path("params.yaml").write_text(content + "\n")
    start = time.process_time()
    assert error_of(run, "split").startswith(message)
    assert run("split", "--help").exit_code == 0
    assert time.process_time() - start < 5
