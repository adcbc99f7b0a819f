"""The tables of docs/exercises.md show what the project's code computes."""

from functools import cache

import yaml

from checkout import ROOT
from makemore.core import names
from makemore.core.files import read_csv, read_json
from makemore.core.names import Text
from makemore.core.vocab import Vocab
from makemore.evaluation.losses import evaluate
from makemore.lists import splits
from makemore.lists.splits import SplitParams
from makemore.models.ngram.model import NgramParams, fit
from makemore.reporting.exercises import DEV
from makemore.search.tuning import TunedNgramParams

EXERCISES = (ROOT / "docs/exercises.md").read_text(encoding="utf-8")
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())
NGRAMS = [*PARAMS["ngram"], *PARAMS["tuned_ngram"]]


def table(name: str) -> str:
    return EXERCISES.split(f"<!-- {name} -->\n")[1].split("<!--")[0].strip()


def markdown(header: str, rows: list[list[str]]) -> str:
    columns = header.split("|")
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cell.strip() for cell in line)} |" for line in lines)


def params_of(model: str) -> NgramParams:
    """With the strength that is in git, tuned on the default splits."""
    if model in PARAMS["ngram"]:
        return NgramParams(**PARAMS["ngram"][model])
    strength = read_json(ROOT / f"metrics/tuned/{model}.json")["strength"]
    return TunedNgramParams(**PARAMS["tuned_ngram"][model]).with_strength(strength)


@cache
def parts(unit: str) -> tuple[Text, Text, Text]:
    return splits.split(names.read(ROOT / "data/names.txt"), SplitParams(**PARAMS["split"] | {"unit": unit}))


def losses(model: str, unit: str) -> list[float]:
    """On train, dev, the dev names that are not in train, and test."""
    vocab = Vocab.of(names.read(ROOT / "data/names.txt"))
    train, dev, test = (vocab.encode(part, "part") for part in parts(unit))
    fitted = fit(params_of(model), train, len(vocab))
    on_dev = evaluate(fitted, dev, unseen=~names.is_in(parts(unit)[1], parts(unit)[0]))
    return [evaluate(fitted, train)["nll"], on_dev["nll"], on_dev["nll_unseen"], evaluate(fitted, test)["nll"]]


def test_e02_and_duplicates() -> None:
    rows = [
        [f"{model}, {unit}", *(f"{loss:.4f}" for loss in losses(model, unit))]
        for model in NGRAMS
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


def test_the_share_of_dev_names_that_are_in_train() -> None:
    train, dev, _ = parts("line")
    assert f"{names.is_in(dev, train).mean():.1%}" in EXERCISES


def test_the_dev_losses_that_the_page_compares() -> None:
    told = DEV.search(EXERCISES)
    assert told
    for pair in told[1].split(", "):
        name, loss = pair.split(" ")
        assert f"{read_json(ROOT / f'metrics/losses/{name}.json')['dev']['nll']:.4f}" == loss
