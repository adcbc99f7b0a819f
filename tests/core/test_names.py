import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import lines_of, text_of
from makemore.core import names
from makemore.core.vocab import Vocab, read_tokens
from makemore.lists import cleaning

CLEAN = cleaning.CleanParams(form="NFC", case="keep", spaces="refuse", dots="refuse")

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


@given(st.lists(NAME | st.sampled_from(["", "\r", "a\r"]), min_size=1), st.integers(1, 30), st.booleans())
def test_blocks_have_the_names_or_the_error_of_the_whole(strings: list[str], size: int, complete: bool) -> None:
    content = "\n".join(strings).encode() + b"\n" * complete

    def parsed(blocks: Iterable[names.Lines]) -> list[names.Text] | str:
        try:
            return [names.parse(lines, "f") for lines in blocks]
        except ValueError as error:
            return str(error)

    chunks = (content[start : start + size] for start in range(0, len(content), size))
    found, whole = parsed(names.split_lines(chunks)), parsed([names.Lines(content)])
    if isinstance(found, str) or isinstance(whole, str):
        assert isinstance(found, str) and isinstance(whole, str)
    else:
        assert np.array_equal(np.concatenate(found), whole[0])


def test_errors_in_a_later_block_name_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "BLOCK", 4)
    for content, message in {
        b"emma\nava\nmia\n\nzoe\n": "4: expected a name, found a blank line",
        b"emma\nava\nmia\nz\xffe\n": "4: expected UTF-8, found the byte 0xff",
        b"emma\nava\nm\tia\nzoe\n": "3: expected a name, found white space ('\\t')",
    }.items():
        (tmp_path / "f").write_bytes(content)
        with pytest.raises(ValueError, match=re.escape(f"f:{message}")):
            names.read(tmp_path / "f")
        with pytest.raises(ValueError, match=re.escape(message)):
            [cleaning.clean(lines, "f", CLEAN) for lines in names.read_lines(tmp_path / "f")]
    (tmp_path / "f").write_text("emma\nava\nmia\nzoé\n")
    with pytest.raises(ValueError, match="f:4: character 3, 'é', is not among the 8 tokens of the vocabulary"):
        read_tokens(tmp_path / "f", Vocab.of(text_of("emavizo")))


@pytest.mark.parametrize("most", [1, 3, 7, 8, 100])
def test_spaced_names_come_from_the_whole_file(most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "BLOCK", 4)
    (tmp_path / "f").write_text("a\nb\nc\nd\ne\nf\ng\nh\n")
    expected = {1: "a", 3: "acf", 7: "abcdefg"}.get(most, "abcdefgh")
    assert "".join(lines_of(names.spaced(tmp_path / "f", most))) == expected


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


@given(st.lists(NAME, min_size=1), st.lists(st.lists(NAME, min_size=1), min_size=1))
def test_known_names_are_found_by_their_hashes(strings: list[str], others: list[list[str]]) -> None:
    known = names.known(text_of(*other) for other in others)
    assert names.have(known, text_of(*strings)).tolist() == [any(s in other for other in others) for s in strings]
    assert not names.have(known, text_of()).any()


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


@pytest.mark.parametrize("end", ["", "\n", "\r\n\r\n", "\n\n\n"])
def test_the_end_of_a_file_changes_no_spaced_names(end: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(f"a\nb\nc\nd\ne{end}".encode())
    found = ["".join(lines_of(names.spaced(tmp_path / "f", most))) for most in (1, 2, 4, 5)]
    assert found == ["a", "ac", "abcd", "abcde"]
