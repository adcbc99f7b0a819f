import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import encoded, text_of
from makemore.core.names import Text
from makemore.core.vocab import Vocab


def test_id_0_is_the_boundary_and_the_characters_follow_sorted() -> None:
    vocab = Vocab.of(text_of("éa", "ba"))
    assert vocab.itos == (".", "a", "b", "é")
    assert vocab.stoi == {".": 0, "a": 1, "b": 2, "é": 3}
    assert encoded(vocab, "ab", "é").tolist() == [1, 2, 0, 3, 0]


def test_the_boundary_is_a_symbol_that_no_name_contains() -> None:
    assert Vocab.of(text_of("st. louis", "a")).itos[:3] == ("⏎", " ", ".")
    assert Vocab.of(text_of("a.⏎")).boundary == "⏏"


def test_the_projects_vocabulary(real: Text) -> None:
    vocab = Vocab.of(real)
    assert "".join(vocab.itos) == ".abcdefghijklmnopqrstuvwxyz"
    assert len(vocab.encode(real, "names")) == 228_146  # bigrams of the list: one for each character and each end


@given(st.lists(st.text("abß😀\u4e2d", min_size=1), min_size=1))
def test_decode_inverts_encode(strings: list[str]) -> None:
    text = text_of(*strings)
    vocab = Vocab.of(text)
    assert np.array_equal(vocab.decode(vocab.encode(text, "test")), text)


def test_the_error_names_an_unknown_character_and_its_place() -> None:
    with pytest.raises(ValueError, match=r"^dev.txt:2: character 2, 'é', is not among the 3 tokens of the vocabulary$"):
        Vocab.of(text_of("ab")).encode(text_of("ab", "aé"), "dev.txt")


def test_tokens_of_a_few_strings() -> None:
    vocab = Vocab.of(text_of("abc"))
    assert vocab.tokens("ab", "c").tolist() == [1, 2, 0, 3, 0]
    for strings in (["d"], ["a", "b."], [""], []):
        with pytest.raises(ValueError, match=r"^argument"):
            vocab.tokens(*strings)


def test_file_round_trip(tmp_path: Path) -> None:
    vocab = Vocab.of(text_of("añb"))
    vocab.write(tmp_path / "vocab.json")
    assert Vocab.read(tmp_path / "vocab.json") == vocab
    assert '"ñ": 3' in (tmp_path / "vocab.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("character", ["\n", "\x1b", "\x9b", "\r", "\u2028", "\ud800"])
def test_a_character_that_no_name_can_have_is_refused(tmp_path: Path, character: str) -> None:
    """A newline in a model's vocabulary would make two names of one that it generates."""
    (tmp_path / "vocab.json").write_text(json.dumps({".": 0, character: 1}))
    with pytest.raises(ValueError, match=r"vocab.json: expected a vocabulary of characters that a name can") as error:
        Vocab.read(tmp_path / "vocab.json")
    assert str(error.value).isprintable()


@pytest.mark.parametrize("content", ["[]", "{}", "{", '{"a": 0}', '{".": 0, "a": 2}', '{".": 0, "ab": 1}', "null"])
def test_the_error_names_a_damaged_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "vocab.json").write_text(content)
    with pytest.raises(ValueError, match=r"vocab.json: expected"):
        Vocab.read(tmp_path / "vocab.json")
