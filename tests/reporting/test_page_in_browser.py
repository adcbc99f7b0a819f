"""The page in a real browser: its models agree with those in Python, and each chapter does what it says."""

import math
from typing import Any

import numpy as np
import pytest

from conftest import encoded
from live_page import CUT, TOKENS, TRAIN, VOCAB, until
from makemore.core.model import Model, stateful
from makemore.models.mlp import MLP
from makemore.sampling import sampler

pytestmark = pytest.mark.slow

TRIED = [*sorted(set(TRAIN)), "", "юля emma", "\U0001f427" * 3 + "<&", "mmmmmmmm", "ava" * 12]


def test_probabilities_are_those_of_python(page: Any, live: dict[str, Model]) -> None:
    code = (
        "([name, tried]) => tried.map((text) => makemore.score(makemore.models.get(name), makemore.encode(text).tokens)"
    )
    for name, model in live.items():
        found = page.evaluate(f"{code}.distributions.map((probs) => [...probs]))", [name, TRIED])
        for text, distributions in zip(TRIED, found, strict=True):
            tokens = encoded(VOCAB, text) if text else np.zeros(1, dtype=np.int32)
            contexts = np.zeros((len(tokens), 40), dtype=np.int32)
            for i in range(1, len(tokens)):
                contexts[i, -i:] = tokens[:i]
            contexts = contexts if model.context is None else contexts[:, 40 - model.context :]
            np.testing.assert_allclose(distributions, np.exp(model.log_probs(contexts)), atol=1e-5, err_msg=name)


def test_names_at_temperature_0_are_those_of_python(page: Any, live: dict[str, Model]) -> None:
    for name, model in live.items():
        made = page.evaluate("(name) => makemore.finish(makemore.models.get(name), [], 0, () => 0.5).generated", name)
        expected = [0]
        walker = stateful(model)
        state = walker.begin(1)
        while len(expected) <= 50 and (len(expected) == 1 or expected[-1]):
            log_probs, state = walker.advance(state, np.array(expected[-1:], dtype=np.int32))
            expected.append(int(log_probs.argmax()))
        assert made == [token for token in expected if token], name


def test_a_temperature_is_that_of_python(page: Any) -> None:
    probs = np.array([0.5, 0.3, 0.2, 0])
    for temperature in (0, 0.1, 1, 2):
        found = page.evaluate("([probs, t]) => makemore.tempered(probs, t)", [probs.tolist(), temperature])
        np.testing.assert_allclose(found, sampler.tempered(probs[None], temperature)[0], atol=1e-9)


def test_a_name_is_in_train_or_not(page: Any) -> None:
    found = page.evaluate("(names) => names.map(makemore.inTrain)", [*TRAIN, "emm", "emmaa", "", "ляля"])
    assert found == [True] * len(TRAIN) + [False] * 4


