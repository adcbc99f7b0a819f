"""The page's quality: accessible, valid, readable at every width, in light and dark, in print and forced colours."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from checkout import ROOT
from conftest import additive, encoded, network, page_of, text_of
from live_page import CUT, until
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import fit

pytestmark = pytest.mark.slow

SCHEMES = ["light", "dark"]


def axe_violations(page: Any) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{fault['id']} ({fault['impact']}): {[node['html'][:90] for node in fault['nodes'][:3]]}" for fault in found
    ]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    assert axe_violations(page) == []  # of any level, best practices included
    page.locator("#text").fill("aЮ€")
    page.set_viewport_size({"width": 360, "height": 740})
    assert axe_violations(page) == []


def test_the_html_is_valid(address: str, tmp_path: Path) -> None:
    validate = ROOT / "node_modules" / ".bin" / "html-validate"
    if not validate.exists() or not shutil.which("node"):
        pytest.skip("needs html-validate: npm ci")
    html = Path(address.removeprefix("file://")).read_text("utf-8")
    file = tmp_path / "report.html"
    file.write_text(re.sub(r'(id="data">).*?(</script>)', r"\1{}\2", html, flags=re.S), "utf-8")
    done = subprocess.run([validate, "--config", ROOT / ".htmlvalidate.json", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


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
  const fills = (place) => new Set([...document.querySelectorAll(place)].map((node) => getComputedStyle(node).fill));
  const cells = fills(".cell");
  const faint = [];
  for (const node of document.querySelectorAll("main *, nav *")) {
    const text = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (!text || node.closest("title, desc, .skip, .said, option") || !node.getClientRects().length) continue;
    const inSvg = node.closest("svg");
    const color = getComputedStyle(node)[inSvg ? "fill" : "color"];
    const under = [[".tiny", cells], [".picked-text", fills(".picked")], [".on-vowel", fills(".point.vowel")]];
    const own = under.find(([place]) => node.matches(place))?.[1];
    for (const back of own ?? [behind(inSvg ? inSvg.parentElement : node)]) {
      const [a, b] = [luminance(color), luminance(back)].sort((x, y) => x - y);
      const ratio = (b + 0.05) / (a + 0.05);
      if (ratio < 4.5) faint.push(`${node.tagName} ${node.getAttribute("class")} ${node.textContent}: ${ratio}`);
    }
  }
  return [...new Set(faint)];
}"""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_text_can_be_read(page: Any, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    page.locator("#text").fill("aaava")
    page.locator("#sampling-step").click()
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert page.evaluate(CONTRAST) == []  # at least 4.5, as WCAG 2 has it
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != background
    assert page.evaluate(CONTRAST) == []
    page.locator("#theme").click()


def test_the_theme_is_kept(started: Any, address: str) -> None:
    context = started.new_context(color_scheme="light")
    page = context.new_page()
    page.goto(address)
    page.get_by_role("button", name="Dark").click()
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)

    def reloaded() -> Any:
        page.reload()
        return page.evaluate(background)

    assert any(reloaded() == dark for _ in range(20))  # the browser stores what a page keeps some time later
    assert page.locator("#theme").inner_text() == "Light"
    context.close()


@pytest.mark.parametrize("width", [320, 360, 768, 1280, 1920])
def test_nothing_is_wider_than_the_screen(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 740})
    page.locator("#text").fill("m" * 50)
    page.locator("#continue").check()
    until(page, "innerWidth === document.documentElement.clientWidth")
    wide = """() => [...document.querySelectorAll("main *")].filter((node) => !node.closest(".scroll, .said") &&
        node.getBoundingClientRect().right > innerWidth + 1).map((node) => node.outerHTML.slice(0, 80))"""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(wide) == []
    page.locator("#continue").uncheck()


def test_everything_is_reached_by_keyboard(page: Any) -> None:
    page.locator(".skip").focus()
    reached = ["Skip to the models"]
    while len(reached) < 120 and reached[-1] != "embedding-chart":
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    wanted = ["Skip to the models", "Try it", "Exercises", "theme", "text", "model", "again", "seed", "continue"]
    wanted += ["temperature", "next", "matrix", "sampling-model", "sampling-step", "sampling-play", "sampling-replay"]
    wanted += ["sampling-bar", "loss-text", "loss-chart", "context", "mlp-rows", "mlp-units", "unit-chart"]
    assert [place for place in reached if place in wanted] == wanted and reached[-1] == "embedding-chart"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_navigation_follows_on_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("document.getElementById('exercises').scrollIntoView()")
    until(page, "document.querySelector('nav a[aria-current]')?.textContent === 'Exercises'")
    inside = """() => { const link = document.querySelector("nav a[aria-current]").getBoundingClientRect();
        const bar = document.querySelector("nav div").getBoundingClientRect();
        return link.left >= bar.left - 1 && link.right <= bar.right + 1; }"""
    until(page, f"({inside})()")
    page.evaluate("scrollTo(0, 0)")


