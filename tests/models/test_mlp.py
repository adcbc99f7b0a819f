import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from conftest import encoded, mlp_params, network, text_of, tiny_names
from makemore.core.vocab import Vocab
from makemore.models.mlp import INITIALIZATIONS, MLP
from makemore.nn.neural import distinct_examples, examples
from makemore.training.loop import Plan, train_network
from makemore.training.optimizers import SGD, Group

V = 6
FLAT = {"context": 8, "embedding": 10, "hidden": 200, "batch_norm": "hidden", "initialization": "linear"}
HIERARCHICAL = FLAT | {"hidden": 68, "layers": 3, "flatten": 2}

Dimensions = int | tuple[int, ...]


def contexts_of(count: int, context: int, vocab_size: int = V) -> Tensor:
    return torch.randint(vocab_size, (count, context), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("size", [10, 1000])  # below and above where the first layer becomes a lookup
@pytest.mark.parametrize("direct", [False, True])
def test_it_is_the_lectures_network(size: int, direct: bool) -> None:
    model = network("mlp", V, direct=direct)
    contexts = torch.randint(V, (size, 3), generator=torch.Generator().manual_seed(2))
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


def test_scaled_initialization_starts_near_the_uniform_loss() -> None:
    contexts = torch.randint(27, (500, 3), generator=torch.Generator().manual_seed(2))
    shape = {"embedding": 10, "hidden": 200, "direct": True}
    scaled, randn = (network("mlp", 27, initialization=name, **shape) for name in ("scaled", "randn"))
    assert scaled.loss(contexts, contexts[:, 0]).item() == pytest.approx(math.log(27), abs=0.05)
    assert randn.loss(contexts, contexts[:, 0]).item() > 10


def test_the_diagnosis_is_the_share_of_saturated_units() -> None:
    model = network("mlp", V)
    assert isinstance(model, MLP)
    contexts = torch.randint(V, (100, 3), generator=torch.Generator().manual_seed(2))
    model.W1.data.zero_()
    model.b1.data = torch.tensor([9.0, -9, 9, 0, 0.5, 1, 2, 2.6])  # tanh 2.6 is 0.989
    assert model.diagnosis(contexts) == {"saturated": pytest.approx(3 / 8)}


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"context": 3, "embedding": 10, "hidden": 200, "batch_norm": "hidden"}, 12_097),  # lecture 3
        ({"context": 3, "embedding": 10, "hidden": 100, "batch_norm": "all", "layers": 5}, 47_024),
        ({"context": 3, "embedding": 10, "hidden": 64, "batch_norm": "hidden", "initialization": "perturbed"}, 4_137),
        ({"context": 3, "embedding": 10, "hidden": 200, "batch_norm": "hidden", "initialization": "perturbed"}, 12_297),
        (FLAT, 22_097),  # lecture 5
        (HIERARCHICAL, 22_397),
        (HIERARCHICAL | {"embedding": 24, "hidden": 128}, 76_579),
    ],
)
def test_the_lectures_networks_have_their_numbers_of_parameters(changes: dict[str, object], count: int) -> None:
    assert MLP(mlp_params(**changes), 27, None).parameter_count == count


def test_batch_norm_is_the_third_lectures() -> None:
    model = network("mlp", V, batch_norm="hidden", momentum=0.001)
    assert isinstance(model, MLP)
    contexts = contexts_of(32, 3)
    hpreact = model.C[contexts].view(32, -1) @ model.W1
    bnmeani, bnstdi = hpreact.mean(0, keepdim=True), hpreact.std(0, keepdim=True)
    norm = model.get("bn1")
    hpreact = norm.gamma * (hpreact - bnmeani) / bnstdi + norm.beta
    logits = torch.tanh(hpreact) @ model.W2 + model.b2
    assert torch.allclose(model(contexts), logits, atol=1e-4)  # the lecture has no epsilon here
    assert torch.allclose(norm.running_mean, 0.001 * bnmeani[0], atol=1e-6)
    assert torch.allclose(norm.running_var, 0.999 + 0.001 * bnstdi[0] ** 2, atol=1e-6)


