"""Backpropagation by hand: the fourth lecture, "Becoming a Backprop Ninja".

`forward` computes the loss of the MLP with BatchNorm in small steps, and `backward` the gradient of every intermediate
result (the lecture's exercise 1). `cross_entropy_backward` (exercise 2) and `batch_norm_backward` (exercise 3) are the
two parts that simplify to one formula each. `loss_by_hand` trains with them (exercise 4).

Variables have the lecture's names; `dx` is the gradient of the loss with respect to `x`.

Shapes: n examples, T context length, V vocabulary, C embedding, H hidden.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from makemore.core.folding import EPSILON
from makemore.nn.batch_norm import BatchNorm1d


class Weights(NamedTuple):
    """The parameters of the lecture's network."""

    C: Tensor  # (V, C)
    W1: Tensor  # (T * C, H)
    b1: Tensor  # (H,)
    W2: Tensor  # (H, V)
    b2: Tensor  # (V,)
    bngain: Tensor  # (H,)
    bnbias: Tensor  # (H,)


class Steps(NamedTuple):
    """The intermediate results of the forward pass, first to last."""

    emb: Tensor  # (n, T, C)
    embcat: Tensor  # (n, T * C)
    hprebn: Tensor  # (n, H)
    bnmeani: Tensor  # (H,)
    bndiff: Tensor  # (n, H)
    bndiff2: Tensor  # (n, H)
    bnvar: Tensor  # (H,)
    bnvar_inv: Tensor  # (H,)
    bnraw: Tensor  # (n, H)
    hpreact: Tensor  # (n, H)
    h: Tensor  # (n, H)
    logits: Tensor  # (n, V)
    logit_maxes: Tensor  # (n, 1)
    norm_logits: Tensor  # (n, V)
    counts: Tensor  # (n, V)
    counts_sum: Tensor  # (n, 1)
    counts_sum_inv: Tensor  # (n, 1)
    probs: Tensor  # (n, V)
    logprobs: Tensor  # (n, V)


def forward(Xb: Tensor, Yb: Tensor, weights: Weights) -> tuple[Tensor, Steps]:
    """The mean NLL of a batch, in nats per token, and the steps to it.

    Args:
        Xb: contexts, (n, T).
        Yb: the next tokens, (n,).
    """
    C, W1, b1, W2, b2, bngain, bnbias = weights
    n = len(Xb)
    emb = C[Xb]
    embcat = emb.view(n, -1)
    hprebn = embcat @ W1 + b1
    bnmeani = hprebn.sum(0) / n
    bndiff = hprebn - bnmeani
    bndiff2 = bndiff**2
    bnvar = bndiff2.sum(0) / (n - 1)  # Bessel's correction
    bnvar_inv = (bnvar + EPSILON) ** -0.5
    bnraw = bndiff * bnvar_inv
    hpreact = bngain * bnraw + bnbias
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    logit_maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - logit_maxes  # so that exp does not overflow
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    logprobs = probs.log()
    loss = -logprobs[torch.arange(n), Yb].mean()
    # fmt: off
    return loss, Steps(
        emb, embcat, hprebn, bnmeani, bndiff, bndiff2, bnvar, bnvar_inv, bnraw, hpreact, h, logits, logit_maxes,
        norm_logits, counts, counts_sum, counts_sum_inv, probs, logprobs,
    )
    # fmt: on


def backward(Xb: Tensor, Yb: Tensor, weights: Weights, steps: Steps) -> tuple[Weights, Steps]:
    """The gradients of the weights and of every step, from the loss backwards: each line differentiates one line."""
    C, W1, _, W2, _, bngain, _ = weights
    n = len(Xb)
    dlogprobs = torch.zeros_like(steps.logprobs)
    dlogprobs[torch.arange(n), Yb] = -1 / n
    dprobs = dlogprobs / steps.probs
    dcounts_sum_inv = (dprobs * steps.counts).sum(1, keepdim=True)
    dcounts_sum = -(steps.counts_sum**-2) * dcounts_sum_inv
    dcounts = dprobs * steps.counts_sum_inv + dcounts_sum  # broadcast over V: counts_sum adds all of a row
    dnorm_logits = dcounts * steps.counts
    dlogit_maxes = -dnorm_logits.sum(1, keepdim=True)
    largest = F.one_hot(steps.logits.max(1).indices, num_classes=steps.logits.shape[1])
    dlogits = dnorm_logits + largest * dlogit_maxes
    dh = dlogits @ W2.T
    dW2 = steps.h.T @ dlogits
    db2 = dlogits.sum(0)
    dhpreact = dh * (1 - steps.h**2)
    dbngain = (dhpreact * steps.bnraw).sum(0)
    dbnbias = dhpreact.sum(0)
    dbnraw = dhpreact * bngain
    dbnvar_inv = (dbnraw * steps.bndiff).sum(0)
    dbnvar = -0.5 * (steps.bnvar + EPSILON) ** -1.5 * dbnvar_inv
    dbndiff2 = torch.ones_like(steps.bndiff2) / (n - 1) * dbnvar
    dbndiff = dbnraw * steps.bnvar_inv + 2 * steps.bndiff * dbndiff2
    dbnmeani = -dbndiff.sum(0)
    dhprebn = dbndiff + torch.ones_like(dbndiff) / n * dbnmeani
    dembcat = dhprebn @ W1.T
    dW1 = steps.embcat.T @ dhprebn
    db1 = dhprebn.sum(0)
    demb = dembcat.view(steps.emb.shape)
    dC = torch.zeros_like(C).index_add_(0, Xb.flatten(), demb.flatten(0, 1))  # a character may occur many times
    # fmt: off
    return Weights(dC, dW1, db1, dW2, db2, dbngain, dbnbias), Steps(
        demb, dembcat, dhprebn, dbnmeani, dbndiff, dbndiff2, dbnvar, dbnvar_inv, dbnraw, dhpreact, dh, dlogits,
        dlogit_maxes, dnorm_logits, dcounts, dcounts_sum, dcounts_sum_inv, dprobs, dlogprobs,
    )
    # fmt: on


