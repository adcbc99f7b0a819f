"""n-gram models: counts of each context's next characters, smoothed."""

from makemore.models.ngram.model import Ngram

MODEL = Ngram
