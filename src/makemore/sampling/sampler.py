"""Generate names from a model, one character at a time.

Shapes: B names, V vocabulary.
"""

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
from makemore.core.model import Model, Probabilistic, Stateful, stateful
from makemore.core.names import Hashes, Text
from makemore.core.params import Section, Seed
from makemore.core.vocab import Tokens, Vocab
from makemore.sampling import markov

Floats = NDArray[np.float64]
Draw = Callable[[Floats, np.random.Generator], NDArray[np.int64]]
Generate = Callable[[int], Tokens]  # generates about that many names, including names that are too long

BATCH = 1000  # names generated in parallel
MAX_REJECTIONS = 100_000  # consecutive names that do not match the options before sampling fails


class SampleParams(Section):
    """How names are sampled, and which names are kept."""

    count: Annotated[int, Field(ge=1, description="number of names")]
    temperature: Annotated[
        float,
        Field(ge=0, description="1: the model's distribution; below 1: sharper; 0: always the most likely character"),
    ]
    top_k: Annotated[
        int | None, Field(ge=1, description="sample from this many of the most likely characters; null: all")
    ]
    top_p: Annotated[
        float,
        Field(gt=0, le=1, description="sample from the most likely characters that together have this probability"),
    ]
    min_length: Annotated[int, Field(ge=0, description="minimum length; names that fail any filter are resampled")]
    max_length: Annotated[int, Field(ge=1, le=100_000, description="maximum length")]
    prefix: Annotated[str | None, Field(description="how names begin")]
    suffix: Annotated[str | None, Field(description="how names end")]
    pattern: Annotated[
        str | None, Field(description="glob that names match: * any characters, ? any one, [aeiou] one of these")
    ]
    new: Annotated[bool, Field(description="only names that are not in train")]
    distinct: Annotated[bool, Field(description="no name twice")]
    seed: Annotated[Seed, Field(description="seed of the sampler")]

    @model_validator(mode="after")
    def _lengths_fit(self) -> Self:
        if self.min_length > self.max_length:
            raise ValueError(f"min_length: expected at most max_length, {self.max_length}, got {self.min_length}")
        if len(self.prefix or "") > self.max_length:
            raise ValueError(f"prefix: expected at most max_length, {self.max_length}, characters, got {self.prefix!r}")
        return self


