import math

import numpy as np
import pytest
import torch

from conftest import encoded, text_of, tiny_names
from makemore import training
from makemore.mlp import MLP, MLPParams
from makemore.training import TrainingParams
from makemore.vocab import Vocab

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
TOKENS = encoded(VOCAB, *NAMES)
SHAPE = MLPParams(context=3, embedding=2, hidden=8, direct=False)


def params(**changes: object) -> TrainingParams:
    values: dict[str, object] = {
        "examples": "all", "batch_size": 32, "steps": 40, "optimizer": "sgd", "lr": 0.1, "schedule": "constant",
        "weight_decay": 0.0, "seed": 1, "device": "cpu", "threads": 1,
        "checkpoint_every": 0,
    }  # fmt: skip
    return TrainingParams.model_validate(values | changes)


def trained(**changes: object) -> tuple[MLP, training.Curve]:
    chosen = params(**changes)
    generator = torch.Generator().manual_seed(chosen.seed)
    model = MLP(SHAPE, len(VOCAB), "scaled", generator)
    curve = training.train(
        model,
        model.loss,
        training.batches(TOKENS, 3, len(VOCAB), chosen, generator),
        training.make_optimizer(model, chosen),
        training.learning_rate(chosen),
        chosen.steps,
    )
    return model, curve


def test_it_is_the_lectures_loop() -> None:
    """Same draws, same updates as the second lecture's loop, with its learning-rate decay at half."""
    model, curve = trained(schedule="step", steps=60)
    g = torch.Generator().manual_seed(1)
    naive = MLP(SHAPE, len(VOCAB), "scaled", g)
    parameters = list(naive.parameters())
    X, Y = training.examples(TOKENS, 3)
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
    assert [loss for _, loss, _ in curve] == pytest.approx(lossi, abs=1e-5)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(model.parameters(), parameters, strict=True))


def test_distinct_examples_have_the_loss_and_gradient_of_all() -> None:
    model = MLP(SHAPE, len(VOCAB), "scaled", torch.Generator().manual_seed(1))
    losses, gradients = [], []
    for batch in training.examples(TOKENS, 3), training.distinct_examples(TOKENS, 3, len(VOCAB)):
        model.zero_grad()
        loss = model.loss(*batch)
        loss.backward()
        losses.append(loss.item())
        gradients.append(model.W1.grad.clone())
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert torch.allclose(*gradients, atol=1e-7)


def test_weighted_batches_estimate_the_mean_loss() -> None:
    model = MLP(SHAPE, len(VOCAB), "randn", torch.Generator().manual_seed(1))
    contexts, weights = training.distinct_examples(TOKENS, 3, len(VOCAB))
    batch = training.weighted_batches(contexts, weights, 20_000, torch.Generator().manual_seed(2))
    assert model.loss(*batch()).item() == pytest.approx(model.loss(contexts, weights).item(), rel=0.02)


@pytest.mark.parametrize("examples", ["all", "distinct"])
def test_the_same_seed_gives_the_same_weights(examples: str) -> None:
    (first, _), (second, _), (other, _) = (trained(examples=examples, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(first.arrays()[name], second.arrays()[name]) for name in first.arrays())
    assert not np.array_equal(first.arrays()["W1"], other.arrays()["W1"])


def test_weights_and_embeddings_decay_biases_do_not() -> None:
    model = MLP(SHAPE.model_copy(update={"direct": True}), len(VOCAB))
    decays = {
        id(weight): group["weight_decay"]
        for group in training.make_optimizer(model, params(weight_decay=0.3)).param_groups
        for weight in group["params"]
    }
    expected = {"C": 0.3, "W1": 0.3, "W2": 0.3, "direct": 0.3, "b1": 0.0, "b2": 0.0}
    assert {name: decays[id(weight)] for name, weight in model.named_parameters()} == expected


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", [1, 1, 1, 1]),
        ("step", [1, 1, 0.1, 0.1]),
        ("linear", [1, 0.75, 0.5, 0.25]),
        ("cosine", [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]),
    ],
)
def test_schedules(schedule: str, rates: list[float]) -> None:
    rate = training.learning_rate(params(schedule=schedule, lr=2, steps=4))
    assert [rate(step) / 2 for step in range(4)] == pytest.approx(rates)


def test_scaled_initialisation_starts_near_the_uniform_loss() -> None:
    shape = MLPParams(context=3, embedding=10, hidden=200, direct=True)
    model = MLP(shape, 27, "scaled", torch.Generator().manual_seed(1))
    contexts = torch.randint(0, 27, (500, 3), generator=torch.Generator().manual_seed(2))
    assert model.loss(contexts, contexts[:, 0]).item() == pytest.approx(math.log(27), abs=0.05)


def test_a_curve_has_at_most_200_rows_and_ends_with_the_last_step() -> None:
    _, curve = trained(steps=1001)
    assert len(curve) <= 200 and curve[-1][0] == 1001


def test_divergence_names_the_step_and_the_parameter() -> None:
    with pytest.raises(ValueError, match=r"^step \d+: the loss is (nan|inf): the training diverged; a smaller lr"):
        trained(lr=1e38)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_where_there_is_none() -> None:
    assert training.pick_device("auto") == "cpu"
    with pytest.raises(ValueError, match="device: expected a machine with CUDA, found none"):
        training.pick_device("cuda")
