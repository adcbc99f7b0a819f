import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from conftest import encoded, network, text_of, tiny_names
from makemore.core.contexts import name_bounds
from makemore.core.vocab import Vocab
from makemore.nn.neural import distinct_examples, examples
from makemore.training import batches
from makemore.training.batches import (
    make_batches,
    name_batches,
    stratified_uniform,
    uniform_batches,
    weighted_batches,
    window_batches,
)
from makemore.training.params import StepParams
from makemore.training.targets import alphabetical, name_targets

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
TOKENS = encoded(VOCAB, *NAMES)
V = len(VOCAB)


def seeded(seed: int = 2) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_stratified_samples_are_one_per_interval() -> None:
    samples = stratified_uniform(1000, seeded())
    assert (samples * 1000).long().tolist() == list(range(1000))
    offsets = samples * 1000 % 1
    assert offsets.mean().item() == pytest.approx(0.5, abs=0.05) and offsets.std().item() == pytest.approx(
        0.29, abs=0.02
    )


def test_uniform_batches_are_the_lectures() -> None:
    inputs, targets = torch.arange(50).reshape(50, 1), torch.arange(50) + 100
    batch = uniform_batches(inputs, targets, 8, seeded())
    generator = seeded()
    for _ in range(3):
        ix = torch.randint(0, 50, (8,), generator=generator)
        X, Y = batch()
        assert torch.equal(X, inputs[ix]) and torch.equal(Y, targets[ix])


def test_batches_of_names_are_spread_evenly_over_the_sorted_list() -> None:
    model = network("recurrent", V)
    sizes, rows = model.examples(TOKENS)  # sorted
    batch, generator = name_batches(TOKENS, 20, seeded(), torch.device("cpu")), seeded()
    for _ in range(3):
        drawn = (stratified_uniform(20, generator) * len(sizes)).long()
        assert (drawn // 3).tolist() == list(range(20))  # one from every three neighbours
        found = batch()
        assert torch.equal(found[0], sizes[drawn]) and torch.equal(found[1], rows[drawn])


@given(st.lists(st.text("abz", max_size=30), min_size=1))
def test_names_are_sorted_alphabetically(strings: list[str]) -> None:
    tokens = encoded(Vocab.of(text_of("abcdefghijklmnopqrstuvwxyz")), *strings)
    order = alphabetical(tokens, *name_bounds(tokens))
    assert [strings[i] for i in order] == sorted(strings)


@pytest.mark.parametrize("context", [1, 3, 9])
def test_contexts_computed_when_drawn_give_the_same_batches(context: int) -> None:
    computed = window_batches(TOKENS, context, 200, seeded(), torch.device("cpu"))()
    stored = uniform_batches(*examples(TOKENS, context), 200, seeded())()
    assert all(torch.equal(a, b) for a, b in zip(computed, stored, strict=True))


@pytest.mark.parametrize("dense", [0, batches.DENSE])
def test_weighted_batches_estimate_the_mean_loss(dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "DENSE", dense)
    model = network("mlp", V, initialization="randn")
    contexts, weights = distinct_examples(TOKENS, 3, V)
    batch = weighted_batches(contexts, weights, 20_000, seeded())
    assert model.loss(*batch()).item() == pytest.approx(model.loss(contexts, weights.all()).item(), rel=0.02)


def test_dense_and_sparse_weights_give_the_same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    examples = distinct_examples(TOKENS, 3, V)
    dense = weighted_batches(*examples, 100, seeded())()
    monkeypatch.setattr(batches, "DENSE", 0)
    sparse = weighted_batches(*examples, 100, seeded())()
    assert all(torch.equal(a, b) for a, b in zip(dense, sparse, strict=True))


@pytest.mark.parametrize("family", ["mlp", "recurrent"])
def test_dense_and_sparse_targets_are_the_same(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(family, V, **({"examples": "distinct"} if family == "mlp" else {}))
    params = StepParams.model_construct(batch_size=100, smoothing=0.5)
    dense = make_batches(model, TOKENS, params, seeded())()
    monkeypatch.setattr(batches, "DENSE", 0)
    sparse = make_batches(model, TOKENS, params, seeded())()
    assert all(torch.equal(a, b) for a, b in zip(dense, sparse, strict=True))
    plain = make_batches(model, TOKENS, StepParams.model_construct(batch_size=100), seeded())()
    assert all(torch.equal(a, b) for a, b in zip(plain[: len(dense) - 1], dense, strict=False))
    if family == "mlp":
        assert torch.allclose(plain[1].sum(dim=1), dense[1].sum(dim=1)) and not torch.allclose(plain[1], dense[1])


def test_hardly_smoothed_targets_do_not_change_the_loss_on_the_list() -> None:
    model = network("bow", V, dropout=0)
    for weight in model.parameters():
        weight.data += 0.3 * torch.randn(weight.shape, generator=seeded())
    sizes, rows = model.examples(TOKENS)
    expected, cpu = name_targets(TOKENS, V, 1e-6), torch.device("cpu")
    batch = name_batches(TOKENS, len(sizes), seeded(), cpu, expected)()  # each name once
    assert model.loss(*batch).item() == pytest.approx(model.loss(sizes, rows).item(), rel=1e-5)
    some = name_batches(TOKENS, 5, seeded(), cpu, expected)()
    assert model.loss(*some).item() != pytest.approx(model.loss(*some[:2]).item(), rel=1e-3)


def test_single_tokens_cannot_be_smoothed() -> None:
    params = StepParams.model_construct(batch_size=9, smoothing=0.5)
    with pytest.raises(ValueError, match=r"^smoothing: needs examples: distinct$"):
        make_batches(network("mlp", V), TOKENS, params, seeded())


@pytest.mark.parametrize(
    ("family", "changes", "stored", "draw"),
    [
        ("mlp", {"examples": "all"}, batches.STORED, "uniform_batches"),
        ("mlp", {"examples": "all"}, 0, "window_batches"),
        ("mlp", {"examples": "distinct"}, 0, "weighted_batches"),
        ("recurrent", {}, batches.STORED, "name_batches"),
    ],
)
def test_each_kind_of_model_has_its_kind_of_batches(
    family: str, changes: dict[str, str], stored: int, draw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "STORED", stored)
    monkeypatch.setattr(batches, draw, lambda *arguments: draw)
    model = network(family, V, **changes)
    assert make_batches(model, TOKENS, StepParams.model_construct(batch_size=9), seeded()) == draw
