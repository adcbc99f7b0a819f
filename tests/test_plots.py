"""`dvc plots` draws every curve, also where there is no network."""

import json
import re
from typing import Any

import pytest

from pipeline import Project

vl_convert = pytest.importorskip("vl_convert")

VERSION = "5.8"  # of Vega-Lite, the oldest at hand: DVC's own page loads 5.2


def specs(html: str) -> list[dict[str, Any]]:
    return [json.loads(spec) for spec in re.findall(r"var spec = (.*);\n", html)]


def test_plots_open_without_a_network_and_overlay_two_revisions(project: Project) -> None:
    project.run("python", "stages/plots_page.py")
    (project.path / ".dvc/config.local").write_text("[plots]\n    html_template = plots.html\n")
    project.run("dvc", "plots", "show")
    page = project.path / "dvc_plots/index.html"
    shown = page.read_text(encoding="utf-8")
    assert "window.vegaEmbed=" in shown and not re.search(r"(src|href) *= *[\"']?(https?:)?//", shown)
    titles = [spec["title"]["text"] for spec in specs(shown)]
    assert titles[0] == "Training loss of all networks" and titles[-1] == "All models on the dev names"
    assert all(titles) and len(set(titles)) == len(titles)

    curve = project.path / "metrics/curves/mlp.csv"
    curve.write_text(curve.read_text().replace("\n10,", "\n10.5,"))
    project.run("dvc", "plots", "diff", "HEAD")
    compared = specs(page.read_text(encoding="utf-8"))
    assert len(compared) == len(titles)
    for spec in compared:
        drawn = vl_convert.vegalite_to_svg(spec, vl_version=VERSION)
        assert "HEAD" in drawn and "workspace" in drawn and "NaN" not in drawn, spec["title"]
    assert project.status() == " M metrics/curves/mlp.csv\n"