def test_batch_norm_needs_two_examples() -> None:
    model = network("mlp", V, batch_norm="hidden")
    with pytest.raises(ValueError, match="needs at least two examples per batch; raise batch_size"):
        model(contexts_of(1, 3))
    model.eval()
    assert model(contexts_of(1, 3)).isfinite().all()


def after_some_batches(**changes: object) -> MLP:
    model = network("mlp", V, momentum=0.3, **changes)
    assert isinstance(model, MLP)
    for norm in model.children():
        norm.gamma.data.uniform_(0.5, 2, generator=torch.Generator().manual_seed(1))
        norm.beta.data.uniform_(-1, 1, generator=torch.Generator().manual_seed(2))
    for _ in range(5):
        model(contexts_of(64, model.params.context))
    return model.eval()


@pytest.mark.parametrize(
    "changes",
    [
        {"batch_norm": "hidden"},
        {"batch_norm": "all", "layers": 3, "direct": False},
        {"batch_norm": "hidden", "initialization": "perturbed"},  # which has a bias before BatchNorm
        {"batch_norm": "hidden", "context": 4, "layers": 2, "flatten": 2, "direct": True},
    ],
)
def test_batch_norm_folds_into_the_weights(changes: dict[str, object]) -> None:
    """Exercise E02 of the third lecture."""
    model = after_some_batches(**changes)
    folded = model.folded()
    contexts = contexts_of(100, model.params.context)
    assert not any("bn" in name for name in folded.arrays()) and folded.params.batch_norm == "none"
    assert torch.allclose(folded(contexts), model(contexts), atol=1e-5)


def test_statistics_by_position_do_not_fold() -> None:
    model = after_some_batches(batch_norm="per_position", context=4, layers=2, flatten=2)
    with pytest.raises(ValueError, match="per_position"):
        model.folded()


def lecture_batch_norm(x: Tensor, gamma: Tensor, beta: Tensor, dim: Dimensions) -> tuple[Tensor, Tensor]:
    mean, var = x.mean(dim, keepdim=True), x.var(dim, keepdim=True)
    return gamma * (x - mean) / torch.sqrt(var + 1e-5) + beta, mean


