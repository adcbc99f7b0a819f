"""Lists of names, stored as a flat array of code points.

A list of names is a `Text`: the code points of all names, each name followed by a newline, exactly as in the file. So a
list takes four bytes per character, without a Python object per name.

Shapes: N names, K selected names.
"""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from makemore.core.files import write_bytes

Text = NDArray[np.uint32]

NEWLINE = ord("\n")
ARGUMENT = "argument"  # the source of names from the command line: errors give the argument instead of the line


def read(path: Path) -> Text:
    """Read a names file with one name per line, such as the output of `cleaning.py`.

    A byte order mark, CRLF line ends and a missing final newline are accepted.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is empty or not UTF-8, or a line is not a valid name; the message gives file and line.
    """
    return parse(path.read_bytes(), str(path))


def parse(content: bytes, source: str) -> Text:
    """Parse the content of a names file; error messages start with `source`. Raises ValueError like `read`."""
    text = from_string(decode(content, source))
    check(text, source)
    return text


def decode(content: bytes, source: str) -> str:
    """Decode the content of a file into lines that end with newlines. Raises ValueError if it is empty or not UTF-8."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{place(source, line)}: expected UTF-8, found the byte 0x{content[error.start]:02x}"
        ) from None
    text = text.replace("\r\n", "\n").rstrip("\n")
    if not text:
        raise ValueError(f"{source}: expected one name per line, found no name")
    return text + "\n"


def fault(character: str) -> str | None:
    """Why a character is not allowed in a name, or None. The space is the only white space allowed."""
    if character.isspace() and character not in " \n":
        return f"white space ({character!r})"
    category = unicodedata.category(character)
    if category == "Cc" and character != "\n":
        return f"the control character {character!r}"
    if category == "Cs":
        return f"the surrogate {character!r}, which UTF-8 cannot encode"
    return None


def check(text: Text, source: str, fault: Callable[[str], str | None] = fault) -> None:
    """Raise ValueError, with `source` and the line, for the first line that is blank or has an invalid character."""
    ends = text == NEWLINE
    blank = ends & np.concatenate(([True], ends[:-1]))
    if blank.any():
        line = line_of(text, int(blank.argmax()))
        raise ValueError(f"{place(source, line)}: expected a name, found a blank line")
    faults = {int(code): fault(chr(code)) for code in np.flatnonzero(np.bincount(text))}
    invalid = [code for code, fault in faults.items() if fault]
    if invalid:
        position = int(np.isin(text, invalid).argmax())
        line = line_of(text, position)
        raise ValueError(f"{place(source, line)}: expected a name, found {faults[int(text[position])]}")


def line_of(text: Text, position: int) -> int:
    """The number of the line, from 1, that contains a position of the text."""
    return int(np.count_nonzero(text[:position] == NEWLINE)) + 1


def place(source: str, line: int) -> str:
    """A line in an error message: `names.txt:3`, or `argument 3`."""
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
    """The start of each name, (N,), and its length without the newline, (N,)."""
    ends = np.flatnonzero(text == NEWLINE)
    starts = np.concatenate(([0], ends[:-1] + 1))
    return starts, ends - starts


def first(text: Text, count: int) -> Text:
    """The first `count` names of a text, or all of them if there are fewer."""
    ends = np.flatnonzero(text == NEWLINE)[:count]
    return text[: ends[-1] + 1 if len(ends) else 0]


def take(text: Text, indices: NDArray[np.int64]) -> Text:
    """The names with these indices, (K,), in this order."""
    starts, lengths = bounds(text)
    sizes = lengths[indices] + 1
    offsets = np.cumsum(sizes) - sizes  # the start of each name in the result
    result: Text = text[np.arange(sizes.sum()) + np.repeat(starts[indices] - offsets, sizes)]
    return result


def identities(text: Text) -> NDArray[np.int64]:
    """An integer for each name, (N,), that is the same for equal names only."""
    starts, lengths = bounds(text)
    ids = np.empty(len(starts), dtype=np.int64)
    known = 0
    for length in np.unique(lengths):  # names of equal length form a matrix whose rows numpy compares as strings
        (indices,) = np.nonzero(lengths == length)
        rows = text[starts[indices][:, None] + np.arange(length + 1)]  # with the newline: names can be empty
        strings = np.ascontiguousarray(rows).view(f"U{length + 1}")[:, 0]
        distinct, inverse = np.unique(strings, return_inverse=True)
        ids[indices] = known + inverse
        known += len(distinct)
    return ids


def is_in(text: Text, other: Text) -> NDArray[np.bool_]:
    """Whether each name of `text` is also in `other`, (N,)."""
    ids = identities(np.concatenate((text, other)))
    text_ids, other_ids = np.split(ids, [count(text)])
    return np.isin(text_ids, other_ids)
