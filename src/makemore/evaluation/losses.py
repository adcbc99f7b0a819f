"""The loss of a model on a list of names: its mean negative log-likelihood, and metrics derived from it.

All losses are in nats per predicted token. The end token of a name is predicted and counts; the start token is given
and does not count. A name of n characters therefore has n + 1 predicted tokens.

Shapes: N names, M tokens.
"""

import math

import numpy as np
from numpy.typing import NDArray

from makemore.core.contexts import name_bounds
from makemore.core.model import Model
from makemore.core.progress import Update, silent
from makemore.core.vocab import Tokens

CHUNK = 1 << 18  # tokens processed at a time, which bounds the memory


def token_nlls(model: Model, tokens: Tokens, update: Update = silent) -> NDArray[np.float64]:
    """-ln P(token | the tokens before it in its name) for each token, (M,)."""
    nlls = np.empty(len(tokens))
    starts, sizes = name_bounds(tokens)
    ends = starts + sizes
    start, total = 0, 0.0
    while start < len(tokens):
        first = int(np.searchsorted(starts, start))
        last = int(np.searchsorted(ends, start + CHUNK, side="right")) - 1
        stop = int(ends[max(first, last)])  # a chunk consists of whole names; a name longer than CHUNK is one chunk
        nlls[start:stop] = -model.token_log_probs(tokens[start:stop])
        total += float(nlls[start:stop].sum())
        start = stop
        update(stop, f"nll {total / stop:.4f}")
    return nlls


def summary(nlls: NDArray[np.float64], tokens: Tokens) -> dict[str, float]:
    """The metrics of a list of names, from the losses of its tokens, (M,).

    `nll_se` is the standard error of `nll`, treating names as the sampling unit. `nll` is the ratio of the sum of the
    names' losses to the sum of their lengths, so its error follows from the residuals loss - nll * length.
    """
    starts, sizes = name_bounds(tokens)
    nll = float(nlls.mean())
    result = {"nll": nll, "nll_se": math.inf, "perplexity": float(np.exp(nll)), "bits_per_char": nll / math.log(2)}
    if math.isfinite(nll) and len(sizes) > 1:
        residuals = np.add.reduceat(nlls, starts) - nll * sizes  # (N,)
        result["nll_se"] = math.sqrt(len(sizes) / (len(sizes) - 1) * float(residuals @ residuals)) / len(tokens)
    return result


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
    nlls = token_nlls(model, tokens, update)  # (M,)
    result = summary(nlls, tokens)
    if unseen is not None and unseen.any():
        _, sizes = name_bounds(tokens)
        result["nll_unseen"] = float(nlls[np.repeat(unseen, sizes)].mean())
    return result
