"""What is known of a kind of model before it is trained: its formula, its paper, its lecture, what it is good at.

A family without an entry has a card all the same, with everything that its files and metrics tell.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

Link = tuple[str, str]  # text, address; "" if there is none

COUNTING: Link = "part 1, counting and smoothing", "https://www.youtube.com/watch?v=PaCmpygFfXo"
GRADIENT: Link = "part 1, the bigram as a network", "https://www.youtube.com/watch?v=PaCmpygFfXo"
PART_2: Link = "part 2, MLP", "https://www.youtube.com/watch?v=TCH_1BHY58I"
PART_5: Link = "part 5, building a WaveNet", "https://www.youtube.com/watch?v=t3YJ5hKiMQ0"
GPT: Link = "Let's build GPT", "https://www.youtube.com/watch?v=kCc8FmEb1nY"
CODE: Link = "makemore.py", "https://github.com/karpathy/makemore"


class Facts(NamedTuple):
    """One kind of model. In formulas, h is the context, h' the context without its first character, w what follows."""

    kind: str
    formula: str
    paper: Link
    lecture: Link
    good_at: str


COUNTED = "p(w | h) = (c(hw) - d(hw)) / c(h) + d(h) / c(h) · p(w | h'), "

FACTS = {
    "ngram": Facts("n-gram", COUNTED + "smoothed", ("", ""), COUNTING, "Counting is all the training that it needs."),
    "ngram.none": Facts(
        "n-gram",
        "p(w | h) = c(hw) / c(h)",
        ("", ""),
        COUNTING,
        "What the counts say; pairs not in train are impossible.",
    ),
    "ngram.additive": Facts(
        "n-gram",
        "p(w | h) = (c(hw) + s) / (c(h) + s · V)",
        ("Chen & Goodman 1998, section 2.1", ""),
        COUNTING,
        "A baseline that anyone can compute and check by hand.",
    ),
    "ngram.jelinek_mercer": Facts(
        "n-gram",
        COUNTED + "d = s · c",
        ("Jelinek & Mercer 1980", ""),
        COUNTING,
        "Longer contexts than the counts alone allow.",
    ),
    "ngram.witten_bell": Facts(
        "n-gram",
        "p(w | h) = (c(hw) + s · n(h) · p(w | h')) / (c(h) + s · n(h)), n(h): distinct successors of h",
        ("Witten & Bell 1991", "https://doi.org/10.1109/18.87000"),
        COUNTING,
        "Trusts contexts that few different characters follow.",
    ),
    "ngram.kneser_ney": Facts(
        "n-gram",
        COUNTED + "d = D₁, D₂ or D₃ for a count of 1, 2 or more",
        ("Kneser & Ney 1995", "https://doi.org/10.1109/ICASSP.1995.479394"),
        COUNTING,
        "The reference among n-gram models, without anything to tune.",
    ),
    "ngram.power_law": Facts(
        "n-gram",
        COUNTED + "d = s · c^s",
        ("Huang & Renals 2010", ""),
        COUNTING,
        "Frequent spellings and whole short names, which it learns by heart.",
    ),
    "mixing": Facts(
        "mixed n-grams",
        "p(w | h) ∝ Π pₖ(w | h)^aₖ, aₖ: a function of the counts of h in the chain k",
        ("Mahoney 2005", ""),
        ("", ""),
        "Spellings that it has seen, with evidence from several kinds of context at once.",
    ),
    "neural_bigram": Facts(
        "neural bigram",
        "p(w | h) = softmax(W[h])",
        ("", ""),
        GRADIENT,
        "Showing that gradient descent arrives at what counting gives.",
    ),
    "mlp": Facts(
        "MLP",
        "p(w | h) = softmax(W₂ tanh(W₁ [C(h₁), …, C(hₙ)] + b₁) + b₂)",
        ("Bengio et al. 2003", "https://www.jmlr.org/papers/volume3/bengio03a/bengio03a.pdf"),
        PART_2,
        "Contexts that are not in train: characters with close embeddings are treated alike.",
    ),
    "recurrent.rnn": Facts(
        "recurrent",
        "hₜ = tanh(W C(xₜ) + U hₜ₋₁ + b), p = softmax(V hₜ)",
        ("Mikolov et al. 2010", "https://www.isca-archive.org/interspeech_2010/mikolov10_interspeech.html"),
        CODE,
        "The whole name so far, with the same weights at every step.",
    ),
    "recurrent.lstm": Facts(
        "recurrent",
        "cₜ = f ⊙ cₜ₋₁ + i ⊙ g, hₜ = o ⊙ tanh(cₜ), p = softmax(V hₜ)",
        ("Graves 2013", "https://arxiv.org/abs/1308.0850"),
        CODE,
        "Keeping what the beginning of a name says until its end.",
    ),
    "recurrent.gru": Facts(
        "recurrent",
        "hₜ = (1 - z) ⊙ n + z ⊙ hₜ₋₁, p = softmax(V hₜ)",
        ("Cho et al. 2014", "https://arxiv.org/abs/1406.1078"),
        CODE,
        "As the LSTM, with three quarters of its weights per unit.",
    ),
    "bow": Facts(
        "bag of words",
        "yₜ = eₜ + mean(e₁, …, eₜ), p = softmax(MLP(yₜ))",
        ("", ""),
        CODE,
        "Attention at its simplest: every character counts the same.",
    ),
    "wavenet": Facts(
        "WaveNet",
        "y = tanh(W * x) ⊙ sigmoid(G * x) per layer, dilated; p = softmax(MLP(Σ skips))",
        ("van den Oord et al. 2016", "https://arxiv.org/abs/1609.03499"),
        PART_5,
        "Combining neighbours first and pairs of pairs later, all positions at once.",
    ),
    "transformer": Facts(
        "transformer",
        "x += softmax(QKᵀ / √d) V, x += MLP(x) per block; p = softmax(O x)",
        ("Vaswani et al. 2017", "https://arxiv.org/abs/1706.03762"),
        GPT,
        "Choosing, for each character, which earlier ones matter.",
    ),
    "ensemble": Facts(
        "mixture",
        "p(w | h) ∝ Π pₖ(w | h)^λₖ(h)",
        ("Genest & Zidek 1986", ""),
        ("", ""),
        "Trusting, for each context, the models that know it.",
    ),
}