def cross_entropy_backward(probs: Tensor, targets: Tensor) -> Tensor:
    """Gradient of the mean NLL with respect to the logits, (n, V): the probabilities minus the targets.

    Args:
        probs: softmax of the logits, (n, V).
        targets: the next tokens, (n,), or next-token weights, (n, V), for a weighted mean.
    """
    if targets.ndim == 1:
        targets = F.one_hot(targets, num_classes=probs.shape[1]).to(probs.dtype)
    return (probs * targets.sum(1, keepdim=True) - targets) / targets.sum()


def batch_norm_backward(dhpreact: Tensor, bnraw: Tensor, bnvar_inv: Tensor, bngain: Tensor) -> Tensor:
    """Gradient with respect to BatchNorm's input, (n, H), from that of its output.

    Args:
        bnraw: the normalized input, (n, H).
        bnvar_inv: 1 / sqrt(variance + epsilon), (H,).
    """
    n = len(dhpreact)
    mean, slope = dhpreact.sum(0) / n, (dhpreact * bnraw).sum(0) / (n - 1)
    return bngain * bnvar_inv * (dhpreact - mean - bnraw * slope)


def loss_by_hand(
    Xb: Tensor, targets: Tensor, C: Tensor, W1: Tensor, b1: Tensor | None, W2: Tensor, b2: Tensor,
    norm: BatchNorm1d | None,
) -> Tensor:  # fmt: skip
    """The loss of the MLP, whose backward pass is this file's: autograd only calls it.

    Args:
        Xb: contexts, (n, T).
        targets: see `cross_entropy_backward`.
        b1: None if there is no bias before BatchNorm.
        norm: BatchNorm of the hidden layer, whose running statistics are updated.
    """
    gain, bias = (norm.gamma, norm.beta) if norm else (None, None)
    loss: Tensor = _LossByHand.apply(Xb, targets, norm, C, W1, b1, W2, b2, gain, bias)  # type: ignore[no-untyped-call]
    return loss


class _LossByHand(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, Xb: Tensor, targets: Tensor, norm: BatchNorm1d | None, *weights: Any) -> Tensor:
        C, W1, b1, W2, b2, bngain, bnbias = weights
        embcat = C[Xb].view(len(Xb), -1)
        hpreact, bnraw, bnvar_inv = embcat @ W1, None, None
        if b1 is not None:
            hpreact += b1
        if norm:
            bnvar, bnmeani = torch.var_mean(hpreact, dim=0)
            norm.track(bnmeani, bnvar)
            bnvar_inv = (bnvar + EPSILON) ** -0.5
            bnraw = (hpreact - bnmeani) * bnvar_inv
            hpreact = bngain * bnraw + bnbias
        h = torch.tanh(hpreact)
        logprobs = F.log_softmax(h @ W2 + b2, dim=1)
        ctx.save_for_backward(Xb, targets, embcat, bnraw, bnvar_inv, h, logprobs, C, W1, b1, W2, bngain)
        if targets.ndim == 1:
            return F.nll_loss(logprobs, targets)
        return -(logprobs * targets).sum() / targets.sum()

    @staticmethod
    def backward(ctx: Any, dloss: Tensor) -> tuple[Tensor | None, ...]:
        Xb, targets, embcat, bnraw, bnvar_inv, h, logprobs, C, W1, b1, W2, bngain = ctx.saved_tensors
        dlogits = cross_entropy_backward(logprobs.exp(), targets) * dloss
        dhpreact = dlogits @ W2.T * (1 - h**2)
        dhprebn, dbngain, dbnbias = dhpreact, None, None
        if bngain is not None:
            dbngain, dbnbias = (dhpreact * bnraw).sum(0), dhpreact.sum(0)
            dhprebn = batch_norm_backward(dhpreact, bnraw, bnvar_inv, bngain)
        demb = (dhprebn @ W1.T).view(-1, C.shape[1])  # (n * T, C)
        dC = torch.zeros_like(C).index_add_(0, Xb.flatten(), demb)
        db1 = None if b1 is None else dhprebn.sum(0)
        return None, None, None, dC, embcat.T @ dhprebn, db1, h.T @ dlogits, dlogits.sum(0), dbngain, dbnbias
