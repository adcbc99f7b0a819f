"""docs/models.md: a model is one file, one section and one entry."""

import math
import re

import pytest

from makemore.files import read_json
from pipeline import ROOT, Project

PAGE = (ROOT / "docs/models.md").read_text(encoding="utf-8").split("## Adding a model")[1]


def test_the_example_of_the_docs(project: Project) -> None:
    (file,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    section, entry = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (project.path / "src/makemore/unigram.py").write_text(file)
    project.edit("params.yaml", "\nfind_lr:", f"\n{section}\nfind_lr:")
    project.edit("dvc.yaml", "  - models:", f"{entry}  - models:")
    ran = project.repro("evaluate@unigram", "sample@unigram")
    assert ran[0] == "train@unigram" and set(ran[1:]) == {"evaluate@unigram", "sample@unigram"}
    names = (project.path / "data/splits/train.txt").read_text().splitlines()
    tokens = "".join(f"{name}." for name in names)
    entropy = -sum(tokens.count(c) * math.log(tokens.count(c) / len(tokens)) for c in set(tokens))
    trained = read_json(project.path / "metrics/unigram.json")["train"]["nll"]
    assert trained == pytest.approx(entropy / len(tokens), abs=0.02)
    assert "unigram" in project.run("python", "stages/results.py").stdout
