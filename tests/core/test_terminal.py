"""No text can control the terminal that shows it."""

import io
import unicodedata

import pytest

from makemore.core.terminal import JOINERS, screen, set_encoding, visible


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("string", "shown"),
    [
        ("a\u202eb\u2066\u200f\u061c", "a\\u202eb\\u2066\\u200f\\u061c"),
        ("\x1b[31m\x07\x9b\x7f\r", "\\u001b[31m\\u0007\\u009b\\u007f\\r"),
        ("a\U000e0067\ufeff\xad", "a\\udb40\\udc67\\ufeff\\u00ad"),
        ("\udcff", "\\udcff"),
        ("zoë\n👩\u200d🚀 می\u200cخ \\ [red]", "zoë\n👩\u200d🚀 می\u200cخ \\ [red]"),
    ],
)
def test_by_hand(string: str, shown: str) -> None:
    assert visible(string) == shown


def test_every_control_and_formatting_character_is_escaped() -> None:
    assigned = *range(0x20000), *range(0xE0000, 0xE1000)  # those of category Cf are among these
    shown = set(visible("".join(map(chr, assigned))))
    assert {c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs")} == {"\n", *JOINERS}


def test_data_for_a_terminal_are_escaped_and_others_are_exact() -> None:
    for file, written in (Terminal(), "a\\u202eb\n"), (io.StringIO(), "a\u202eb\n"):
        screen(file).write("a\u202eb\n")
        assert file.getvalue() == written
        assert screen(file).isatty() == file.isatty()


def test_a_pipe_is_utf8_and_a_terminal_keeps_its_encoding() -> None:
    class Tty(io.BytesIO):
        def isatty(self) -> bool:
            return True

    for raw, written in (io.BytesIO(), "é中".encode()), (Tty(), b"\xe9\\u4e2d"):
        stream = io.TextIOWrapper(raw, encoding="latin-1")
        set_encoding(stream)
        stream.write("é中")
        stream.flush()
        assert raw.getvalue() == written
