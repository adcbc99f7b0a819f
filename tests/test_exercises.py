"""The figures of docs/exercises.md are those that the project's code gives."""

from functools import cache

import yaml

from checkout import ROOT
from makemore.core import names
from makemore.core.files import read_csv, read_json
from makemore.core.vocab import Vocab
from makemore.evaluation.losses import evaluate
from makemore.lists import splits
from makemore.lists.splits import SplitParams
from makemore.models.ngram.model import NgramParams

EXERCISES = (ROOT / "docs/exercises.md").read_text(encoding="utf-8")
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())


def table(name: str) -> str:
    return EXERCISES.split(f"<!-- {name} -->\n")[1].split("<!--")[0].strip()


def markdown(header: str, rows: list[list[str]]) -> str:
    columns = header.split("|")
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.strip() for cell in line)} |" for line in lines)


@cache
def fitted(model: str, unit: str) -> tuple[float, float, float, float]:
    """Losses on train, dev, the dev names not in train, and test, with the strengths that were tuned on the default."""
    text = names.read(ROOT / "data/names.txt")
    vocab = Vocab.of(text)
    parts = splits.split(text, SplitParams(**PARAMS["split"] | {"unit": unit}))
    train, dev, test = (vocab.encode(part, "part") for part in parts)
    params = NgramParams(**PARAMS["ngram"][model])
    if params.strength == "tuned":
        params = params.with_strength(read_json(ROOT / f"metrics/tuned/{model}.json")["strength"])
    made = model.fit(params, train, len(vocab))
    on_dev = evaluate(made, dev, unseen=~names.is_in(parts[1], parts[0]))
    on_train, on_test = evaluate(made, train)["nll"], evaluate(made, test)["nll"]
    return on_train, on_dev["nll"], on_dev["nll_unseen"], on_test


def test_e02_and_duplicates() -> None:
    rows = [
        [f"{model}, {unit}", *(f"{loss:.4f}" for loss in fitted(model, unit))]
        for model in PARAMS["ngram"]
        for unit in ("line", "name")
    ]
    assert table("splits") == markdown("model, split.unit | train | dev | dev, unseen | test", rows)


def test_e03() -> None:
    sweep = read_csv(ROOT / "metrics/curves/trigram_tuned_strength.csv")
    rows = [
        [f"{strength:.4g}", f"{train:.4f}", f"{dev:.4f}"]
        for strength, train, dev in zip(sweep["strength"], sweep["train"], sweep["dev"], strict=True)
    ]
    assert table("strengths") == markdown("strength | train | dev", rows)


def test_the_share_of_dev_names_that_train_has() -> None:
    text = names.read(ROOT / "data/names.txt")
    train, dev, _ = splits.split(text, SplitParams(**PARAMS["split"]))
    assert f"{names.is_in(dev, train).mean():.1%} of the dev names" in EXERCISES.replace("\n", " ")
