"""What every model has in common: the interface, and the model files."""

import resource
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
from makemore.core.params import Section
from makemore.core.vocab import Vocab
from makemore.models.bow import BagOfWords, BagOfWordsParams
from makemore.models.mlp import MLP
from makemore.models.neural_bigram import NeuralBigram
from makemore.models.ngram.model import NgramParams, fit
from makemore.models.recurrent import Recurrent, RecurrentParams
from makemore.models.transformer import Transformer, TransformerParams
from makemore.models.wavenet import WaveNet, WaveNetParams

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
V = len(VOCAB)

POWER_LAW = NgramParams(order=4, smoothing="power_law", strength=[0.1, 0.4, 0.7, 0.9], position=3)
LSTM = RecurrentParams(cell="lstm", embedding=3, hidden=8, layers=2, dropout=0.5)
BOW = BagOfWordsParams(embedding=8, hidden=8, positions=4, dropout=0.5)
WAVENET = WaveNetParams(channels=8, hidden=8, layers=2, kernel=2, dropout=0.5)
TRANSFORMER = TransformerParams(layers=1, heads=2, embedding=8, positions=4, dropout=0.5)


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def fitted(order: int, strength: float) -> Model:
    return fit(additive(order, strength), encoded(VOCAB, *NAMES), V)


def mlp(direct: bool) -> Model:
    params = mlp_params(direct=direct, initialization="randn")
    return MLP(params, V, seeded())


MODELS: dict[str, Callable[[], Model]] = {
    "unigram": lambda: fitted(1, 1),
    "bigram": lambda: fitted(2, 1),
    "trigram, unsmoothed": lambda: fitted(3, 0),
    "5-gram": lambda: fitted(5, 0.1),
    "power law": lambda: fit(POWER_LAW, encoded(VOCAB, *NAMES), V),
    "neural bigram": lambda: NeuralBigram(Section(), V, seeded()),
    "mlp": lambda: mlp(direct=False),
    "mlp, direct": lambda: mlp(direct=True),
    "lstm": lambda: Recurrent(LSTM, V, seeded()),
    "bow": lambda: BagOfWords(BOW, V, seeded()),
    "wavenet": lambda: WaveNet(WAVENET, V, seeded()),
    "transformer": lambda: Transformer(TRANSFORMER, V, seeded()),
}
each_model = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def width(model: Model) -> int:
    """The context length to test a model with; a model of whole names accepts any."""
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
def test_a_loaded_model_equals_the_saved_one(make: Callable[[], Model], tmp_path: Path) -> None:
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
def test_token_log_probs_agree_with_log_probs(make: Callable[[], Model]) -> None:
    model, tokens = make(), encoded(VOCAB, *NAMES)
    picked = model.log_probs(sliding(tokens, width(model)))[np.arange(len(tokens)), tokens]
    assert model.token_log_probs(tokens) == pytest.approx(picked, abs=1e-5)


def test_a_model_with_another_vocabulary_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path / "model", fitted(2, 1), VOCAB)
    with pytest.raises(ValueError, match=r"model: expected the 3 tokens of vocab.json, found another vocabulary of 6"):
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
def test_the_error_names_a_damaged_file(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, fitted(2, 1), VOCAB)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError) as error:
        load_model(path, VOCAB)
    assert str(error.value).startswith(f"{path}: expected")


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, mlp(direct=False), VOCAB)
    weights, metadata = read_safetensors(path)
    write_safetensors(path, weights | {"b2": np.zeros(V + 1, dtype=np.float32)}, metadata)
    with pytest.raises(ValueError, match="expected a model of this project, found weights of shapes"):
        load_model(path, VOCAB)


def test_a_small_file_cannot_ask_for_a_huge_network(tmp_path: Path) -> None:
    """The weights of this configuration would take 4 TB: the shapes are compared before anything is allocated."""
    path = tmp_path / "model.safetensors"
    save_model(path, mlp(direct=True), VOCAB)
    weights, metadata = read_safetensors(path)
    huge = {"context": 1000, "embedding": 10_000, "hidden": 100_000}
    write_safetensors(path, weights, metadata | {"config": metadata["config"] | huge})
    before = peak_memory()
    with pytest.raises(ValueError, match="expected a model of this project, found weights of shapes"):
        load_model(path, VOCAB)
    assert peak_memory() - before < 100e6


def peak_memory() -> float:
    """Largest resident memory of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("value", [1e300, float("nan"), float("-inf")])  # 1e300 is infinite as a 32-bit float
def test_weights_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    path = tmp_path / "model.safetensors"
    save_model(path, mlp(direct=False), VOCAB)
    weights, metadata = read_safetensors(path)
    b1 = weights["b1"].astype(np.float64)
    write_safetensors(path, weights | {"b1": b1}, metadata)
    load_model(path, VOCAB)  # 64-bit floats are fine, they are converted
    b1[2] = value
    write_safetensors(path, weights | {"b1": b1}, metadata)
    with pytest.raises(ValueError, match="found weights b1 that are not all finite"):
        load_model(path, VOCAB)
