from collections import Counter
from itertools import chain

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from makemore.core.counts import Counts, count_keys, merge_all

KEYS = st.lists(st.integers(0, 9) | st.integers(0, 2**63 - 1))


def found(counts: Counts) -> dict[int, int]:
    assert counts.keys.dtype == counts.counts.dtype == np.int64
    assert (np.diff(counts.keys) > 0).all()
    return dict(zip(counts.keys.tolist(), counts.counts.tolist(), strict=True))


@given(st.lists(KEYS, max_size=12))
def test_counts_of_parts_are_those_of_the_whole(parts: list[list[int]]) -> None:
    counts = merge_all(count_keys(np.array(part, dtype=np.int64)) for part in parts)
    assert found(counts) == Counter(chain(*parts))
