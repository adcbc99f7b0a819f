"""Names by the million, from models that look only a few characters back.

Such a model has few contexts, so that what follows each of them is worked out once. The names are then walks through
this table, many side by side; each walk makes one name after the other. A step draws by the alias method (Walker 1977):
the probabilities of a row are cut to fill K cells of equal size, none from more than two tokens. One random number then
picks a cell, and within it one of the two.

Shapes: S contexts, V vocabulary, K cells, a power of two of at least V; W walks.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from makemore.core.contexts import Contexts
from makemore.core.vocab import Tokens

Floats = NDArray[np.float64]

WALKS = 1024
NAMES = 128  # of each walk, at most, before they are handed on: this bounds the memory
LARGEST = 1 << 20  # entries of the table, S times K
LONGEST = 1000  # characters of a name


def alias_table(probs: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """For each cell the share of it that its own token keeps, (S, K), and the token that has the rest, (S, K).

    Args:
        probs: (S, K), each row of sum 1.
    """
    rows, cells = np.arange(len(probs)), probs.shape[1]
    left = probs * cells  # (S, K): what is to be stored, in cells
    kept, other = np.ones_like(left), np.zeros(left.shape, dtype=np.int64)
    for _ in range(cells - 1):  # the smallest gets its cell, which the largest fills up
        smallest, largest = left.argmin(axis=1), left.argmax(axis=1)
        share = left[rows, smallest].clip(0, 1)
        kept[rows, smallest], other[rows, smallest] = share, largest
        left[rows, largest] -= 1 - share
        left[rows, smallest] = 1  # stored: neither smallest nor largest before all are
    return kept, other


class Chains:
    """The names of a model that looks T characters back, at most `max_length` characters long.

    Args:
        probs_of: what is to be drawn from, (S, V), given contexts, (S, T).
    """

    def __init__(self, probs_of: Callable[[Contexts], Floats], context: int, vocab_size: int, max_length: int):
        self.max_length = max_length
        self.bits = cell_bits(vocab_size)
        contexts = np.indices((vocab_size,) * context, dtype=np.int32).reshape(context, -1).T  # (S, T), in base V
        probs = np.zeros((len(contexts), 1 << self.bits))  # (S, K)
        probs[:, :vocab_size] = probs_of(contexts)
        kept, other = alias_table(probs)
        self.kept = (kept * 2.0 ** (32 - self.bits)).round().astype(np.uint32).ravel()  # (S * K,)
        own = np.broadcast_to(np.arange(1 << self.bits).clip(max=vocab_size - 1), other.shape)
        tokens = np.stack((own, other), axis=2)  # (S, K, 2): of what a cell keeps, and of the rest
        after = np.arange(len(contexts))[:, None, None] * vocab_size + tokens
        following = np.where(tokens == 0, 0, after % len(contexts))  # the context then: after an end, the first
        self.following = following.ravel() << self.bits  # (S * K * 2,): where the row of that context begins
        last = np.arange(len(contexts)) % vocab_size  # (S,): the token that a context ends with
        self.last = last.astype(np.min_scalar_type(vocab_size))

    def names(self, count: int, generator: np.random.Generator) -> Tokens:
        """At least `count` names, or WALKS * NAMES where that is fewer, each with its end token.

        Those that are longer than `max_length` are among them, some of them cut off: the caller leaves them out.
        """
        each = min(NAMES, -(-count // WALKS))  # names from each walk: to stop at a fixed time would favour short ones
        made, found = [], np.zeros(WALKS, dtype=np.int64)
        row = np.zeros(WALKS, dtype=np.int64)
        while found.min() < each:
            row = self._steps(block := np.empty((self.max_length + 2, WALKS), dtype=np.int64), row, generator)
            tokens = self.last[block >> self.bits]  # (max_length + 2, W)
            ends = np.count_nonzero(tokens == 0, axis=0)  # (W,)
            tokens[-1, ends == 0] = row[ends == 0] = 0  # far too long: cut off, start afresh
            made.append(tokens)
            found += ends.clip(min=1)
        walks = np.concatenate([tokens.T for tokens in made], axis=1).ravel()  # one walk after the other
        ends = np.flatnonzero(walks == 0)
        stops = ends[np.cumsum(found) - found + each - 1] + 1  # (W,): where the last name of each walk ends
        starts = np.arange(WALKS) * (len(walks) // WALKS)
        parts = [walks[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
        return np.concatenate(parts)

    def _steps(
        self, block: NDArray[np.int64], row: NDArray[np.int64], generator: np.random.Generator
    ) -> NDArray[np.int64]:
        """Fill a block, (steps, W), with where the row of the context after each step begins; the last of them."""
        drawn = generator.integers(0, 1 << 32, size=block.shape, dtype=np.uint32)
        cells = (drawn >> (32 - self.bits)).astype(np.int64)  # the highest bits pick the cell,
        drawn &= (1 << 32 - self.bits) - 1  # the others are where in it
        for cell, place, out in zip(cells, drawn, block, strict=True):
            cell += row
            rest = place >= self.kept.take(cell)
            cell += cell
            cell += rest
            row = self.following.take(cell, out=out, mode="clip")  # clip: without the copy that a check would need
        return row


def cell_bits(vocab_size: int) -> int:
    """log2 K: K is a power of two, so that some bits of a random number are a cell."""
    return (vocab_size - 1).bit_length()


def fits(context: int | None, vocab_size: int, max_length: int) -> bool:
    """Whether the table of a model, and the steps of a name, are few enough."""
    return context is not None and vocab_size**context << cell_bits(vocab_size) <= LARGEST and max_length <= LONGEST
