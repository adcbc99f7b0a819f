"""The real list, from names.txt to samples and figures, with a training that is much too short."""

import shutil
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from checkout import ROOT
from conftest import list_models
from makemore.core.files import read_json

FIXED, TUNED, NETWORKS = ("bigram", "trigram"), ("trigram_tuned", "sixgram"), ("neural_bigram", "mlp", "gru")
MODELS = *FIXED, *TUNED, *NETWORKS, "ensemble"


def test_from_names_to_samples(run: Callable[..., Result], folder: Path) -> None:
    for file in "data/names.txt", "params.yaml":
        shutil.copy(ROOT / file, folder / file)
    list_models(folder, *MODELS)
    commands = ["clean", "vocab", "split", "find_lr", "initialization", "train_neural_bigram"]
    commands += ["train_mlp --steps 150", "train recurrent gru --steps 20"]
    commands += [f"fit_ngram {name}" for name in FIXED] + [f"tune_ngram {name}" for name in TUNED]
    commands += ["fit_ensemble --models sixgram --models mlp --models gru"]
    commands += [f"evaluate {name}" for name in MODELS]
    for command in [*commands, "test", "figures"]:
        result = run(*command.split())
        assert result.exit_code == 0, (command, result.stderr)
    losses = {name: read_json(folder / f"metrics/losses/{name}.json")["dev"]["nll"] for name in MODELS}
    committed = {name: read_json(ROOT / f"metrics/losses/{name}.json")["dev"]["nll"] for name in (*FIXED, *TUNED)}
    assert {name: losses[name] for name in committed} == committed
    assert losses["ensemble"] < losses["sixgram"] < 2.10 < losses["mlp"] < 2.25 < losses["bigram"]
    assert losses["bigram"] < losses["neural_bigram"] < 2.48
    assert losses["mlp"] < losses["gru"] < 2.6
    assert all(len(run("sample", name).stdout.splitlines()) == 1000 for name in MODELS)