# The first screen


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 740)])
def test_the_first_screen_shows_a_live_model(page: Any, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate("scrollTo(0, 0)")
    for part in ("#text", "#model", "#live-cells li:last-child", "#made li:last-child", "#temperature", "#next"):
        box = page.locator(part).bounding_box()
        assert box["y"] > 0 and box["y"] + (0 if part == "#next" else box["height"]) <= height, part
    assert page.locator("#made li").count() == 10
    # on a phone, the slider and its chart are on the screen together
    slider, chart = (page.locator(part).bounding_box() for part in ("#temperature", "#next svg"))
    assert chart["y"] + chart["height"] - slider["y"] < height - 50


def test_a_typed_name_is_scored_by_the_chosen_model(page: Any) -> None:
    page.locator("#model").select_option("none 2")
    page.locator("#text").fill("юe\u0308")  # e and its dots are one character of the list
    cells = page.locator("#live-cells li")
    assert [cell[0] for cell in cells.all_inner_texts()] == ["ю", "ë", "."]
    assert "0 %" in cells.nth(1).inner_text()
    assert page.locator("#live-loss").inner_text() == (
        "Loss of “юë”: ∞ nats per token, perplexity ∞. It is not in train."
    )
    page.locator("#text").fill("\U0001f426 a")
    assert [cell.split()[0] for cell in cells.all_inner_texts()] == ["\U0001f426", "␣", "a", "."]
    page.locator("#text").fill("emma")
    assert page.locator("#live-loss").inner_text().endswith("It is in train.")
    scored = page.locator('[data-model="none 2"]')
    assert scored.locator("b").all_inner_texts() == ["e", "m", "m", "a", "."]
    assert "lowest loss" in page.locator("#scores-said").inner_text()


def test_an_unknown_character_is_named(page: Any) -> None:
    line = f"“Ю” is not among the {len(VOCAB) - 1} characters of the list, “ю” is."
    page.locator("#text").fill("aЮ€")
    assert page.locator("#text-error").inner_text() == page.locator("#loss-error").inner_text() == line
    assert page.locator("#next-title").inner_text() == "Next character"  # not that after the last prefix
    assert not page.locator("#next").is_visible() and not page.locator("#live-cells").is_visible()
    assert page.locator("#made li").count() == 10
    page.locator("#text").fill("a.")
    assert "“.” is not among" in page.locator("#text-error").inner_text()
    page.locator("#text").fill("ava")
    assert page.locator("#text-error").inner_text() == page.locator("#loss-error").inner_text() == ""
    assert page.locator("#next-title").inner_text() == "Next character after “ava”"


def test_names_follow_what_is_chosen(page: Any) -> None:
    def names() -> list[str]:
        found: list[str] = page.locator("#made bdi").all_inner_texts()
        return found

    page.locator("#model").select_option("kneser_ney 5")
    first = names()
    page.get_by_role("button", name="New names").click()
    assert page.locator("#seed").input_value() == "2" and names() != first
    page.locator("#seed").fill("1")
    assert names() == first
    page.locator("#seed").fill("-1")  # not a seed: the last one stays
    assert names() == first
    page.locator("#text").fill("ю")
    page.locator("#continue").check()
    assert all(name.startswith("ю") for name in names())
    page.locator("#model").select_option(CUT)
    page.locator("#text").fill("a")
    page.locator("#temperature").fill("0")
    assert names() == ["a" * 50 + "…"] * 10
    assert page.locator("#temperature-value").inner_text() == "0.0"
    page.locator("#continue").uncheck()


def test_lines_mark_temperature_1_inside_the_bars(page: Any) -> None:
    assert page.locator("#next .level").count() == 0
    page.locator("#temperature").fill("0.5")
    lines = "() => ['.level', '.halo'].map((kind) => document.querySelectorAll(`#next ${kind}`).length)"
    assert page.evaluate(lines) == [page.locator("#next .bar").count()] * 2  # each on a halo, so it shows inside a bar
    assert "temperature 1" in page.locator("#next .readout").inner_text()


# Bigrams


def test_the_matrix_is_read_with_the_keyboard(page: Any) -> None:
    page.locator("#matrix").focus()
    pair = page.locator("#pair strong")
    top = page.evaluate("scrollY")
    last = VOCAB.itos[-1]
    for key, expected in (
        ("Control+Home", ".."),
        ("ArrowRight", f".{VOCAB.itos[1].replace(' ', '␣')}"),
        ("End", f".{last}"),
        ("ArrowRight", f".{last}"),
        ("Control+End", f"{last}{last}"),
        ("Home", f"{last}."),
        ("PageUp", ".."),
    ):
        page.keyboard.press(key)
        assert pair.inner_text() == expected, key
    assert page.evaluate("scrollY") == top  # the page stays where it is
    page.keyboard.press("ArrowRight")
    begun = TOKENS[np.flatnonzero(np.roll(TOKENS, 1) == 0)]
    assert page.locator("#pair dd").first.inner_text().startswith(f"{int((begun == 1).sum())} of ")
    page.locator("#matrix rect.cell").nth(3).hover(force=True)
    assert pair.inner_text() == f".{VOCAB.itos[3]}"


def test_the_matrix_can_be_touched(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    size = page.locator("#matrix rect.cell").first.bounding_box()
    assert size["width"] > 23 and size["height"] > 23
    assert "touch" in page.locator("#bigrams p").first.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") == 360


# Linked views


def test_a_character_is_selected_everywhere(page: Any) -> None:
    page.locator("#model").select_option("none 2")
    page.locator("#text").fill("av")
    page.locator("#live-cells li").nth(1).hover()  # v after a
    stoi = VOCAB.stoi
    pair = f"{stoi['a']},{stoi['v']}"
    assert page.locator("#pair strong").inner_text() == "av"
    styles = """(pair) => [`#live-cells [data-pair="${pair}"]`, `#loss-chart [data-pair="${pair}"]`,
        `#embedding-chart [data-token="${pair.split(",")[1]}"]`].map((place) => {
            const style = getComputedStyle(document.querySelector(place));
            return [style.outlineStyle, style.strokeWidth];
        })"""
    cell, bar, point = page.evaluate(styles, pair)
    assert cell[0] == "solid" and bar[1] == point[1] == "2.5px"
    page.locator(f'#embedding-chart [data-token="{stoi["m"]}"]').hover(force=True)
    assert page.locator("#pair strong").inner_text() == "am"
    page.locator("#next").focus()
    page.keyboard.press("Home")
    assert page.locator("#pair strong").inner_text() == "v."  # what may come next follows the last character


def test_every_chart_has_text_and_a_readout(page: Any) -> None:
    texts = page.evaluate("""[...document.querySelectorAll(".chart svg")].map((chart) =>
        [chart.parentElement.id, chart.getAttribute("role"), chart.getAttribute("aria-label"),
         ...[...chart.children].slice(0, 2).map((part) => part.textContent)])""")
    assert len(texts) > 12
    for name, role, label, title, description in texts:
        assert role == "img" and len(title) > 8 and len(description) > 10 and label == f"{title}. {description}", name
    silent = page.evaluate("""() => [...document.querySelectorAll(".chart")].filter((chart) => {
        if (chart.id === "matrix" || !chart.querySelector("svg")) return false; // its readout is beside it
        const line = chart.querySelector(".readout");
        for (const key of ["End", "Home"]) chart.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
        return !line?.matches(".read") || !line.textContent || chart.tabIndex !== 0;
    }).map((chart) => chart.outerHTML.slice(0, 80))""")
    assert silent == []


def test_the_numbers_of_a_chart_open_as_a_table(page: Any) -> None:
    opened = "for (const details of document.querySelectorAll('details.numbers')) details.open = "
    page.evaluate(f"() => {{ {opened} true }}")
    for details in page.locator("details.numbers").all():
        details.locator("tbody tr").first.wait_for()
    page.evaluate(f"() => {{ {opened} false }}")


# Sampling


def test_sampling_goes_step_by_step(page: Any) -> None:
    step, said = page.locator("#sampling-step"), page.locator("#sampling-said")
    page.locator("#sampling-model").select_option("none 2")
    numbers = page.evaluate("() => { const random = makemore.generator(1); return [random(), random()]; }")
    probs = page.evaluate("[...makemore.score(makemore.models.get('none 2'), []).distributions[0]]")
    assert step.inner_text() == "Draw u" and page.locator("#sampling-bar .pin").count() == 0
    step.click()
    chosen = int(np.searchsorted(np.cumsum(probs), numbers[0], side="right"))
    assert said.inner_text().startswith(f"u = {numbers[0]:.4f} falls on {VOCAB.itos[chosen]}, which covers ")
    assert page.locator("#sampling-bar .picked").count() >= 1
    assert page.locator("#sampling-walk .visited").count() == 1  # the walk is lit up in the matrix
    step.click()
    assert page.locator("#sampling-title").inner_text() == f"Probabilities of none 2 after “{VOCAB.itos[chosen]}”"
    assert page.locator("#sampling-name b").all_inner_texts() == [".", VOCAB.itos[chosen]]
    for _ in range(200):
        if page.locator("#sampling-names li").count() == 3:
            break
        step.click()
    walked = page.locator("#sampling-names li").all_inner_texts()
    made = page.evaluate("""() => {
        const random = makemore.generator(1);
        return [0, 0, 0].map(() => makemore.finish(makemore.models.get("none 2"), [], 1, random).generated);
    }""")
    assert walked == ["".join(VOCAB.itos[token] for token in name) for name in made]  # as on the first screen
    page.locator("#sampling-replay").click()
    assert page.locator("#sampling-names li").count() == 0 and step.inner_text() == "Draw u"
    page.locator("#sampling-seeded").click()
    assert page.locator("#sampling-seed").input_value() == page.locator("#seed").input_value() == "2"


def test_sampling_plays_and_pauses(page: Any) -> None:
    play = page.locator("#sampling-play")
    play.click()
    assert play.inner_text() == "Pause"
    page.locator("#sampling-bar .pin-head").first.wait_for()
    play.click()
    assert play.inner_text() == "Play"


# The loss


def test_the_loss_is_built_up(page: Any, live: dict[str, Model]) -> None:
    page.locator("#loss-model").select_option("kneser_ney 5")
    page.locator("#loss-text").fill("emma")
    assert page.locator("#text").input_value() == "emma" and page.locator("#model").input_value() == "kneser_ney 5"
    losses = -live["kneser_ney 5"].token_log_probs(encoded(VOCAB, "emma"))
    rows = page.locator("#loss-table tbody tr").all()
    shown = [[float(cell) for cell in row.locator("td").all_inner_texts()] for row in rows]
    np.testing.assert_allclose(shown[0], np.exp(-losses), rtol=6e-3)
    np.testing.assert_allclose(shown[1], losses, atol=6e-4)
    np.testing.assert_allclose(shown[2], np.cumsum(losses), atol=6e-4)
    said = page.locator("#loss-sum").inner_text()
    assert f"Sum {losses.sum():.3f} ÷ 5 tokens = {losses.mean():.3f} nats per token" in said
    assert f"= {math.exp(losses.mean()):.2f}: on average" in said
    assert page.locator("#loss-known").inner_text() == "“emma” is in train: the models have seen it."
    page.locator("#model").select_option("none 2")
    page.locator("#loss-text").fill("юe")
    assert "∞ nats per token" in page.locator("#loss-sum").inner_text()
    assert page.locator("#loss-known").inner_text() == "“юe” is not in train."


# The MLP


def test_the_forward_pass_is_that_of_python(page: Any, live: dict[str, Model]) -> None:
    model = live["mlp True"]
    assert isinstance(model, MLP)
    page.locator("#context").fill("юm")
    T, context = model.context, encoded(VOCAB, "юm")[:-1]
    padded = np.concatenate([np.zeros(T, dtype=np.int32), context])[-T:]
    C, W1, b1, W2 = (getattr(model, name).detach().numpy() for name in ("C", "W1", "b1", "W2"))
    inputs = C[padded].ravel() @ W1 + b1

    def read(chart: str, *keys: str) -> str:
        page.locator(chart).focus()
        for key in keys:
            page.keyboard.press(key)
        text: str = page.locator(f"{chart} .readout").inner_text()
        return text

    def shown(value: float, digits: int = 3) -> str:
        return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")

    assert read("#mlp-rows", "End") == f"C[m], number {C.shape[1]}: {shown(C[padded[-1], -1])}"
    assert read("#mlp-units", "Home", "ArrowRight") == f"unit 1: tanh({shown(inputs[1])}) = {shown(np.tanh(inputs[1]))}"
    assert page.locator("#unit-title").inner_text() == "What unit 1 responds to"  # the unit pointed at is described
    H = len(b1)
    driven = (
        (C @ W1.reshape(T, -1, H)[:, :, 1]) if T == 1 else np.einsum("vc,tch->tvh", C, W1.reshape(T, -1, H))[..., 1]
    )
    first = f". as character 1 of {T} adds {shown(driven[0, 0])} to the input of unit 1"
    assert read("#unit-chart", "Home") == first
    assert f"= {shown(inputs[1], 2)}, and tanh of it is" in page.locator("#unit-said").inner_text()
    assert f"adds {shown(W2[1, -1])} to the logit" in read("#unit-chart", "End")
    probs = np.exp(model.log_probs(padded[None])[0])
    assert read("#mlp-probs", "Home").startswith("end: logit ")
    likely = int(probs.argmax())
    first, share = page.locator("#mlp-probs svg desc").text_content().split(": ")[1].split(", ")[0].rsplit(" ", 2)[:2]
    assert first == (VOCAB.itos[likely] if likely else "end") and float(share) == pytest.approx(
        100 * probs[likely], 6e-3
    )
    page.locator("#mlp-units .signed").nth(2).hover(force=True)
    assert page.locator("#mlp-units .readout").inner_text().startswith("unit 2: ")
    page.locator("#context").fill("Ю")
    assert "is not among" in page.locator("#context-error").inner_text()


def test_the_embedding_marks_vowels_and_says_what_it_explains(page: Any) -> None:
    vowels = {character for character in VOCAB.itos if character in "aeiouюяë"}
    found = page.locator("#embedding-chart .on-vowel").all_text_contents()
    assert set(found) == vowels and "explain 50 % of their variance" in page.locator("#embedding-note").inner_text()


# The state in the address


def test_a_view_can_be_sent(page: Any, started: Any, address: str) -> None:
    page.locator("#model").select_option("</script><b>&amp;")
    page.locator("#text").fill("&<b>♥#=")
    page.locator("#text").fill("<e>")
    page.locator("#temperature").fill("0.5")
    page.locator("#seed").fill("7")
    names = page.locator("#made").inner_text()
    until(page, "location.hash.includes('seed=7') && location.hash.includes('temperature=0.5')")
    page.locator("nav").get_by_text("Loss").click()
    until(page, "location.hash.startsWith('#loss&model=')")
    sent = started.new_page(reduced_motion="reduce")
    sent.goto(page.url)
    until(sent, "Math.abs(document.getElementById('loss').getBoundingClientRect().top) < 100")
    assert sent.locator("#made").inner_text() == names
    fields = [sent.locator(f"#{key}").input_value() for key in ("model", "text", "temperature", "seed")]
    assert fields == ["</script><b>&amp;", "<e>", "0.5", "7"]
    sent.goto(f"{address}#loss&model=nothing&text={'a' * 60}&temperature=9&seed=-1")  # what is wrong is ignored
    until(sent, "document.getElementById('text').value.length === 50")
    assert [sent.locator(f"#{key}").input_value() for key in ("temperature", "seed")] == ["0.5", "7"]
    until(sent, "Math.abs(document.getElementById('loss').getBoundingClientRect().top) < 100")
    sent.close()