def facts_of(family: str, config: Mapping[str, Any]) -> Facts:
    """The most specific entry, such as that of a recurrent network with its cell, or what the family's name says."""
    for variant in (config.get("smoothing"), config.get("cell")):
        if f"{family}.{variant}" in FACTS:
            return FACTS[f"{family}.{variant}"]
    return FACTS.get(family, Facts(family, "", ("", ""), ("", ""), ""))


def sees(family: str, config: Mapping[str, Any]) -> str:
    """The context of a model, in words; "" if its file does not tell."""
    order, context, kernel, layers = (_small(config.get(key)) for key in ("order", "context", "kernel", "layers"))
    match family:
        case "ngram" if order:
            position = _small(config.get("position"))
            return _characters(order - 1) + (f" and the position, up to {position}" if position else "")
        case "mixing" if order:
            return f"{_characters(order - 1)}, the position, the first character and classes of characters"
        case "neural_bigram":
            return _characters(1)
        case "mlp" if context:
            return _characters(context)
        case "wavenet" if kernel and layers:
            return _characters(kernel**layers)
        case "recurrent":
            return "the name so far, in a state"
        case "bow":
            return "the name so far, averaged"
        case "transformer":
            return "the name so far, by attention"
        case "ensemble":
            return "what its members see"
    return ""


def _small(value: Any) -> int:
    return value if type(value) is int and 0 <= value <= 1000 else 0  # from a file, so it may be anything


def _characters(count: int) -> str:
    return "no character" if count == 0 else "1 character" if count == 1 else f"{count:,} characters"
