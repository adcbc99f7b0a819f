"""A page with live models of every family, opened once in a browser."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import browser
from conftest import additive, encoded, network, page_of, text_of
from makemore.core.model import Model, family_of
from makemore.core.vocab import Vocab
from makemore.models.ngram.model import NgramParams, fit
from makemore.models.recurrent import GATES
from makemore.reporting.page import FAMILIES

# Characters of one, two and four bytes, a space, a combining mark, and the special characters of HTML and JSON.
TRAIN = ["emma", "ava", "mia", "am", "emma", "ewa", "ля", "юля", "a a", "\U0001f426\U0001f427", "aaaaaaa", "<e>"] * 2
TRAIN += ['&"', "ë", "m̄a"] * 2
VOCAB = Vocab.of(text_of(*TRAIN))
TOKENS = encoded(VOCAB, *TRAIN)
CUT = "cut at 50"
EXERCISES = "# A\n\n## B\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\nc\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n"
SAMPLED = "<article><h3>m</h3><ul><li>ava</li></ul></article>"


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


@pytest.fixture(scope="session")
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
    found["mlp of three layers"] = shaken("mlp", layers=3, batch_norm="all").eval()
    found["mlp, hierarchical"] = shaken("mlp", context=4, layers=2, flatten=2, batch_norm="hidden").eval()
    found |= {f"{cell} {layers}": shaken("recurrent", cell=cell, layers=layers) for cell in GATES for layers in (1, 2)}
    found["bow"] = shaken("bow")
    found |= {f"wavenet of kernel {kernel}": shaken("wavenet", layers=5 - kernel, kernel=kernel) for kernel in (2, 3)}
    found["transformer"] = shaken("transformer")
    found[CUT] = fit(additive(2, 0), encoded(VOCAB, "a" * 1000), len(VOCAB))
    found["</script><b>&amp;"] = counted("none", 2)
    assert {family_of(model) for model in found.values()} == set(FAMILIES)
    return found


@pytest.fixture(scope="session")
def address(live: dict[str, Model], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("page")
    file = folder / "report.html"
    file.write_text(page_of(folder, VOCAB, TOKENS, live, EXERCISES, SAMPLED), "utf-8")
    return file.as_uri()


@pytest.fixture(scope="session")
def started() -> Iterator[Any]:
    pytest.importorskip("playwright", reason="needs playwright: pip install playwright")
    if browser.executable() is None:
        pytest.skip(f"needs a browser, one of {', '.join(browser.NAMES)}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # from playwright itself
        with browser.browser() as running:
            yield running


@pytest.fixture(scope="session")
def shared(started: Any, address: str) -> Iterator[tuple[Any, list[str]]]:
    """The page with all its chapters, opened once, and all errors, dialogs and network requests so far."""
    page, found = started.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce"), []
    page.set_default_timeout(30_000)
    page.on("console", lambda message: found.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    page.on("dialog", lambda dialog: found.append(f"dialog: {dialog.message}"))
    page.on("request", lambda request: found.append(f"request: {request.url}") if request.url != address else None)
    page.goto(address)
    page.evaluate("makemore.startAll()")
    page.locator("#scores .scored").first.wait_for()
    yield page, found
    page.close()


@pytest.fixture
def page(shared: tuple[Any, list[str]]) -> Iterator[Any]:
    """The page as it opens: a test fails if it caused an error, a dialog or a network request."""
    page, found = shared
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("makemore.reset()")
    yield page
    assert found == []


def until(page: Any, condition: str) -> None:
    """Wait for a condition. `page.wait_for_function` cannot, since the page allows no `eval`."""
    for _ in range(600):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {condition}")
