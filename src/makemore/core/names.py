"""Names files: one name a line, held as one flat array of code points.

A list of names is a `Text`: the code points of all the names, one after the other, each name ended by a newline,
exactly as the file holds them. So a list of any length costs four bytes a character and no Python object a name.
"""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from makemore.core.files import write_bytes

Text = NDArray[np.uint32]

NEWLINE = ord("\n")
ARGUMENT = "argument"  # the source of names given on a command line: errors count arguments, not lines


def read(path: Path) -> Text:
    """The names of a file, such as `cleaning.py` makes of a raw list.

    A byte order mark, CRLF line ends and a missing final newline are accepted.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is empty, not UTF-8, or a line is no name; the message gives file and line.
    """
    return parse(path.read_bytes(), str(path))


def parse(content: bytes, source: str) -> Text:
    """The names in the bytes of a file; `source` is what errors call it. Raises ValueError as `read` does."""
    text = from_string(decode(content, source))
    check(text, source)
    return text


def decode(content: bytes, source: str) -> str:
    """The lines in the bytes of a file, each with its newline. Raises ValueError where they are not UTF-8, or none."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{place(source, line)}: expected UTF-8, found the byte 0x{content[error.start]:02x}"
        ) from None
    text = text.replace("\r\n", "\n").rstrip("\n")
    if not text:
        raise ValueError(f"{source}: expected one name a line, found no name")
    return text + "\n"


def fault(character: str) -> str | None:
    """What is wrong with a character in a name, or None. White space is a single kind, the space."""
    if character.isspace() and character not in " \n":
        return f"white space ({character!r}) in it"
    category = unicodedata.category(character)
    if category == "Cc" and character != "\n":
        return f"the control character {character!r} in it"
    if category == "Cs":
        return f"the surrogate {character!r}, which UTF-8 cannot encode, in it"
    return None


def check(text: Text, source: str, fault: Callable[[str], str | None] = fault) -> None:
    """Raise ValueError, with `source` and the line, at the first line that is blank or holds a faulty character."""
    ends = text == NEWLINE
    blank = ends & np.concatenate(([True], ends[:-1]))
    if blank.any():
        line = line_of(text, int(blank.argmax()))
        raise ValueError(f"{place(source, line)}: expected a name, found a blank line")
    found = {int(code): fault(chr(code)) for code in np.flatnonzero(np.bincount(text))}
    faults = [code for code, fault in found.items() if fault]
    if faults:
        position = int(np.isin(text, faults).argmax())
        line = line_of(text, position)
        raise ValueError(f"{place(source, line)}: expected a name, found {found[int(text[position])]}")


def line_of(text: Text, position: int) -> int:
    """The line, counted from 1, that holds a position in the text."""
    return int(np.count_nonzero(text[:position] == NEWLINE)) + 1


def place(source: str, line: int) -> str:
    """What errors call a line: `names.txt:3`, or `argument 3`."""
    return f"{source} {line}" if source == ARGUMENT else f"{source}:{line}"


def write(path: Path, text: Text) -> None:
    write_bytes(path, to_string(text).encode())


def from_string(string: str) -> Text:
    return np.frombuffer(string.encode("utf-32-le"), dtype="<u4").astype(np.uint32)


def to_string(text: Text) -> str:
    return text.astype("<u4").tobytes().decode("utf-32-le")


def count(text: Text) -> int:
    return int(np.count_nonzero(text == NEWLINE))


def bounds(text: Text) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each name starts, (N,), and its length without the newline, (N,)."""
    ends = np.flatnonzero(text == NEWLINE)
    starts = np.concatenate(([0], ends[:-1] + 1))
    return starts, ends - starts


def first(text: Text, count: int) -> Text:
    """The first names of a text, or all where it has no more."""
    ends = np.flatnonzero(text == NEWLINE)[:count]
    return text[: ends[-1] + 1 if len(ends) else 0]


def take(text: Text, order: NDArray[np.int64]) -> Text:
    """The names at the places `order`, (K,), in that order."""
    starts, lengths = bounds(text)
    sizes = lengths[order] + 1
    offsets = np.cumsum(sizes) - sizes  # where each name starts in the result
    result: Text = text[np.arange(sizes.sum()) + np.repeat(starts[order] - offsets, sizes)]
    return result


def identities(text: Text) -> NDArray[np.int64]:
    """For each name a number, (N,): equal names have equal numbers, different names different ones."""
    starts, lengths = bounds(text)
    ids = np.empty(len(starts), dtype=np.int64)
    known = 0
    for length in np.unique(lengths):  # names of one length form a matrix, whose rows numpy can compare as strings
        (where,) = np.nonzero(lengths == length)
        rows = text[starts[where][:, None] + np.arange(length + 1)]  # with the newline: a sampled name may be empty
        strings = np.ascontiguousarray(rows).view(f"U{length + 1}")[:, 0]
        distinct, inverse = np.unique(strings, return_inverse=True)
        ids[where] = known + inverse
        known += len(distinct)
    return ids


def is_in(text: Text, other: Text) -> NDArray[np.bool_]:
    """For each name of `text` whether `other` has it too, (N,)."""
    ids = identities(np.concatenate((text, other)))
    own, others = np.split(ids, [count(text)])
    return np.isin(own, others)
