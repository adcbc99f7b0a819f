"""The n-grams that the page holds."""

import numpy as np
import pytest

from conftest import encoded, text_of
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import NgramParams, count
from makemore.reporting import ngrams


@pytest.mark.parametrize("position", [0, 3])
def test_packed_ngrams_can_be_unpacked(position: int) -> None:
    names = ["emma", "ava", "mae", *["a"] * 300]
    vocab = Vocab.of(text_of(*names))
    params = NgramParams(order=3, smoothing="none", strength=None, position=position)
    keys, counts = count(params, encoded(vocab, *names), len(vocab))
    packed = ngrams.packed({"ngrams": keys, "counts": counts}, {"order": 3, "position": position}, len(vocab))
    read, larger = iter(packed["digits"].tolist()), iter(packed["large"].tolist())
    row: list[int] = []
    found = {}
    for shared, number in zip(packed["shared"].tolist(), packed["counts"].tolist(), strict=True):
        row = row[:shared] + [next(read) for _ in range(4 - shared)]
        found[tuple(row)] = next(larger) if number == ngrams.LARGE else number
    stoi = vocab.stoi
    assert len(found) == len(keys) and next(read, None) is next(larger, None) is None
    assert found[(min(3, position), stoi["m"], stoi["m"], stoi["a"])] == 1  # mm, then a
    assert found[(min(1, position), stoi["e"], 0, stoi["m"])] == 1  # .e, then m
    assert found[(0, 0, 0, stoi["a"])] == 301  # at the start, a
    assert (np.diff(packed["shared"]) != 0).any() and len(packed["digits"]) < 4 * len(keys)
