"""The page as text: it is complete, has the same bytes each time, and no name can break it."""

import json
import re
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from checkout import ROOT
from conftest import additive, encoded, inputs_of, list_models, network, page_of, text_of
from makemore.core.model import Model, save_model
from makemore.core.vocab import Tokens, Vocab
from makemore.models.ensemble import Ensemble, Gate, count_contexts
from makemore.models.ngram.model import fit
from makemore.reporting import exercises, page, tables
from makemore.reporting.bigrams import SHOWN
from makemore.reporting.figures import FIGURES
from makemore.reporting.inputs import Inputs, Result

HOSTILE = "</script><script>alert('&amp;')</script>"
EXERCISES = "# Answers\n\nLosses are in nats.\n\n## Part 1\n\nYes.\n"
LOADING = r"""\ssrc=["']|<link[^>]*href=["'](?!data:)|url\(|@import|import\(|fetch\(|XMLHttpRequest|WebSocket"""


def bigram(*names: str) -> tuple[Vocab, Tokens, Model]:
    vocab = Vocab.of(text_of(*names))
    tokens = encoded(vocab, *names)
    return vocab, tokens, fit(additive(2, 1), tokens, len(vocab))


def data_of(html: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(html.split('id="data">')[1].split("</script>")[0])
    return found


def test_the_page_is_complete_and_loads_nothing(tmp_path: Path) -> None:
    vocab, tokens, model = bigram("emma", "ava")
    live = {"first": model, "second": model}
    html = page_of(tmp_path, vocab, tokens, live, EXERCISES)
    assert html == page_of(tmp_path, vocab, tokens, live, EXERCISES)
    assert not re.search(LOADING, html) and "default-src 'none'" in html
    assert "$" not in html.split("<script")[0]  # every placeholder is filled in
    assert "<h3>Part 1</h3>\n<p>Yes.</p>" in html and "Losses are in nats.</p>" not in html
    assert str(tmp_path) not in html and str(ROOT) not in html
    data = data_of(html)
    assert data["itos"] == [".", "a", "e", "m", "v"]
    assert data["rates"]["loss"] == [9.0, 4.0, 3.0, 3.5, None]


def test_the_table_has_the_best_model_first_and_every_column(tmp_path: Path) -> None:
    vocab, tokens, model = bigram("emma", "ava")
    html = page_of(tmp_path, vocab, tokens, {"first": model, "second": model})
    assert html.count('<tr><th scope="row">') == 2 and html.index(">second<") < html.index(">first<")
    for column in tables.COLUMNS:
        assert f">{column.header}</" in html and escape(column.meaning) in html
    row = html.split('<tr><th scope="row">first</th>')[1].split("</tr>")[0]
    assert re.findall("<td data-value[^>]*>(.*?)</td>", row) == [
        "10",
        "2.0000",
        "2.2000",
        "0.0100",
        "-",
        "2.3000",
        "9.00",
        "3.200",
    ]


def test_names_and_models_are_shown_as_text(tmp_path: Path) -> None:
    vocab, tokens, model = bigram("a<!--", "</script>", "&<b>")
    text = f"# A\n\n## B\n\n<!-- x -->\n\n{HOSTILE}\n\n`{HOSTILE}`\n"
    html = page_of(tmp_path, vocab, tokens, {HOSTILE: model}, text)
    assert html.count("<script") == html.count("</script>") == 3 and "<!--" not in html
    assert [live["name"] for live in data_of(html)["live"]] == [HOSTILE]


def test_samples_are_shown_as_text(folder: Path) -> None:
    for path, content in ("data/samples/m.txt", "&<b>\nava\n"), ("metrics/samples/m.json", '{"samples": 4, "new": 1}'):
        (folder / path).parent.mkdir(parents=True)
        (folder / path).write_text(content)
    inputs = Inputs()
    inputs.__dict__.update(results=[Result("m", {})])
    html = page.samples(inputs)
    assert '<li dir="auto">&amp;&lt;b&gt;</li><li dir="auto">ava</li></ul>' in html and "25% of 4 are new" in html


def test_only_the_models_of_the_index_are_shown(outputs: Path) -> None:
    list_models(outputs, "bigram", "mlp")  # trigram_tuned and neural_bigram are left behind
    made = page.make_page(Inputs(), ["bigram"], EXERCISES)
    assert {result.model for result in made.results} == {"bigram", "mlp"}
    assert list(made.charts["curves"]) == ["mlp"]
    assert re.findall("<h3>(.*?)</h3>", made.samples) == [result.model for result in reversed(made.results)]
    assert "neural_bigram" not in made.html().split("<script")[0]


def test_the_exercises_need_nothing_else() -> None:
    html = exercises.answers((ROOT / "docs/exercises.md").read_text(encoding="utf-8"))
    assert "<img" not in html and "<!--" not in html
    places = {place.removeprefix("#") for place in re.findall('href="(#[^"]*)"', html)}
    assert places == set(exercises.CHARTS.values())
    chapters = "".join(path.read_text(encoding="utf-8") for path in page.STATIC.glob("chapters/*.html"))
    assert all(f'id="{place}"' in chapters for place in places)
    assert html.startswith("<h3>") and html.count("<table>") == html.count('<section class="scroll"') > 1


def test_links_to_files_resolve_from_where_the_page_is_written() -> None:
    html = exercises.answers((ROOT / "docs/exercises.md").read_text(encoding="utf-8"))
    html += (page.STATIC / "chapters/exercises.html").read_text(encoding="utf-8")
    local = re.findall('<a href="([^"#:]*)" data-local', html)
    assert "../docs/log.md" in local and "../docs/tutorial.md" in local
    assert all((ROOT / "metrics" / place).exists() for place in local)
    others = [place for place in re.findall('<a href="([^"]*)"', html) if place not in local]
    assert all(place.startswith(("#", "https://")) for place in others)


def test_links_to_figures_lead_to_the_charts() -> None:
    pictures = "![The best](../metrics/figures/smoothing.png) ![Others](other.png) [Link](https://example.org)"
    assert exercises.answers(f"## A\n\n{pictures}\n") == (
        '<h3>A</h3>\n<p><a href="#smoothing">Figure: The best</a> Others <a href="https://example.org">Link</a></p>\n'
    )
    assert exercises.CHARTS.keys() <= FIGURES.keys()


def test_the_exercises_say_which_run_they_speak_of() -> None:
    text = "# A\n\n<!-- dev: bigram 2.4608, mlp 2.0790 -->\n\n## B\n"
    results = [Result("bigram", {"dev": {"nll": 2.46079}}), Result("mlp", {"dev": {"nll": 2.079}})]
    assert "of the run that made this page" in exercises.speaks(text, results)
    changed = [results[0], Result("mlp", {"dev": {"nll": 2.0639}})]
    said = exercises.speaks(text, changed)
    assert "another run" in said and "mlp 2.0790 there, 2.0639 here" in said and "bigram" not in said
    assert "another run" in exercises.speaks(text, results[:1])  # without the mlp
    assert "another run" in exercises.speaks("# A\n", results)


def test_bigrams_are_those_of_the_names() -> None:
    vocab, tokens, _ = bigram("emma", "ava")
    found = page.bigrams(inputs_of(vocab, tokens))
    stoi = vocab.stoi
    assert found["shown"] == [0, 1, 2, 3, 4] and sum(found["totals"]) == len(tokens)
    assert found["counts"][stoi["a"]] == [2, 0, 0, 0, 1] and found["ranks"][stoi["a"]] == [1, 3, 3, 3, 2]
    assert found["counts"][0] == [0, 1, 1, 0, 0]


def test_of_many_characters_only_the_most_frequent_are_shown(tmp_path: Path) -> None:
    characters = [chr(0x4E00 + i) for i in range(300)]
    vocab, tokens, model = bigram(*characters, *("".join(characters[-50:]),) * 3)
    found = page.bigrams(inputs_of(vocab, tokens))
    assert len(found["shown"]) == len(found["counts"]) == SHOWN and found["shown"][0] == 0
    assert all(i > 250 for i in found["shown"][1:])
    html = page_of(tmp_path, vocab, tokens, {"bigram": model})
    assert "The 40 most frequent of 301 tokens" in html


def test_a_model_that_cannot_run_in_the_page_is_named(tmp_path: Path) -> None:
    vocab, tokens, model = bigram("emma", "ava")
    path = tmp_path / "m.safetensors"
    seen = count_contexts(tokens, len(vocab))
    save_model(path, Ensemble({"a": model}, Gate(seen, np.ones((seen.features, 1)), len(vocab))), vocab)
    line = r"^report.live: mixed is of the family ensemble; the page can run ngram, .*transformer$"
    with pytest.raises(ValueError, match=line):
        page.embed("mixed", path, vocab)
    save_model(path, network("mlp", len(vocab)), vocab)
    with pytest.raises(ValueError, match=r"expected the 2 tokens of vocab.json, found another vocabulary"):
        page.embed("mlp", path, Vocab((".", "a")))


def test_a_model_that_is_too_large_for_the_page_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vocab, tokens, model = bigram("emma", "ava")
    live = {"bigram": model, "mlp": network("mlp", len(vocab))}
    monkeypatch.setattr(page, "MAX_BYTES", 400)
    html = page_of(tmp_path, vocab, tokens, live)
    assert "Too large to include: mlp." in html and '"name":"mlp"' not in html
    monkeypatch.setattr(page, "MAX_BYTES", 4)
    with pytest.raises(ValueError, match=r"^report.live: no model has at most 4 bytes: bigram has \d+, mlp has"):
        page_of(tmp_path, vocab, tokens, live)


@pytest.mark.parametrize(("train", "shown"), [("ava\nemma\n", "emma"), ("ava\nmia\n", "ava")])
def test_the_first_example_is_a_train_name(folder: Path, train: str, shown: str) -> None:
    (folder / "data/splits").mkdir()
    (folder / "data/splits/train.txt").write_text(train)
    assert page.example(Inputs()) == shown
