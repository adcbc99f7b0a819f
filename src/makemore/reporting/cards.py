"""The chapter of the models: a table to compare them, grouped by family, and a card for each."""

import math
from collections.abc import Collection, Mapping, Sequence
from html import escape
from typing import Any

from makemore.reporting.facts import Link, facts_of, sees
from makemore.reporting.inputs import Inputs, Result
from makemore.reporting.tables import COLUMNS

Groups = Mapping[str, Sequence[Result]]  # by family, the best first

NAMES = 5  # on a card
STRIP = 3  # labels of the axis


def header(groups: Groups) -> str:
    """The header cells of the table, with the axis of the strip of losses."""
    low, high = _bounds(groups)
    marks = [low + (high - low) * i / (STRIP - 1) for i in range(STRIP)]
    axis = "".join(f'<i style="left:{100 * i / (STRIP - 1):.4g}%">{mark:.4g}</i>' for i, mark in enumerate(marks))
    strip = f'<span class="said">train and dev loss</span><span class="axis" aria-hidden="true">{axis}</span>'
    cells = [f'<th scope="col" class="place">{strip}</th>']
    for column in COLUMNS:
        title = f' title="{escape(column.meaning)}"' if column.meaning else ""
        cells.append(f'<th scope="col" data-sort="{column.key}"{title}>{escape(column.header)}</th>')
    return "".join(cells)


def table(groups: Groups) -> str:
    """One body per family, the best first. In each row, the losses are marked on the header's axis."""
    low, high = _bounds(groups)

    def percent(loss: float) -> float:
        return 100 * (min(max(loss, low), high) - low) / ((high - low) or 1)

    bodies = []
    for family, results in groups.items():
        rows = []
        for result in results:
            train, dev = percent(result["train.nll"]), percent(result["dev.nll"])
            marks = (
                f'<i style="left:{min(train, dev):.2f}%;width:{abs(train - dev):.2f}%"></i>'
                f'<b class="train" style="left:{train:.2f}%"></b><b style="left:{dev:.2f}%"></b>'
            )
            cells = (
                f'<td data-value="{_sortable(result[column.key])}">{column.text(result)}</td>' for column in COLUMNS
            )
            rows.append(
                f'<tr><th scope="row">{escape(result.model)}</th>'
                f'<td class="place"><div class="range" aria-hidden="true">{marks}</div></td>{"".join(cells)}</tr>'
            )
        title = f'<tr class="family"><th scope="rowgroup" colspan="{len(COLUMNS) + 2}">{escape(family)}</th></tr>'
        bodies.append(f'<tbody data-family="{escape(family)}">{title}\n' + "\n".join(rows) + "</tbody>")
    return "\n".join(bodies)


def _sortable(value: float) -> str:
    return "" if math.isnan(value) else "Infinity" if math.isinf(value) else f"{value:.9g}"


def _bounds(groups: Groups) -> tuple[float, float]:
    """The ends of the strip's axis, in nats per token."""
    losses = [result[key] for results in groups.values() for result in results for key in ("train.nll", "dev.nll")]
    finite = [loss for loss in losses if math.isfinite(loss)] or [0.0]
    return math.floor(min(finite) * 10) / 10, math.ceil(max(finite) * 10) / 10


def cards(inputs: Inputs, live: Collection[str]) -> str:
    """One card per model, in the order of the table."""
    ranks = {result.model: rank for rank, result in enumerate(reversed(inputs.results), start=1)}
    return "\n".join(
        card(inputs, result, f"{ranks[result.model]} of {len(ranks)}", result.model in live)
        for results in inputs.families.values()
        for result in results
    )


def card(inputs: Inputs, result: Result, rank: str, live: bool) -> str:
    family, config = inputs.family(result.model)
    facts = facts_of(family, config)
    names = inputs.generated[result.model][:NAMES]
    error = result["dev.nll_se"]
    losses = {
        column.header: column.text(result) for column in COLUMNS if column.key in ("train.nll", "dev.nll", "test.nll")
    }
    losses["dev"] += f" ± {error:.4f}" if math.isfinite(error) else ""
    rows = {
        "sees": escape(sees(family, config)),
        "formula": f"<code>{escape(facts.formula)}</code>" if facts.formula else "",
        "good at": escape(facts.good_at),
        "paper": _link(facts.paper),
        "lecture": _link(facts.lecture),
        "loss": ", ".join(f"{name} {value}" for name, value in losses.items() if value != "-") + f"; {rank} on dev",
        "parameters": COLUMNS[0].text(result),
        "trained": escape(recipe(inputs.recipes.get(result.model, {}), config)),
        "names": " ".join(f'<bdi class="sampled">{escape(name)}</bdi>' for name in names),
        "runs here": f'<a href="#live" data-model="{escape(result.model)}">try it</a>' if live else "no",
    }
    listed = "".join(f"<div><dt>{term}</dt><dd>{value}</dd></div>" for term, value in rows.items() if value)
    return (
        f'<details class="card"><summary><h3>{escape(result.model)}</h3> '
        f"<span>{escape(facts.kind)}, dev {losses['dev']}</span></summary><dl>{listed}</dl></details>"
    )


def recipe(section: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """How a model was trained, from its section of params.yaml and the configuration in its file."""
    method = config.get("smoothing", section.get("smoothing"))
    if isinstance(method, str):  # the smoothing of a network is a number
        chosen = config.get("strength")
        shown = ", ".join(map(_number, chosen)) if isinstance(chosen, list) else _number(chosen)
        tuned = f", tuned on dev over {_number(section['count'])} values" if "count" in section else ""
        return f"counted on train; smoothing: {method.replace('_', ' ')}" + (
            f", strength {shown}{tuned}" if chosen is not None else ""
        )
    members = [name for name, part in config.items() if isinstance(part, dict)]
    if members:
        return f"weights by context, fitted on dev, of {', '.join(members)}"
    shape = ", ".join(f"{key} {_number(value)}" for key, value in config.items() if key in section)
    texts = {
        "steps": "{} steps",
        "batch_size": "batches of {}",
        "optimizer": "optimizer {}",
        "smoothing": "targets smoothed by {} counts",
        "lr": "learning rate {}",
        "schedule": "{} schedule",
        "warmup": "{} steps of warmup",
        "weight_decay": "weight decay {}",
        "regularization": "regularization {}",
        "ema": "weights averaged with decay {}",
        "seed": "seed {}",
    }
    steps = [text.format(_number(section[key])) for key, text in texts.items() if section.get(key)]
    return "; ".join(filter(None, (shape, ", ".join(steps))))


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 1_000_000 else str(value)  # without commas: a seed
    return f"{value:.10g}"


def _link(link: Link) -> str:
    text, address = link
    return f'<a href="{escape(address)}">{escape(text)}</a>' if address else escape(text)
