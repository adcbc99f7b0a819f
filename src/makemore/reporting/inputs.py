"""What the figures, the tables and the page show: the outputs of the other stages, read when they are needed.

Shapes: M tokens, V vocabulary, S shown characters.
"""

import math
import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from makemore.core import names
from makemore.core.files import read_csv, read_json, read_safetensors, read_text
from makemore.core.model import Arrays
from makemore.core.names import Text
from makemore.core.params import read_section
from makemore.core.pipeline import INDEX, model_names
from makemore.core.vocab import Tokens, Vocab
from makemore.evaluation.diagnosis import Diagnosis, read_diagnosis
from makemore.reporting import bigrams
from makemore.reporting.facts import facts_of

Columns = dict[str, NDArray[np.float64]]

# What the figures and the page need of the metrics, by the file's name; a learning curve has steps and losses
LOSSES = "parameters", "train.nll", "dev.nll", "dev.nll_se", "dev.perplexity"
TRAINING = {"find_lr": ["lowest", "highest", "best"]}
CURVES = {"find_lr": ["lr", "loss"], "initialization": ["from", "to", "scaled"]}
LARGEST = 1e15  # of a metric that is finite


@dataclass(frozen=True)
class Result:
    """What a model reached."""

    model: str
    figures: dict[str, Any]  # `parameters`, `train`, `dev` and, if the test stage has run, `test`

    def __getitem__(self, key: str) -> float:
        """The metric at a path such as `dev.nll`, in nats per token; NaN if there is none."""
        value: Any = self.figures
        for part in key.split("."):
            value = value.get(part, math.nan)
            if not isinstance(value, dict):
                break
        return value if isinstance(value, int | float) else math.nan


