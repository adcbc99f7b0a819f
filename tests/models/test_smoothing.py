"""Each smoothing compared with its formula: by hand, and with dictionaries on random names."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from makemore.models.ngram.model import NgramParams, fit
from makemore.models.ngram.smoothing import MAX_STRENGTH, Smoothing, kneser_ney_discounts

Gram = tuple[int, tuple[int, ...], int]  # characters so far (up to `position`), context, next token


def reference(lines: list[list[int]], params: NgramParams, vocab_size: int) -> Callable[[list[int], int], float]:
    """P(token | name so far), with dictionaries and recursion; only the Kneser-Ney discounts come from the package."""

    def gram(so_far: list[int], token: int, order: int) -> Gram | None:
        history = [0, *so_far]
        if len(history) < order - 1:
            return None  # the name has not that many characters before it
        return min(len(so_far), params.position), tuple(history[len(history) - order + 1 :]), token

    places = [(line[:i], [*line, 0][i]) for line in lines for i in range(len(line) + 1)]
    raw = [Counter(gram(so_far, token, k) for so_far, token in places) for k in range(1, params.order + 1)]
    strengths = params.strengths()
    counts: list[dict[Gram, float]] = [{}] * params.order
    for k in range(params.order, 0, -1):
        counts[k - 1] = {key: n for key, n in raw[k - 1].items() if key}
        if k < params.order:
            counts[k - 1] = {key: n for key, n in counts[k - 1].items() if key[1][:1] == (0,)}
            for (so_far, context, token), n in counts[k].items():
                end = (so_far, context[1:], token)
                passed = {"kneser_ney": 1.0, "power_law": n ** strengths[k]}.get(params.smoothing, n)
                counts[k - 1][end] = counts[k - 1].get(end, 0) + passed

    def probability(so_far: list[int], token: int, k: int) -> float:
        if k == 0:
            return 1 / vocab_size
        key, s = gram(so_far, token, k), strengths[k - 1]
        follow: dict[int, float]
        lower = 1 / vocab_size if params.smoothing in ("none", "additive") else probability(so_far, token, k - 1)
        if key is None and params.smoothing in ("none", "additive"):  # a padded context is the whole name so far
            follow = {**Counter(other for before, other in places if before == so_far)}
        else:
            follow = {other[2]: n for other, n in counts[k - 1].items() if key and other[:2] == key[:2]}
        n, total, types = follow.get(token, 0), sum(follow.values()), len(follow)
        if params.smoothing == "additive" and total + s > 0:
            return (n + s) / (total + s * vocab_size)
        if total == 0:
            return lower
        if params.smoothing == "none":
            return n / total
        if params.smoothing == "jelinek_mercer":
            return (1 - s) * n / total + s * lower
        if params.smoothing == "witten_bell":
            return (n + s * types * lower) / (total + s * types)
        if params.smoothing == "power_law":
            take = {other: float(s * c**s) for other, c in follow.items()}
        else:
            discounts = [float(d) for d in kneser_ney_discounts(np.array(list(counts[k - 1].values())))]
            take = {other: discounts[min(int(c), 3)] for other, c in follow.items()}
        return (n - take.get(token, 0)) / total + sum(take.values()) / total * lower

    return lambda so_far, token: probability(so_far, token, params.order)


def strength_of(smoothing: str, order: int) -> float | list[float] | None:
    single = {"additive": 0.3, "jelinek_mercer": 0.4, "witten_bell": 1.5, "power_law": 0.7}.get(smoothing)
    return [single * (1 - i / 10) for i in range(order)] if single and smoothing != "additive" else single


@pytest.mark.parametrize("smoothing", ["none", *MAX_STRENGTH, "kneser_ney"])
@pytest.mark.parametrize(("order", "position"), [(1, 0), (2, 0), (3, 0), (5, 0), (1, 2), (3, 2), (4, 5)])
def test_smoothing_equals_dictionaries(smoothing: Smoothing, order: int, position: int) -> None:
    size = 4
    generator = np.random.default_rng(order)
    lines = [generator.integers(1, size - 1, n).tolist() for n in generator.integers(1, 6, 40)]  # 3 never occurs
    tokens = np.array([token for line in lines for token in [*line, 0]], dtype=np.int32)
    strength = strength_of(smoothing, order)
    params = NgramParams(order=order, smoothing=smoothing, strength=strength, position=position)
    model, expected = fit(params, tokens, size), reference(lines, params, size)
    for so_far in [[], *lines[:8], [3], [1, 3, 2], [1, 2, 1, 2, 1, 2, 1]]:
        context = np.array([([0] * model.context + so_far)[len(so_far) :]], dtype=np.int32)
        found = np.exp(model.log_probs(context))[0]
        assert found == pytest.approx([expected(so_far, token) for token in range(size)], abs=1e-12), so_far


def test_kneser_ney_by_hand() -> None:
    # ab ab b: the bigrams .a 2, .b 1, ab 2, b. 3; before a 1 character, before b 2, before the end 1.
    tokens = np.array([1, 2, 0, 1, 2, 0, 2, 0], dtype=np.int32)
    params = NgramParams(order=2, smoothing="kneser_ney", strength=None, position=0)
    probs = np.exp(fit(params, tokens, 3).log_probs(np.array([[0], [1], [2]], dtype=np.int32)))
    # Order 1 has counts 1, 1, 2 and no 3: the fallback takes 0.5, 0.5 and 1 of 4, half, and spreads it evenly.
    end, a, b = 0.5 / 4 + 0.5 / 3, 0.5 / 4 + 0.5 / 3, 1 / 4 + 0.5 / 3
    # Order 2: t = 1, 2, 1, 0, so Y = 1 / 5, D1 = 1 - 2 Y 2 / 1 = 0.2, D2 = 2 - 3 Y 1 / 2 = 1.7, D3 = 3 - 0 = 3.
    start = [1.9 / 3 * end, 0.3 / 3 + 1.9 / 3 * a, 0.8 / 3 + 1.9 / 3 * b]
    after_a = [1.7 / 2 * end, 1.7 / 2 * a, 0.3 / 2 + 1.7 / 2 * b]
    assert probs == pytest.approx(np.array([start, after_a, [end, a, b]]), abs=1e-12)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([1] * 8 + [2] * 4 + [3] * 2 + [4], [0, 1 - 2 * 0.5 * 4 / 8, 2 - 3 * 0.5 * 2 / 4, 3 - 4 * 0.5 * 1 / 2]),
        ([1] * 8 + [2] * 4 + [4], [0, 0.5, 1, 1.5]),  # nothing occurs three times
        ([1] * 4 + [2] + [3] * 9, [0, 0.5, 1, 1.5]),  # D2 would be 2 - 3 * 4 / 6 * 9 / 1, below 0
        ([1] * 4 + [2] * 9 + [3], [0, 1 - 8 / 22 * 9 / 4, 2 - 12 / 22 * 1 / 9, 3]),  # nothing four times: that is fine
    ],
)
def test_kneser_ney_discounts(counts: list[int], expected: list[float]) -> None:
    assert kneser_ney_discounts(np.array(counts, dtype=np.float64)) == pytest.approx(expected)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_probabilities_sum_to_1(data: st.DataObject) -> None:
    size, order, position = (data.draw(st.integers(low, high)) for low, high in ((2, 6), (1, 5), (0, 4)))
    smoothing = data.draw(st.sampled_from(["none", "kneser_ney", *MAX_STRENGTH]))
    one = st.floats(0, min(MAX_STRENGTH.get(smoothing, 0), 1e6))
    strength = data.draw(one if smoothing == "additive" else st.lists(one, min_size=order, max_size=order))
    lines = data.draw(st.lists(st.lists(st.integers(1, size - 1), min_size=1, max_size=6), min_size=1, max_size=12))
    tokens = np.array([token for line in lines for token in [*line, 0]], dtype=np.int32)
    values = {"order": order, "smoothing": smoothing, "strength": strength, "position": position}
    params = NgramParams.model_validate(values if smoothing in MAX_STRENGTH else values | {"strength": None})
    model = fit(params, tokens, size)
    row = st.lists(st.integers(0, size - 1), min_size=model.context, max_size=model.context)
    contexts = np.array(data.draw(st.lists(row, min_size=1, max_size=9)), dtype=np.int32)
    probs = np.exp(model.log_probs(contexts))
    assert (probs >= 0).all()
    assert probs.sum(axis=1) == pytest.approx(np.ones(len(contexts)), abs=1e-9)
