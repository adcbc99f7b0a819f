"""Fit the weights of a mixture of models, see `models/ensemble.py`.

Shapes: M tokens, V vocabulary, K models, F features.
"""

import numpy as np
from numpy.typing import NDArray

from makemore.core.files import DIGITS
from makemore.models.ensemble import FLOOR, pooled

Floats = NDArray[np.float64]

PRIOR = 25.0  # strength of the pull towards equal weights, in nats per squared weight
MAX_ITERATIONS = 50
TOLERANCE = 1e-9  # nats: the fit stops when the loss changes by less


def fit_weights(log_probs: Floats, features: Floats, tokens: NDArray[np.integer]) -> Floats:
    """Fit W, (F, K), by Newton's method: the loss is that of a softmax regression and has a single minimum.

    Args:
        log_probs: (K, M, V) of each model.
        features: (M, F) of each context.
        tokens: (M,) what follows.
    """
    log_probs = log_probs.clip(min=FLOOR)
    models, size, _ = log_probs.shape
    equal = np.zeros((features.shape[1], models))  # (F, K)
    equal[0] = 1 / models
    rows = np.arange(size)
    targets = log_probs[:, rows, tokens].T  # (M, K)

    def loss_of(W: Floats) -> tuple[float, Floats]:
        predicted = pooled(log_probs, features @ W)  # (M, V)
        return float(PRIOR * ((W - equal) ** 2).sum() - predicted[rows, tokens].sum()), predicted

    W = equal
    loss, predicted = loss_of(W)
    for _ in range(MAX_ITERATIONS):
        probs = np.exp(predicted)
        mean = np.einsum("mv,kmv->mk", probs, log_probs)  # (M, K)
        gradient = features.T @ (mean - targets) + 2 * PRIOR * (W - equal)  # (F, K)
        hessian = 2 * PRIOR * np.eye(W.size).reshape(*W.shape, *W.shape)  # (F, K, F, K)
        for i in range(models):
            for j in range(models):
                covariance = np.einsum("mv,mv,mv->m", probs, log_probs[i], log_probs[j]) - mean[:, i] * mean[:, j]
                hessian[:, i, :, j] += (features * covariance[:, None]).T @ features
        step = np.linalg.solve(hessian.reshape(W.size, W.size), gradient.ravel()).reshape(W.shape)
        before = loss
        while (found := loss_of(W - step))[0] > before and np.abs(step).max() > TOLERANCE:
            step = step / 2
        W, (loss, predicted) = W - step, found
        if before - loss < TOLERANCE * size:
            break
    return W.round(DIGITS)  # further digits depend on the number of threads
