"""The vocabulary: characters to ids and back. Id 0 is the boundary token, which begins and ends every name.

A character is a Unicode code point, so an emoji of several code points is several tokens. The boundary is shown as `.`,
as in the lecture, or as another symbol if names contain dots.

Shapes: M tokens, V vocabulary.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from makemore.core import names
from makemore.core.files import read_json, write_bytes
from makemore.core.names import NEWLINE, Text

Tokens = NDArray[np.int32]  # (M,): the ids of the characters of all names, with id 0 after each name


@dataclass(frozen=True)
class Vocab:
    """A mapping between characters and ids: `itos[i]` is the character with id i; `stoi` is the inverse."""

    itos: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.itos[:1] != (boundary(self.itos[1:]),):
            raise ValueError(f"expected the vocabulary to begin with the boundary token, got {self.itos[:1]}")
        if len(set(self.itos)) < len(self.itos) or any(len(character) != 1 for character in self.itos):
            raise ValueError("expected a vocabulary of distinct single characters")
        for character in self.itos:
            if character == "\n" or names.fault(character):
                raise ValueError(f"expected a vocabulary of characters that a name can have, found {character!r}")

    @classmethod
    def of(cls, text: Text) -> "Vocab":
        """The vocabulary of a list of names: the boundary, then all characters by code point."""
        return cls.of_blocks([text])

    @classmethod
    def of_blocks(cls, texts: Iterable[Text]) -> "Vocab":
        """The vocabulary of a list that is read in blocks."""
        codes = set().union(*(np.flatnonzero(np.bincount(text)).tolist() for text in texts))
        characters = [chr(code) for code in sorted(codes - {NEWLINE})]
        return cls((boundary(characters), *characters))

    @property
    def boundary(self) -> str:
        """The symbol for id 0."""
        return self.itos[0]

    @cached_property
    def stoi(self) -> dict[str, int]:
        return {character: i for i, character in enumerate(self.itos)}

    def __len__(self) -> int:
        return len(self.itos)

    @cached_property
    def _codes(self) -> NDArray[np.uint32]:  # (V,): id 0 corresponds to the newline of a `Text`
        return np.array([NEWLINE, *map(ord, self.itos[1:])], dtype=np.uint32)

    def encode(self, text: Text, source: str, before: int = 0) -> Tokens:
        """The ids of the code points of a text, (M,). Each newline becomes the end token, id 0.

        Args:
            before: the number of lines of the source before this text.

        Raises:
            ValueError: a character is not in the vocabulary; the message gives `source`, line and column.
        """
        table = np.full(max(int(self._codes.max()), int(text.max(initial=0))) + 1, -1, dtype=np.int32)
        table[self._codes] = np.arange(len(self), dtype=np.int32)
        tokens: Tokens = table[text]
        if (tokens < 0).any():
            position = int((tokens < 0).argmax())
            place = names.place(source, before + names.line_of(text, position))
            column = position - int(np.flatnonzero(text[:position] == NEWLINE).max(initial=-1))
            found = f"character {column}, {chr(text[position])!r},"
            raise ValueError(f"{place}: {found} is not among the {len(self)} tokens of the vocabulary")
        return tokens

    def tokens(self, *strings: str) -> Tokens:
        """The ids of a few names, each followed by id 0. Raises ValueError like `names.parse` and `encode`."""
        return self.encode(names.parse("\n".join(strings).encode(), names.ARGUMENT), names.ARGUMENT)

    def decode(self, tokens: Tokens) -> Text:
        """The inverse of `encode`."""
        return self._codes[tokens]

    def write(self, path: Path) -> None:
        write_bytes(path, (json.dumps(self.stoi, indent=2, ensure_ascii=False) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> "Vocab":
        """Read a file written by `write`. Raises ValueError if it is not a valid vocabulary."""
        stoi = read_json(path)
        if not isinstance(stoi, dict) or list(stoi.values()) != list(range(len(stoi))):
            raise ValueError(f"{path}: expected characters with the ids 0, 1, 2, ... in order")
        try:
            return cls(tuple(stoi))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def boundary(characters: Collection[str]) -> str:
    """The boundary symbol: the first of `.`, `⏎`, `⏏`, ... that is not one of the characters."""
    used = set(characters)
    return next(symbol for symbol in chain(".", map(chr, count(0x23CE))) if symbol not in used)


def read_tokens(path: Path, vocab: Vocab) -> Tokens:
    """Read a names file as tokens, (M,). Raises ValueError like `names.read` and `Vocab.encode`."""
    tokens = np.empty(0, dtype=np.int32)
    for block in token_blocks(path, vocab):
        size = len(tokens)
        tokens.resize(size + len(block), refcheck=False)  # in place: the list is never in memory twice
        tokens[size:] = block
    return tokens


def token_blocks(path: Path, vocab: Vocab) -> Iterator[Tokens]:
    """Read a names file as tokens, in blocks of whole names. Raises ValueError like `read_tokens`."""
    return encoded(names.blocks(path), vocab, str(path))


def encoded(texts: Iterable[Text], vocab: Vocab, source: str) -> Iterator[Tokens]:
    """Encode the texts of a list that is read in blocks."""
    before = 0
    for text in texts:
        yield vocab.encode(text, source, before)
        before += names.count(text)