def test_print_shows_everything_in_black_on_white(page: Any) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 720, "height": 1000})
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for hidden in ("nav", "#theme", "#temperature", "#sampling-step"):
        assert not page.locator(hidden).is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.cell')).printColorAdjust") == "exact"
    cut = """() => [...document.querySelectorAll("main *")].filter((node) => !node.closest(".said, svg") &&
        node.getClientRects().length && node.getBoundingClientRect().right > innerWidth + 1)
        .map((node) => node.outerHTML.slice(0, 80))"""
    assert page.evaluate(cut) == []
    page.emulate_media(media="screen", color_scheme="light")


def test_shading_survives_forced_colours(page: Any) -> None:
    shades = """() => [".cells li:last-child", "#matrix .cell"].map((place) => {
        const shown = [...document.querySelectorAll(place)].map((node) => getComputedStyle(node));
        return new Set(shown.map((style) => style.backgroundColor + style.fill)).size; })"""
    before = page.evaluate(shades)
    page.emulate_media(forced_colors="active")
    assert page.evaluate(shades) == before
    page.emulate_media(forced_colors="none")


def test_landmarks_and_controls_have_names_of_their_own(page: Any) -> None:
    names = page.evaluate("""() => [...document.querySelectorAll("[role=region], nav, section.scroll")]
        .map((node) => node.getAttribute("aria-label"))""")
    assert len(names) > 3 and len(set(names)) == len(names) and None not in names
    unlabelled = "[...document.querySelectorAll('input, select')].filter((field) => field.labels.length !== 1)"
    assert page.evaluate(f"{unlabelled}.map((field) => field.outerHTML)") == []
    doubled = """() => [...document.querySelectorAll("label")]
        .map((label) => [...label.querySelectorAll("input, select, output")])
        .filter((controls) => controls.length > 1).map(([control]) => control.id)"""
    assert page.evaluate(doubled) == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(set(ids)) == len(ids)


def test_the_page_has_a_description_and_an_icon(page: Any) -> None:
    assert "language models" in page.locator("meta[name=description]").get_attribute("content")
    assert page.locator("link[rel=icon]").get_attribute("href").startswith("data:image/svg+xml,")


def test_warm_means_less_likely_and_nothing_else(page: Any) -> None:
    colours = page.evaluate("""() => { const probe = document.createElement("i");
        document.body.append(probe);
        const of = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
        const found = ["warm", "cool", "train", "dev", "mark", "ink"].map(of);
        probe.remove();
        return found; }""")
    assert len(set(colours)) == 6
    warm = colours[0]
    lines = page.evaluate("[...document.querySelectorAll('svg .line')].map((line) => getComputedStyle(line).stroke)")
    assert lines and warm not in lines


def test_models_are_decoded_when_they_are_needed(started: Any, address: str) -> None:
    page = started.new_page(viewport={"width": 1280, "height": 800})
    page.add_init_script("window.requestIdleCallback = () => {}")  # what happens without idle time
    page.goto(address)
    page.locator("#made li").first.wait_for()
    loaded, names = page.evaluate("[[...makemore.models.loaded.keys()], makemore.models.names]")
    nearby = {"none 2", "kneser_ney 2", CUT, "neural_bigram"}  # for the pair beside the matrix
    assert names[-1] in loaded and set(loaded) <= {names[-1], *nearby}
    page.close()


LISTS = {
    "12 names": ["emma", "ava", "mia", "zoe", "ann", "eve", "ida", "lea", "may", "ivy", "amy", "una"],
    "Arabic": ["ليلى", "مريم", "نور", "فاطمة", "عمر"],
    "Devanagari": ["प्रिया", "आरव", "अनन्या", "काव्या"],
    "2,669 characters": ["".join(map(chr, range(0x4E00 + i, 0x4E00 + i + 17))) for i in range(0, 2668, 17)],
}


@pytest.mark.parametrize("kind", LISTS)
def test_any_list_gives_a_page(started: Any, tmp_path: Path, kind: str) -> None:
    vocab = Vocab.of(text_of(*LISTS[kind]))
    tokens = encoded(vocab, *LISTS[kind])
    live = {"bigram": fit(additive(2, 1), tokens, len(vocab)), "mlp": network("mlp", len(vocab))}
    file = tmp_path / "report.html"
    file.write_text(page_of(tmp_path, vocab, tokens, live), "utf-8")
    page, errors = started.new_page(viewport={"width": 360, "height": 740}, reduced_motion="reduce"), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.evaluate("makemore.startAll()")
    name = LISTS[kind][1]
    page.locator("#text").fill(name)
    page.locator("#scores .scored").nth(1).wait_for()
    assert (
        page.locator("#live-cells li").count() == len(name) + 1
        and "in train" in page.locator("#live-loss").inner_text()
    )
    page.locator("#sampling-step").click()
    page.locator("#context").fill(name[:1])
    assert errors == [] and page.evaluate("document.documentElement.scrollWidth") == 360
    assert len(page.locator("#made li").all_inner_texts()) == 10
    page.close()
