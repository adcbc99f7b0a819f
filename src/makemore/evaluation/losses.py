"""The loss of a model on a list of names: its mean negative log-likelihood, and metrics derived from it.

All losses are in nats per predicted token. The end token of a name is predicted and counts; the start token is given
and does not count. A name of n characters therefore has n + 1 predicted tokens.

Shapes: N names, M tokens.
"""

import math
import operator
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from makemore.core import cluster
from makemore.core.cluster import Shard
from makemore.core.contexts import name_bounds, whole_names
from makemore.core.model import Model, read_model
from makemore.core.progress import Update, silent
from makemore.core.vocab import Tokens, Vocab, encoded, token_blocks

CHUNK = 1 << 18  # tokens processed at a time, which bounds the memory


def token_nlls(model: Model, tokens: Tokens, update: Update = silent) -> NDArray[np.float64]:
    """-ln P(token | the tokens before it in its name) for each token, (M,)."""
    nlls = np.empty(len(tokens))
    total = 0.0
    for part in whole_names(tokens, CHUNK):
        nlls[part] = -model.token_log_probs(tokens[part])
        total += float(nlls[part].sum())
        update(part.stop, f"nll {total / part.stop:.4f}")
    return nlls


@dataclass
class Totals:
    """Sums over the names of a list, to which the names are added in blocks, and the metrics that follow from them."""

    names: int = 0
    tokens: int = 0
    nll: float = 0.0  # summed over the tokens
    unseen: int = 0  # tokens of names that are not in train
    nll_unseen: float = 0.0
    # summed over the names: the square of the loss, the loss times the number of tokens, the square of that number
    squares: float = 0.0
    products: float = 0.0
    sizes: int = 0

    def add(self, nlls: NDArray[np.float64], tokens: Tokens, unseen: NDArray[np.bool_] | None = None) -> None:
        """Add some names, given their tokens, (M,), the losses of these, (M,), and which are not in train, (N,)."""
        starts, sizes = name_bounds(tokens)  # (N,)
        losses = np.add.reduceat(nlls, starts)  # (N,)
        self.names += len(sizes)
        self.tokens += len(tokens)
        self.nll += float(nlls.sum())
        self.squares += float(losses @ losses)
        self.products += float(losses @ sizes)
        self.sizes += int(sizes @ sizes)
        if unseen is not None:
            new = nlls[np.repeat(unseen, sizes)]
            self.unseen += len(new)
            self.nll_unseen += float(new.sum())

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(*(one + more for one, more in zip(astuple(self), astuple(other), strict=True)))

    def summary(self) -> dict[str, float]:
        """The metrics of all names added.

        `nll_se` is the standard error of `nll`, treating names as the sampling unit. `nll` is the ratio of the sum of
        the names' losses to the sum of their lengths, so its error follows from the residuals loss - nll * length.
        """
        nll = self.nll / self.tokens
        result = {"nll": nll, "nll_se": math.inf, "perplexity": float(np.exp(nll)), "bits_per_char": nll / math.log(2)}
        if math.isfinite(nll) and self.names > 1:
            residuals = max(0.0, self.squares - 2 * nll * self.products + nll**2 * self.sizes)  # the sum of the squares
            result["nll_se"] = math.sqrt(self.names / (self.names - 1) * residuals) / self.tokens
        if self.unseen:
            result["nll_unseen"] = self.nll_unseen / self.unseen
        return result


def summary(nlls: NDArray[np.float64], tokens: Tokens) -> dict[str, float]:
    """The metrics of a list of names, from the losses of its tokens, (M,)."""
    totals = Totals()
    totals.add(nlls, tokens)
    return totals.summary()


def evaluate(
    model: Model,
    tokens: Tokens,
    update: Update = silent,
    unseen: NDArray[np.bool_] | None = None,
) -> dict[str, float]:
    """The `summary` of a model on a list of names.

    Args:
        unseen: (N,) which names are not in train. Their mean NLL is added as `nll_unseen`. Duplicates in a list leak
            train names into the other splits, which favours models that memorise.
    """
    totals = Totals()
    totals.add(token_nlls(model, tokens, update), tokens, unseen)
    return totals.summary()


def evaluate_file(
    path: Path, file: Path, update: Update = silent, loaded: tuple[Model, Vocab] | None = None
) -> dict[str, float]:
    """The `summary` of the model in a file on the names in another, in blocks.

    If the environment asks for a cluster (see `core/cluster.py`), it evaluates the shards of the names.

    Args:
        path: the file of the model.
        file: the names.
        loaded: the model and its vocabulary, if they have been read already.

    Raises:
        OSError, ValueError: like `read_model` and `vocab.token_blocks`.
    """
    if cluster.is_wanted():
        totals: Totals = cluster.reduce_shards(file, partial(_shard_totals, path), operator.add)
        return totals.summary()
    model, vocab = loaded or read_model(path)
    return _totals(model, token_blocks(file, vocab), update).summary()


def _totals(model: Model, blocks: Iterable[Tokens], update: Update = silent) -> Totals:
    totals = Totals()
    for tokens in blocks:
        totals.add(token_nlls(model, tokens), tokens)
        update(totals.tokens, f"nll {totals.nll / totals.tokens:.4f}")
    return totals


def _shard_totals(path: Path, shard: Shard) -> Totals:
    model, vocab = _kept_model(path, path.stat().st_mtime_ns)
    return _totals(model, encoded(shard.blocks(), vocab, shard.source))


@lru_cache(maxsize=1)
def _kept_model(path: Path, modified: int) -> tuple[Model, Vocab]:
    """A model that a worker keeps for its next shards."""
    return read_model(path)
