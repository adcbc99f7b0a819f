from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import encoded, text_of
from makemore.core.names import Text
from makemore.core.vocab import Vocab


def test_ids_are_the_boundary_then_the_sorted_characters() -> None:
    vocab = Vocab.of(text_of("éa", "ba"))
    assert vocab.itos == (".", "a", "b", "é")
    assert vocab.stoi == {".": 0, "a": 1, "b": 2, "é": 3}
    assert encoded(vocab, "ab", "é").tolist() == [1, 2, 0, 3, 0]


def test_the_boundary_is_a_symbol_that_no_name_holds() -> None:
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


def test_an_unknown_character_is_named_with_its_place() -> None:
    with pytest.raises(ValueError, match=r"^dev.txt:2: character 2, 'é', is not among the 3 of the vocabulary$"):
        Vocab.of(text_of("ab")).encode(text_of("ab", "aé"), "dev.txt")


def test_a_few_names() -> None:
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


@pytest.mark.parametrize("content", ["[]", "{}", "{", '{"a": 0}', '{".": 0, "a": 2}', '{".": 0, "ab": 1}', "null"])
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "vocab.json").write_text(content)
    with pytest.raises(ValueError, match=r"vocab.json: expected"):
        Vocab.read(tmp_path / "vocab.json")
