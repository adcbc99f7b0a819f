"""The answers to the lectures' exercises, from Markdown to a part of the page."""

import posixpath
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from makemore.reporting.inputs import Result

# The chapters that show what a figure shows
CHARTS = {"smoothing": "smoothing", "find_lr": "learning-rate", "embedding": "embedding", "initialization": "first"}
DEV = re.compile(r"<!-- dev: (.*?) -->")  # the dev losses of the run that the text speaks of


def speaks(markdown: str, results: Sequence[Result]) -> str:
    """Which run the text speaks of, as HTML, and how far it differs from the one that made the page."""
    found = DEV.search(markdown)
    told = dict(pair.split(" ") for pair in found[1].split(", ")) if found else {}
    here = {result.model: f"{result['dev.nll']:.4f}" for result in results}
    if told and all(here.get(name) == loss for name, loss in told.items()):
        return "The text speaks of the run that made this page: its dev losses are those of the table above."
    sentence = "The text speaks of another run than that of this page: the one with the list and the params in git."
    others = [
        f"{escape(name)} {loss} there, {here[name]} here" for name, loss in told.items() if here.get(name, loss) != loss
    ]
    return f"{sentence} Dev losses that differ: {'; '.join(others)}." if others else sentence


def answers(markdown: str) -> str:
    """The exercises as HTML: images become links to the page's charts, links to files are relative to `metrics`."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(markdown)
    while tokens and not (tokens[0].type == "heading_open" and tokens[0].tag == "h2"):
        tokens.pop(0)  # the page has its own title and its own paragraph on losses
    kept = []
    for token in tokens:
        if token.type.startswith("heading_"):
            token.tag = f"h{int(token.tag[1]) + 1}"
        if token.children:
            token.children = [part for child in token.children for part in _local(child)]
        if token.type != "html_block":
            kept.append(token)
    html: str = parser.renderer.render(kept, parser.options, {})
    parts = html.split("<table>")
    for i in range(1, len(parts)):
        table = parts[i].replace("</table>", "</table></section>", 1)
        parts[i] = f'<section class="scroll" tabindex="0" aria-label="Exercises, table {i}"><table>{table}'
    return "".join(parts)


def _local(token: Token) -> list[Token]:
    """Convert an inline token of the exercises: drop HTML, link images to the charts, and mark links to files."""
    if token.type == "html_inline":
        return []
    if token.type == "link_open" and ":" not in str(token.attrs["href"]):
        path = posixpath.relpath(posixpath.join("docs", str(token.attrs["href"])), "metrics")
        token.attrs |= {"href": path, "data-local": ""}  # exercises.js unlinks these in a page that was moved
    if token.type != "image":
        return [token]
    label = Token("text", "", 0, content=token.content)
    anchor = CHARTS.get(Path(str(token.attrs["src"])).stem)
    if anchor is None:
        return [label]
    label.content = f"Figure: {token.content}"
    return [Token("link_open", "a", 1, attrs={"href": f"#{anchor}"}), label, Token("link_close", "a", -1)]
