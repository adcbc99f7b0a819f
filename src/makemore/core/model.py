"""The interface that every model implements: contexts in, log-probabilities of the next character out.

A family of models is one file or folder in `makemore/models`. Its module assigns the class of its models to `MODEL`.
The class implements `Model` and a class method `from_arrays`, which restores a model from the content of its file.

Shapes: N contexts or names, T context length, M tokens, V vocabulary.
"""

import reprlib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from makemore.core.contexts import Contexts
from makemore.core.files import read_safetensors, write_safetensors
from makemore.core.vocab import Tokens, Vocab

Arrays = dict[str, NDArray[Any]]
State = tuple[Any, ...]  # arrays or tensors with one row per name

FAMILIES = "makemore.models"
MAX_QUOTED = 300  # characters of an error in a model file that are shown


class Model(Protocol):
    """A character-level language model over a vocabulary of V tokens."""

    @property
    def context(self) -> int | None:
        """The context length T, or None if the model reads the whole name."""

    @property
    def parameter_count(self) -> int:
        """The number of weights of a network, or of stored counts of an n-gram model."""

    def log_probs(self, contexts: Contexts) -> NDArray[np.float64]:
        """The natural logarithms of the probabilities of the next token, (N, V), given contexts, (N, T).

        Each row of probabilities sums to 1. A probability of 0 has the logarithm -inf.
        """

    def token_log_probs(self, tokens: Tokens) -> NDArray[np.float64]:
        """The natural logarithm of the probability of each token, (M,), given the tokens before it in its name.

        Args:
            tokens: (M,) whole names.
        """

    def config(self) -> Mapping[str, object]:
        """The configuration needed, with the arrays, to restore the model."""

    def arrays(self) -> Arrays:
        """The learned parameters, and buffers."""


@runtime_checkable
class Probabilistic(Protocol):
    """A model that computes probabilities without logarithms, whose last bits depend on the processor."""

    def probs(self, contexts: Contexts) -> NDArray[np.float64]:
        """The probabilities of the next token, (N, V), given contexts, (N, T)."""


@runtime_checkable
class Stateful(Protocol):
    """A model that extends N names in parallel, one token at a time, without rereading earlier tokens."""

    def begin(self, count: int) -> State:
        """The initial state of `count` names, before the boundary token."""

    def advance(self, state: State, tokens: Tokens) -> tuple[NDArray[np.float64], State]:
        """Append one token to each name, (N,); return the log-probabilities of the next, (N, V), and the new state."""


class Window:
    """An adapter to `Stateful` for models with a fixed context length. The state is the contexts."""

    def __init__(self, model: Model):
        assert model.context is not None
        self.model, self.context = model, model.context

    def begin(self, count: int) -> State:
        return (np.zeros((count, self.context), dtype=np.int32),)

    def advance(self, state: State, tokens: Tokens) -> tuple[NDArray[np.float64], State]:
        contexts = np.column_stack((*state, tokens))[:, 1:]  # (N, T)
        return self.model.log_probs(contexts), (contexts,)


def stateful(model: Model) -> Stateful:
    """The model itself if it is `Stateful`, otherwise in an adapter."""
    return model if isinstance(model, Stateful) else Window(model)


def family_of(model: Model) -> str:
    """The name of the file or folder in `makemore/models` that defines the model."""
    return type(model).__module__.removeprefix(f"{FAMILIES}.").partition(".")[0]


def from_family(family: object, config: object, arrays: Arrays, vocab_size: int) -> Model:
    """Restore a model. Only the module of its family is imported.

    Raises:
        ValueError: there is no such family, or the parts do not fit together; the message says what was found.
    """
    if not isinstance(family, str) or not family.isidentifier():
        raise ValueError(f"the family {reprlib.repr(family)}")
    if not isinstance(config, dict):
        raise ValueError(f"the config {reprlib.repr(config)} instead of keys and values")
    try:
        make = import_module(f"{FAMILIES}.{family}").MODEL.from_arrays
    except (ModuleNotFoundError, AttributeError) as error:
        raise ValueError(f"the family {reprlib.repr(family)} ({error})") from None
    return cast(Model, make(config, arrays, vocab_size))


def metadata(model: Model, vocab: Vocab) -> dict[str, object]:
    """The metadata of a model file, which make it self-contained."""
    return {"family": family_of(model), "config": dict(model.config()), "vocab": list(vocab.itos)}


def save_model(path: Path, model: Model, vocab: Vocab) -> None:
    """Write a model to a safetensors file, with its family, configuration and vocabulary in the metadata."""
    write_safetensors(path, model.arrays(), metadata(model, vocab))


def read_model(path: str | Path) -> tuple[Model, Vocab]:
    """Read a model of any family and its vocabulary. Only the module of its family is imported.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is missing, damaged, or not a model of this project.
    """
    try:
        arrays, found = read_safetensors(Path(path))
    except FileNotFoundError:
        available = ", ".join(sorted(file.stem for file in Path(path).parent.glob("*.safetensors"))) or "none"
        raise ValueError(f"{path}: no such model; available: {available}") from None
    try:
        vocab = _vocab(found.get("vocab"))
        return from_family(found.get("family"), found.get("config"), arrays, len(vocab)), vocab
    except ValueError as error:
        reason = str(error)
        shown = reason if len(reason) <= MAX_QUOTED else f"{reason[:MAX_QUOTED]}..."
        raise ValueError(f"{path}: expected a model of this project, found {shown}") from None


def _vocab(characters: Any) -> Vocab:
    if not isinstance(characters, list) or not all(isinstance(character, str) for character in characters):
        raise ValueError(f"the vocabulary {reprlib.repr(characters)} instead of a list of characters")
    try:
        return Vocab(tuple(characters))
    except ValueError as error:
        raise ValueError(f"a bad vocabulary ({error})") from None


def load_model(path: Path, vocab: Vocab) -> Model:
    """Read a model that must have this vocabulary. Raises ValueError if it has another, and like `read_model`."""
    model, found = read_model(path)
    if found != vocab:
        sizes = f"expected the {len(vocab)} tokens of vocab.json, found another vocabulary of {len(found)}"
        raise ValueError(f"{path}: {sizes}; train the model again")
    return model
