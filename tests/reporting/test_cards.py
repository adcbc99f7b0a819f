"""The cards of the models: what they say follows from the models' files, params and metrics."""

from pathlib import Path

import pytest

from conftest import list_models
from makemore.reporting import cards
from makemore.reporting.facts import FACTS, facts_of, sees
from makemore.reporting.inputs import Inputs


def test_a_card_has_what_is_known_of_a_model(outputs: Path) -> None:
    inputs = Inputs()
    html = {part.split("</h3>")[0]: part for part in cards.cards(inputs, {"bigram"}).split("<summary><h3>")[1:]}
    assert html.keys() == set(inputs.model_names)
    mlp, bigram = html["mlp"], html["bigram"]
    for part in (
        "3 characters",
        FACTS["mlp"].formula,
        "Bengio et al. 2003",
        "jmlr.org",
        "youtube.com",
        "part 2",
        "20 steps",
    ):
        assert part in mlp, part
    loss = inputs.losses("mlp")
    assert f"train {loss['train']['nll']:.4f}, dev {loss['dev']['nll']:.4f} ± {loss['dev']['nll_se']:.4f}" in mlp
    assert f"<dd>{loss['parameters']:,}</dd>" in mlp and "embedding 10, examples distinct" in mlp and "hidden 8" in mlp
    names = inputs.generated["mlp"][:5]
    assert len(names) == 5 and all(f'<bdi class="sampled">{name}</bdi>' in mlp for name in names)
    assert "<dd>no</dd>" in mlp and 'href="#live" data-model="bigram"' in bigram
    assert "1 character<" in bigram and "smoothing: additive, strength 1" in bigram
    assert "tuned on dev over 3 values" in html["trigram_tuned"]


def test_models_are_grouped_by_family_the_best_first(outputs: Path) -> None:
    groups = Inputs().families
    assert set(groups) == {"n-gram", "neural bigram", "MLP"}
    losses = [[result["dev.nll"] for result in results] for results in groups.values()]
    assert all(group == sorted(group) for group in losses) and len(groups["n-gram"]) == 2
    assert [group[0] for group in losses] == sorted(group[0] for group in losses)


def test_a_model_without_facts_and_params_has_a_card(outputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list_models(outputs, "mlp")
    (outputs / "params.yaml").write_text("report:\n  live: [mlp]\n")
    monkeypatch.delitem(FACTS, "mlp")
    html = cards.cards(Inputs(), set())
    assert "<h3>mlp</h3>" in html and "formula" not in html and "trained" not in html


@pytest.mark.parametrize(
    ("family", "config", "expected"),
    [
        ("ngram", {"order": 1, "position": 0}, "no character"),
        ("ngram", {"order": 6, "position": 6}, "5 characters and the position, up to 6"),
        ("mlp", {"context": 1}, "1 character"),
        ("wavenet", {"kernel": 2, "layers": 3}, "8 characters"),
        ("transformer", {}, "the name so far, by attention"),
        ("mlp", {"context": "x"}, ""),
        ("wavenet", {"kernel": 2, "layers": -1}, ""),
        ("new", {}, ""),
    ],
)
def test_what_a_model_sees(family: str, config: dict[str, object], expected: str) -> None:
    assert sees(family, config) == expected


def test_facts_are_those_of_the_smoothing_or_the_cell() -> None:
    assert facts_of("ngram", {"smoothing": "power_law"}).paper[0] == "Huang & Renals 2010"
    assert facts_of("recurrent", {"cell": "gru"}).paper[0] == "Cho et al. 2014"
    assert facts_of("new", {}).kind == "new"


def test_the_strip_has_an_axis(outputs: Path) -> None:
    groups = Inputs().families
    header, table = cards.header(groups), cards.table(groups)
    losses = [result[key] for results in groups.values() for result in results for key in ("train.nll", "dev.nll")]
    low, middle, high = (float(part.split("</i>")[0]) for part in header.split('%">')[1:4])
    assert low <= min(losses) and max(losses) <= high and middle == pytest.approx((low + high) / 2, abs=0.001)
    worst = max(result["dev.nll"] for results in groups.values() for result in results)
    assert f'<b style="left:{100 * (worst - low) / (high - low):.2f}%"></b>' in table


def test_the_recipe_of_a_mixture_and_of_smoothed_targets() -> None:
    assert cards.recipe({"models": ["a", "b"]}, {"a": {"weights": [1.0]}, "b": {"weights": [0.5]}}).endswith("of a, b")
    network = cards.recipe({"steps": 10, "smoothing": 0.5, "hidden": 4}, {"hidden": 4})
    assert network == "hidden 4; 10 steps, targets smoothed by 0.5 counts"
