"""N-gram models from strangers: n-grams and counts that no list can have."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile import TOKENS, VOCAB, Run, V, error_of, loading, params, read, write
from makemore.core.model import Arrays, save_model
from makemore.models.ngram.model import Ngram, NgramParams, count, fit, ngram_keys, possible, span
from makemore.models.ngram.smoothing import MAX_STRENGTH
from makemore.reporting import page

NGRAMS, COUNTS = count(NgramParams(order=2, smoothing="none", strength=None, position=0), TOKENS, V)
UNSORTED, DOUBLED = NGRAMS.copy(), NGRAMS.copy()
UNSORTED[[0, 1]] = UNSORTED[[1, 0]]
DOUBLED[1] = DOUBLED[0]
BAD_NGRAMS: dict[str, tuple[Arrays, str]] = {
    "none": ({"ngrams": NGRAMS[:0], "counts": COUNTS[:0]}, "0 n-grams with 0 counts"),
    "unsorted": ({"ngrams": UNSORTED}, "n-grams that are not sorted and distinct"),
    "doubled": ({"ngrams": DOUBLED}, "n-grams that are not sorted and distinct"),
    "negative": ({"ngrams": NGRAMS - 30}, "the n-gram -"),
    "too large": ({"ngrams": NGRAMS + V**2}, "the n-gram "),
    "too few": ({"ngrams": NGRAMS[1:]}, f"{len(NGRAMS) - 1} n-grams with {len(NGRAMS)} counts"),
    "too few counts": ({"counts": COUNTS[1:]}, f"{len(NGRAMS)} n-grams with {len(NGRAMS) - 1} counts"),
    "floats": ({"ngrams": NGRAMS.astype(np.float64)}, f"ngrams of type float64 and shape ({len(NGRAMS)},) instead of"),
    "float counts": ({"counts": COUNTS + 0.5}, f"counts of type float64 and shape ({len(NGRAMS)},) instead of int64"),
    "unsigned": ({"ngrams": NGRAMS.astype(np.uint64) + 2**63}, "ngrams of type uint64 and"),
    "rank 2": ({"ngrams": NGRAMS[:, None]}, f"ngrams of type int64 and shape ({len(NGRAMS)}, 1) instead of int64"),
    "zero counts": ({"counts": COUNTS * 0}, "counts from 0 to 0 instead of 1 to 9007199254740992"),
    "negative counts": ({"counts": -COUNTS}, "counts from -"),
    "huge counts": ({"counts": COUNTS + 2**60}, "counts from 1152921504606846"),
    "another array": ({"other": NGRAMS}, "the arrays ['counts', 'ngrams', 'other'] instead of counts and ngrams"),
}


@pytest.mark.parametrize("case", BAD_NGRAMS)
def test_bad_ngrams(outputs: Path, run: Run, case: str) -> None:
    _, metadata = read("bigram")
    changes, message = BAD_NGRAMS[case]
    start = write("bigram", {"ngrams": NGRAMS, "counts": COUNTS} | changes, metadata)
    for command in loading("bigram"):
        assert error_of(run, command).startswith(f"{start}expected a model of this project, found {message}")
    if case not in ("unsorted", "doubled", "another array"):  # which a page reads all the same
        line = error_of(run, "report --live bigram")
        assert line.startswith(f"{start}expected a model that the page can run, found ")


def test_arrays_that_are_missing(outputs: Path, run: Run) -> None:
    _, metadata = read("bigram")
    start = write("bigram", {"ngrams": NGRAMS}, metadata)
    found = "the arrays ['ngrams'] instead of counts and ngrams\n"
    assert error_of(run, "score bigram abc") == f"{start}expected a model of this project, found {found}"
    assert error_of(run, "report --live bigram").startswith(f"{start}expected a model that the page can run, found ")


def test_scalars_in_place_of_ngrams() -> None:
    with pytest.raises(ValueError, match=r"^ngrams of type int64 and shape \(\) instead of int64 and \(K,\)$"):
        Ngram.from_arrays(params(2, 0).model_dump(), {"ngrams": NGRAMS[0], "counts": COUNTS[0]}, V)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("position", [0, 1, 2, 3, 5])
def test_the_ngrams_that_names_can_contain(order: int, position: int) -> None:
    """All of them occur in the names of two letters of at most 7 characters, and no others."""
    size = 3
    names = [[int(digit) + 1 for digit in f"{i:0{length}b}"] for length in range(1, 8) for i in range(2**length)]
    tokens = np.array([token for name in names for token in [*name, 0]], dtype=np.int32)
    seen = set(ngram_keys(params(order, position), tokens, size).tolist())
    keys = np.arange(-20, span(params(order, position), order, size) + 20)
    fits = set(keys[possible(params(order, position), keys, size)].tolist())
    assert fits - seen <= {0}  # the end of an empty name
    assert seen <= fits


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_is_accepted_has_probabilities_that_sum_to_1(data: st.DataObject) -> None:
    """Also where no list of names has these n-grams and counts."""
    size, order, position = (data.draw(st.integers(low, high)) for low, high in ((2, 4), (1, 4), (0, 3)))
    smoothing = data.draw(st.sampled_from(["none", "kneser_ney", *MAX_STRENGTH]))
    strength = data.draw(st.floats(0, min(MAX_STRENGTH[smoothing], 1e300))) if smoothing in MAX_STRENGTH else None
    chosen = params(order, position, smoothing, strength)
    keys = np.arange(span(chosen, order, size))
    keys = keys[possible(chosen, keys, size)]
    ngrams = np.array(sorted(data.draw(st.sets(st.sampled_from(keys.tolist()), min_size=1))))
    counts = np.array(data.draw(st.lists(st.integers(1, 2**53), min_size=len(ngrams), max_size=len(ngrams))))
    model = Ngram.from_arrays(chosen.model_dump(), {"ngrams": ngrams, "counts": counts}, size)
    contexts = np.indices((size,) * model.context, dtype=np.int32).reshape(model.context, size**model.context).T
    probs = model.probs(contexts)
    assert (probs >= 0).all()
    assert probs.sum(axis=1) == pytest.approx(np.ones(len(contexts)), abs=1e-9)


def test_counts_beyond_32_bits_are_scored_but_not_embedded(outputs: Path, run: Run) -> None:
    arrays, metadata = read("bigram")
    write("bigram", arrays | {"counts": np.full_like(arrays["counts"], 2**53)}, metadata)
    for command in loading("bigram"):
        assert run(*command.split()).exit_code == 0
    assert error_of(run, "report --live bigram") == (
        "models/bigram.safetensors: expected a model that the page can run, found integers from 0 to 9007199254740992 "
        "instead of 0 to 4294967295\n"
    )


def test_the_largest_count_of_a_page(tmp_path: Path) -> None:
    model = fit(params(2, 0), TOKENS, V)
    model.counts[0] = 2**32 - 1
    save_model(tmp_path / "m", model, VOCAB)
    assert page.embed("m", tmp_path / "m", VOCAB)["arrays"]["large"]["type"] == "u4"
