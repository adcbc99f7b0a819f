"""What a terminal may be sent: no name, character or message can move its cursor or reverse its text."""

import io
import json
import unicodedata
from typing import TextIO, cast

JOINERS = "\u200c\u200d"  # scripts and emoji need them


def visible(string: str) -> str:
    """A string whose control and formatting characters are JSON escapes, such as `\\u202e`; newlines are kept.

    Formatting characters are those of Unicode's category Cf, among them all that change the direction of text, without
    the two zero-width joiners.
    """
    hidden = {c for c in set(string) if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in f"\n{JOINERS}"}
    return string.translate({ord(c): json.dumps(c)[1:-1] for c in hidden})


class _Screen(io.TextIOBase):
    def __init__(self, terminal: TextIO):
        self._terminal = terminal

    def write(self, string: str) -> int:
        return self._terminal.write(visible(string))

    def isatty(self) -> bool:
        return True


def screen(file: TextIO) -> TextIO:
    """Where to write data: the file itself, or, if that is a terminal, a stream to it that makes them `visible`."""
    return cast(TextIO, _Screen(file)) if file.isatty() else file


def set_encoding(stream: TextIO) -> None:
    """Make a standard stream UTF-8, whatever the locale. A terminal keeps its encoding; what that lacks is escaped."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")
