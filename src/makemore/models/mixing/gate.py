"""The mixture of the chains: a product of their probabilities, each to a power that depends on its counts.

    P(w) is proportional to the product of P_k(w)^a_k, where a_k = b_k + B_k * features of chain k

It is the logistic mixing of the PAQ compressors (Mahoney 2005; Mattern 2012) for more than two symbols, with a function
of the counts in place of a table of weights. The loss is convex in b and B, so that the fit has a single result.

Shapes: K chains, N contexts, V vocabulary, F features with a leading 1.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from makemore.core.vocab import Tokens

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

DECAY = 1e-4  # L2 penalty of the weights of the standardized features
MEMORY = 10  # steps that L-BFGS remembers
CHUNK = 1 << 18  # probabilities per chain that are processed at a time: they stay in the cache
DIGITS = 6  # of the weights that are kept
SPREAD = 0.01  # features that vary less are not scaled, which would make their weights huge in other contexts


def exponents(weights: Floats, features: Floats) -> Floats:
    """a_k of each context, (K, N), from (K, F) weights and (K, N, F - 1) features."""
    return np.asarray(weights[:, :1] + (weights[:, None, 1:] * features).sum(axis=2))


def mix(log_probs: Singles, powers: Floats) -> Floats:
    """The log-probabilities of the mixture, (N, V), from those of the chains, (K, N, V), and their powers, (K, N)."""
    logits = np.zeros(log_probs.shape[1:])
    for own, power in zip(log_probs, powers, strict=True):
        logits += own * power[:, None]
    logits -= logits.max(axis=1, keepdims=True)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))


def fit(log_probs: Singles, features: Floats, tokens: Tokens, iterations: int) -> Floats:
    """The weights, (K, F), with the lowest mean NLL of the tokens, (N,), plus the penalty."""
    mean, spread = features.mean(axis=1), features.std(axis=1)  # (K, F - 1)
    spread[spread < SPREAD] = 1
    inputs = np.ones((features.shape[0], features.shape[2] + 1, features.shape[1]), dtype=np.float32)  # (K, F, N)
    inputs[:, 1:] = ((features - mean[:, None]) / spread[:, None]).transpose(0, 2, 1)
    start = np.zeros(inputs.shape[:2])
    start[:, 0] = 1.2 / len(start)  # a product of equal parts
    found = minimize(lambda weights: loss(weights, log_probs, inputs, tokens), start, iterations)
    found[:, 1:] /= spread
    found[:, 0] -= (found[:, 1:] * mean).sum(axis=1)
    return found.round(DIGITS)


def loss(weights: Floats, log_probs: Singles, inputs: Singles, tokens: Tokens) -> tuple[float, Floats]:
    """The penalized mean NLL of the tokens, and its gradient, (K, F).

    It is computed in double precision, in which numpy's `exp` has the same bits with more instructions.
    """
    count, vocab_size = log_probs.shape[1:]
    total, gradient = 0.0, np.zeros(weights.shape)
    step = max(1, CHUNK // vocab_size)
    for begin in range(0, count, step):
        part = slice(begin, begin + step)
        own, given, chosen = log_probs[:, part], inputs[:, :, part], tokens[part]
        at = np.arange(len(chosen)), chosen
        powers = np.einsum("kf,kfn->kn", weights, given)
        logits = own[0] * powers[0, :, None]  # (n, V)
        for other, power in zip(own[1:], powers[1:], strict=True):
            logits += other * power[:, None]
        logits -= logits.max(axis=1, keepdims=True)
        right = logits[at].sum()
        probs = np.exp(logits, out=logits)
        sums = probs.sum(axis=1)
        total += float(np.log(sums).sum() - right)
        probs /= sums[:, None]
        probs[at] -= 1
        slopes = np.stack([np.einsum("nv,nv->n", other, probs) for other in own])  # (K, n)
        gradient += np.einsum("kfn,kn->kf", given, slopes)
    penalty = weights.copy()
    penalty[:, 0] = 0
    return total / count + DECAY / 2 * float((penalty**2).sum()), gradient / count + DECAY * penalty


def minimize(function: Callable[[Floats], tuple[float, Floats]], start: Floats, iterations: int) -> Floats:
    """The argument with the lowest value of a convex function that also returns its gradient.

    L-BFGS with backtracking: Nocedal & Wright 2006, "Numerical Optimization", algorithm 7.4.
    """
    argument = start
    value, gradient = function(argument)
    steps: list[tuple[Floats, Floats]] = []  # changes of the argument and of the gradient
    for _ in range(iterations):
        direction = _direction(gradient, steps)
        slope = float((gradient * direction).sum())
        rate = 1.0
        while True:
            trial = argument - rate * direction
            lower, after = function(trial)
            if lower <= value - 1e-4 * rate * slope or rate < 1e-4:
                break
            rate *= 0.4
        if not lower < value - 1e-7:
            break
        if ((trial - argument) * (after - gradient)).sum() > 0:
            steps = [*steps[1 - MEMORY :], (trial - argument, after - gradient)]
        argument, value, gradient = trial, lower, after
    return argument


def _direction(gradient: Floats, steps: list[tuple[Floats, Floats]]) -> Floats:
    """The gradient times the inverse of the Hessian that the last steps suggest."""
    result = gradient.copy()
    factors = []
    for moved, change in reversed(steps):
        factors.append(float((moved * result).sum() / (moved * change).sum()))
        result -= factors[-1] * change
    if steps:
        moved, change = steps[-1]
        result *= float((moved * change).sum() / (change**2).sum())
    else:
        result /= np.abs(gradient).sum()
    for (moved, change), factor in zip(steps, reversed(factors), strict=True):
        result += (factor - float((change * result).sum() / (moved * change).sum())) * moved
    return result
