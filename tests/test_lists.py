"""Lists of any kind go through the pipeline, without a warning."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]

NETWORKS = {"recurrent": "gru", "convolutional": "wavenet", "transformer": "transformer", "bow": "bow"}


def through(run: Run, folder: Path, content: str, *options: str) -> None:
    """All stages, with little work."""
    (folder / "data/names.txt").write_text(content, encoding="utf-8")
    models = ["bigram", "trigram", "trigram_tuned", "sixgram", "neural_bigram", "mlp", *NETWORKS.values()]
    commands = [["clean", *options], ["vocab"], ["split"], ["find_lr"], ["initialization"], ["train_neural_bigram"]]
    commands += [[stage, name] for name in models[:4] for stage in ("tune_ngram", "fit_ngram")]
    commands += [["train_mlp"], *(["train", family, name] for family, name in NETWORKS.items())]
    commands += [["fit_ensemble", *(f"--models={name}" for name in models)]]
    commands += [[stage, name] for name in [*models, "ensemble"] for stage in ("evaluate", "sample")]
    commands += [
        ["test", *(f"--models={name}" for name in models)],
        ["figures", *models],
        ["score", "mlp", "--file=data/names.txt", *options],
        ["results"],
    ]
    import time

    for command in commands:
        b = time.time()
        result = run(*command)
        assert result.exit_code == 0, (command, result.stderr)
        t = time.time() - b
        if t > 0.5:
            print(command[:3], round(t, 2))


EDGES = {
    "one character": "a\n" * 20,
    "one char names": "".join(f"{c}\n" for c in "abcdefghijkl"),
    "dup": "anna\n" * 30,
    "ten": "".join(f"name{i}\n" for i in range(10)),
    "long": "".join(random.Random(i).choice(["ab", "cd"]) * random.Random(i).randint(1, 200) + "\n" for i in range(30)),
    "many": "".join(
        "".join(map(chr, random.Random(i).choices(range(0x4E00, 0x4E00 + 1040), k=5))) + "\n" for i in range(700)
    ),
    "dollar": "$a\\b$\n_^{a}\n[red]\n\"q\",'x'\n#c\n=1+1\n" * 5,
}


@pytest.mark.parametrize("name", EDGES)
def test_edges(run: Run, folder: Path, name: str) -> None:
    through(run, folder, EDGES[name])


LISTS = Path(__file__).parent / "lists"


@pytest.mark.parametrize("name", ["towns", "scripts", "rivers"])
def test_lists(run: Run, folder: Path, name: str) -> None:
    through(run, folder, (LISTS / f"{name}.txt").read_text(), "--spaces=keep", "--dots=keep")
