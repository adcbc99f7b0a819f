import math

import numpy as np
import pytest

from conftest import additive, brute_force_contexts, encoded, text_of, tiny_names
from makemore.core.vocab import Vocab
from makemore.evaluation import losses
from makemore.evaluation.losses import evaluate, summary, token_nlls
from makemore.models.ngram.model import fit

NAMES = tiny_names()
VOCAB = Vocab.of(text_of(*NAMES))
TOKENS = encoded(VOCAB, *NAMES)
TRIGRAM = fit(additive(3, 0.5), TOKENS, len(VOCAB))


def test_each_token_counts_once_with_the_end_and_without_the_start() -> None:
    nlls = token_nlls(TRIGRAM, TOKENS)
    pairs = brute_force_contexts(NAMES, 2)
    before = [context for context, _ in pairs]
    by_hand = [-math.log((pairs.count((c, x)) + 0.5) / (before.count(c) + 0.5 * len(VOCAB))) for c, x in pairs]
    assert len(nlls) == sum(len(name) + 1 for name in NAMES)
    assert nlls == pytest.approx(by_hand)


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_the_chunk_size_does_not_matter(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = token_nlls(TRIGRAM, TOKENS)
    monkeypatch.setattr(losses, "CHUNK", chunk)
    assert np.array_equal(token_nlls(TRIGRAM, TOKENS), whole)


def test_summary_by_hand() -> None:
    tokens = np.array([1, 0, 2, 3, 0], dtype=np.int32)  # two names, of 2 and of 3 tokens
    result = summary(np.array([1.0, 2.0, 3.0, 4.0, 5.0]), tokens)
    assert result["nll"] == 3
    assert result["perplexity"] == pytest.approx(math.exp(3))
    assert result["bits_per_char"] == pytest.approx(3 / math.log(2))
    assert result["nll_se"] == pytest.approx(math.sqrt(2 / 1 * ((3 - 6) ** 2 + (12 - 9) ** 2)) / 5)


def test_the_standard_error_is_the_spread_over_resampled_names() -> None:
    draw = np.random.default_rng(0)
    totals, sizes = draw.gamma(5, 2, 2000), draw.integers(3, 9, 2000)
    tokens = np.concatenate([[1] * (size - 1) + [0] for size in sizes]).astype(np.int32)
    nlls = np.repeat(totals / sizes, sizes)
    resampled = [totals[pick].sum() / sizes[pick].sum() for pick in draw.integers(0, 2000, (500, 2000))]
    assert summary(nlls, tokens)["nll_se"] == pytest.approx(np.std(resampled), rel=0.1)


def test_unseen_names_have_their_own_loss() -> None:
    unseen = np.array([i % 3 == 0 for i in range(len(NAMES))])
    result = evaluate(TRIGRAM, TOKENS, unseen=unseen)
    some = encoded(VOCAB, *(name for name, mark in zip(NAMES, unseen, strict=True) if mark))
    assert result["nll_unseen"] == pytest.approx(evaluate(TRIGRAM, some)["nll"])
    assert "nll_unseen" not in evaluate(TRIGRAM, TOKENS, unseen=np.zeros(len(NAMES), dtype=bool))


def test_an_impossible_name_has_infinite_loss() -> None:
    bigram = fit(additive(2, 0), encoded(VOCAB, "ab"), len(VOCAB))
    result = evaluate(bigram, encoded(VOCAB, "ba"))
    assert result["nll"] == result["nll_se"] == result["perplexity"] == math.inf
