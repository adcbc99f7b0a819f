from collections.abc import Callable

import numpy as np
import pytest
import torch

from conftest import encoded, mlp_params, text_of, tiny_names
from makemore.core.vocab import Vocab
from makemore.models.mlp import MLP
from makemore.nn.neural import examples, pick_device
from makemore.training.batches import make_batches
from makemore.training.loop import ROWS, Curve, Plan, WeightAverage, train_network
from makemore.training.optimizers import SGD, Group
from makemore.training.params import StepParams

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
TOKENS = encoded(VOCAB, *NAMES)


def trained(
    steps: int = 40,
    lr: float = 0.1,
    seed: int = 1,
    examples: str = "all",
    ema: float = 0.0,
    rate: Callable[[int], float] | None = None,
) -> tuple[MLP, Curve]:
    generator = torch.Generator().manual_seed(seed)
    model = MLP(mlp_params(examples=examples), len(VOCAB), generator)
    next_batch = make_batches(model, TOKENS, StepParams.model_construct(batch_size=32), generator)
    optimizer = SGD([Group(list(model.parameters()))])
    plan = Plan(steps, rate or (lambda step: lr), ema)
    return model, train_network(model, lambda: model.loss(*next_batch()), optimizer, plan)


def test_it_is_the_lectures_loop() -> None:
    """Same draws, same updates as the second lecture's loop, with its learning-rate decay at half."""
    model, curve = trained(steps=60, rate=lambda step: 0.1 if step < 30 else 0.01)
    g = torch.Generator().manual_seed(1)
    naive = MLP(mlp_params(), len(VOCAB), g)
    parameters = list(naive.parameters())
    X, Y = examples(TOKENS, 3)
    lossi = []
    for i in range(60):
        ix = torch.randint(0, X.shape[0], (32,), generator=g)
        loss = torch.nn.functional.cross_entropy(naive(X[ix]), Y[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        lr = 0.1 if i < 30 else 0.01
        for p in parameters:
            p.data += -lr * p.grad
        lossi.append(loss.item())
    assert [loss for _, loss, *_ in curve] == pytest.approx(lossi, abs=1e-5)
    assert [lr for _, _, lr, *_ in curve] == [0.1] * 30 + [0.01] * 30
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(model.parameters(), parameters, strict=True))


@pytest.mark.parametrize("examples", ["all", "distinct"])
def test_the_same_seed_gives_the_same_weights(examples: str) -> None:
    (first, _), (second, _), (other, _) = (trained(examples=examples, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(first.arrays()[name], second.arrays()[name]) for name in first.arrays())
    assert not np.array_equal(first.arrays()["W1"], other.arrays()["W1"])


def test_the_weight_average_by_hand() -> None:
    weight = torch.zeros(1)
    average = WeightAverage([weight], decay=0.5)
    expected = 0.0
    for step, value in enumerate([1.0, 5.0, 2.0, 7.0] * 5):
        weight.fill_(value)
        average.update(step)
        decay = min(0.5, step / (step + 9))
        expected = decay * expected + (1 - decay) * value
    assert weight.item() == 7
    average.copy_to_weights()
    assert weight.item() == pytest.approx(expected) and expected != pytest.approx(7, abs=0.5)


def test_training_ends_with_the_average_of_the_weights() -> None:
    """The average follows the weights of the same training without an average."""
    last = [trained(steps=step)[0].arrays() for step in range(1, 13)]
    means = last[0]
    for step, weights in enumerate(last):
        decay = min(0.4, step / (step + 9))
        means = {name: decay * means[name] + (1 - decay) * weight for name, weight in weights.items()}
    kept = trained(steps=12, ema=0.4)[0].arrays()
    for name, mean in means.items():
        assert np.allclose(kept[name], mean, atol=1e-6), name
    assert not np.allclose(kept["W1"], last[-1]["W1"], atol=1e-4)


def test_the_curve_has_few_rows_and_ends_with_the_last_step() -> None:
    _, every = trained(steps=12)
    assert [step for step, _, *_ in every] == list(range(1, 13))
    _, curve = trained(steps=5 * ROWS + 1)
    assert len(curve) <= ROWS and curve[-1][0] == 5 * ROWS + 1
    _, thousand = trained(steps=5 * ROWS)
    assert [step for step, _, *_ in thousand] == list(range(5, 5 * ROWS + 1, 5))


def test_a_row_of_the_curve_is_the_mean_loss_since_the_previous_row() -> None:
    losses = iter(range(3 * ROWS))
    weight = torch.nn.Linear(1, 1)
    curve = train_network(
        weight,
        lambda: next(losses) + 0 * weight.weight.sum(),
        SGD([Group([])]),
        Plan(3 * ROWS, lambda step: 1.0),
    )
    assert [loss for _, loss, *_ in curve] == [1 + 3 * row for row in range(ROWS)]


def test_a_diverging_training_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^step \d+: the loss is (nan|inf): training diverged; try a smaller lr$"):
        trained(lr=1e30)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_must_be_available_if_it_is_asked_for() -> None:
    assert pick_device("auto") == pick_device("cpu") == "cpu"
    with pytest.raises(ValueError, match="device: CUDA is not available; use auto or cpu"):
        pick_device("cuda")
