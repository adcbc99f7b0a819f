"""The initial weights of the neural bigram, for its training in the page: `torch.randn` without loading torch."""

import numpy as np
from numpy.typing import NDArray

BLOCK = 16  # numbers that torch draws at a time: 8 cosines, then 8 sines


def randn(shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """What `torch.randn(shape, generator=torch.Generator().manual_seed(seed))` returns on a CPU, up to rounding.

    torch draws uniform numbers from a Mersenne Twister and transforms them by Box and Muller's method. It draws the
    last block again if it is not full. Fewer than 16 numbers are drawn in another way, which this does not follow.
    """
    size = int(np.prod(shape))
    full, rest = divmod(max(size, BLOCK), BLOCK)
    bits = np.random.RandomState(seed).randint(0, 1 << 32, max(size, BLOCK) + BLOCK * (rest > 0), dtype=np.uint32)
    uniform = (bits & ((1 << 24) - 1)).astype(np.float32) / np.float32(1 << 24)
    last = uniform[-BLOCK * (rest > 0) or len(uniform) :]
    blocks = np.concatenate((uniform[: full * BLOCK], last)).reshape(-1, 2, BLOCK // 2).astype(np.float64)
    radius, angle = np.sqrt(-2 * np.log(1 - blocks[:, 0])), 2 * np.pi * blocks[:, 1]
    normal = np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1).reshape(-1).astype(np.float32)
    if rest:
        normal = np.concatenate((normal[: size - BLOCK], normal[-BLOCK:]))
    return normal[:size].reshape(shape)
