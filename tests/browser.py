"""The installed Chromium or Chrome, driven by playwright. As a script, this takes screenshots of metrics/report.html.

`python tests/browser.py FOLDER` writes them to FOLDER, at four widths, light and dark.
`python tests/browser.py --readme` writes docs/page.png, the picture in the README.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync"]


def executable() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=executable(), headless=True, args=FLAGS)
        try:
            yield started
        finally:
            started.close()


def main(target: str) -> None:
    address = (ROOT / "metrics" / "report.html").as_uri()
    with browser() as started:
        if target == "--readme":
            page = started.new_page(viewport={"width": 1280, "height": 660}, color_scheme="light")
            page.goto(address)
            page.locator("#made li").first.wait_for()
            picture = Image.open(BytesIO(page.screenshot()))
            picture.quantize(256, Image.Quantize.MAXCOVERAGE).save(ROOT / "docs" / "page.png", optimize=True)
            return
        for width, height in ((360, 740), (768, 1000), (1280, 800), (1920, 1080)):
            for scheme in ("light", "dark"):
                page = started.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                page.goto(address)
                page.evaluate("makemore.startAll()")
                page.locator("#scores .scored").first.wait_for()
                page.screenshot(path=Path(target) / f"{width}-{scheme}.png", full_page=True)


if __name__ == "__main__":
    main(sys.argv[1])