@dataclass(frozen=True)
class Inputs:
    """Where the outputs of the other stages are."""

    data: Path = Path("data")
    models: Path = Path("models")
    metrics: Path = Path("metrics")
    test: Path | None = None  # the test losses, for those that may look at them
    params: Path = Path("params.yaml")

    @cached_property
    def model_names(self) -> list[str]:
        return model_names(self.models)

    @cached_property
    def results(self) -> list[Result]:
        """All models by dev loss, the best last. Raises ValueError if metrics are missing or damaged."""
        tested = read_metrics(self.test) if self.test and self.test.exists() else {}
        try:
            results = [
                Result(name, self.losses(name) | ({"test": tested[name]} if name in tested else {}))
                for name in self.model_names
            ]
        except FileNotFoundError as error:
            raise ValueError(f"{error.filename}: no such file; run `dvc repro` first") from None
        if not results:
            raise ValueError(f"{self.models / INDEX}: models: expected at least one model, found none")
        return sorted(results, key=lambda result: -result["dev.nll"])

    @cached_property
    def metadata(self) -> dict[str, dict[str, Any]]:
        """The family and the configuration of each model, from its file."""
        return {name: read_safetensors(self.models / f"{name}.safetensors")[1] for name in self.model_names}

    def family(self, name: str) -> tuple[str, dict[str, Any]]:
        """The family of a model and its configuration."""
        config = self.metadata[name].get("config")
        return str(self.metadata[name].get("family")), config if isinstance(config, dict) else {}

    @cached_property
    def families(self) -> dict[str, list[Result]]:
        """The models by kind, in the words of `facts`: the best model first, and the kind of the best model first."""
        groups: dict[str, list[Result]] = {}
        for result in reversed(self.results):
            groups.setdefault(facts_of(*self.family(result.model)).kind, []).append(result)
        return groups

    @cached_property
    def recipes(self) -> dict[str, dict[str, Any]]:
        """The section of params.yaml of each model that has one."""
        sections = read_section(self.params, "")
        for group in "ngram", "tuned_ngram":
            nested = sections.get(group)
            sections |= nested if isinstance(nested, dict) else {}
        return {name: sections[name] for name in self.model_names if isinstance(sections.get(name), dict)}

    def losses(self, name: str) -> dict[str, Any]:
        """What `evaluate` found for a model."""
        return read_metrics(self.metrics / "losses" / f"{name}.json", LOSSES)

    def samples(self, name: str) -> dict[str, Any]:
        """How many names `sample` generated from a model, and how many of them are new."""
        path = self.metrics / "samples" / f"{name}.json"
        found = read_metrics(path, ("samples", "new"))
        if not 0 <= found["new"] <= found["samples"] or not found["samples"]:
            raise ValueError(f"{path}: expected samples, found {found['samples']}, of which {found['new']} are new")
        return found

    @cached_property
    def generated(self) -> dict[str, list[str]]:
        """The names that `sample` generated from each model."""
        paths = {result.model: self.data / "samples" / f"{result.model}.txt" for result in self.results}
        return {name: [line for line in read_text(path).split("\n") if line] for name, path in paths.items()}

    def training(self, name: str) -> dict[str, Any]:
        """What a stage noted before or after training."""
        required = TRAINING.get(name, [])
        if name == "initialization":
            kinds = [column for column in self.curve(name) if column not in ("from", "to")]
            required = [f"{kind}.{key}" for kind in kinds for key in ("initial_loss", "saturated")]
        return read_metrics(self.metrics / "training" / f"{name}.json", required)

    def curve(self, name: str) -> Columns:
        """A learning curve, or what another stage tabulated under `metrics/curves`."""
        return self._curve(name, CURVES.get(name, ["step", "loss"]))

    def _curve(self, name: str, required: Sequence[str]) -> Columns:
        """The first of the `required` columns, the axis of a figure, must be finite."""
        path = self.metrics / "curves" / f"{name}.csv"
        columns = read_csv(path)
        for key in required:
            if key not in columns:
                raise ValueError(f"{path}: expected the columns {', '.join(required)}, found no {key}")
        if not np.isfinite(columns[required[0]]).all():
            raise ValueError(f"{path}: {required[0]}: expected finite numbers, found infinity")
        return columns

    def learning_curves(self) -> dict[str, Columns]:
        """Steps and losses of every model that has them, the best model first."""
        ranked = [result.model for result in reversed(self.results)]
        return {name: self.curve(name) for name in ranked if (self.metrics / "curves" / f"{name}.csv").exists()}

    @property
    def diagnoses(self) -> dict[str, Diagnosis]:
        """What the training of each network recorded, in the order of `models/index.yaml`."""
        paths = {name: self.data / "recorded" / f"{name}.safetensors" for name in self.model_names}
        return {
            name: read_diagnosis(path, self.metrics / "curves" / f"{name}.csv")
            for name, path in paths.items()
            if path.exists()
        }

    def arrays(self, name: str) -> Arrays:
        """The weights of a network that has an embedding, C, (V, C). Raises ValueError if that is missing or bad."""
        path = self.models / f"{name}.safetensors"
        arrays, _ = read_safetensors(path)
        C = arrays.get("C", np.zeros(()))
        if C.ndim != 2 or len(C) != len(self.vocab) or not np.isfinite(C).all() or not C.size:
            raise ValueError(f"{path}: expected finite numbers C, ({len(self.vocab)}, C), found another model")
        return arrays

    @cached_property
    def vocab(self) -> Vocab:
        return Vocab.read(self.data / "vocab.json")

    @cached_property
    def train(self) -> Text:
        return names.read(self.data / "splits" / "train.txt")

    @cached_property
    def tokens(self) -> Tokens:
        """Of the train names, (M,)."""
        return self.vocab.encode(self.train, str(self.data / "splits" / "train.txt"))

    @cached_property
    def dev(self) -> Tokens:
        """The tokens of the dev names."""
        path = self.data / "splits" / "dev.txt"
        return self.vocab.encode(names.read(path), str(path))

    @cached_property
    def shown(self) -> NDArray[np.int64]:
        """The ids of the characters that the bigram table and the embedding show, (S,)."""
        return bigrams.frequent(self.tokens, len(self.vocab))

    @cached_property
    def bigram_counts(self) -> NDArray[np.int64]:
        """How often each shown character is followed by each token, (S, V)."""
        return bigrams.counts(self.tokens, self.shown, len(self.vocab))

    def smoothing(self, name: str) -> Columns:
        """Train and dev loss against the strength of a model's smoothing, all orders having the same strength."""
        name = f"{name}_strength"
        columns = self._curve(name, ["strength", "order", "train", "dev"])
        shared = columns.pop("order") == 0
        if not shared.any():
            raise ValueError(f"{self.metrics / 'curves' / f'{name}.csv'}: expected rows of order 0, found none")
        return {key: column[shared] for key, column in columns.items()}


def read_metrics(path: Path, required: Iterable[str] = ()) -> dict[str, Any]:
    """Numbers by their names, or by the names of groups and theirs, from JSON.

    Args:
        required: what must be there; `dev.nll` is `nll` in the group `dev`.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not JSON, lacks a number, or has something else.
    """
    found = read_json(path)
    if not isinstance(found, dict):
        raise ValueError(f"{path}: expected numbers by name, found {reprlib.repr(found)}")
    numbers: dict[str, Any] = {}
    for key, value in found.items():
        inner = {f"{key}.{name}": number for name, number in value.items()} if isinstance(value, dict) else {key: value}
        numbers |= inner
    for key, value in numbers.items():
        if type(value) not in (int, float) or not (abs(value) < LARGEST or value == math.inf):
            raise ValueError(f"{path}: {key}: expected a number, found {reprlib.repr(value)}")
    for key in required:
        if key not in numbers:
            raise ValueError(f"{path}: {key}: expected a number, found none; run `dvc repro`")
    return found
