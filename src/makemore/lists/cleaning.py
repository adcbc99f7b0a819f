"""From a raw list to the names that the models learn: one spelling for what is the same, one space for any white space.

Everything is done to the whole list as one string, and nothing reaches across a line: no character normalizes to a
newline or composes with one, so that line n of the result is line n of the raw list, and errors can name it. What is
not asked for is refused.
"""

import re
import unicodedata
from typing import Annotated, Literal

from pydantic import Field

from makemore.core import names
from makemore.core.names import Text
from makemore.core.params import Section

MARKS = 30  # in a row, at most, as in the Stream-Safe Text Format of UAX #15; sorting a longer run takes its square


class CleanParams(Section):
    """What is done to the raw list."""

    form: Annotated[
        Literal["NFC", "NFKC", "none"],
        Field(description="Unicode normalization: NFC composes accents, NFKC also takes away width, ligatures, styles"),
    ]
    case: Annotated[Literal["keep", "lower"], Field(description="lower: all letters become lower case")]
    spaces: Annotated[
        Literal["refuse", "keep"],
        Field(description="keep: white space in a name becomes one space each, at its ends none; refuse: an error"),
    ]
    dots: Annotated[
        Literal["refuse", "remove", "keep"],
        Field(description="keep: the boundary token becomes another symbol; refuse: an error"),
    ]


def clean(content: bytes, source: str, params: CleanParams) -> Text:
    """The names in the bytes of a raw list; `source` is what errors call it.

    Raises:
        ValueError: as `names.parse` does, and for what the params refuse; the message gives file and line, and what
            would admit it.
    """
    string = _normalized(names.decode(content, source), source, params.form)
    if params.dots == "remove":
        string = string.replace(".", "")
    if params.case == "lower":
        string = string.lower()
    # What stood before a dot, or has become lower case, may compose anew.
    string = _normalized(string, source, params.form)
    if params.spaces == "keep":
        string = re.sub(r"[^\S\n]+", " ", string).replace(" \n", "\n").replace("\n ", "\n").removeprefix(" ")
    text = names.from_string(string)

    def fault(character: str) -> str | None:
        if character == "." and params.dots == "refuse":
            return "'.', which marks where names begin and end, in it; clean.dots: keep or remove (--dots) admits it"
        if character.isspace() and character != "\n" and params.spaces == "refuse":
            return f"white space ({character!r}) in it; clean.spaces: keep (--spaces) admits it"
        return names.fault(character)

    names.check(text, source, fault)
    return text


def _normalized(string: str, source: str, form: Literal["NFC", "NFKC", "none"]) -> str:
    """Most lists are in their form already, which is found in a fraction of the time."""
    if form == "none" or string.isascii():
        return string
    _check_marks(string, source)
    return string if unicodedata.is_normalized(form, string) else unicodedata.normalize(form, string)


def _check_marks(string: str, source: str) -> None:
    """Raise ValueError, with `source` and the line, at the first run of too many combining marks."""
    marks = "".join(c for c in set(string) if unicodedata.combining(unicodedata.normalize("NFKD", c)[0]))
    if marks and (found := re.search(f"[{marks}]{{{MARKS + 1}}}", string)):
        line = string.count("\n", 0, found.start()) + 1
        raise ValueError(f"{names.place(source, line)}: expected a name, found over {MARKS} combining marks in a row")
