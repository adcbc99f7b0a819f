"""Clean a raw list of names: normalize Unicode and, if requested, case, white space and dots.

A block of lines is processed as one string. No step moves characters across lines, since no character normalizes to a
newline or composes with one. So line n of the result is line n of the raw list, and errors give the line. White space
and dots are rejected unless the params allow them.
"""

import functools
import re
import unicodedata
from typing import Annotated, Literal

from pydantic import Field

from makemore.core import names
from makemore.core.names import Lines, Text
from makemore.core.params import Section

MAX_MARKS = 30  # consecutive combining marks (UAX #15, Stream-Safe Text Format); sorting a run takes quadratic time


class CleanParams(Section):
    """How the raw list is cleaned."""

    form: Annotated[
        Literal["NFC", "NFKC", "none"],
        Field(description="Unicode normalization: NFC composes accents; NFKC also removes width, ligatures and styles"),
    ]
    case: Annotated[Literal["keep", "lower"], Field(description="lower: convert to lower case")]
    spaces: Annotated[
        Literal["refuse", "keep"],
        Field(description="white space; keep: collapse to single spaces and strip; refuse: exit with an error"),
    ]
    dots: Annotated[
        Literal["refuse", "remove", "keep"],
        Field(description="dots; keep: use another boundary symbol; remove: delete them; refuse: exit with an error"),
    ]


def clean(lines: bytes | Lines, source: str, params: CleanParams) -> Text:
    """Clean lines of a raw list; error messages start with `source`.

    Raises:
        ValueError: like `names.parse`, and for characters that the params refuse; the message gives the line and the
            parameter that would allow them.
    """
    lines = Lines(lines) if isinstance(lines, bytes) else lines
    string = _normalized(names.decode(lines, source), source, params.form, lines.before)
    if params.dots == "remove":
        string = string.replace(".", "")
    if params.case == "lower":
        string = string.lower()
    # removing dots and lowering case can create new sequences that compose
    string = _normalized(string, source, params.form, lines.before)
    if params.spaces == "keep":
        string = re.sub(r"[^\S\n]+", " ", string).replace(" \n", "\n").replace("\n ", "\n").removeprefix(" ")
    text = names.from_string(string)

    def fault(character: str) -> str | None:
        if character == "." and params.dots == "refuse":
            return "'.', the boundary symbol; clean.dots: keep or remove (--dots) allows it"
        if character.isspace() and character != "\n" and params.spaces == "refuse":
            return f"white space ({character!r}); clean.spaces: keep (--spaces) allows it"
        return names.fault(character)

    names.check(text, source, fault, lines.before)
    return text


def _normalized(string: str, source: str, form: Literal["NFC", "NFKC", "none"], before: int) -> str:
    """Normalize a string. Checking first is much faster if it is already normalized, as most lists are."""
    if form == "none" or string.isascii():
        return string
    _check_marks(string, source, before)
    return string if unicodedata.is_normalized(form, string) else unicodedata.normalize(form, string)


def _check_marks(string: str, source: str, before: int) -> None:
    """Raise ValueError, with `source` and the line, for the first run of too many combining marks."""
    size = MAX_MARKS + 1
    for position in range(0, len(string), size):  # every run that is too long contains one of these positions
        if _is_mark(string[position]):
            near = string[max(position - MAX_MARKS, 0) : position + size]
            if "1" * size in "".join("1" if _is_mark(character) else "0" for character in near):
                line = names.place(source, before + string.count("\n", 0, position) + 1)
                raise ValueError(f"{line}: expected a name, found over {MAX_MARKS} combining marks in a row")


@functools.cache
def _is_mark(character: str) -> bool:
    """Whether a character is a combining mark or decomposes into combining marks."""
    return unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) > 0
