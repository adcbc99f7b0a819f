"""The vocabulary: characters to ids and back. Id 0 is the boundary token, which begins and ends every name.

A character is a Unicode code point: an emoji of several is several tokens. The boundary is `.`, as in the lecture, and
another symbol where names hold dots.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from makemore.core import names
from makemore.core.files import read_json, write_bytes
from makemore.core.names import NEWLINE, Text

Tokens = NDArray[np.int32]  # (M,): the ids of names one after the other, each name ended by id 0


@dataclass(frozen=True)
class Vocab:
    """`itos[i]` is the character with id i; `stoi` is its inverse."""

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
        """The vocabulary of some names: the boundary, then their characters in the order of their code points."""
        characters = [chr(code) for code in np.flatnonzero(np.bincount(text)) if code != NEWLINE]
        return cls((boundary(characters), *characters))

    @property
    def boundary(self) -> str:
        """What id 0 is shown as."""
        return self.itos[0]

    @cached_property
    def stoi(self) -> dict[str, int]:
        return {character: i for i, character in enumerate(self.itos)}

    def __len__(self) -> int:
        return len(self.itos)

    @cached_property
    def _codes(self) -> NDArray[np.uint32]:  # (V,): a name ends with a newline in a text, with id 0 in tokens
        return np.array([NEWLINE, *map(ord, self.itos[1:])], dtype=np.uint32)

    def encode(self, text: Text, source: str) -> Tokens:
        """The ids of a text, one for each of its code points: each newline becomes the end token, id 0.

        Raises:
            ValueError: a character is not in the vocabulary; the message names `source`, the line and the character's
                place in it.
        """
        table = np.full(max(int(self._codes.max()), int(text.max(initial=0))) + 1, -1, dtype=np.int32)
        table[self._codes] = np.arange(len(self), dtype=np.int32)
        tokens: Tokens = table[text]
        if (tokens < 0).any():
            position = int((tokens < 0).argmax())
            place = names.place(source, names.line_of(text, position))
            column = position - int(np.flatnonzero(text[:position] == NEWLINE).max(initial=-1))
            found = f"character {column}, {chr(text[position])!r},"
            raise ValueError(f"{place}: {found} is not among the {len(self)} of the vocabulary")
        return tokens

    def tokens(self, *strings: str) -> Tokens:
        """The ids of a few names, each ended by id 0. Raises ValueError as `names.parse` and `encode` do."""
        return self.encode(names.parse("\n".join(strings).encode(), names.ARGUMENT), names.ARGUMENT)

    def decode(self, tokens: Tokens) -> Text:
        """The text that `encode` made the tokens of."""
        return self._codes[tokens]

    def write(self, path: Path) -> None:
        write_bytes(path, (json.dumps(self.stoi, indent=2, ensure_ascii=False) + "\n").encode())

    @classmethod
    def read(cls, path: Path) -> "Vocab":
        """Read what `write` wrote. Raises ValueError where the ids are not 0, 1, 2, ... in order."""
        stoi = read_json(path)
        if not isinstance(stoi, dict) or list(stoi.values()) != list(range(len(stoi))):
            raise ValueError(f"{path}: expected characters with the ids 0, 1, 2, ... in order")
        try:
            return cls(tuple(stoi))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None


def boundary(characters: Collection[str]) -> str:
    """What stands for the boundary beside these characters: the first of `.`, `⏎`, `⏏`, ... that is none of them."""
    return next(symbol for symbol in chain(".", map(chr, count(0x23CE))) if symbol not in characters)


def read_tokens(path: Path, vocab: Vocab) -> Tokens:
    """The names of a file as tokens, (M,). Raises ValueError as `names.read` and `Vocab.encode` do."""
    return vocab.encode(names.read(path), str(path))
