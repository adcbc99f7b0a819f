"""Fast sampling from models with short contexts.

Such a model has few contexts, so the next-token probabilities of all of them are computed once and stored in a table.
Many parallel walks through the table then generate one name after the other. Each step uses the alias method (Walker
1977): the probabilities of a row are distributed over K cells of equal size, at most two tokens per cell. One random
number selects a cell and one of its two tokens.

Shapes: S contexts, T context length, V vocabulary, K cells (the smallest power of two that is at least V), W walks.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from makemore.core.contexts import Contexts
from makemore.core.vocab import Tokens

Floats = NDArray[np.float64]

WALKS = 1024
MAX_NAMES_PER_WALK = 128  # per call of `Chains.names`, which bounds the memory
MAX_TABLE_ENTRIES = 1 << 20  # S * K
MAX_LENGTH = 1000  # characters of a name
QUANTUM = 2.0**-40


def alias_table(probs: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """The share of each cell that belongs to its own token, (S, K), and the token that has the rest, (S, K).

    Args:
        probs: (S, K); each row sums to 1.
    """
    rows, cells = np.arange(len(probs)), probs.shape[1]
    low, high = probs * cells, probs * cells  # (S, K): unassigned mass, in cells; inf and -inf once assigned
    kept, other = np.ones_like(low), np.zeros(low.shape, dtype=np.int64)
    for _ in range(cells - 1):  # the smallest is assigned its cell, and the largest fills it up
        smallest, largest = low.argmin(axis=1), high.argmax(axis=1)
        share = low[rows, smallest].clip(0, 1)
        kept[rows, smallest], other[rows, smallest] = share, largest
        for remaining, assigned in (low, np.inf), (high, -np.inf):
            remaining[rows, largest] -= 1 - share
            remaining[rows, smallest] = assigned
    return kept, other


def quantised(probs: Floats) -> Floats:
    """Probabilities rounded to multiples of `QUANTUM`, so that the arithmetic of `alias_table` is exact.

    Smoothed counts have many ties. Without rounding, ties would be broken by the last bits, which depend on the
    processor, and another processor would generate other names.
    """
    return np.asarray((probs / QUANTUM).round() * QUANTUM)


class Chains:
    """Walks through the alias table of a model's contexts.

    Args:
        probs_of: a function from contexts, (S, T), to the distributions to sample from, (S, V).
        max_length: longer names are generated too, but may be cut off.
    """

    def __init__(self, probs_of: Callable[[Contexts], Floats], context: int, vocab_size: int, max_length: int):
        self.max_length = max_length
        self.bits = cell_bits(vocab_size)
        contexts = np.indices((vocab_size,) * context, dtype=np.int32).reshape(context, -1).T  # (S, T), in base V
        probs = np.zeros((len(contexts), 1 << self.bits))  # (S, K)
        probs[:, :vocab_size] = quantised(probs_of(contexts))
        kept, other = alias_table(probs)
        self.kept = (kept * 2.0 ** (32 - self.bits)).round().astype(np.uint32).ravel()  # (S * K,)
        own = np.broadcast_to(np.arange(1 << self.bits).clip(max=vocab_size - 1), other.shape)
        tokens = np.stack((own, other), axis=2)  # (S, K, 2): the two tokens of each cell
        after = np.arange(len(contexts))[:, None, None] * vocab_size + tokens
        following = np.where(tokens == 0, 0, after % len(contexts))  # the next context; after an end, the first one
        self.following = following.ravel() << self.bits  # (S * K * 2,): the first cell of that context
        last = np.arange(len(contexts)) % vocab_size  # (S,): the last token of each context
        self.last = last.astype(np.min_scalar_type(vocab_size))

    def names(self, count: int, generator: np.random.Generator) -> Tokens:
        """Generate about `count` names, or WALKS * MAX_NAMES_PER_WALK if that is fewer, each with its end token.

        The result includes names longer than `max_length`, some of them cut off. The caller must reject them.
        """
        # every walk generates the same number of names: stopping after a number of steps would favour short ones
        each = min(MAX_NAMES_PER_WALK, -(-count // WALKS))
        blocks, finished = [], np.zeros(WALKS, dtype=np.int64)
        row = np.zeros(WALKS, dtype=np.int64)
        while finished.min() < each:
            row = self._steps(block := np.empty((self.max_length + 2, WALKS), dtype=np.int64), row, generator)
            tokens = self.last[block >> self.bits]  # (max_length + 2, W)
            ends = np.count_nonzero(tokens == 0, axis=0)  # (W,)
            tokens[-1, ends == 0] = row[ends == 0] = 0  # too long: cut off and start a new name
            blocks.append(tokens)
            finished += ends.clip(min=1)
        walks = np.concatenate([tokens.T for tokens in blocks], axis=1).ravel()  # one walk after the other
        ends = np.flatnonzero(walks == 0)
        stops = ends[np.cumsum(finished) - finished + each - 1] + 1  # (W,): the end of the last name of each walk
        starts = np.arange(WALKS) * (len(walks) // WALKS)
        parts = [walks[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
        return np.concatenate(parts)

    def _steps(
        self, block: NDArray[np.int64], row: NDArray[np.int64], generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """Fill a block, (steps, W), with the first cell of the context after each step, and return its last row."""
        drawn = generator.integers(0, 1 << 32, size=block.shape, dtype=np.uint32)
        cells = (drawn >> (32 - self.bits)).astype(np.int64)  # the highest bits select the cell
        drawn &= (1 << 32 - self.bits) - 1  # the others select one of its tokens
        for cell, threshold, out in zip(cells, drawn, block, strict=True):
            cell += row
            is_other = threshold >= self.kept.take(cell)
            cell += cell
            cell += is_other
            row = self.following.take(cell, out=out, mode="clip")  # mode="clip" avoids a buffered copy
        return row


def cell_bits(vocab_size: int) -> int:
    """log2 K. K is a power of two, so that the highest bits of a random number select a cell."""
    return (vocab_size - 1).bit_length()


def fits(context: int | None, vocab_size: int, max_length: int) -> bool:
    """Whether a model can be sampled with `Chains`."""
    if context is None or context == 0 or max_length > MAX_LENGTH:  # a context must hold the last token
        return False
    return bool(vocab_size**context << cell_bits(vocab_size) <= MAX_TABLE_ENTRIES)