def categorical(probs: Floats, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw a token from each row of probabilities, (B, V) -> (B,), by inverting the cumulative distribution."""
    cumulative = probs.cumsum(axis=1)
    u = generator.random((len(probs), 1)) * cumulative[:, -1:]
    return np.asarray((cumulative <= u).sum(axis=1))


def sample(
    model: Model,
    params: SampleParams,
    vocab: Vocab,
    train: Hashes | None = None,
    *,
    batch: int = BATCH,
    draw: Draw = categorical,
) -> Iterator[Text]:
    """Sample names, yielding several at a time. The same seed and parameters give the same names.

    Names that do not match the parameters are resampled, so the names follow the model's distribution conditioned on a
    match. Models with short contexts are sampled with `markov.Chains`, which is faster.

    Args:
        train: the hashes of the train names, which `new` excludes.
        batch: names generated in parallel. With 1, and torch's multinomial as `draw`, this is the lecture's loop.
        draw: draws a token from each row of probabilities.

    Raises:
        ValueError: too few names match the parameters.
    """
    generator = np.random.default_rng(params.seed)
    prefix = _tokens("prefix", params.prefix or "", vocab)
    _tokens("suffix", params.suffix or "", vocab)
    tabulated = not isinstance(model, Stateful) and markov.fits(model.context, len(vocab), params.max_length)
    if tabulated and draw is categorical and not len(prefix):
        batch = markov.WALKS * markov.MAX_NAMES_PER_WALK
        generate = _chains(model, params, len(vocab), generator)
    else:
        generate = functools.partial(_batch, stateful(model), params, prefix, generator, draw)

    keep = Filter(params, train)
    missing, rejections, size = params.count, 0, min(batch, params.count)
    while missing:
        text = vocab.decode(generate(size))
        generated = names.count(text)
        text = keep.apply(text)
        kept = names.count(text)
        rejections = 0 if kept else rejections + generated
        if rejections >= MAX_REJECTIONS:
            found = f"found {params.count - missing:,} of {params.count:,} names with {keep}"
            raise ValueError(f"{found}; the last {rejections:,} generated do not match; relax these options")
        if kept:
            yield text if kept <= missing else names.first(text, missing)
        missing -= min(kept, missing)
        size = min(batch, missing) if kept == generated else batch


def _tokens(key: str, string: str, vocab: Vocab) -> Tokens:
    for character in string:
        if character not in vocab.itos[1:]:
            raise ValueError(f"{key}: expected characters of the vocabulary, got {character!r} in {string!r}")
    return np.array([vocab.stoi[character] for character in string], dtype=np.int32)


def _chains(model: Model, params: SampleParams, vocab_size: int, generator: np.random.Generator) -> Generate:
    def probs_of(contexts: Contexts) -> Floats:
        if isinstance(model, Probabilistic):
            return adjusted(model.probs(contexts), params)
        return adjusted(np.exp(model.log_probs(contexts)), params)

    assert model.context is not None
    table = markov.Chains(probs_of, model.context, vocab_size, params.max_length)
    return lambda size: table.names(size, generator)


class Filter:
    """Keeps the names that match the parameters."""

    def __init__(self, params: SampleParams, train: Hashes | None):
        self.params, self.train = params, train
        self.matches = re.compile(fnmatch.translate(params.pattern or "*")).match
        self.excluded: set[str] = set()
        assert train is not None or not params.new

    def __str__(self) -> str:
        given = {key: getattr(self.params, key) for key in ("prefix", "suffix", "pattern", "new", "distinct")}
        lengths = f"length {self.params.min_length} to {self.params.max_length}"
        return ", ".join(
            [lengths, *(key if value is True else f"{key} {value}" for key, value in given.items() if value)]
        )

    def apply(self, text: Text) -> Text:
        """The matching names of a text, in order."""
        lengths = names.bounds(text)[1]
        fits = (lengths >= self.params.min_length) & (lengths <= self.params.max_length)
        if not fits.all():
            text, lengths = text[np.repeat(fits, lengths + 1)], lengths[fits]
        if self.params.new and self.train is not None:
            text = text[np.repeat(~names.have(self.train, text), lengths + 1)]
        if not (self.params.suffix or self.params.pattern or self.params.distinct):
            return text
        listed = names.to_string(text).split("\n")[:-1]
        return names.from_string("".join(f"{name}\n" for name in listed if self._keeps(name)))

    def _keeps(self, name: str) -> bool:
        if not name.endswith(self.params.suffix or "") or not self.matches(name) or name in self.excluded:
            return False
        if self.params.distinct:
            self.excluded.add(name)
        return True


def _batch(
    model: Stateful, params: SampleParams, prefix: Tokens, generator: np.random.Generator, draw: Draw, count: int
) -> Tokens:
    """Generate `count` names, each with an end token. Names that are too long are cut at max_length + 1 characters."""
    rows = np.zeros((count, params.max_length + 2), dtype=np.int32)  # (B, max_length + 2): 0 ends a name
    live = np.arange(count)  # the names that have not ended
    token: Tokens = np.zeros(count, dtype=np.int32)  # (live,): the last token of each, at first the boundary
    state = model.begin(count)
    for position in range(params.max_length + 1):
        log_probs, state = model.advance(state, token)  # (live, V)
        if position < len(prefix):
            token = np.full(count, prefix[position], dtype=np.int32)
            if np.isneginf(log_probs[:, prefix[position]]).any():
                raise ValueError(f"prefix: the model gives {params.prefix!r} the probability 0; try another prefix")
        else:
            token = draw(adjusted(np.exp(log_probs), params), generator).astype(np.int32)
        rows[live, position] = token
        unfinished = np.flatnonzero(token)
        live, token, state = live[unfinished], token[unfinished], tuple(part[unfinished] for part in state)
        if not len(live):
            break
    through_end = np.arange(rows.shape[1]) <= (rows == 0).argmax(axis=1)[:, None]  # (B, max_length + 2)
    return np.asarray(rows[through_end])


def adjusted(probs: Floats, params: SampleParams) -> Floats:
    """The distribution to sample from, (B, V): temperature first, then top-k and top-p. Ties keep their order."""
    probs = tempered(probs, params.temperature)
    if params.top_k is not None or params.top_p < 1:
        order = np.argsort(-probs, axis=1, kind="stable")
        ranked = np.take_along_axis(probs, order, axis=1)
        kept = ranked.cumsum(axis=1) - ranked < params.top_p  # includes the token that crosses top_p
        kept[:, params.top_k or kept.shape[1] :] = False
        np.put_along_axis(probs, order, ranked * kept, axis=1)
        probs /= probs.sum(axis=1, keepdims=True)
    return probs


def tempered(probs: Floats, temperature: float) -> Floats:
    """Probabilities, (B, V), raised to 1 / temperature and normalised; at 0 the most likely token has probability 1."""
    if temperature == 1:
        return probs.copy()
    if temperature == 0:
        return np.asarray(np.eye(probs.shape[1])[probs.argmax(axis=1)])
    raised = (probs / probs.max(axis=1, keepdims=True)) ** (1 / temperature)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def describe(samples: Text, train: Hashes, train_mean_length: float) -> dict[str, float]:
    """The numbers of samples, of distinct and of new ones (not in train), and the mean lengths in characters."""
    return {
        "samples": names.count(samples),
        "distinct": len(np.unique(names.identities(samples))),
        "new": int((~names.have(train, samples)).sum()),
        "mean_length": float(names.bounds(samples)[1].mean()),
        "train_mean_length": train_mean_length,
    }
