"""The interface that every model implements: contexts in, log-probabilities of the next character out.

A family of models is one file or folder of `makemore/models`. Its module names its class in `MODEL`: that class
implements `Model`, and its `from_arrays` rebuilds a model from what `save_model` wrote.
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
State = tuple[Any, ...]  # arrays or tensors, one row for each name

FAMILIES = "makemore.models"
LONGEST = 300  # characters that an error quotes from a model's file


class Model(Protocol):
    """A character-level language model over a vocabulary of V tokens."""

    @property
    def context(self) -> int | None:
        """How many characters back it looks, T; None: to the start of the name."""

    @property
    def parameter_count(self) -> int:
        """How many numbers were learned: weights of a network, stored counts of a count model."""

    def log_probs(self, contexts: Contexts) -> NDArray[np.float64]:
        """Natural logarithms of the probabilities of the next token, (N, V), given contexts, (N, T).

        Each row of probabilities sums to 1. -inf where a model rules a token out.
        """

    def token_log_probs(self, tokens: Tokens) -> NDArray[np.float64]:
        """Natural logarithm of the probability of each token after those before it in its name, (M,).

        Args:
            tokens: whole names.
        """

    def config(self) -> Mapping[str, object]:
        """What, beside the arrays, makes this model again."""

    def arrays(self) -> Arrays:
        """What was learned."""


@runtime_checkable
class Probabilistic(Protocol):
    """A model that has probabilities at hand, not only their logarithms, whose last bits depend on the processor."""

    def probs(self, contexts: Contexts) -> NDArray[np.float64]:
        """Probabilities of the next token, (N, V), given contexts, (N, T)."""


@runtime_checkable
class Stateful(Protocol):
    """What makes N names side by side, a character at a time, without reading again what it has made."""

    def begin(self, count: int) -> State:
        """The state before the boundary token that begins each name."""

    def advance(self, state: State, tokens: Tokens) -> tuple[NDArray[np.float64], State]:
        """Append one token to each name, (N,): the log-probabilities of the next, (N, V), and the new state."""


class Window:
    """`Stateful` for a model that looks a fixed number of characters back: its state is the contexts."""

    def __init__(self, model: Model):
        assert model.context is not None
        self.model, self.context = model, model.context

    def begin(self, count: int) -> State:
        return (np.zeros((count, self.context), dtype=np.int32),)

    def advance(self, state: State, tokens: Tokens) -> tuple[NDArray[np.float64], State]:
        contexts = np.column_stack((*state, tokens))[:, 1:]  # (N, T)
        return self.model.log_probs(contexts), (contexts,)


def stateful(model: Model) -> Stateful:
    return model if isinstance(model, Stateful) else Window(model)


def family_of(model: Model) -> str:
    """The file or folder of `makemore/models` that holds it."""
    return type(model).__module__.removeprefix(f"{FAMILIES}.").partition(".")[0]


def from_family(family: object, config: object, arrays: Arrays, vocab_size: int) -> Model:
    """A model from its parts. Imports only the module of its family.

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
    """What a model's file holds beside its arrays, so that nothing else is needed to read it."""
    return {"family": family_of(model), "config": dict(model.config()), "vocab": list(vocab.itos)}


def save_model(path: Path, model: Model, vocab: Vocab) -> None:
    """Write a model, with its family, configuration and vocabulary in the metadata."""
    write_safetensors(path, model.arrays(), metadata(model, vocab))


def read_model(path: str | Path) -> tuple[Model, Vocab]:
    """Read a model of any family, and the vocabulary that it was made with. Only the file of its family is imported.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is damaged, or no model of this project.
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
        shown = reason if len(reason) <= LONGEST else f"{reason[:LONGEST]}..."
        raise ValueError(f"{path}: expected a model of this project, found {shown}") from None


def _vocab(characters: Any) -> Vocab:
    if not isinstance(characters, list) or not all(isinstance(character, str) for character in characters):
        raise ValueError(f"the vocabulary {reprlib.repr(characters)} instead of a list of characters")
    try:
        return Vocab(tuple(characters))
    except ValueError as error:
        raise ValueError(f"a bad vocabulary ({error})") from None


def load_model(path: Path, vocab: Vocab) -> Model:
    """Read a model that must have the vocabulary at hand. Raises ValueError where it has another, or as `read` does."""
    model, own = read_model(path)
    if own != vocab:
        raise ValueError(
            f"{path}: expected a model with the vocabulary at hand, {len(vocab)} characters; it has {len(own)}"
        )
    return model
