import sys
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
def test_by_hand(given: str, expected: list[str], values: dict[str, str]) -> None:
    assert cleaned(given, **values) == expected


@pytest.mark.parametrize(
    ("given", "values", "message"),
    [
        (
            "emma\nmr.x",
            {},
            "f:2: expected a name, found '.', which marks where names begin and end, in it; clean.dots:",
        ),
        (
            "a\nb\nan na",
            {},
            "f:3: expected a name, found white space (' ') in it; clean.spaces: keep (--spaces) admits it",
        ),
        ("a\u00b4b", {"form": "NFKC"}, "f:1: expected a name, found white space (' ') in it; clean.spaces:"),
        ("a\u2026", {"form": "NFKC"}, "f:1: expected a name, found '.'"),
        ("a\n\nb", {}, "f:2: expected a name, found a blank line"),
        ("a\n \t\nb", {"spaces": "keep"}, "f:2: expected a name, found a blank line"),
        ("a\n...\nb", {"dots": "remove"}, "f:2: expected a name, found a blank line"),
        ("a\nb\x07", {"spaces": "keep"}, "f:2: expected a name, found the control character '\\x07' in it"),
        ("", {}, "f: expected one name a line, found no name"),
    ],
)
def test_refused_with_file_line_and_what_admits_it(given: str, values: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError) as error:
        cleaned(given, **values)
    assert str(error.value).startswith(message)


def test_no_character_reaches_across_a_line() -> None:
    """So the lines stay what they were: no code point becomes a newline, or composes with one."""
    text = "\n".join(chr(code) for code in range(sys.maxunicode + 1) if code != 10 and not 0xD800 <= code <= 0xDFFF)
    for changed in unicodedata.normalize("NFC", text), unicodedata.normalize("NFKC", text), text.lower():
        assert changed.count("\n") == text.count("\n") and "\n\n" not in changed


@given(
    st.text(st.characters(codec="utf-8") | st.sampled_from(" .\u0301\u0331ΣHİ\ufb01"), min_size=1),
    st.sampled_from(["NFC", "NFKC", "none"]),
    st.sampled_from(["keep", "lower"]),
    st.sampled_from(["remove", "keep"]),
)
def test_what_is_clean_stays_as_it_is(string: str, form: str, case: str, dots: str) -> None:
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
