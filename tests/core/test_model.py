"""The one interface, held by every model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from conftest import additive, encoded, mlp_params, text_of, tiny_names
from makemore.core.contexts import sliding
from makemore.core.files import read_safetensors, write_safetensors
from makemore.core.model import Model, load_model, save_model
from makemore.core.vocab import Vocab
from makemore.models import bow, recurrent, transformer, wavenet
from makemore.models.mlp import MLP
from makemore.models.neural_bigram import NeuralBigram
from makemore.models.ngram import model
from makemore.models.ngram.model import NgramParams

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
V = len(VOCAB)


POWER_LAW = NgramParams(order=4, smoothing="power_law", strength=[0.1, 0.4, 0.7, 0.9], position=3)
LSTM = recurrent.Params(cell="lstm", embedding=3, hidden=8, layers=2, dropout=0.5)
BOW = bow.Params(embedding=8, hidden=8, positions=4, dropout=0.5)
WAVENET = wavenet.Params(channels=8, hidden=8, layers=2, kernel=2, dropout=0.5)
TRANSFORMER = transformer.Params(layers=1, heads=2, embedding=8, positions=4, dropout=0.5)


def fitted(order: int, strength: float) -> Model:
    return model.fit(additive(order, strength), encoded(VOCAB, *NAMES), V)


def mlp(direct: bool) -> Model:
    params = mlp_params(direct=direct, initialization="randn")
    return MLP(params, V, torch.Generator().manual_seed(1))


MODELS: dict[str, Callable[[], Model]] = {
    "unigram": lambda: fitted(1, 1),
    "bigram": lambda: fitted(2, 1),
    "trigram, unsmoothed": lambda: fitted(3, 0),
    "5-gram": lambda: fitted(5, 0.1),
    "power law": lambda: model.fit(POWER_LAW, encoded(VOCAB, *NAMES), V),
    "neural bigram": lambda: NeuralBigram(V, torch.Generator().manual_seed(1)),
    "mlp": lambda: mlp(direct=False),
    "mlp, direct": lambda: mlp(direct=True),
    "lstm": lambda: recurrent.Recurrent(LSTM, V, torch.Generator().manual_seed(1)),
    "bow": lambda: bow.BagOfWords(BOW, V, torch.Generator().manual_seed(1)),
    "wavenet": lambda: wavenet.WaveNet(WAVENET, V, torch.Generator().manual_seed(1)),
    "transformer": lambda: transformer.Transformer(TRANSFORMER, V, torch.Generator().manual_seed(1)),
}
each_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def width(model: Model) -> int:
    """The length of contexts for it; a model of whole names takes any."""
    return 6 if model.context is None else model.context


def contexts_for(model: Model) -> st.SearchStrategy[np.ndarray]:
    return arrays(np.int32, st.tuples(st.integers(1, 8), st.just(width(model))), elements=st.integers(0, V - 1))


@each_model
@given(data=st.data())
def test_probabilities_sum_to_one(make: Callable[[], Model], data: st.DataObject) -> None:
    model = make()
    log_probs = model.log_probs(data.draw(contexts_for(model)))
    assert log_probs.dtype == np.float64 and log_probs.shape[1] == V
    assert np.exp(log_probs).sum(axis=1) == pytest.approx(1)


@each_model
def test_what_is_saved_is_loaded(make: Callable[[], Model], tmp_path: Path) -> None:
    model = make()
    save_model(tmp_path / "a", model, VOCAB)
    loaded = load_model(tmp_path / "a", VOCAB)
    contexts = np.random.default_rng(0).integers(0, V, (50, width(model)), dtype=np.int32)
    assert type(loaded) is type(model)
    assert loaded.parameter_count == model.parameter_count
    assert np.array_equal(loaded.log_probs(contexts), model.log_probs(contexts))
    save_model(tmp_path / "b", loaded, VOCAB)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@each_model
def test_tokens_have_the_probabilities_of_their_contexts(make: Callable[[], Model]) -> None:
    model, tokens = make(), encoded(VOCAB, *NAMES)
    picked = model.log_probs(sliding(tokens, width(model)))[np.arange(len(tokens)), tokens]
    assert model.token_log_probs(tokens) == pytest.approx(picked, abs=1e-5)


def test_another_vocabulary_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path / "model", fitted(2, 1), VOCAB)
    with pytest.raises(ValueError, match="model: expected a model with the vocabulary at hand, 3 characters; it has 6"):
        load_model(tmp_path / "model", Vocab.of(text_of("xy")))


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:20],
        lambda content: content[:-3],
        lambda content: b"\xff" * 8 + content[8:],
        lambda content: content.replace(b"ngram", b"os   ", 1),
        lambda content: content.replace(b'\\"order\\": 2', b'\\"order\\": 0', 1),
        lambda content: content.replace(b'"counts"', b'"Counts"', 1),
        lambda content: content.replace(b'\\"vocab\\"', b'\\"Vocab\\"', 1),
        lambda content: content.replace(b'\\".\\"', b"12345", 1),
    ],
    ids=[
        *("empty", "header cut off", "arrays cut off", "no header", "no family", "bad configuration", "array missing"),
        *("no vocabulary", "bad vocabulary"),
    ],
)
def test_a_damaged_file_is_named(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, fitted(2, 1), VOCAB)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError) as error:
        load_model(path, VOCAB)
    assert str(error.value).startswith(f"{path}: expected")


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, mlp(direct=False), VOCAB)
    arrays_, metadata = read_safetensors(path)
    write_safetensors(path, arrays_ | {"b2": np.zeros(V + 1, dtype=np.float32)}, metadata)
    with pytest.raises(ValueError, match="expected a model of this project, found weights of shapes"):
        load_model(path, VOCAB)
