"""Gradients by hand against autograd's, as the fourth lecture compares them with `cmp`."""

import re

import pytest
import torch
from torch import Tensor

from checkout import ROOT
from conftest import LECTURE, encoded, lines_of
from makemore.core import names
from makemore.core.vocab import Vocab
from makemore.lists.splits import SplitParams, split
from makemore.models.recurrent import lstm
from makemore.nn import backprop
from makemore.nn.backprop import Steps, Weights
from makemore.nn.neural import examples


def lecture_weights(generator: torch.Generator) -> Weights:
    """4,137 parameters, drawn as the lecture draws them: those of BatchNorm from the global, unseeded generator."""

    def draw(*shape: int, source: torch.Generator = generator) -> Tensor:
        return torch.randn(shape, generator=source)

    C, W1, b1 = draw(27, 10), draw(30, 64) * (5 / 3) / 30**0.5, draw(64) * 0.1
    W2, b2 = draw(64, 27) * 0.1, draw(27) * 0.1
    other = torch.Generator().manual_seed(1)
    return Weights(C, W1, b1, W2, b2, draw(64, source=other) * 0.1 + 1, draw(64, source=other) * 0.1)


def a_batch() -> tuple[Tensor, Tensor, Weights]:
    generator = torch.Generator().manual_seed(2147483647)
    weights = lecture_weights(generator)
    Xb = torch.randint(27, (32, 3), generator=generator)
    Yb = torch.randint(27, (32,), generator=generator)
    return Xb, Yb, weights


def with_autograd(Xb: Tensor, Yb: Tensor, weights: Weights) -> tuple[float, Steps]:
    """The loss and the steps, with autograd's gradients in their `grad`."""
    for weight in weights:
        weight.requires_grad_()
    loss, steps = backprop.forward(Xb, Yb, weights)
    for step in steps:
        step.retain_grad()
    loss.backward()
    return loss.item(), steps


GRADIENTS = [*Steps._fields, *Weights._fields]


@pytest.mark.parametrize("name", GRADIENTS)
def test_every_gradient_equals_autograds(name: str) -> None:
    Xb, Yb, weights = a_batch()
    _, steps = with_autograd(Xb, Yb, weights)
    with torch.no_grad():
        dweights, dsteps = backprop.backward(Xb, Yb, weights, steps)
    found, expected = (dweights._asdict() | dsteps._asdict())[name], (weights._asdict() | steps._asdict())[name].grad
    assert found.shape == expected.shape and torch.allclose(found, expected, atol=1e-7, rtol=1e-5)
    assert expected.abs().max() > 1e-12 or name == "b1"


def test_they_are_the_lectures_26_gradients() -> None:
    assert len(GRADIENTS) == 26 and sum(weight.numel() for weight in a_batch()[2]) == 4_137


def test_the_two_formulas() -> None:
    Xb, Yb, weights = a_batch()
    _, steps = with_autograd(Xb, Yb, weights)
    with torch.no_grad():
        dlogits = backprop.cross_entropy_backward(steps.probs, Yb)
        dhprebn = backprop.batch_norm_backward(steps.hpreact.grad, steps.bnraw, steps.bnvar_inv, weights.bngain)
    assert (dlogits - steps.logits.grad).abs().max() < 2e-8  # the lecture has 5.1e-9
    assert (dhprebn - steps.hprebn.grad).abs().max() < 4e-9  # the lecture has 9.3e-10


@pytest.mark.skipif(not LECTURE.exists(), reason="needs the lecture's list, which the project cannot carry")
def test_the_lectures_first_batch() -> None:
    """3.3377 in the lecture, near 3.34 with other gains and shifts of BatchNorm."""
    text = names.read(LECTURE)
    vocab = Vocab.of(text)
    train, _, _ = split(text, SplitParams(train=0.8, dev=0.1, seed=42, unit="line"))
    X, Y = examples(encoded(vocab, *lines_of(train)), 3)
    generator = torch.Generator().manual_seed(2147483647)
    weights = lecture_weights(generator)
    ix = torch.randint(0, len(X), (32,), generator=generator)
    assert with_autograd(X[ix], Y[ix], weights)[0] == pytest.approx(3.3377, abs=0.03)


def test_the_lstm_cell_of_the_docs() -> None:
    """The code in docs/backprop.md, against autograd on `models/recurrent.py`."""
    page = (ROOT / "docs/backprop.md").read_text(encoding="utf-8")
    scope: dict[str, object] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        exec(block, scope)
    generator = torch.Generator().manual_seed(1)
    n, H = 5, 7
    shapes = (n, 4 * H), (n, H), (n, H), (H, 4 * H)
    x, h, c, U = (torch.randn(shape, generator=generator, requires_grad=True) for shape in shapes)
    dh_next, dc_next = (torch.randn((n, H), generator=generator) for _ in range(2))
    h_next, c_next = lstm(x, h, c, U)
    expected = torch.autograd.grad((h_next, c_next), (x, h, c, U), (dh_next, dc_next))
    with torch.no_grad():
        found = scope["lstm_backward"](x, h, c, U, dh_next, dc_next)  # type: ignore[operator]
    for ours, autograds in zip(found, expected, strict=True):
        assert torch.allclose(ours, autograds, atol=1e-6)
