import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import brute_force_contexts, encoded, text_of, tiny_names
from makemore.core import contexts
from makemore.core.contexts import counted, distinct, keys, sliding
from makemore.core.vocab import Vocab

NAMES = st.lists(st.text("abc", min_size=1, max_size=8), min_size=1, max_size=20)


@given(NAMES, st.integers(0, 10))
def test_sliding_is_the_lectures_loop(strings: list[str], context: int) -> None:
    vocab = Vocab.of(text_of(*strings))
    tokens = encoded(vocab, *strings)
    rows = ["".join(vocab.itos[i] for i in row) for row in sliding(tokens, context)]
    assert list(zip(rows, (vocab.itos[i] for i in tokens), strict=True)) == brute_force_contexts(strings, context)


def test_the_lectures_example() -> None:
    vocab = Vocab.of(text_of("emma"))
    rows = ["".join(vocab.itos[i] for i in row) for row in sliding(encoded(vocab, "emma"), 3)]
    assert rows == ["...", "..e", ".em", "emm", "mma"]


@given(NAMES, st.integers(1, 12))
def test_distinct_rows_restore_all_rows(strings: list[str], context: int) -> None:
    contexts = sliding(encoded(Vocab.of(text_of(*strings)), *strings), context)
    rows, place = distinct(contexts, 4)
    assert np.array_equal(rows[place], contexts)
    assert len({tuple(row) for row in rows.tolist()}) == len(rows)


def test_distinct_accepts_contexts_beyond_63_bits() -> None:
    contexts = np.array([[26] * 30, [26] * 29 + [25], [26] * 30], dtype=np.int32)
    rows, place = distinct(contexts, 27)
    assert np.array_equal(rows[place], contexts) and len(rows) == 2


def test_keys_keep_the_order_and_must_fit_into_63_bits() -> None:
    assert keys(np.array([[0, 1], [1, 0], [2, 26]], dtype=np.int32), 27).tolist() == [1, 27, 80]
    with pytest.raises(ValueError, match="context: 14 is too long for a vocabulary of 27 tokens"):
        keys(np.zeros((1, 14), dtype=np.int32), 27)


@pytest.mark.parametrize("chunk", [5, contexts.CHUNK])
def test_pairs_that_fit_into_an_integer_are_counted_in_chunks(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contexts, "CHUNK", chunk)
    strings = tiny_names(60)
    tokens = encoded(Vocab.of(text_of(*strings)), *strings)
    for found, expected in zip(counted(tokens, 3, 1000), counted(tokens, 3, 1 << 20), strict=True):
        assert np.array_equal(found, expected)


@given(st.integers(0, 4))
def test_counts_equal_brute_force(context: int) -> None:
    strings = tiny_names(30)
    vocab = Vocab.of(text_of(*strings))
    rows, starts, following, found = counted(encoded(vocab, *strings), context, len(vocab))
    counts = np.zeros((len(rows), len(vocab)), dtype=np.int64)
    counts[np.repeat(np.arange(len(rows)), np.diff(starts)), following] = found
    pairs = brute_force_contexts(strings, context)
    for row, of_row in zip(rows, counts, strict=True):
        window = "".join(vocab.itos[i] for i in row)
        assert of_row.tolist() == [pairs.count((window, character)) for character in vocab.itos]
    assert counts.sum() == len(pairs)
