from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import lines_of, text_of
from makemore.core import names

NAME = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"], exclude_characters="."), min_size=1
)


@pytest.mark.parametrize(
    "content",
    [b"emma\nava\n", b"emma\nava", b"emma\r\nava\r\n", b"\xef\xbb\xbfemma\nava\n", b"emma\nava\n\n"],
    ids=["plain", "no final newline", "CRLF", "byte order mark", "blank lines at the end"],
)
def test_accepted_files(content: bytes) -> None:
    assert lines_of(names.parse(content, "f")) == ["emma", "ava"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "f: expected one name per line, found no name"),
        (b"\n\n", "f: expected one name per line, found no name"),
        (b"emma\nav\xffa\n", "f:2: expected UTF-8, found the byte 0xff"),
        (b"emma\n\nava\n", "f:2: expected a name, found a blank line"),
        (b"\nemma\n", "f:1: expected a name, found a blank line"),
        (b"emma\nanna\tlee\n", "f:2: expected a name, found white space ('\\t')"),
        (b"emma\nava\x00\n", "f:2: expected a name, found the control character '\\x00'"),
        ("emma\nanna\u2028lee\n".encode(), "f:2: expected a name, found white space"),
    ],
)
def test_errors_name_file_and_line(content: bytes, message: str) -> None:
    with pytest.raises(ValueError) as error:
        names.parse(content, "f")
    assert str(error.value).startswith(message)


def test_the_error_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as error:
        names.read(tmp_path / "absent.txt")
    assert error.value.filename.endswith("absent.txt")


@given(st.lists(NAME, min_size=1))
def test_round_trip(strings: list[str]) -> None:
    text = names.parse("\n".join(strings).encode(), "f")
    assert lines_of_newline(names.to_string(text)) == strings or strings[0].startswith("\ufeff")


def lines_of_newline(string: str) -> list[str]:
    return string.split("\n")[:-1]


def test_first_returns_the_first_names() -> None:
    text = text_of("ab", "", "c")
    assert [lines_of(names.first(text, count)) for count in range(5)] == [
        [],
        ["ab"],
        ["ab", ""],
        ["ab", "", "c"],
        ["ab", "", "c"],
    ]


@given(st.lists(NAME, min_size=1), st.data())
def test_take_returns_the_chosen_names_in_order(strings: list[str], data: st.DataObject) -> None:
    order = data.draw(st.lists(st.integers(0, len(strings) - 1), min_size=1))
    taken = names.take(text_of(*strings), np.array(order))
    assert lines_of_newline(names.to_string(taken)) == [strings[i] for i in order]


@given(st.lists(NAME | st.just(""), min_size=1), st.lists(NAME, min_size=1))
def test_identities_and_is_in_equal_brute_force(strings: list[str], others: list[str]) -> None:
    ids = names.identities(text_of(*strings))
    assert [[a == b for b in ids] for a in ids] == [[a == b for b in strings] for a in strings]
    assert names.is_in(text_of(*strings), text_of(*others)).tolist() == [name in others for name in strings]


def test_the_size_of_the_projects_list(real: names.Text) -> None:
    lengths = names.bounds(real)[1]
    assert names.count(real) == 32_033
    assert len(np.unique(names.identities(real))) == 29_494
    assert (lengths.min(), lengths.max()) == (2, 15)


def test_the_projects_list_has_the_names_of_the_lectures(real: names.Text, lecture: names.Text) -> None:
    assert sorted(lines_of(real)) == sorted(lines_of(lecture))
