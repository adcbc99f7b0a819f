import sys
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import lines_of
from makemore.core import names
from makemore.core.names import Text
from makemore.lists.cleaning import CleanParams, clean


def params(form: str = "NFC", case: str = "keep", spaces: str = "refuse", dots: str = "refuse") -> CleanParams:
    return CleanParams.model_validate({"form": form, "case": case, "spaces": spaces, "dots": dots})


def cleaned(string: str, **values: str) -> list[str]:
    return lines_of(clean(string.encode(), "f", params(**values)))


@pytest.mark.parametrize(
    ("given", "expected", "values"),
    [
        ("Zoe\u0308\nZo\u00eb", ["Zo\u00eb"] * 2, {}),
        ("Zoe\u0308", ["Zoe\u0308"], {"form": "none"}),
        ("\uff21\ufb01", ["Afi"], {"form": "NFKC"}),
        ("\uff21\ufb01", ["\uff21\ufb01"], {}),
        ("\u1112\u1161\u11ab", ["\ud55c"], {}),
        ("EMMA\n\u00c9va\n\u039f\u0394\u039f\u03a3\n\u0391\u03a3", ["emma", "éva", "οδος", "ας"], {"case": "lower"}),
        ("H\u0331", ["\u1e96"], {"case": "lower"}),
        ("\u210c", ["h"], {"form": "NFKC", "case": "lower"}),
        (" St \t Louis \u3000\n\u00a0a\u2028b", ["St Louis", "a b"], {"spaces": "keep"}),
        ("a\u00b4b", ["a \u0301b"], {"form": "NFKC", "spaces": "keep"}),
        ("St. Louis", ["St. Louis"], {"spaces": "keep", "dots": "keep"}),
        ("St. Louis\nA . B", ["St Louis", "A B"], {"spaces": "keep", "dots": "remove"}),
        ("e.\u0301", ["\u00e9"], {"dots": "remove"}),
        ("a\u2026", ["a"], {"form": "NFKC", "dots": "remove"}),
        ("👩\u200d🚀\n👍🏽\n🇫🇷\n❤\ufe0f", ["👩\u200d🚀", "👍🏽", "🇫🇷", "❤\ufe0f"], {}),
    ],
)
def test_cleaned_lists(given: str, expected: list[str], values: dict[str, str]) -> None:
    assert cleaned(given, **values) == expected


@pytest.mark.parametrize(
    ("given", "values", "message"),
    [
        (
            "emma\nmr.x",
            {},
            "f:2: expected a name, found '.', the boundary symbol; clean.dots:",
        ),
        (
            "a\nb\nan na",
            {},
            "f:3: expected a name, found white space (' '); clean.spaces: keep (--spaces) allows it",
        ),
        ("a\u00b4b", {"form": "NFKC"}, "f:1: expected a name, found white space (' '); clean.spaces:"),
        ("a\u2026", {"form": "NFKC"}, "f:1: expected a name, found '.'"),
        ("a\n\nb", {}, "f:2: expected a name, found a blank line"),
        ("a\n \t\nb", {"spaces": "keep"}, "f:2: expected a name, found a blank line"),
        ("a\n...\nb", {"dots": "remove"}, "f:2: expected a name, found a blank line"),
        ("a\nb\x07", {"spaces": "keep"}, "f:2: expected a name, found the control character '\\x07'"),
        ("", {}, "f: expected one name per line, found no name"),
    ],
)
def test_errors_name_file_line_and_the_option_that_accepts_it(given: str, values: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError) as error:
        cleaned(given, **values)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("marks", "values"),
    [
        ("\u0301\u0323", {}),
        ("\u0301\u0323", {"form": "NFKC"}),
        ("\u0f73", {}),  # its own combining class is 0, but it decomposes into two combining marks
        (".\u0301.\u0323", {"dots": "remove"}),
    ],
)
def test_a_long_run_of_combining_marks_is_refused_before_it_is_normalized(marks: str, values: dict[str, str]) -> None:
    """Normalizing a million combining marks in a row took minutes."""
    start = time.process_time()
    with pytest.raises(ValueError, match=r"^f:2: expected a name, found over 30 combining marks in a row$"):
        cleaned(f"zoe\u0308\ne{marks * 1_000_000}\nava", **values)
    assert time.process_time() - start < 10


def test_up_to_30_combining_marks_in_a_row_are_accepted() -> None:
    marks = "\u0301" * 30
    assert cleaned(f"z{marks}a{marks}\nb{marks}") == [f"\u017a{marks[1:]}\u00e1{marks[1:]}", f"b{marks}"]
    with pytest.raises(ValueError, match=r"^f:1: "):
        cleaned(f"e{marks}\u0301")


@given(st.lists(st.tuples(st.sampled_from("ae\n"), st.integers(25, 35)), min_size=1))
def test_the_first_line_with_too_many_combining_marks_is_named(runs: list[tuple[str, int]]) -> None:
    string = "".join(f"a{character}b" + "\u0323" * marks for character, marks in runs)
    wrong = [line for line, text in enumerate(string.split("\n"), start=1) if "\u0323" * 31 in text]
    try:
        cleaned(string)
    except ValueError as error:
        assert str(error) == f"f:{wrong[0]}: expected a name, found over 30 combining marks in a row"
    else:
        assert not wrong


def test_normalization_does_not_change_the_lines() -> None:
    """No code point becomes a newline, or composes with one, so errors can name the line of the raw list."""
    text = "\n".join(chr(code) for code in range(sys.maxunicode + 1) if code != 10 and not 0xD800 <= code <= 0xDFFF)
    for changed in unicodedata.normalize("NFC", text), unicodedata.normalize("NFKC", text), text.lower():
        assert changed.count("\n") == text.count("\n") and "\n\n" not in changed


@given(
    st.text(st.characters(codec="utf-8") | st.sampled_from(" .\u0301\u0331ΣHİ\ufb01"), min_size=1),
    st.sampled_from(["NFC", "NFKC", "none"]),
    st.sampled_from(["keep", "lower"]),
    st.sampled_from(["remove", "keep"]),
)
def test_cleaning_twice_changes_nothing(string: str, form: str, case: str, dots: str) -> None:
    wanted = params(form, case, "keep", dots)
    try:
        once = clean(string.encode(), "f", wanted)
    except ValueError:
        return
    content = names.to_string(once).encode()
    assert names.to_string(clean(b"\xef\xbb\xbf" + content, "f", wanted)).encode() == content
    assert names.to_string(names.parse(b"\xef\xbb\xbf" + content, "f")).encode() == content


def test_the_projects_list_is_clean(real: Text) -> None:
    content = names.to_string(real).encode()
    assert names.to_string(clean(content, "names.txt", params())).encode() == content
