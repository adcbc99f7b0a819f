import math

import numpy as np
import pytest
import torch

from conftest import encoded, mlp_params, text_of, tiny_names
from makemore.core.vocab import Vocab
from makemore.models.mlp import MLP
from makemore.nn import neural
from makemore.training import loop
from makemore.training.loop import TrainingParams

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
TOKENS = encoded(VOCAB, *NAMES)


def params(**changes: object) -> TrainingParams:
    values: dict[str, object] = {
        "batch_size": 32, "steps": 40, "optimizer": "sgd", "lr": 0.1, "schedule": "constant",
        "weight_decay": 0.0, "embedding_decay": 0.0, "embedding_lr_scale": 1.0, "warmup": 0, "ema": 0.0, "seed": 1,
        "device": "cpu", "threads": 1, "checkpoint_every": 0,
    }  # fmt: skip
    return TrainingParams.model_validate(values | changes)


def network(seed: int = 1, **changes: object) -> MLP:
    return MLP(mlp_params(**changes), len(VOCAB), torch.Generator().manual_seed(seed))


def trained(examples: str = "all", **changes: object) -> tuple[MLP, loop.Curve]:
    chosen = params(**changes)
    generator = torch.Generator().manual_seed(chosen.seed)
    model = MLP(mlp_params(examples=examples), len(VOCAB), generator)
    curve = loop.train(
        model,
        model.loss,
        loop.batches(model, TOKENS, chosen, generator),
        loop.make_optimizer(model, chosen),
        loop.learning_rate(chosen),
        chosen.steps,
        chosen.ema,
    )
    return model, curve


def test_it_is_the_lectures_loop() -> None:
    """Same draws, same updates as the second lecture's loop, with its learning-rate decay at half."""
    model, curve = trained(schedule="step", steps=60)
    g = torch.Generator().manual_seed(1)
    naive = MLP(mlp_params(), len(VOCAB), g)
    parameters = list(naive.parameters())
    X, Y = neural.examples(TOKENS, 3)
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
    model = network()
    losses, gradients = [], []
    contexts, followers = neural.distinct_examples(TOKENS, 3, len(VOCAB))
    for batch in neural.examples(TOKENS, 3), (contexts, followers.all()):
        model.zero_grad()
        loss = model.loss(*batch)
        loss.backward()
        losses.append(loss.item())
        gradients.append(model.W1.grad.clone())
    assert losses[0] == pytest.approx(losses[1], abs=1e-6)
    assert torch.allclose(*gradients, atol=1e-7)


@pytest.mark.parametrize("size", [10, 1000])  # below and above where the first layer becomes a lookup
@pytest.mark.parametrize("direct", [False, True])
def test_it_is_the_lectures_network(size: int, direct: bool) -> None:
    model = network(direct=direct)
    contexts = torch.randint(len(VOCAB), (size, 3), generator=torch.Generator().manual_seed(2))
    targets = contexts[:, 0]
    emb = model.C[contexts]
    h = torch.tanh(emb.view(size, -1) @ model.W1 + model.b1)
    logits = h @ model.W2 + model.b2
    if direct:
        logits = logits + emb.view(size, -1) @ model.direct
    assert torch.allclose(model(contexts), logits, atol=1e-5)
    expected = torch.autograd.grad(torch.nn.functional.cross_entropy(logits, targets), list(model.parameters()))
    found = torch.autograd.grad(model.loss(contexts, targets), list(model.parameters()))
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize("dense", [0, loop.DENSE])
def test_weighted_batches_estimate_the_mean_loss(dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "DENSE", dense)
    model = network(initialization="randn")
    contexts, followers = neural.distinct_examples(TOKENS, 3, len(VOCAB))
    batch = loop.weighted_batches(contexts, followers, 20_000, torch.Generator().manual_seed(2))
    assert model.loss(*batch()).item() == pytest.approx(model.loss(contexts, followers.all()).item(), rel=0.02)


@pytest.mark.parametrize("examples", ["all", "distinct"])
def test_the_same_seed_gives_the_same_weights(examples: str) -> None:
    (first, _), (second, _), (other, _) = (trained(examples=examples, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(first.arrays()[name], second.arrays()[name]) for name in first.arrays())
    assert not np.array_equal(first.arrays()["W1"], other.arrays()["W1"])


def test_weights_and_embeddings_decay_by_their_own_rates_biases_do_not() -> None:
    model = network(direct=True)
    chosen = params(weight_decay=0.3, embedding_decay=0.1)
    decays = {id(w): group.decay for group in loop.make_optimizer(model, chosen).groups for w in group.weights}
    expected = {"C": 0.1, "W1": 0.3, "W2": 0.3, "direct": 0.3, "b1": 0.0, "b2": 0.0}
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
    rate = loop.learning_rate(params(schedule=schedule, lr=2, steps=4))
    assert [rate(step) / 2 for step in range(4)] == pytest.approx(rates)


def test_scaled_initialisation_starts_near_the_uniform_loss() -> None:
    shape = mlp_params(embedding=10, hidden=200, direct=True)
    model = MLP(shape, 27, torch.Generator().manual_seed(1))
    contexts = torch.randint(0, 27, (500, 3), generator=torch.Generator().manual_seed(2))
    assert model.loss(contexts, contexts[:, 0]).item() == pytest.approx(math.log(27), abs=0.05)


def test_the_running_mean_of_the_weights_is_kept() -> None:
    """Written out: the mean follows the weights of a training that is the same without it."""
    means: dict[str, np.ndarray] = {}
    for step in range(1, 21):
        weights = trained(steps=step)[0].arrays()
        decay = min(0.6, (step - 1) / (step + 8))
        means = (
            {name: decay * means.get(name, 0) + (1 - decay) * weight for name, weight in weights.items()}
            if step > 1
            else weights
        )
    kept = trained(steps=20, ema=0.6)[0].arrays()
    for name, mean in means.items():
        assert np.allclose(kept[name], mean, atol=1e-6), name


def test_a_curve_has_at_most_200_rows_and_ends_with_the_last_step() -> None:
    _, curve = trained(steps=1001)
    assert len(curve) <= 200 and curve[-1][0] == 1001


def test_divergence_names_the_step_and_the_parameter() -> None:
    with pytest.raises(ValueError, match=r"^step \d+: the loss is (nan|inf): the training diverged; a smaller lr"):
        trained(lr=1e30)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without CUDA")
def test_cuda_where_there_is_none() -> None:
    assert loop.pick_device("auto") == "cpu"
    with pytest.raises(ValueError, match="device: expected a machine with CUDA, found none"):
        loop.pick_device("cuda")
