"""`dvc plots` draws every curve of two revisions, once, also where there is no network."""

import json
import re
from typing import Any

import pytest

from checkout import Project
from conftest import load_stage

vl_convert = pytest.importorskip("vl_convert")

OLDEST = "5.8"  # version of Vega-Lite at hand; the page that DVC has by itself loads 5.2


def test_plots_open_without_a_network(project: Project) -> None:
    load_stage("plots_page").main(project.path / ".dvc/plots.html")
    (project.path / ".dvc/config.local").write_text("[plots]\n    html_template = plots.html\n")
    curve = project.path / "metrics/curves/mlp.csv"
    curve.write_text(curve.read_text().rpartition("\n")[0].rpartition("\n")[0] + "\n")
    project.run("dvc", "plots", "diff", "HEAD")

    html = (project.path / "dvc_plots/index.html").read_text(encoding="utf-8")
    assert "window.vegaEmbed=" in html and not re.search(r"(src|href) *= *[\"']?(https?:)?//", html)
    plots = [json.loads(spec) for spec in re.findall(r"var spec = (.*);\n", html)]
    titles = [plot["title"]["text"] for plot in plots]
    assert {"Training loss of all networks", "All models on the dev names"} <= set(titles)
    assert all(titles) and len(set(titles)) == len(titles)
    for plot in plots:
        drawn = vl_convert.vegalite_to_svg(plot, vl_version=OLDEST)
        assert "HEAD" in drawn and "workspace" in drawn and "NaN" not in drawn, plot["title"]
    assert project.status() == " M metrics/curves/mlp.csv\n"


def test_each_chart_is_shown_once_and_draws_without_warnings(project: Project, started: Any) -> None:
    load_stage("plots_page").main(project.path / ".dvc/plots.html")
    (project.path / ".dvc/config.local").write_text("[plots]\n    html_template = plots.html\n")
    project.run("dvc", "plots", "show")
    said: list[str] = []
    page = started.new_page()
    try:
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((project.path / "dvc_plots/index.html").as_uri())
        page.wait_for_function(
            "[...document.querySelectorAll('.vega-embed')].every((chart) => chart.querySelector('svg, canvas'))"
        )
        pictures = (
            "[...document.querySelectorAll('img')].map((image) => [image.getAttribute('src'), image.clientWidth])"
        )
        shown = page.evaluate(pictures)
    finally:
        page.close()
    figures = {path.name for path in (project.path / "metrics/figures").iterdir()}
    assert {src.partition("metrics_figures_")[2] for src, _ in shown} == figures
    assert all(width == 0 for _, width in shown), "a figure that is an interactive chart too"
    assert not [text for text in said if "compiled spec uses" not in text]  # vega-embed's, of every chart
