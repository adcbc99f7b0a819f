"""What the page needs to smooth bigrams and trigrams by itself: counts, and sums from which losses follow.

With s added to each count, the loss of an n-gram model is the mean of ln(N + s V) - ln(c + s) over all tokens, where c
is the count of the token after its context in train, and N is the count of the context. So it depends only on how many
tokens have which c, and how many which N: a few hundred numbers for any list, and exact for every s.

Shapes: M tokens, K distinct trigrams.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from makemore.core.contexts import Counted, counted, keys, sliding
from makemore.core.vocab import Tokens

ORDERS = {"bigram": 2, "trigram": 3}
MAX_TRIGRAMS = 100_000  # of which the page has the counts, a few hundred kB; without them it has only the losses


def losses(train: Tokens, dev: Tokens, vocab_size: int) -> dict[str, Any]:
    """The sums of each order on train and dev, by the model's name and the split's; see `sums`."""
    found = {}
    for name, order in ORDERS.items():
        counts = counted(train, order - 1, vocab_size)
        found[name] = {split: sums(counts, tokens, vocab_size) for split, tokens in (("train", train), ("dev", dev))}
    return found


def sums(counts: Counted, tokens: Tokens, vocab_size: int) -> dict[str, Any]:
    """Of how many tokens the count is c, and of how many the count of the context is N.

    Returns:
        `hits` and `totals`: pairs of c or N and a number of tokens. `unseen`: the number of tokens after contexts that
        train does not contain; they are not in the others, and their probability is 1 / V for every s.
    """
    contexts = keys(counts.contexts, vocab_size)  # sorted
    after = keys(sliding(tokens, counts.contexts.shape[1]), vocab_size)  # (M,)
    place = np.searchsorted(contexts, after).clip(max=len(contexts) - 1)
    known = contexts[place] == after
    place, following = place[known], tokens[known]
    size = np.diff(counts.starts)
    totals = np.add.reduceat(counts.counts, counts.starts[:-1])
    pairs = np.repeat(np.arange(len(contexts)), size) * vocab_size + counts.tokens  # (K,) sorted
    wanted = place * vocab_size + following
    found = np.searchsorted(pairs, wanted).clip(max=len(pairs) - 1)
    hits = np.where(pairs[found] == wanted, counts.counts[found], 0)
    return {"hits": _tally(hits), "totals": _tally(totals[place]), "unseen": int((~known).sum())}


def _tally(values: NDArray[np.int64]) -> list[list[int]]:
    different, times = np.unique(values, return_counts=True)
    return [[int(value), int(time)] for value, time in zip(different, times, strict=True)]


def trigrams(train: Tokens, vocab_size: int) -> dict[str, NDArray[np.int64]]:
    """Each trigram of train, (K, 3), and its count, (K,); a bigram's count is a sum of these. Empty if too many."""
    contexts, starts, following, counts = counted(train, 2, vocab_size)
    if len(following) > MAX_TRIGRAMS:
        return {}
    return {"trigrams": np.column_stack((np.repeat(contexts, np.diff(starts), axis=0), following)), "counts": counts}