@pytest.mark.parametrize(
    ("batch_norm", "dim", "shape"), [("hidden", (0, 1), (1, 1, 68)), ("per_position", 0, (1, 4, 68))]
)
def test_the_hierarchical_network_is_the_fifth_lectures(batch_norm: str, dim: Dimensions, shape: object) -> None:
    """FlattenConsecutive(2) three times. `per_position` is the bug that the lecture finds: means over dimension 0."""
    model = network("mlp", 27, **HIERARCHICAL | {"batch_norm": batch_norm, "momentum": 1.0})
    assert isinstance(model, MLP)
    contexts = contexts_of(32, 8, 27)
    x, means = model.C[contexts], []  # (32, 8, 10)
    for i in 1, 2, 3:
        B, T, C = x.shape
        x = x.view(B, T // 2, C * 2) @ getattr(model, f"W{i}")
        x, mean = lecture_batch_norm(x, model.get(f"bn{i}").gamma, model.get(f"bn{i}").beta, dim if T > 2 else (0, 1))
        x = torch.tanh(x)
        means.append(mean)
    logits = x.squeeze(1) @ model.get("W4") + model.get("b4")
    assert means[0].shape == shape
    assert torch.allclose(model(contexts), logits, atol=1e-4)
    for i, mean in enumerate(means, start=1):
        assert torch.allclose(model.get(f"bn{i}").running_mean, mean.flatten(), atol=1e-5)


def test_the_hierarchical_network_is_dilated_causal_convolutions() -> None:
    """Over a window it computes what convolutions with the dilations 1, 2 and 4 compute at the end of a name."""
    model = after_some_batches(**HIERARCHICAL)
    tokens = contexts_of(1, 20)[0]
    expected = model(tokens.unfold(0, 8, 1))  # (13, V)
    x = model.C[tokens].T.unsqueeze(0)  # (1, C, 20)
    for i, dilation in enumerate((1, 2, 4), start=1):
        W = getattr(model, f"W{i}")  # (2 * C, H): the rows of the earlier character come first
        x = F.conv1d(x, W.view(2, -1, W.shape[1]).permute(2, 1, 0), dilation=dilation)  # (1, H, ...)
        x = torch.tanh(model.get(f"bn{i}")(x[0].T)).T.unsqueeze(0)
    assert torch.allclose(x[0].T @ model.get("W4") + model.get("b4"), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["all", "distinct"])
@pytest.mark.parametrize(("batch_norm", "start"), [("none", "scaled"), ("hidden", "kaiming"), ("hidden", "perturbed")])
def test_the_backward_pass_by_hand_trains_like_autograd(kind: str, batch_norm: str, start: str) -> None:
    names = tiny_names()
    vocab = Vocab.of(text_of(*names))
    tokens = encoded(vocab, *names)

    def losses(gradients: str) -> tuple[list[float], MLP]:
        params = mlp_params(batch_norm=batch_norm, initialization=start, gradients=gradients)
        model = MLP(params, len(vocab), torch.Generator().manual_seed(1))
        if kind == "all":
            batch = examples(tokens, 3)
        else:
            contexts, weights = distinct_examples(tokens, 3, len(vocab))
            batch = contexts, weights.all()
        optimizer = SGD([Group(list(model.parameters()))])
        curve = train_network(model, lambda: model.loss(*batch), optimizer, Plan(50, lambda step: 0.1))
        return [loss for _, loss, *_ in curve], model

    (by_hand, one), (expected, other) = losses("manual"), losses("autograd")
    assert by_hand == pytest.approx(expected, abs=1e-5) and by_hand[-1] < by_hand[0] - 0.05
    for name, array in one.arrays().items():
        assert np.allclose(array, other.arrays()[name], atol=1e-4), name


def test_with_zero_weights_only_the_output_bias_learns() -> None:
    """Exercise E01 of the third lecture: the network ends as the unigram model."""
    names = tiny_names()
    vocab = Vocab.of(text_of(*names))
    tokens = encoded(vocab, *names)
    model = MLP(mlp_params(initialization="zeros"), len(vocab), torch.Generator().manual_seed(1))
    before = {name: array.copy() for name, array in model.arrays().items()}
    batch = examples(tokens, 3)
    train_network(model, lambda: model.loss(*batch), SGD([Group(list(model.parameters()))]), Plan(500, lambda _: 1.0))
    changed = [name for name, array in model.arrays().items() if not np.array_equal(array, before[name])]
    assert changed == ["b2"]
    shares = np.bincount(tokens) / len(tokens)
    assert model.loss(*batch).item() == pytest.approx(-(shares * np.log(shares)).sum(), abs=1e-4)


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
def test_initial_weights_have_their_deviations(initialization: str) -> None:
    model = network("mlp", 27, initialization=initialization, context=8, embedding=10, hidden=100)
    assert isinstance(model, MLP)
    std = INITIALIZATIONS[initialization]
    assert model.C.std().item() == pytest.approx(1, abs=0.1)
    assert model.W1.std().item() == pytest.approx(std.hidden(80), rel=0.1)
    assert model.W2.std().item() == pytest.approx(std.output(100), rel=0.1)
    assert model.b1.std().item() == pytest.approx(std.hidden_bias, rel=0.4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flatten": 2}, r"flatten: expected flatten \*\* layers = context, 3, got 2 \*\* 1"),
        ({"gradients": "manual", "layers": 2}, "gradients: manual needs layers: 1"),
        ({"gradients": "manual", "batch_norm": "all"}, "gradients: manual needs layers: 1"),
    ],
)
def test_shapes_that_do_not_fit(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mlp_params(**changes)
