"""Fit a mixture of models."""

from pathlib import Path
from typing import Annotated

from _stage import DevPath, TrainPath, VocabPath, command

import numpy as np
import typer
from pydantic import Field

from makemore.core import names
from makemore.core.contexts import name_bounds, sliding
from makemore.core.files import write_json
from makemore.core.model import load_model, save_model, stateful
from makemore.core.params import Section
from makemore.core.progress import progress
from makemore.core.terminal import visible
from makemore.core.vocab import Tokens, Vocab, read_tokens
from makemore.models.ensemble import Ensemble, Gate, count_contexts, in_step
from makemore.search.pooling import fit_weights

NAMES = 20_000  # dev names that the weights are fitted on at most
LARGEST = 1 << 25  # probabilities of all models that the weights are fitted on, which bounds the memory


class Params(Section):
    """The models of the mixture."""

    models: Annotated[list[str], Field(min_length=1, description="models to mix")]


def main(
    params: Params,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    dev: DevPath = Path("data/splits/dev.txt"),
    folder: Annotated[Path, typer.Option(help="folder of the models to mix")] = Path("models"),
    model: Annotated[Path, typer.Option(help="model to write")] = Path("models/ensemble.safetensors"),
    metrics: Annotated[Path, typer.Option(help="mean weights to write")] = Path("metrics/training/ensemble.json"),
) -> None:
    """Fit the weights of a mixture of models on the dev names."""
    if len(set(params.models)) < len(params.models):
        raise ValueError(f"ensemble.models: a model is listed twice: {', '.join(params.models)}")
    vocabulary = Vocab.read(vocab)
    every = vocabulary.encode(names.spaced(dev, NAMES), str(dev))
    tokens = some_of(every, LARGEST // (len(params.models) * len(vocabulary)))
    members = {name: load_model(folder / f"{name}.safetensors", vocabulary) for name in params.models}
    seen = count_contexts(read_tokens(train, vocabulary), len(vocabulary))
    gate = Gate(seen, np.zeros((seen.features, len(members))), len(vocabulary))
    log_probs = np.empty((len(members), len(tokens), len(vocabulary)))  # (K, M, V)
    with progress("ensemble", len(members), "models") as update:
        for i, (name, member) in enumerate(members.items()):
            for places, rows in in_step(stateful(member), tokens, len(vocabulary)):
                log_probs[i, places] = rows
            update(i + 1, name)
    features = gate.features(sliding(tokens, seen.length))
    gate.W = fit_weights(log_probs, features, tokens)
    save_model(model, Ensemble(members, gate), vocabulary)
    mean = dict(zip(members, (features @ gate.W).mean(axis=0).tolist(), strict=True))
    write_json(metrics, mean)
    print(visible(f"{model}: mean weights {', '.join(f'{name} {weight:.3f}' for name, weight in mean.items())}"))


def some_of(tokens: Tokens, size: int) -> Tokens:
    """Names evenly spaced over a list, with about `size` tokens; all names if they have fewer."""
    sizes = name_bounds(tokens)[1]
    fitting = max(1, int(np.searchsorted(sizes.cumsum(), size, side="right")))
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[np.arange(fitting) * len(sizes) // fitting] = True
    found: Tokens = tokens[np.repeat(chosen, sizes)]
    return found


app = command(main, params="ensemble")
if __name__ == "__main__":
    app()
