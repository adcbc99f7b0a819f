"""Smoothing: from counts to probabilities that leave some mass for characters not seen after a context.

All methods are instances of one formula. If the character w followed the context h c(w) times, then

    P(w | h) = (c(w) - d(w)) / (c + e)  +  (d + e) / (c + e) * P(w | h')

where c and d are the sums of c(w) and d(w) over w, and h' is h without its first character. Below the shortest context
P is 1 / V, and for an unseen context P(w | h) is P(w | h'). A method defines the discount d(w), the extra weight e of
h', and the count that an n-gram passes on to the table of h'. Chen & Goodman 1998, "An Empirical Study of Smoothing
Techniques for Language Modeling", compare most of these methods.

Shapes: K n-grams of one order, sorted by context, C contexts.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Smoothing = Literal["none", "additive", "jelinek_mercer", "witten_bell", "kneser_ney", "power_law"]

SINGLE = ("none", "additive")  # these use a single order: P(w | h') is 1 / V
MAX_STRENGTH = {"additive": math.inf, "jelinek_mercer": 1, "witten_bell": math.inf, "power_law": 1}


def smooth(
    smoothing: Smoothing, strength: float, counts: Floats, starts: NDArray[np.int64], vocab_size: int
) -> tuple[Floats, Floats, Floats]:
    """Smooth the counts of one order.

    none: maximum likelihood.
    additive: adds `strength` to the count of every token; 1 is the first lecture's `N + 1`.
    jelinek_mercer: P(w | h') has the weight `strength` (Jelinek & Mercer 1980; one weight per order).
    witten_bell: e is `strength` times the number of distinct tokens after h (Witten & Bell 1991, method C).
    kneser_ney: interpolated modified Kneser-Ney (Chen & Goodman 1998; Heafield et al. 2013). d(w) depends on whether
        c(w) is 1, 2 or more. Each n-gram counts once in the table of h', so that counts there are numbers of distinct
        preceding characters.
    power_law: with s = `strength`, d(w) = s * c(w)^s, and an n-gram counts c(w)^s in the table of h' (Huang & Renals
        2010, "Power Law Discounting for N-gram Language Models", an approximation of the hierarchical Pitman-Yor
        process of Teh 2006). These counts lie between the ones of Kneser-Ney, s = 0, and the original counts, s = 1.

    Args:
        counts: (K,).
        starts: (C,) the index of the first n-gram of each context.

    Returns:
        The first term of the formula, (K,); the factor of P(w | h'), (C,); the counts for the table of h', (K,).
    """
    sizes = np.diff(starts, append=len(counts))  # (C,) the number of distinct tokens after each context
    discounts, extra, passed = np.zeros(len(counts)), np.zeros(len(starts)), counts
    match smoothing:
        case "additive":
            extra += strength * vocab_size
        case "jelinek_mercer":
            discounts = strength * counts
        case "witten_bell":
            extra = strength * sizes
        case "kneser_ney":
            discounts = kneser_ney_discounts(counts)[np.minimum(counts, 3).astype(np.int64)]
            passed = np.ones(len(counts))
        case "power_law":
            passed = counts**strength
            discounts = strength * passed
    totals = np.add.reduceat(counts, starts) + extra  # (C,)
    mass = (counts - discounts) / np.repeat(totals, sizes)
    return mass, (np.add.reduceat(discounts, starts) + extra) / totals, passed


def kneser_ney_discounts(counts: Floats) -> Floats:
    """The discounts of modified Kneser-Ney for counts of 0, 1, 2, and 3 or more, (4,), from the counts, (K,).

    They are estimated with equation 26 of Chen & Goodman 1998. If small data have no n-grams with one of these counts,
    or if a discount is out of range, the discounts are 0.5, 1 and 1.5, as with KenLM's `--discount_fallback`.
    """
    t = np.array([np.count_nonzero(counts == i) for i in range(1, 5)])  # t[i - 1] n-grams occur i times
    if t[:3].all():
        i = np.arange(1, 4)
        discounts = i - (i + 1) * t[0] / (t[0] + 2 * t[1]) * t[1:] / t[:3]
        if ((discounts >= 0) & (discounts <= i)).all():
            return np.concatenate(([0.0], discounts))
    return np.array([0, 0.5, 1, 1.5])
