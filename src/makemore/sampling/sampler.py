"""Names that a model makes up, one character at a time."""

import fnmatch
import functools
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from makemore.core import names
from makemore.core.contexts import Contexts
from makemore.core.model import Model, Stateful, stateful
from makemore.core.names import Text
from makemore.core.params import Section, Seed
from makemore.core.vocab import Tokens, Vocab
from makemore.sampling import markov

Floats = NDArray[np.float64]
Draw = Callable[[Floats, np.random.Generator], NDArray[np.int64]]
Make = Callable[[int], Tokens]  # about so many names, whole, those that are too long among them

BATCH = 1000  # names that are made side by side
PATIENCE = 100_000  # names in a row that are not as they should be, after which we give up


class SampleParams(Section):
    """How names are sampled, and which are wanted."""

    count: Annotated[int, Field(ge=1, description="names to sample")]
    temperature: Annotated[
        float,
        Field(ge=0, description="1: the model as it is; less: it dares less; 0: always the likeliest"),
    ]
    top_k: Annotated[int | None, Field(ge=1, description="draw from this many of the likeliest characters; null: all")]
    top_p: Annotated[
        float,
        Field(gt=0, le=1, description="draw from the likeliest characters that together have this probability"),
    ]
    min_length: Annotated[int, Field(ge=0, description="characters that a name has at least")]
    max_length: Annotated[int, Field(ge=1, le=100_000, description="characters that a name has at most")]
    prefix: Annotated[str | None, Field(description="what names begin with")]
    suffix: Annotated[str | None, Field(description="what names end with")]
    pattern: Annotated[str | None, Field(description="what names match: * any characters, ? any one, [aeiou] one of")]
    new: Annotated[bool, Field(description="only names that are not in train")]
    distinct: Annotated[bool, Field(description="no name twice")]
    seed: Annotated[Seed, Field(description="of the sampler alone")]

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        if self.min_length > self.max_length:
            raise ValueError(f"min_length: expected at most max_length, {self.max_length}, got {self.min_length}")
        if len(self.prefix or "") > self.max_length:
            raise ValueError(f"prefix: expected at most max_length, {self.max_length}, characters, got {self.prefix!r}")
        return self


def categorical(probs: Floats, generator: np.random.Generator) -> NDArray[np.int64]:
    """One draw from each row of probabilities, (B, V) -> (B,): the first place where they sum to more than u."""
    cumulative = probs.cumsum(axis=1)
    u = generator.random((len(probs), 1)) * cumulative[:, -1:]
    return np.asarray((cumulative <= u).sum(axis=1))


def sample(
    model: Model,
    params: SampleParams,
    vocab: Vocab,
    train: Text | None = None,
    *,
    batch: int = BATCH,
    draw: Draw = categorical,
) -> Iterator[Text]:
    """Sample names, some at a time. The same seed and parameters give the same names.

    A name that is too long, or otherwise not as the parameters want it, is drawn again: so names have the model's
    probabilities, given that they are as wanted. Models that look few characters back, see `chains`, are quick.

    Args:
        train: what `new` names are not in.
        batch: names that are made side by side. With 1 and torch's multinomial as `draw` it is the lecture's loop.

    Raises:
        ValueError: no such names turn up.
    """
    generator = np.random.default_rng(params.seed)
    prefix = _tokens("prefix", params.prefix or "", vocab)
    _tokens("suffix", params.suffix or "", vocab)
    few = not isinstance(model, Stateful) and markov.fits(model.context, len(vocab), params.max_length)
    if few and draw is categorical and not len(prefix):
        batch = markov.WALKS * markov.NAMES
        make = _chains(model, params, len(vocab), generator)
    else:
        make = functools.partial(_batch, stateful(model), params, prefix, generator, draw)

    wanted = Wanted(params, train)
    missing, in_vain, size = params.count, 0, min(batch, params.count)
    while missing:
        text = vocab.decode(make(size))
        made = names.count(text)
        text = wanted.of(text)
        found = names.count(text)
        in_vain = 0 if found else in_vain + made
        if in_vain >= PATIENCE:
            so_far = f"found {params.count - missing:,} and gave up after {in_vain:,} in a row that were otherwise"
            raise ValueError(f"expected {params.count:,} names with {wanted}; {so_far}")
        if found:
            yield text if found <= missing else names.first(text, missing)
        missing -= min(found, missing)
        size = min(batch, missing) if found == made else batch


def _tokens(key: str, string: str, vocab: Vocab) -> Tokens:
    for character in string:
        if character not in vocab.itos[1:]:
            raise ValueError(f"{key}: expected characters of the vocabulary, got {character!r} in {string!r}")
    return np.array([vocab.stoi[character] for character in string], dtype=np.int32)


