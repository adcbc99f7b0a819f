"""Adding a model: docs/models.md and the README say how, and then it is everywhere."""

import csv
import math
import re

import pytest

from checkout import ROOT, Project
from makemore.core.files import read_json
from makemore.reporting.figures import FIGURES

PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8").split("## Adding a model")[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def add_line(project: Project, group: str, line: str) -> None:
    project.edit("models/index.yaml", f"{group}: &{group}", f"{group}: &{group}\n  {line.strip()}\n  #")


def assert_everywhere(project: Project, name: str) -> None:
    """The model is in every table, figure and list that shows all models."""
    assert project.run("git", "status", "--porcelain", f"models/{name}.safetensors").stdout == ""  # DVC's
    assert math.isfinite(read_json(project.path / f"metrics/losses/{name}.json")["dev"]["nll"])
    assert math.isfinite(read_json(project.path / "metrics/test.json")[name]["nll"])
    assert (project.path / f"data/samples/{name}.txt").read_text()
    with (project.path / "metrics/plots/models.csv").open() as file:
        assert name in {row["model"] for row in csv.DictReader(file)}
    page = (project.path / "metrics/report.html").read_text(encoding="utf-8")
    assert f'<th scope="row">{name}</th>' in page and f"<h3>{name}</h3>" in page
    assert name in project.run("python", "stages/results.py").stdout
    project.run("python", "stages/results.py", "--write", "README.md")
    assert f"| {name} |" in (project.path / "README.md").read_text(encoding="utf-8")


def test_a_new_network_is_one_file_one_section_and_one_line(project: Project) -> None:
    (file,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    section, line = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (project.path / "src/makemore/models/unigram.py").write_text(file)
    project.edit("params.yaml", "\nfind_lr:", f"\n{section}\nfind_lr:")
    add_line(project, "networks", line)
    figure = (project.path / "metrics/figures/models.png").read_bytes()
    with project.forking() as variables:
        ran = set(project.repro(**variables))
    assert {"train@unigram", "evaluate@unigram", "sample@unigram", "test", "figures", "report"} <= ran
    assert not ran & {"train@mlp", "train@lstm", "fit_ngram@bigram"}
    assert_everywhere(project, "unigram")
    assert (project.path / "metrics/figures/models.png").read_bytes() != figure
    with (project.path / "metrics/plots/loss_curves.csv").open() as table:
        assert "unigram" in {row["model"] for row in csv.DictReader(table)}

    names = (project.path / "data/splits/train.txt").read_text().splitlines()
    tokens = "".join(f"{name}." for name in names)
    entropy = -sum(tokens.count(c) * math.log(tokens.count(c) / len(tokens)) for c in set(tokens))
    trained = read_json(project.path / "metrics/losses/unigram.json")["train"]["nll"]
    assert trained == pytest.approx(entropy / len(tokens), abs=0.02)


def test_a_new_ngram_model_is_one_section_and_one_line_and_goes_again(project: Project) -> None:
    (section,) = re.findall(r"```yaml\n(  fourgram:\n.*?)```", README, re.DOTALL)
    (line,) = re.findall(r"```yaml\n(  fourgram: .*?)```", README, re.DOTALL)
    project.edit("params.yaml", "\nngram:", "\nngram:\n" + section.rstrip() + "\n  #")
    before = (project.path / "models/index.yaml").read_text()
    add_line(project, "fixed", line)
    with project.forking() as variables:
        ran = set(project.repro(**variables))
    assert ran == {"fit_ngram@fourgram", "evaluate@fourgram", "sample@fourgram", "test", "figures", "report"}
    assert_everywhere(project, "fourgram")

    (project.path / "models/index.yaml").write_text(before)  # its files stay behind, and are not shown
    with project.forking() as variables:
        project.repro(**variables)
    assert (project.path / "models/fourgram.safetensors").exists()
    assert "fourgram" not in read_json(project.path / "metrics/test.json")
    assert "fourgram" not in (project.path / "metrics/plots/models.csv").read_text()
    assert "fourgram" not in (project.path / "metrics/report.html").read_text(encoding="utf-8")


def test_every_figure_is_drawn(finished: Project) -> None:
    assert {path.stem for path in (finished.path / "metrics/figures").iterdir()} == set(FIGURES)
