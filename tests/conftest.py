"""What tests share: tiny lists, the real list, the lecture's list where it is at hand, and stages run in-process."""

import _stage  # isort: skip  # noqa: F401  first: it sets the arithmetic of the stages

import importlib.util
import math
import os
import random
import re
import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from click.testing import Result
from filelock import FileLock
from typer.testing import CliRunner

from checkout import ROOT, Project, new_project, read_traces, stages
from makemore.core import names
from makemore.core.files import read_safetensors
from makemore.core.model import FAMILIES, Model, save_model
from makemore.core.names import Text
from makemore.core.vocab import Tokens, Vocab
from makemore.models.mlp import MLPParams
from makemore.models.ngram.model import NgramParams
from makemore.nn.neural import Neural
from makemore.reporting import cards, inputs, known, page
from makemore.sampling.sampler import SampleParams

pytest_plugins = ["live_page"]

LECTURE = ROOT.parent / "shared" / "data" / "names.lecture.txt"  # not ours to carry


def text_of(*strings: str) -> Text:
    return names.from_string("".join(f"{string}\n" for string in strings))


def lines_of(text: Text) -> list[str]:
    return names.to_string(text).splitlines()


def encoded(vocab: Vocab, *strings: str) -> Tokens:
    return vocab.encode(text_of(*strings), "test")


def additive(order: int, strength: float) -> NgramParams:
    return NgramParams(order=order, smoothing="additive", strength=strength, position=0)


SMALL: dict[str, dict[str, object]] = {  # a shape for each family of networks
    "neural_bigram": {},
    "mlp": {
        **{"context": 3, "embedding": 2, "hidden": 8, "layers": 1, "flatten": None, "direct": False},
        **{
            "batch_norm": "none",
            "momentum": 0.1,
            "initialization": "scaled",
            "examples": "all",
            "gradients": "autograd",
        },
    },
    "recurrent": {"cell": "lstm", "embedding": 5, "hidden": 7, "layers": 2, "dropout": 0.5},
    "bow": {"embedding": 8, "hidden": 12, "positions": 4, "dropout": 0.5},
    "wavenet": {"channels": 6, "hidden": 10, "layers": 2, "kernel": 3, "dropout": 0.5},
    "transformer": {"layers": 2, "heads": 2, "embedding": 8, "positions": 4, "dropout": 0.5},
}


def network(family: str, vocab_size: int, **changes: object) -> Neural:
    """An untrained network."""
    model = import_module(f"{FAMILIES}.{family}").MODEL
    params = model.Params.model_validate(SMALL[family] | changes)
    made: Neural = model(params, vocab_size, torch.Generator().manual_seed(1))
    return made


def mlp_params(**changes: object) -> MLPParams:
    return MLPParams.model_validate(SMALL["mlp"] | changes)


def sample_params(**changes: object) -> SampleParams:
    anything = {"top_k": None, "top_p": 1, "prefix": None, "suffix": None, "pattern": None, "new": False}
    lengths = {"min_length": 0, "max_length": 50, "distinct": False}
    return SampleParams.model_validate(anything | lengths | {"count": 50, "temperature": 1, "seed": 1} | changes)


def tiny_names(count: int = 60, seed: int = 1) -> list[str]:
    """Made-up names over a few letters, some of them twice."""
    draw = random.Random(seed)
    made = ["".join(draw.choices("abcde", k=draw.randint(2, 6))) for _ in range(count - 5)]
    return made + made[:5]


RECIPE = {"steps": 20, "lr": 50, "regularization": 0.01, "seed": 2147483647}  # of the neural bigram in `page_of`