def _chains(model: Model, params: SampleParams, vocab_size: int, generator: np.random.Generator) -> Make:
    def probs_of(contexts: Contexts) -> Floats:
        return adjusted(model.log_probs(contexts), params)

    assert model.context is not None
    table = markov.Chains(probs_of, model.context, vocab_size, params.max_length)
    return lambda size: table.names(size, generator)


class Wanted:
    """Which names are kept."""

    def __init__(self, params: SampleParams, train: Text | None):
        self.params = params
        self.matches = re.compile(fnmatch.translate(params.pattern or "*")).match
        self.dropped = set() if train is None or not params.new else set(names.to_string(train).split("\n"))
        assert train is not None or not params.new

    def __str__(self) -> str:
        given = {key: getattr(self.params, key) for key in ("prefix", "suffix", "pattern", "new", "distinct")}
        lengths = f"length {self.params.min_length} to {self.params.max_length}"
        return ", ".join(
            [lengths, *(key if value is True else f"{key} {value}" for key, value in given.items() if value)]
        )

    def of(self, text: Text) -> Text:
        """Those names of a text that are as wanted, in their order."""
        lengths = names.bounds(text)[1]
        fits = (lengths >= self.params.min_length) & (lengths <= self.params.max_length)
        if not fits.all():
            text = text[np.repeat(fits, lengths + 1)]
        if not (self.params.suffix or self.params.pattern or self.params.new or self.params.distinct):
            return text
        listed = names.to_string(text).split("\n")[:-1]
        return names.from_string("".join(f"{name}\n" for name in listed if self._is(name)))

    def _is(self, name: str) -> bool:
        if not name.endswith(self.params.suffix or "") or not self.matches(name) or name in self.dropped:
            return False
        if self.params.distinct:
            self.dropped.add(name)
        return True


def _batch(
    model: Stateful, params: SampleParams, prefix: Tokens, generator: np.random.Generator, draw: Draw, count: int
) -> Tokens:
    """`count` names with an end token after each, those that are too long cut after one character too many."""
    made = np.zeros((count, params.max_length + 2), dtype=np.int32)  # (B, max_length + 2): 0 ends a name
    live = np.arange(count)  # the names that have not ended
    token: Tokens = np.zeros(count, dtype=np.int32)  # (live,): the boundary, then what was drawn last
    state = model.begin(count)
    for position in range(params.max_length + 1):
        log_probs, state = model.advance(state, token)  # (live, V)
        if position < len(prefix):
            token = np.full(count, prefix[position], dtype=np.int32)
            if np.isneginf(log_probs[:, prefix[position]]).any():
                raise ValueError(f"prefix: expected one that the model does not rule out, got {params.prefix!r}")
        else:
            token = draw(adjusted(log_probs, params), generator).astype(np.int32)
        made[live, position] = token
        going = np.flatnonzero(token)
        live, token, state = live[going], token[going], tuple(part[going] for part in state)
        if not len(live):
            break
    through_end = np.arange(made.shape[1]) <= (made == 0).argmax(axis=1)[:, None]  # (B, max_length + 2)
    return np.asarray(made[through_end])


def adjusted(log_probs: Floats, params: SampleParams) -> Floats:
    """What is drawn from, (B, V): tempered, then cut to the likeliest tokens, those first that come first."""
    probs = tempered(log_probs, params.temperature)
    if params.top_k is not None or params.top_p < 1:
        order = np.argsort(-probs, axis=1, kind="stable")
        ranked = np.take_along_axis(probs, order, axis=1)
        kept = ranked.cumsum(axis=1) - ranked < params.top_p  # the first that crosses top_p is the last one
        kept[:, params.top_k or kept.shape[1] :] = False
        np.put_along_axis(probs, order, ranked * kept, axis=1)
        probs /= probs.sum(axis=1, keepdims=True)
    return probs


def tempered(log_probs: Floats, temperature: float) -> Floats:
    """Probabilities, (B, V), raised to 1 / temperature and normalised; at 0 all on the likeliest token."""
    if temperature == 0:
        return np.asarray(np.eye(log_probs.shape[1])[log_probs.argmax(axis=1)])
    with np.errstate(over="ignore"):  # divided by next to nothing, all but the likeliest become -inf: that is right
        probs = np.exp((log_probs - log_probs.max(axis=1, keepdims=True)) / temperature)
    return np.asarray(probs / probs.sum(axis=1, keepdims=True))


def describe(samples: Text, train: Text) -> dict[str, float]:
    """How many samples there are, how many distinct, how many new (not in train), and mean lengths in characters."""
    return {
        "samples": names.count(samples),
        "distinct": len(np.unique(names.identities(samples))),
        "new": int((~names.is_in(samples, train)).sum()),
        "mean_length": float(names.bounds(samples)[1].mean()),
        "train_mean_length": float(names.bounds(train)[1].mean()),
    }
