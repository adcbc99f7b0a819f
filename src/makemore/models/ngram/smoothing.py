"""From counts to probabilities: what each smoothing takes from the characters that were seen for those that were not.

All of them are one formula. After the context h, the character w, which followed it c(w) times, has

    P(w | h) = (c(w) - d(w)) / (c + e)  +  (d + e) / (c + e) * P(w | h')

where c and d are the sums of c(w) and d(w) over w, and h' is h without its farthest character; below the shortest
context P is 1 / V, and a context that was never seen leaves all to h'. A smoothing says three things: the discount
d(w), the extra weight e of h', and for how much an n-gram counts in the table of h'. Chen & Goodman 1998, "An Empirical
Study of Smoothing Techniques for Language Modeling", compare most of these.

Shapes: K n-grams of one order, those of one context side by side; C contexts.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Smoothing = Literal["none", "additive", "jelinek_mercer", "witten_bell", "kneser_ney", "power_law"]

SINGLE = ("none", "additive")  # these look at the full context alone: h' is no context, and its P is 1 / V
MAX_STRENGTH = {"additive": math.inf, "jelinek_mercer": 1, "witten_bell": math.inf, "power_law": 1}


def smooth(
    smoothing: Smoothing, strength: float, counts: Floats, starts: NDArray[np.int64], vocab_size: int
) -> tuple[Floats, Floats, Floats]:
    """The smoothed form of one order.

    none: maximum likelihood.
    additive: each token counts as if seen `strength` times more; 1 is the first lecture's `N + 1`.
    jelinek_mercer: P(w | h') has the weight `strength` (Jelinek & Mercer 1980; one weight an order).
    witten_bell: so much extra weight as different characters followed, times `strength` (Witten & Bell 1991, method C).
    kneser_ney: modified, interpolated (Chen & Goodman 1998; Heafield et al. 2013): d(w) depends on whether c(w) is 1, 2
        or more, and in the table of h' an n-gram counts once, so c(w) there says how many different characters precede.
    power_law: with s = `strength`, d(w) = s * c(w)^s, and c(w)^s is what counts in the table of h' (Huang & Renals
        2010, "Power Law Discounting for N-gram Language Models": nearly the hierarchical Pitman-Yor process of Teh
        2006). What is passed on lies between Kneser-Ney's single counts, s = 0, and the plain ones, s = 1.

    Args:
        counts: (K,).
        starts: (C,) where the n-grams of each context begin.

    Returns:
        The first term of the formula, (K,); the factor of P(w | h'), (C,); what counts in the table of h', (K,).
    """
    sizes = np.diff(starts, append=len(counts))  # (C,) how many different tokens followed each context
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
    own = (counts - discounts) / np.repeat(totals, sizes)
    return own, (np.add.reduceat(discounts, starts) + extra) / totals, passed


def kneser_ney_discounts(counts: Floats) -> Floats:
    """What modified Kneser-Ney takes from counts of 0, 1, 2, and 3 or more, (4,), estimated from the counts, (K,).

    Chen & Goodman 1998, equation 26. Small data may have no n-gram of some count, or a discount out of range: then, as
    KenLM's `--discount_fallback` has it, the discounts are 0.5, 1 and 1.5.
    """
    t = np.array([np.count_nonzero(counts == i) for i in range(1, 5)])  # t[i - 1] n-grams occur i times
    if t[:3].all():
        i = np.arange(1, 4)
        discounts = i - (i + 1) * t[0] / (t[0] + 2 * t[1]) * t[1:] / t[:3]
        if ((discounts >= 0) & (discounts <= i)).all():
            return np.concatenate(([0.0], discounts))
    return np.array([0, 0.5, 1, 1.5])
