"""The page as text: what it holds, the same bytes each time, nothing in it that a name could break."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from checkout import ROOT
from conftest import additive, encoded, mlp_params, page_of, text_of
from makemore.core.model import Model, save_model
from makemore.core.vocab import Vocab
from makemore.models.ensemble import Ensemble
from makemore.models.mlp import MLP
from makemore.models.ngram import model
from makemore.reporting import page
from makemore.reporting.bigrams import SHOWN

HOSTILE = "</script><script>alert('&amp;')</script>"


def bigram(*names: str) -> tuple[Vocab, np.ndarray, Model]:
    vocab = Vocab.of(text_of(*names))
    tokens = encoded(vocab, *names)
    return vocab, tokens, model.fit(additive(2, 1), tokens, len(vocab))


def data_of(html: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(html.split('id="data">')[1].split("</script>")[0])
    return found


def test_the_page_has_all_of_it_and_loads_nothing(tmp_path: Path) -> None:
    vocab, tokens, model = bigram("emma", "ava")
    html = page_of(tmp_path, vocab, tokens, {"first": model, "second": model}, "# Answers\n\n## Part 1\n\nYes.\n")
    assert html == page_of(
        tmp_path, vocab, tokens, {"first": model, "second": model}, "# Answers\n\n## Part 1\n\nYes.\n"
    )
    assert not re.search(
        r"""(src|href)=["'](?!#)|url\(|@import|import\(|fetch\(|https?://(?!www\.w3\.org/2000/svg)""", html
    )
    assert (
        "default-src 'none'" in html and "<h3>Part 1</h3>\n<p>Yes.</p>" in html and "$" not in html.split("<script")[0]
    )
    assert str(tmp_path) not in html and str(ROOT) not in html
    data = data_of(html)
    assert data["itos"] == [".", "a", "e", "m", "v"]
    assert html.count('<tr><th scope="row">') == 2 and html.index(">second<") < html.index(">first<")
    assert data["smoothing"]["dev"] == [None, 2.3, 2.4]  # type: ignore[index]


def test_names_and_models_are_text_whatever_they_hold(tmp_path: Path) -> None:
    vocab, tokens, model = bigram("a<!--", "</script>", "&<b>")
    html = page_of(
        tmp_path, vocab, tokens, {HOSTILE: model}, f"# A\n\n## B\n\n<!-- x -->\n\n{HOSTILE}\n\n`{HOSTILE}`\n"
    )
    assert html.count("<script") == html.count("</script>") == 4 and "<!--" not in html
    assert [live["name"] for live in data_of(html)["live"]] == [HOSTILE]  # type: ignore[attr-defined]


def test_samples_are_text(tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text("&<b>\nava\n")
    (tmp_path / "m.json").write_text('{"samples": 4, "new": 1}')
    made = page.samples([page.Result("m", 1, 2.0, 2.0, 0.1, None, None, None, 7.4, 2.9)], tmp_path, tmp_path)
    assert '<li dir="auto">&amp;&lt;b&gt;</li><li dir="auto">ava</li></ul>' in made and "25% of 4 are new" in made


def test_the_exercises_stand_by_themselves() -> None:
    html = page.answers((ROOT / "docs/exercises.md").read_text(encoding="utf-8"))
    assert (
        "<img" not in html
        and "<!--" not in html
        and set(re.findall('href="([^"]*)"', html))
        == {
            "#smoothing",
            "#learning-rate",
            "#embedding",
            "#first",
        }
    )
    page = (ROOT / "src/makemore/page/page.html").read_text()
    assert all(f'id="{place}"' in page for place in page.FIGURES.values())
    assert html.startswith("<h3>Part 1</h3>") and html.count("<table>") == html.count('role="region"') > 4


@pytest.mark.parametrize("position", [0, 3])
def test_ngrams_are_taken_apart(position: int) -> None:
    vocab, tokens, _ = bigram("emma", "ava", "mae")
    params = model.NgramParams(order=3, smoothing="none", strength=None, position=position)
    ngrams, _ = model.count(params, tokens, len(vocab))
    found = {tuple(row) for row in page.digits(ngrams, 3, position, len(vocab)).tolist()}
    stoi = vocab.stoi
    assert (stoi["a"], min(3, position), stoi["m"], stoi["m"]) in found  # emm, then a
    assert (stoi["m"], min(1, position), stoi["e"], 0) in found  # .e, then m


def test_bigrams_are_those_of_the_names() -> None:
    vocab, tokens, _ = bigram("emma", "ava")
    found = page.bigrams(tokens, vocab)
    stoi = vocab.stoi
    assert found["shown"] == [0, 1, 2, 3, 4] and sum(found["totals"]) == len(tokens)
    assert found["counts"][stoi["a"]] == [2, 0, 0, 0, 1] and found["ranks"][stoi["a"]] == [1, 3, 3, 3, 2]
    assert found["counts"][0] == [0, 1, 1, 0, 0]


def test_of_many_characters_the_most_frequent_are_shown(tmp_path: Path) -> None:
    characters = [chr(0x4E00 + i) for i in range(300)]
    vocab, tokens, model = bigram(*characters, *("".join(characters[-50:]),) * 3)
    found = page.bigrams(tokens, vocab)
    assert len(found["shown"]) == len(found["counts"]) == SHOWN and found["shown"][0] == 0
    assert all(i > 250 for i in found["shown"][1:])
    html = page_of(tmp_path, vocab, tokens, {"bigram": model})
    assert "The 40 most frequent of 301 tokens" in html


def test_what_cannot_run_in_the_page_is_named(tmp_path: Path) -> None:
    vocab, _, model = bigram("emma", "ava")
    path = tmp_path / "m.safetensors"
    save_model(path, Ensemble({"a": model, "b": model}, np.array([0.5, 0.5])), vocab)
    with pytest.raises(ValueError, match=r"^page.live: expected models of ngram, .*, got mixed, which is of ensemble$"):
        page.embed("mixed", path, vocab)
    save_model(path, MLP(mlp_params(), len(vocab)), vocab)
    with pytest.raises(ValueError, match=r"expected a model with the vocabulary at hand, 2 characters$"):
        page.embed("mlp", path, Vocab((".", "a")))


def test_what_is_too_large_for_the_page_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vocab, tokens, model = bigram("emma", "ava")
    live = {"bigram": model, "mlp": MLP(mlp_params(), len(vocab))}
    monkeypatch.setattr(report, "LARGEST", 400)
    html = page_of(tmp_path, vocab, tokens, live)
    assert "Left out, as too large for a page: mlp." in html and '"name":"mlp"' not in html
    monkeypatch.setattr(report, "LARGEST", 4)
    with pytest.raises(ValueError, match=r"^page.live: expected a model of at most 4 bytes, got bigram with \d+, mlp"):
        page_of(tmp_path, vocab, tokens, live)
