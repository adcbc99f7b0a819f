"""Smoothing, the training of the neural bigram, the sweep, the models: what moves, and its numbers."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import RECIPE, additive, backwards, encoded, page_of
from live_page import EXERCISES, TOKENS, VOCAB, until
from makemore.core.model import Model
from makemore.core.params import Section
from makemore.core.vocab import Tokens
from makemore.models.neural_bigram import NeuralBigram
from makemore.models.ngram.model import fit
from makemore.nn.neural import distinct_examples
from makemore.reporting import page as page_module
from makemore.reporting.initial import randn
from makemore.training.loop import Plan, train_network
from makemore.training.optimizers import SGD, Group

V = len(VOCAB)


def slide(page: Any, slider: str, position: int) -> None:
    page.locator(slider).evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", position
    )


def smoothed(order: int, strength: float) -> Model:
    return fit(additive(order, strength), TOKENS, V)


def nll(model: Model, tokens: Tokens) -> float:
    with np.errstate(divide="ignore"):
        return float(-model.token_log_probs(tokens).mean())


def shown(loss: float, digits: int = 4) -> str:
    return f"{loss:.{digits}f}" if math.isfinite(loss) else "∞"


@pytest.mark.parametrize(("position", "strength"), [(0, 0), (21, 0.01), (61, 1), (101, 100)])
def test_one_slider_moves_the_losses_the_name_and_the_row(page: Any, position: int, strength: float) -> None:
    slide(page, "#strength", position)
    assert page.locator("#strength-value").inner_text() == f"{strength:g}"
    rows = page.locator("#smoothing-losses tbody tr").all_inner_texts()
    models = {"bigram": smoothed(2, strength), "trigram": smoothed(3, strength)}
    expected = [
        [name, *(shown(nll(model, tokens)) for tokens in (TOKENS, backwards(TOKENS)))] for name, model in models.items()
    ]
    assert [row.split() for row in rows] == expected
    assert "∞" not in rows[0] or strength == 0

    page.locator("#smoothing-name").fill("amma")
    said = page.locator("#smoothing-scores .note").all_inner_texts()
    losses = [shown(nll(model, encoded(VOCAB, "amma")), 3) for model in models.values()]
    assert [text.split()[0] for text in said] == losses

    page.locator("#smoothing-row").select_option(str(VOCAB.stoi["m"]))
    page.locator("#smoothing-bars").focus()
    page.keyboard.press("Home")
    probability = math.exp(models["bigram"].log_probs(np.array([[VOCAB.stoi["m"]]], dtype=np.int32))[0, 0])
    text = page.locator("#smoothing-bars .readout").inner_text()
    assert text.startswith("m.: count 2, ") and float(text.split()[-3]) / 100 == pytest.approx(probability, rel=0.05)


def test_without_smoothing_a_name_is_impossible(page: Any) -> None:
    slide(page, "#strength", 0)
    page.locator("#smoothing-name").fill("юe\u0308")  # a pair that no name has
    assert page.locator("#smoothing-scores .note").first.inner_text() == "∞ nats per token, perplexity ∞"
    slide(page, "#strength", 61)
    assert "∞" not in page.locator("#smoothing-scores").inner_text()
    page.locator("#smoothing-name").fill("€")
    assert "“€” is not among" in page.locator("#smoothing-error").inner_text()
    page.locator("#smoothing-name").fill("ava")


def trained() -> list[float]:
    contexts, targets = distinct_examples(TOKENS, 1, V)
    network = NeuralBigram(Section(), V, torch.Generator().manual_seed(int(RECIPE["seed"])))
    rows = train_network(
        network,
        lambda: network.regularized_loss(contexts, targets.all(), RECIPE["regularization"]),
        SGD([Group(list(network.parameters()))]),
        Plan(int(RECIPE["steps"]), lambda step: RECIPE["lr"]),
    )
    return [row[1] for row in rows]


def test_the_neural_bigram_trains_as_in_python(page: Any) -> None:
    page.locator("#reset-network").click()
    page.locator("#step-network").click()
    assert page.locator("#network-status").inner_text().startswith("Step 1 of 20: loss ")
    page.locator("#train-network").click()
    until(page, "document.getElementById('network-status').textContent.startsWith('Step 20 of 20')")
    assert page.locator("#train-network").inner_text() == "Train"
    page.locator("#neural-bigram summary").click()
    page.locator("#neural-bigram tbody tr").first.wait_for()
    cells = page.locator("#neural-bigram tbody tr").all_inner_texts()
    losses = trained()
    found = {int(step): float(loss) for step, loss in (row.split() for row in cells)}
    assert found == {step: pytest.approx(losses[step - 1], abs=1e-4) for step in (1, 10, 20)}
    page.locator("#network-W").focus()
    page.keyboard.press("Home")
    learned, counts = page.locator("#network-W .readout").inner_text().split(", counts ")
    assert learned.startswith("..: ln p -") and "∞ (0 %)" in counts


def test_a_drag_shows_trainings_that_are_slow_good_and_diverge(page: Any) -> None:
    said = []
    for position in range(81):
        slide(page, "#rate", position)
        verdict = page.locator("#network-verdict").inner_text().split(":")[0]
        said += [verdict] if verdict not in said[-1:] else []
    assert said == ["Too slow", "Good", "Too high", "Diverging"]
    assert page.locator("#rate-value").inner_text() == "1000"
    assert page.locator("#network-status").inner_text().startswith("Step 0 of 20")
    slide(page, "#rate", 54)


def test_a_large_vocabulary_is_not_trained_in_the_page(
    started: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "MAX_UPDATES", 100)
    monkeypatch.setattr(page_module.additive, "MAX_TRIGRAMS", 3)
    (tmp_path / "report.html").write_text(page_of(tmp_path, VOCAB, TOKENS, {"m": smoothed(2, 1)}, EXERCISES), "utf-8")
    opened = started.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto((tmp_path / "report.html").as_uri())
    opened.evaluate("makemore.startAll()")
    assert f"{V**2} weights" in opened.locator("#network-missing").inner_text()
    assert not opened.locator("#network").is_visible() and not opened.locator("#smoothing-views").is_visible()
    slide(opened, "#strength", 61)
    assert shown(nll(smoothed(2, 1), TOKENS)) in opened.locator("#smoothing-losses").inner_text()
    opened.close()
    assert errors == []


@pytest.mark.parametrize("size", [4, 27, 40])
def test_initial_weights_are_those_of_torch(size: int) -> None:
    drawn = torch.randn(size, size, generator=torch.Generator().manual_seed(2147483647)).numpy()
    np.testing.assert_allclose(randn((size, size), 2147483647), drawn, atol=5e-6)


def test_the_sweep_has_a_running_mean_and_an_enlarged_minimum(page: Any) -> None:
    for name in "rates-chart", "minimum-chart":
        page.locator(f"#{name}").focus()
        page.keyboard.press("End")
        assert ", running mean " in page.locator(f"#{name} .readout").inner_text()
        assert page.locator(f"#{name} .mean").count() == page.locator(f"#{name} .noisy").count() == 1
    assert page.locator("#rates-chart .readout").inner_text().startswith("learning rate 100: loss ")


def order(page: Any) -> list[str]:
    return page.locator("#models-table tbody tr:not(.family) th").all_inner_texts()


def test_the_table_of_models_is_sorted_and_grouped(page: Any) -> None:
    families = page.locator("#models-table .family th").all_inner_texts()
    assert set(families) >= {"n-gram", "MLP", "recurrent"} and len(set(families)) == len(families)
    assert page.locator("[aria-sort=ascending]").inner_text() == "dev"
    names = order(page)
    page.get_by_role("button", name="model", exact=True).click()
    assert order(page) != names and page.locator("[aria-sort=ascending]").inner_text().startswith("model")
    page.get_by_label("Group by family").uncheck()
    assert page.locator("#models-table .family").count() == 0
    assert [name.lower() for name in order(page)] == sorted([name.lower() for name in names], key=lambda name: name)
    page.get_by_role("button", name="model", exact=True).click()
    assert page.locator("[aria-sort=descending]").count() == 1
    page.get_by_label("Group by family").check()
    page.get_by_role("button", name="dev", exact=True).click()
    assert page.locator("#models-table .family").count() == len(families)


def test_cards_are_open_on_a_wide_screen_and_lead_to_the_live_model(page: Any) -> None:
    cards = page.locator("#models .card")
    assert cards.count() == len(order(page)) and page.locator("#models .card[open]").count() == cards.count()
    cards.nth(1).get_by_text("try it").click()
    assert page.evaluate("makemore.state.model") == cards.nth(1).locator("h3").inner_text()
    page.set_viewport_size({"width": 360, "height": 740})
    until(page, "!document.querySelector('#models .card[open]')")


def test_links_to_files_are_links_only_where_the_pipeline_writes_the_page(started: Any, tmp_path: Path) -> None:
    html = page_of(tmp_path, VOCAB, TOKENS, {"m": smoothed(2, 1)}, "# A\n\n## B\n\n[log](log.md)\n")
    for place, links in (("metrics/report.html", 2), ("report.html", 0)):
        file = tmp_path / place
        file.parent.mkdir(exist_ok=True)
        file.write_text(html, "utf-8")
        opened = started.new_page()
        opened.goto(file.as_uri())
        opened.evaluate("makemore.startAll()")
        assert opened.locator("#exercises a[data-local][href]").count() == links
        assert opened.locator("#exercises").get_by_text("log", exact=True).count() == 1
        opened.close()
