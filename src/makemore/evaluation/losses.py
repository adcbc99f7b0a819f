"""How good a model is on some names: its mean negative log-likelihood, and what follows from it.

All losses are in nats a predicted token. The end token of a name is predicted and counts; its start is given and does
not. So a name of n characters counts n + 1 tokens.
"""

import math

import numpy as np
from numpy.typing import NDArray

from makemore.core.contexts import name_bounds
from makemore.core.model import Model
from makemore.core.progress import Update, silent
from makemore.core.vocab import Tokens

CHUNK = 1 << 18  # tokens at a time, which bounds the memory


def token_nlls(model: Model, tokens: Tokens, update: Update = silent) -> NDArray[np.float64]:
    """-ln P(token | those before it in its name) for each token, (M,). A chunk is whole names."""
    nlls = np.empty(len(tokens))
    starts, sizes = name_bounds(tokens)
    ends = starts + sizes
    start, total = 0, 0.0
    while start < len(tokens):
        fitting = int(np.searchsorted(ends, start + CHUNK, side="right")) - 1  # the last name that ends in this chunk
        first = int(np.searchsorted(starts, start))  # a longer name is a chunk of its own
        stop = int(ends[max(first, fitting)])
        nlls[start:stop] = -model.token_log_probs(tokens[start:stop])
        total += float(nlls[start:stop].sum())
        start = stop
        update(stop, f"nll {total / stop:.4f}")
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
    update: Update = silent,
    unseen: NDArray[np.bool_] | None = None,
) -> dict[str, float]:
    """`summary` of a model on some names.

    Args:
        unseen: (names,) which of them are not in train: their mean NLL is given too, as `nll_unseen`. A list that holds
            names twice leaks some of train into the other splits, and a model that remembers gains by it.
    """
    nlls = token_nlls(model, tokens, update)  # (M,)
    result = summary(nlls, tokens)
    if unseen is not None and unseen.any():
        _, sizes = name_bounds(tokens)
        result["nll_unseen"] = float(nlls[np.repeat(unseen, sizes)].mean())
    return result
