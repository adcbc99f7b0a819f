"""The real list, from names.txt to samples, with a training that is much too short."""

import shutil
from collections.abc import Callable
from pathlib import Path

import yaml
from click.testing import Result

from makemore.files import read_json
from pipeline import ROOT


def test_from_names_to_samples(run: Callable[..., Result], folder: Path) -> None:
    shutil.copy(ROOT / "data/names.txt", folder / "data/names.txt")
    shutil.copy(ROOT / "params.yaml", folder / "params.yaml")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    models = list(yaml.safe_load((ROOT / "dvc.yaml").read_text())["vars"][0]["models"])
    commands = [["vocab"], ["split"], ["train_neural_bigram"], ["train_mlp", "--steps", "150"]]
    commands += [[stage, name] for stage in ("tune_ngram", "fit_ngram") for name in params["ngram"]]
    commands += [[stage, name] for stage in ("evaluate", "sample") for name in models]
    for command in [*commands, ["test"], ["figures", *models]]:
        result = run(*command)
        assert result.exit_code == 0, (command, result.stderr)
    dev = {name: read_json(folder / f"metrics/{name}.json")["dev"]["nll"] for name in models}
    committed = {name: read_json(ROOT / f"metrics/{name}.json")["dev"]["nll"] for name in params["ngram"]}
    assert {name: dev[name] for name in committed} == committed
    assert 2.10 < dev["mlp"] < 2.25 < dev["bigram"] < dev["neural_bigram"] < 2.48
    assert len((folder / "data/samples/mlp.txt").read_text().splitlines()) == 1000