def page_of(
    folder: Path, vocab: Vocab, tokens: Tokens, live: dict[str, Model], exercises: str = "", sampled: str = ""
) -> str:
    """The page of some untrained models, with made-up losses and curves."""
    for place, model in enumerate(live.values()):
        save_model(folder / f"{place}.safetensors", model, vocab)
    embedded = [page.embed(name, folder / f"{place}.safetensors", vocab) for place, name in enumerate(live)]
    pairs = page.bigrams(inputs_of(vocab, tokens))
    train = names.from_string("".join(vocab.itos[token] if token else "\n" for token in tokens))
    steps = [1.0, 10.0, 100.0]
    charts = {
        "bigrams": pairs,
        "additive": page.countable(tokens, backwards(tokens), len(vocab)),
        "neural_bigram": page.trainable(RECIPE, len(vocab)),
        "curves": {name: {"step": steps, "loss": [3.0, 2.5, 2.0]} for name in live},
        "rates": {
            "lr": [1.0, 5.0, 10.0, 20.0, 100.0],
            "loss": [9.0, 4.0, 3.0, 3.5, math.inf],
            "mean": [9.0, 4.0, 3.0, 3.5, 5.0],
            "good": {"lowest": 5.0, "highest": 20.0, "best": 10.0},
        },
        "first": {"edges": [-1, 0, 1], "shares": {"a": [0.5, 0.5]}, "of": {"a": {"initial_loss": 3, "saturated": 0.1}}},
        "explained": 0.5,
        "train": known.front_coded(train),
        "embedding": [(vocab.itos[i], math.cos(i), math.sin(i)) for i in pairs["shown"]],
    }
    figures = {"parameters": 10, "train": {"nll": 2.0}, "test": {"nll": 2.3}}
    dev = {"nll": 2.2, "nll_se": 0.01, "perplexity": 9.0, "bits_per_char": 3.2}
    losses = [inputs.Result(name, figures | {"dev": dev}) for name in live]
    made = inputs_of(vocab, tokens)
    metadata = {name: read_safetensors(folder / f"{place}.safetensors")[1] for place, name in enumerate(live)}
    made.__dict__.update(results=losses, metadata=metadata, recipes={}, generated={name: ["ava"] for name in live})
    chapters = made.families, cards.cards(made, live)
    return page.Page(losses, embedded, charts, vocab, 100, "a", *chapters, sampled, exercises).html()


def backwards(tokens: Tokens) -> Tokens:
    """The names spelled backwards: the dev names of `page_of`, with pairs that train does not contain."""
    return np.append(tokens[:-1][::-1], tokens[-1])


def inputs_of(vocab: Vocab, tokens: Tokens) -> inputs.Inputs:
    """The inputs of the reporting stages, as far as they follow from the train names."""
    made = inputs.Inputs()
    made.__dict__.update(vocab=vocab, tokens=tokens)  # which it would otherwise read
    return made


