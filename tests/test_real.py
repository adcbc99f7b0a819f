"""The real list, from names.txt to samples, with a training that is much too short."""

import shutil
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from makemore.files import read_json
from pipeline import ROOT


def test_from_names_to_samples(run: Callable[..., Result], folder: Path) -> None:
    shutil.copy(ROOT / "data/names.txt", folder / "data/names.txt")
    shutil.copy(ROOT / "params.yaml", folder / "params.yaml")
    models = ["bigram", "trigram", "neural_bigram", "mlp"]
    commands = [["vocab"], ["split"], ["fit_ngram", "bigram"], ["fit_ngram", "trigram"], ["train_neural_bigram"]]
    commands += [["train_mlp", "--steps", "150"]]
    commands += [[stage, model] for stage in ("evaluate", "sample") for model in models]
    for command in [*commands, ["test"], ["figures", *models]]:
        assert run(*command).exit_code == 0, command
    dev = {model: read_json(folder / f"metrics/{model}.json")["dev"]["nll"] for model in models}
    committed = {model: read_json(ROOT / f"metrics/{model}.json")["dev"]["nll"] for model in ("bigram", "trigram")}
    assert {model: dev[model] for model in committed} == committed
    assert 2.10 < dev["mlp"] < 2.25 < dev["bigram"] < dev["neural_bigram"] < 2.48
    assert len((folder / "data/samples/mlp.txt").read_text().splitlines()) == 1000
