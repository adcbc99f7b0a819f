"""The page in a real browser: its models agree with those in Python, and it is accessible."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import browser
from conftest import additive, encoded, network, page_of, text_of
from makemore.core.model import Model, family_of, stateful
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import NgramParams, fit
from makemore.models.recurrent import GATES
from makemore.reporting.page import FAMILIES
from makemore.sampling import sampler

pytest.importorskip("playwright", reason="needs playwright: pip install playwright")
if browser.executable() is None:
    pytest.skip(f"needs a browser, one of {', '.join(browser.NAMES)}", allow_module_level=True)

# Characters of one, two and four bytes, a space, a combining mark, and the special characters of HTML and JSON.
TRAIN = ["emma", "ava", "mia", "am", "emma", "ewa", "ля", "юля", "a a", "\U0001f426\U0001f427", "aaaaaaa", "<e>"] * 2
TRAIN += ['&"', "ë", "m̄a"] * 2
TRIED = [*sorted(set(TRAIN)), "", "юля emma", "\U0001f427" * 3 + "<&", "mmmmmmmm", "ava" * 12]
VOCAB = Vocab.of(text_of(*TRAIN))
TOKENS = encoded(VOCAB, *TRAIN)
CUT = "cut at 50"


def counted(smoothing: str, order: int, strength: object = None, position: int = 0) -> Model:
    values = {"smoothing": smoothing, "order": order, "strength": strength, "position": position}
    return fit(NgramParams.model_validate(values), TOKENS, len(VOCAB))


def shaken(family: str, **changes: object) -> Model:
    """A network to which no two characters are alike: its biases and output weights are random too."""
    model, generator = network(family, len(VOCAB), **changes), torch.Generator().manual_seed(1)
    for name, weight in model.named_parameters():
        if weight.ndim == 1 or name.startswith("output"):
            weight.data += torch.randn(weight.shape, generator=generator)
    return model


@pytest.fixture(scope="module")
def live() -> dict[str, Model]:
    """Models of every family, with every smoothing and cell."""
    found = {f"none {order}": counted("none", order) for order in (1, 2, 4)}
    found |= {f"additive {order}": counted("additive", order, 0.3, position) for order, position in ((1, 0), (3, 2))}
    strengths = {"jelinek_mercer": 0.4, "witten_bell": 0.7, "kneser_ney": None, "power_law": 0.6}
    for smoothing, strength in strengths.items():
        found[f"{smoothing} 5"] = counted(smoothing, 5, strength)
        found[f"{smoothing} with positions"] = counted(smoothing, 4, strength, 6)
    found |= {f"kneser_ney {order}": counted("kneser_ney", order) for order in (1, 2)}
    found["power_law, one strength per order"] = counted("power_law", 3, [0.2, 0.5, 0.9], 1)
    found["neural_bigram"] = network("neural_bigram", len(VOCAB))
    found |= {f"mlp {direct}": shaken("mlp", initialization="randn", direct=direct) for direct in (True, False)}
    found |= {f"{cell} {layers}": shaken("recurrent", cell=cell, layers=layers) for cell in GATES for layers in (1, 2)}
    found["bow"] = shaken("bow")
    found |= {f"wavenet of kernel {kernel}": shaken("wavenet", layers=5 - kernel, kernel=kernel) for kernel in (2, 3)}
    found["transformer"] = shaken("transformer")
    found[CUT] = fit(additive(2, 0), encoded(VOCAB, "a" * 1000), len(VOCAB))
    found["</script><b>&amp;"] = counted("none", 2)
    assert {family_of(model) for model in found.values()} == set(FAMILIES)
    return found


@pytest.fixture(scope="module")
def address(live: dict[str, Model], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("page")
    file = folder / "report.html"
    file.write_text(
        page_of(folder, VOCAB, TOKENS, live, "# A\n\n## B\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"), "utf-8"
    )
    return file.as_uri()


@pytest.fixture(scope="module")
def started() -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from playwright itself
        with browser.browser() as running:
            yield running


@pytest.fixture(scope="module")
def shared(started: Any, address: str) -> Iterator[tuple[Any, list[str]]]:
    """The page, opened once, and all errors, dialogs and network requests so far."""
    page, found = started.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce"), []
    page.set_default_timeout(5000)
    page.on("console", lambda message: found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("dialog", lambda dialog: found.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: found.append(f"request: {request.url}") if request.url != address else None)
    page.goto(address)
    yield page, found
    page.close()


@pytest.fixture
def page(shared: tuple[Any, list[str]]) -> Iterator[Any]:
    """The page; a test fails if it caused an error, a dialog or a network request."""
    yield shared[0]
    assert shared[1] == []


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
        made = page.evaluate("(name) => makemore.finish(makemore.models.get(name), [], 0, 50).generated", name)
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


def test_a_typed_name_is_scored(page: Any) -> None:
    page.get_by_label("Name", exact=True).fill("юe\u0308")  # e and its dots are one character of the list
    cells = page.locator('[data-model="none 2"] li')
    assert [cell[0] for cell in cells.all_inner_texts()] == ["ю", "ë", "."]
    figures = page.locator('[data-model="none 2"] dd').all_inner_texts()
    assert figures == ["∞", "∞"] and "0 %" in cells.nth(1).inner_text()
    page.get_by_label("Name", exact=True).fill("\U0001f426 a")
    assert [cell.split()[0] for cell in cells.all_inner_texts()] == ["\U0001f426", "␣", "a", "."]
    page.wait_for_function("document.getElementById('scores-said').textContent.includes('lowest loss')")


def test_an_unknown_character_is_named(page: Any) -> None:
    for label, where in (("Name", "#name-error"), ("Prefix", "#prefix-error")):
        page.get_by_label(label, exact=True).fill("aЮ€")
        assert (
            page.locator(where).inner_text() == f"“Ю” is not among the {len(VOCAB) - 1} characters of the list, “ю” is."
        )
        page.get_by_label(label, exact=True).fill("a.")
        assert "“.” is not among" in page.locator(where).inner_text()
        page.get_by_label(label, exact=True).fill("ava")
        assert page.locator(where).inner_text() == ""


def test_a_model_finishes_a_prefix(page: Any) -> None:
    page.locator("#model").select_option("kneser_ney 5")
    page.locator("#prefix").fill("ю")
    page.locator("#prefix").press("Enter")
    names = page.locator("#made li b").all_inner_texts()
    assert len(names) == 10 and all(name.startswith("ю") and len(name) <= 51 for name in names)
    assert "ля" in page.locator("#next").inner_text() or page.locator("#next svg[role=img]").count() == 1
    page.locator("#model").select_option(CUT)
    page.locator("#prefix").fill("a")
    page.locator("#temperature").fill("0")
    page.get_by_role("button", name="Generate 10 names").click()
    assert page.locator("#made li b").first.inner_text() == "a" * 50 + "…"
    assert page.locator("output").inner_text() == "0.0"


def test_everything_is_reached_by_keyboard(page: Any) -> None:
    page.locator(".skip").focus()
    reached = ["Skip to the models"]
    while len(reached) < 60 and reached[-1] != "matrix":
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    wanted = [
        "Skip to the models",
        "makemore",
        "Exercises",
        "theme",
        "name",
        "prefix",
        "model",
        "temperature",
        "matrix",
    ]
    assert [place for place in reached if place in wanted] == wanted and "Generate 10 names" in reached
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    before = page.locator("#pair strong").inner_text()
    for key in ("ArrowUp", "ArrowLeft") * len(VOCAB):
        page.keyboard.press(key)
    page.keyboard.press("ArrowRight")
    first = VOCAB.itos[1].replace(" ", "␣")
    assert page.locator("#pair strong").inner_text() == f".{first}" != before
    begun = TOKENS[np.flatnonzero(np.roll(TOKENS, 1) == 0)]
    assert page.locator("#pair dd").first.inner_text() == str(int((begun == 1).sum()))
    page.locator("#matrix rect.cell").nth(3).hover(force=True)
    assert page.locator("#pair strong").inner_text() == f".{VOCAB.itos[3]}"


def test_charts_have_text_and_inputs_have_labels(page: Any) -> None:
    texts = page.evaluate("""[...document.querySelectorAll("svg")].map((chart) =>
        [chart.getAttribute("role"), chart.getAttribute("aria-label"), ...[...chart.children].slice(0, 2).map((part) =>
            part.textContent)])""")
    assert len(texts) > 8
    for role, label, title, description in texts:
        assert role == "img" and len(title) > 10 and len(description) > 20 and label == f"{title}. {description}"
    unlabelled = "[...document.querySelectorAll('input, select')].filter((input) => !input.labels.length).length"
    assert page.evaluate(unlabelled) == 0
    page.locator("#smoothing summary").click()
    page.locator("#smoothing tbody").wait_for()
    assert page.locator("#smoothing tbody tr").count() == 3 and "∞" not in page.locator("#smoothing").inner_text()


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_nothing_is_wider_than_the_screen(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.get_by_label("Name", exact=True).fill("m" * 50)
    wide = """() => [...document.querySelectorAll("main *")].filter((node) => !node.closest(".scroll, .said") &&
        node.getBoundingClientRect().right > innerWidth + 1).map((node) => node.outerHTML.slice(0, 80))"""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(wide) == []
    page.set_viewport_size({"width": 1280, "height": 900})


CONTRAST = """() => {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = color;
    pixel.fillRect(0, 0, 1, 1);
    return [...pixel.getImageData(0, 0, 1, 1).data];
  };
  const known = new Map();
  const luminance = (color) => {
    if (!known.has(color)) known.set(color, computed(color));
    return known.get(color);
  };
  const computed = (color) => {
    const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgba(color).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = getComputedStyle(node).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return color;
    }
  };
  const cells = new Set([...document.querySelectorAll(".cell")].map((cell) => getComputedStyle(cell).fill));
  const faint = [];
  for (const node of document.querySelectorAll("main *, nav *")) {
    const text = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!text || node.closest("title, desc, .skip, .said, option") || !node.getClientRects().length) continue;
    const inSvg = node.closest("svg");
    const color = getComputedStyle(node)[inSvg ? "fill" : "color"];
    for (const back of node.matches(".tiny") ? cells : [behind(inSvg ? inSvg.parentElement : node)]) {
      const [a, b] = [luminance(color), luminance(back)].sort((x, y) => x - y);
      const ratio = (b + 0.05) / (a + 0.05);
      if (ratio < 4.5) faint.push(`${node.tagName} ${node.getAttribute("class")} ${node.textContent}: ${ratio}`);
    }
  }
  return [...new Set(faint)];
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_light_and_dark(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.get_by_label("Name", exact=True).fill("aaava")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert page.evaluate(CONTRAST) == []  # at least 4.5, as WCAG 2 has it
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background
    assert page.evaluate(CONTRAST) == []
    page.evaluate("delete document.documentElement.dataset.theme")