def load_stage(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"stage_{name}", ROOT / "stages" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def real() -> Text:
    return names.read(ROOT / "data" / "names.txt")


@pytest.fixture
def lecture() -> Text:
    if not LECTURE.exists():
        pytest.skip("needs the lecture's own names.txt")
    return names.read(LECTURE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a tiny names file and the project's params, made small."""
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    return tmp_path


def prepare(folder: Path) -> None:
    for name in "data", "models":
        (folder / name).mkdir()
    (folder / "data" / "names.txt").write_text("".join(f"{name}\n" for name in tiny_names()))
    (folder / "params.yaml").write_text(small_params())
    shutil.copy(ROOT / "models" / "index.yaml", folder / "models" / "index.yaml")


def small_params() -> str:
    """The project's params.yaml with so little work that a stage takes no time."""
    text = (ROOT / "params.yaml").read_text()
    small = {"steps": 20, "iterations": 5, "hidden": 8, "batch_size": 16, "count": 30}
    for key, value in small.items():
        text = re.sub(rf"^( *{key}:) *[^ \n]+", rf"\1 {value}", text, flags=re.MULTILINE)
    return re.sub(r"^(    count:) 30", r"\1 3", text, flags=re.MULTILINE)  # strengths to try, not names


@pytest.fixture
def run(folder: Path) -> Callable[..., Result]:
    """Runs a stage in `folder`, by its name and its arguments."""
    return run_stage


def run_stage(name: str, *arguments: str) -> Result:
    result = CliRunner().invoke(load_stage(name).app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def list_models(folder: Path, *models: str) -> None:
    """Make these the models of the pipeline."""
    (folder / "models" / "index.yaml").write_text("models:\n" + "".join(f"  {name}: .\n" for name in models))


@pytest.fixture(scope="session")
def finished_stages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all stages but `test`, `figures` and `report` have run, with four models."""
    folder = tmp_path_factory.mktemp("finished_stages")
    prepare(folder)
    models = "bigram", "trigram_tuned", "neural_bigram", "mlp"
    list_models(folder, *models)
    training = "fit_ngram bigram", "tune_ngram trigram_tuned", "train_neural_bigram", "train_mlp"
    evaluating = [f"evaluate {name}" for name in models]
    sampling = [
        f"sample {name} --output data/samples/{name}.txt --metrics metrics/samples/{name}.json" for name in models
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for command in ("clean", "vocab", "split", *training, "find_lr", "initialization", *evaluating, *sampling):
            assert run_stage(*command.split()).exit_code == 0, command
    (folder / "docs").mkdir()
    (folder / "docs" / "exercises.md").write_text("# Answers\n\n## Part 1\n\nYes.\n")
    return folder


@pytest.fixture
def outputs(finished_stages: Path, folder: Path) -> Path:
    """`folder` with a copy of what the stages wrote."""
    shutil.copytree(finished_stages, folder, dirs_exist_ok=True)
    return folder


def brute_force_contexts(strings: list[str], context: int) -> list[tuple[str, str]]:
    """(context, next) of every token, written as the lecture writes it."""
    pairs = []
    for string in strings:
        window = "." * context
        for character in string + ".":
            pairs.append((window, character))
            window = (window + character)[1:]
    return pairs


@pytest.fixture(scope="session")
def traced(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> tuple[Project, dict[str, set[str]]]:
    """A checkout in which `dvc repro` has run every stage, the results committed; and what each stage read.

    The first of the test processes builds it for all. It takes its final name only once it is complete, so that no test
    uses a half-built one.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "finished"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            building = tmp_path_factory.mktemp("building")
            shown = ["emma", "olivia", "andrejq", "sphinxofblackquartz", "judgemyvow"]  # what the docs' commands score
            project = new_project(building / "project", tiny_names() + shown, small_params())
            assert set(project.traced_repro()) == set(stages(project.path))
            project.commit("results")
            building.rename(folder)
    return Project(folder / "project"), read_traces(folder / "traces")


@pytest.fixture(scope="session")
def finished(traced: tuple[Project, dict[str, set[str]]]) -> Project:
    """The checkout of `traced`, as it is. Not to be changed: take a copy."""
    return traced[0]


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    """A copy of `finished`, to be changed."""
    return finished.copy(tmp_path / "project")


def pytest_xdist_auto_num_workers() -> int:
    """One more process than processors: many tests wait for processes that they start."""
    return (os.cpu_count() or 1) + 1


SLOW = {"traced", "page"}  # fixtures: the finished pipeline, the page in a browser
SLOW |= {"pipeline", "benchmarks", "test_fuzz", "test_real", "test_failures", "test_output"}  # folders and files
LONG = ["test_recipe", "test_pipeline", "test_experiments", "test_adding", "test_documented", "test_interruption"]


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Mark the slow tests. Run those that need the finished project first, the long ones among them before the others.

    One process then builds that project while the others run the rest.
    """
    for item in items:
        if SLOW & set(item.fixturenames) or SLOW & {item.path.stem, item.path.parent.name}:
            item.add_marker("slow")

    def order(item: pytest.Function) -> tuple[bool, bool]:
        return "traced" not in item.fixturenames, item.path.stem not in LONG

    items.sort(key=order)
