"""What the figures, the tables and the page show: the outputs of the other stages, read when they are needed.

Shapes: M tokens, V vocabulary, S shown characters.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from makemore.core import names
from makemore.core.files import read_csv, read_json, read_safetensors
from makemore.core.model import Arrays
from makemore.core.names import Text
from makemore.core.pipeline import model_names
from makemore.core.vocab import Tokens, Vocab
from makemore.reporting import bigrams

Columns = dict[str, NDArray[np.float64]]


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

    @cached_property
    def model_names(self) -> list[str]:
        return model_names(self.models)

    @cached_property
    def results(self) -> list[Result]:
        """All models by dev loss, the best last. Raises ValueError if metrics are missing or damaged."""
        tested = read_json(self.test) if self.test and self.test.exists() else {}
        try:
            results = [
                Result(name, self.losses(name) | ({"test": tested[name]} if name in tested else {}))
                for name in self.model_names
            ]
            return sorted(results, key=lambda result: -result.figures["dev"]["nll"])
        except FileNotFoundError as error:
            raise ValueError(f"{error.filename}: no such file; run `dvc repro` first") from None
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{self.metrics}: expected the metrics that `evaluate` writes, found {error!r}") from None

    def losses(self, name: str) -> dict[str, Any]:
        """What `evaluate` found for a model."""
        found: dict[str, Any] = read_json(self.metrics / "losses" / f"{name}.json")
        return found

    def training(self, name: str) -> dict[str, Any]:
        """What a stage noted before or after training."""
        found: dict[str, Any] = read_json(self.metrics / "training" / f"{name}.json")
        return found

    def curve(self, name: str) -> Columns:
        return read_csv(self.metrics / "curves" / f"{name}.csv")

    def learning_curves(self) -> dict[str, Columns]:
        """Steps and losses of every model that has them, the best model first."""
        ranked = [result.model for result in reversed(self.results)]
        return {name: self.curve(name) for name in ranked if (self.metrics / "curves" / f"{name}.csv").exists()}

    def arrays(self, name: str) -> Arrays:
        return read_safetensors(self.models / f"{name}.safetensors")[0]

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
    def shown(self) -> NDArray[np.int64]:
        """The ids of the characters that the bigram table and the embedding show, (S,)."""
        return bigrams.frequent(self.tokens, len(self.vocab))

    @cached_property
    def bigram_counts(self) -> NDArray[np.int64]:
        """How often each shown character is followed by each token, (S, V)."""
        return bigrams.counts(self.tokens, self.shown, len(self.vocab))

    def smoothing(self, name: str) -> Columns:
        """Train and dev loss against the strength of a model's smoothing, all orders having the same strength."""
        columns = self.curve(f"{name}_strength")
        shared = columns.pop("order") == 0
        return {key: column[shared] for key, column in columns.items()}
