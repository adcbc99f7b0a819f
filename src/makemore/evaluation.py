"""How good a model is on some names: its mean negative log-likelihood, and what follows from it.

All losses are in nats a predicted token. The end token of a name is predicted and counts; its start is given and does
not. So a name of n characters counts n + 1 tokens.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from makemore.contexts import distinct, sliding
from makemore.model import Model
from makemore.vocab import Tokens, Vocab

CHUNK = 1 << 18  # tokens at a time, which bounds the memory


def token_nlls(
    model: Model, tokens: Tokens, vocab: Vocab, report: Callable[[int, str], None] = lambda done, note: None
) -> NDArray[np.float64]:
    """-ln P(token | its context) for each token, (M,). A context that occurs often is worked out once a chunk."""
    nlls = np.empty(len(tokens))
    total = 0.0
    for start in range(0, len(tokens), CHUNK):
        stop = min(start + CHUNK, len(tokens))
        before = max(0, start - model.context)
        contexts = sliding(tokens[before:stop], model.context)[start - before :]  # (chunk, T)
        rows, place = distinct(contexts, len(vocab))
        nlls[start:stop] = -model.log_probs(rows)[place, tokens[start:stop]]
        total += float(nlls[start:stop].sum())
        report(stop, f"nll {total / stop:.4f}")
    return nlls


def summary(nlls: NDArray[np.float64], tokens: Tokens) -> dict[str, float]:
    """The figures of some names, from the losses of their tokens, (M,).

    `nll_se` is the standard error of `nll` with names as the unit of sampling: the mean is a ratio, the sum of the
    names' losses over the sum of their lengths, and the spread of (loss - nll * length) over the names is its error.
    """
    starts, sizes = name_bounds(tokens)
    nll = float(nlls.mean())
    result = {"nll": nll, "nll_se": math.inf, "perplexity": float(np.exp(nll)), "bits_per_char": nll / math.log(2)}
    if math.isfinite(nll) and len(sizes) > 1:
        residuals = np.add.reduceat(nlls, starts) - nll * sizes  # (names,)
        result["nll_se"] = math.sqrt(len(sizes) / (len(sizes) - 1) * float(residuals @ residuals)) / len(tokens)
    return result


def evaluate(
    model: Model,
    tokens: Tokens,
    vocab: Vocab,
    report: Callable[[int, str], None] = lambda done, note: None,
    unseen: NDArray[np.bool_] | None = None,
) -> dict[str, float]:
    """`summary` of a model on some names.

    Args:
        unseen: (names,) which of them are not in train: their mean NLL is given too, as `nll_unseen`. A list that holds
            names twice leaks some of train into the other splits, and a model that remembers gains by it.
    """
    nlls = token_nlls(model, tokens, vocab, report)  # (M,)
    result = summary(nlls, tokens)
    if unseen is not None and unseen.any():
        _, sizes = name_bounds(tokens)
        result["nll_unseen"] = float(nlls[np.repeat(unseen, sizes)].mean())
    return result


def name_bounds(tokens: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each name starts, (names,), and how many tokens it is with its end, (names,)."""
    ends = np.flatnonzero(tokens == 0) + 1
    starts = np.concatenate(([0], ends[:-1]))
    return starts, ends - starts
