"""Lists of names, stored as a flat array of code points.

A list of names is a `Text`: the code points of all names, each name followed by a newline, exactly as in the file. So a
list takes four bytes per character, without a Python object per name. A long list is read in blocks, each a `Text` of
whole names, so that no stage holds more of it than it needs.

Shapes: N names, K selected names.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from makemore.core.files import open_binary, writing

Text = NDArray[np.uint32]
Hashes = NDArray[np.uint64]  # one hash of 64 bits for each name

BLOCK = 1 << 20  # bytes read at a time, which bounds the memory
TAKEN = 1 << 18  # names taken at a time
NEWLINE = ord("\n")
ARGUMENT = "argument"  # the source of names from the command line: errors give the argument instead of the line


def read(path: Path) -> Text:
    """Read a names file with one name per line, such as the output of `cleaning.py`.

    A byte order mark, CRLF line ends and a missing final newline are accepted.

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is empty or not UTF-8, or a line is not a valid name; the message gives file and line.
    """
    first, *others = blocks(path)
    return np.concatenate((first, *others)) if others else first


def blocks(path: Path) -> Iterator[Text]:
    """Read a names file in blocks of whole names. Raises like `read`, OSError before the first block is asked for."""
    return (parse(lines, str(path)) for lines in read_lines(path))


class Lines(NamedTuple):
    """Some whole lines of a file."""

    content: bytes
    before: int = 0  # the number of lines before them
    last: bool = True  # no lines follow; a final newline may be missing and blank lines may end the file


def read_lines(path: Path) -> Iterator[Lines]:
    """Read a file in blocks of about `BLOCK` bytes, the last of which has a line that is not blank if the file has one.

    Raises:
        OSError: the file cannot be read.
    """
    open_binary(path).close()  # an error must not wait until a stage has begun to write

    def chunks() -> Iterator[bytes]:
        with open_binary(path) as file:
            while chunk := file.read(BLOCK):
                yield chunk

    return split_lines(chunks())


def split_lines(chunks: Iterable[bytes], last: bool = True) -> Iterator[Lines]:
    """Cut the content of a file, of any chunks of bytes, where lines end.

    Args:
        last: the content ends where the file ends.
    """
    before, rest = 0, b""
    for chunk in chunks:
        rest += chunk
        end = rest.rstrip(b"\r\n").rfind(b"\n") + 1  # blank lines after the last name may end the file
        if end:
            yield Lines(rest[:end], before, last=False)
            before, rest = before + rest.count(b"\n", 0, end), rest[end:]
    yield Lines(rest, before, last)


def parse(lines: bytes | Lines, source: str) -> Text:
    """Parse lines of a names file; error messages start with `source`. Raises ValueError like `read`."""
    lines = Lines(lines) if isinstance(lines, bytes) else lines
    text = from_string(decode(lines, source))
    check(text, source, before=lines.before)
    return text


def decode(lines: Lines, source: str) -> str:
    """Decode lines of a file so that each ends with a newline. Raises ValueError if they are empty or not UTF-8."""
    content, before, last = lines
    try:
        text = content.decode("utf-8" if before else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = before + content.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{place(source, line)}: expected UTF-8, found the byte 0x{content[error.start]:02x}"
        ) from None
    text = text.replace("\r\n", "\n")
    if not last:
        return text
    text = text.rstrip("\n")
    if not text:
        raise ValueError(empty(source))
    return text + "\n"


def empty(source: str) -> str:
    """What is wrong with a file without names."""
    return f"{source}: expected one name per line, found no name"


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


def check(text: Text, source: str, fault: Callable[[str], str | None] = fault, before: int = 0) -> None:
    """Raise ValueError, with `source` and the line, for the first line that is blank or has an invalid character.

    Args:
        before: the number of lines of the file before this text.
    """
    ends = text == NEWLINE
    blank = ends & np.concatenate(([True], ends[:-1]))
    if blank.any():
        line = before + line_of(text, int(blank.argmax()))
        raise ValueError(f"{place(source, line)}: expected a name, found a blank line")
    faults = {int(code): fault(chr(code)) for code in np.flatnonzero(np.bincount(text))}
    invalid = [code for code, fault in faults.items() if fault]
    if invalid:
        position = int(np.isin(text, invalid).argmax())
        line = before + line_of(text, position)
        raise ValueError(f"{place(source, line)}: expected a name, found {faults[int(text[position])]}")


def line_of(text: Text, position: int) -> int:
    """The number of the line, from 1, that contains a position of the text."""
    return int(np.count_nonzero(text[:position] == NEWLINE)) + 1


def place(source: str, line: int) -> str:
    """A line in an error message: `names.txt:3`, or `argument 3`."""
    return f"{source} {line}" if source == ARGUMENT else f"{source}:{line}"


def write(path: Path, *texts: Text) -> None:
    write_blocks(path, texts)


def write_blocks(path: Path, texts: Iterable[Text]) -> None:
    """Write texts one after the other to one file, which is replaced once it is complete."""
    with writing(path) as file:
        for text in texts:
            file.write(to_string(text).encode())


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


def take(text: Text, indices: NDArray[np.integer]) -> Text:
    """The names with these indices, (K,), in this order."""
    return np.concatenate([text[:0], *taken(text, indices)])


def taken(text: Text, indices: NDArray[np.integer]) -> Iterator[Text]:
    """The names with these indices, (K,), in this order, some at a time."""
    starts, lengths = bounds(text)
    for begin in range(0, len(indices), TAKEN):
        some = indices[begin : begin + TAKEN]
        sizes = lengths[some] + 1
        offsets = np.cumsum(sizes) - sizes  # the start of each name in the result
        yield text[np.arange(sizes.sum()) + np.repeat(starts[some] - offsets, sizes)]


def spaced(path: Path, most: int) -> Text:
    """At most `most` names of a file, evenly spaced. Raises like `read`."""
    total = sum(lines.content.rstrip(b"\r\n").count(b"\n") + 1 for lines in read_lines(path))
    if total <= most:
        return read(path)
    found, before = [], 0
    chosen = np.arange(most) * total // most
    for text in blocks(path):
        after = before + count(text)
        found.append(take(text, chosen[(before <= chosen) & (chosen < after)] - before))
        before = after
    return np.concatenate(found)


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


def hashes(text: Text, seed: int = 0) -> Hashes:
    """A hash of each name, (N,), that does not depend on the other names.

    Equal names have equal hashes. Two different names have the same hash with a probability of 2^-64.
    """
    if not len(text):
        return np.empty(0, dtype=np.uint64)
    starts, lengths = bounds(text)
    place = np.arange(len(text)) - np.repeat(starts, lengths + 1)
    characters = mixed((place.astype(np.uint64) << np.uint64(32)) + text, seed)
    return mixed(np.add.reduceat(characters, starts), seed)


def mixed(numbers: NDArray[np.unsignedinteger], seed: int) -> Hashes:
    """Hash integers of 64 bits: splitmix64 (Steele, Lea & Flood 2014)."""
    x = numbers + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        x ^= x >> np.uint64(shift)
        x *= np.uint64(factor)
    return x ^ (x >> np.uint64(31))


def known(texts: Iterable[Text]) -> Hashes:
    """The distinct hashes of the names of some texts, sorted."""
    parts = [np.unique(hashes(text)) for text in texts]
    found = np.concatenate(parts)
    parts.clear()
    found.sort()
    return found[np.concatenate(([True], found[1:] != found[:-1]))]


def have(known: Hashes, text: Text) -> NDArray[np.bool_]:
    """Whether each name of a text, (N,), is among those whose hashes are known, from `known`."""
    wanted = hashes(text)
    place = np.searchsorted(known, wanted).clip(max=len(known) - 1)
    return np.asarray(known[place] == wanted)
