"""The real list, from names.txt to samples, with a training that is much too short."""

import shutil
from collections.abc import Callable
from pathlib import Path

import yaml
from click.testing import Result

from checkout import ROOT
from makemore.core.files import read_json


def test_from_names_to_samples(run: Callable[..., Result], folder: Path) -> None:
    shutil.copy(ROOT / "data/names.txt", folder / "data/names.txt")
    shutil.copy(ROOT / "params.yaml", folder / "params.yaml")
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    models = [*params["ngram"], "neural_bigram", "mlp", "gru", "ensemble"]
    commands = [["clean"], ["vocab"], ["split"], ["find_lr"], ["initialization"], ["train_neural_bigram"]]
    commands += [["train_mlp", "--steps", "150"], ["train", "recurrent", "gru", "--steps", "20"]]
    commands += [[stage, name] for stage in ("tune_ngram", "fit_ngram") for name in params["ngram"]]
    commands += [["fit_ensemble", "--models", "sixgram", "--models", "mlp", "--models", "gru"]]
    commands += [["evaluate", name] for name in models]
    for command in [*commands, ["test", "--models", "mlp"], ["figures", *models]]:
        result = run(*command)
        assert result.exit_code == 0, (command, result.stderr)
    dev = {name: read_json(folder / f"metrics/{name}.json")["dev"]["nll"] for name in models}
    committed = {name: read_json(ROOT / f"metrics/{name}.json")["dev"]["nll"] for name in params["ngram"]}
    assert {name: dev[name] for name in committed} == committed
    assert dev["ensemble"] < dev["sixgram"] < 2.10 < dev["mlp"] < 2.25 < dev["bigram"] < dev["neural_bigram"] < 2.48
    assert dev["mlp"] < dev["gru"] < 2.6
    assert all(len(run("sample", name).stdout.splitlines()) == 1000 for name in models)
