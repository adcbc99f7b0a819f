"""Mixed n-grams: count models with several kinds of context, mixed with weights that depend on the counts."""

from makemore.models.mixing.model import Mixing

MODEL = Mixing
