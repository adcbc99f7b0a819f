"""The targets of a training: the distributions of the whole list, smoothed by those of similar contexts."""

from collections import Counter

import pytest
import torch
from annotated_types import Le

from conftest import encoded, text_of, tiny_names
from makemore.core.vocab import Vocab
from makemore.nn.neural import distinct_examples
from makemore.training.params import StepParams
from makemore.training.targets import DISCOUNT, FLOOR, POSITIONS, RECENT, context_targets, name_targets

NAMES = [*tiny_names(), "abcdeabcde", "bbcdeabcde"]
VOCAB = Vocab.of(text_of(*NAMES))
TOKENS = encoded(VOCAB, *NAMES)
V = len(VOCAB)
FOLLOWERS: dict[str, Counter[str]] = {}
for _name in NAMES:
    for _length, _next in enumerate(f"{_name}."):
        FOLLOWERS.setdefault(_name[:_length], Counter())[_next] += 1
BOUNDARY = "." * RECENT


def naive(prefix: str, smoothing: float) -> list[float]:
    """The formula of `Targets.of`, from strings."""
    likely = [1 / V] * V
    for size in range(RECENT + 1):
        same = [
            other
            for other in FOLLOWERS
            if other != prefix
            and (BOUNDARY + other)[len(other) + RECENT - size :] == (BOUNDARY + prefix)[len(prefix) + RECENT - size :]
            and min(len(other), POSITIONS) == min(len(prefix), POSITIONS)
        ]
        counts = [sum(FOLLOWERS[other][character] for other in same) for character in VOCAB.itos]
        discounts = [min(count, DISCOUNT * count**0.25) for count in counts]
        left = sum(discounts) + FLOOR
        likely = [
            (count - discount + left * lower) / (sum(counts) + FLOOR)
            for count, discount, lower in zip(counts, discounts, likely, strict=True)
        ]
    own = [FOLLOWERS[prefix][character] for character in VOCAB.itos]
    return [(count + smoothing * other) / (sum(own) + smoothing) for count, other in zip(own, likely, strict=True)]


def test_the_targets_of_beginnings_equal_naive_ones() -> None:
    prefixes, targets = name_targets(TOKENS, V, 0.7)
    assert len(targets) == len(FOLLOWERS)
    found = iter(targets.of(torch.from_numpy(prefixes)).tolist())  # (M, V)
    for name in NAMES:
        for length in range(len(name) + 1):
            assert next(found) == pytest.approx(naive(name[:length], 0.7), abs=1e-6)


def test_a_context_keeps_its_counts() -> None:
    contexts, following = distinct_examples(TOKENS, 3, V)
    counts = following.all() * (len(TOKENS) / len(contexts))  # (U, V)
    found = context_targets(contexts, following, len(TOKENS), 1e-4).of(torch.arange(len(contexts)))
    assert torch.allclose(found, counts / counts.sum(dim=1, keepdim=True), atol=1e-3)
    much = context_targets(contexts, following, len(TOKENS), 1e6).of(torch.arange(len(contexts)))
    assert torch.allclose(much.sum(dim=1), torch.ones(len(contexts))) and not torch.allclose(much, found, atol=0.1)


def test_the_largest_smoothing_that_the_params_allow_is_finite() -> None:
    (largest,) = (bound.le for bound in StepParams.model_fields["smoothing"].metadata if isinstance(bound, Le))
    made = name_targets(TOKENS, V, largest).targets
    assert made.of(torch.arange(len(made))).sum(dim=1).tolist() == pytest.approx([1.0] * len(made))
