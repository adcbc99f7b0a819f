"""Show what a training did inside the network: the third lecture's diagnostics."""

from pathlib import Path
from typing import Annotated

from _stage import ModelName, command, option

from makemore.core.files import write_csv, write_json
from makemore.evaluation.diagnosis import read_diagnosis

Recorded = Annotated[Path | None, option("last step of the training to read", "data/recorded/MODEL.safetensors")]
CurveIn = Annotated[Path | None, option("learning curve to read", "metrics/curves/MODEL.csv")]
MetricsOut = Annotated[Path | None, option("summary to write", "metrics/diagnosis/MODEL.json")]
LayersOut = Annotated[Path | None, option("histograms to write", "metrics/curves/MODEL_layers.csv")]
UpdatesOut = Annotated[Path | None, option("sizes of the updates to write", "metrics/curves/MODEL_updates.csv")]


def main(
    name: ModelName,
    recorded: Recorded = None,
    curve: CurveIn = None,
    metrics: MetricsOut = None,
    layers: LayersOut = None,
    updates: UpdatesOut = None,
) -> None:
    """Show the activations and gradients of each layer at the last training step, and the size of the updates.

    For each matrix, the ratio of update to data is the standard deviation of an update over that of the weights. The
    lecture looks for 10^-3.
    """
    found = read_diagnosis(
        recorded or Path(f"data/recorded/{name}.safetensors"), curve or Path(f"metrics/curves/{name}.csv")
    )
    path = metrics or Path(f"metrics/diagnosis/{name}.json")
    summary = found.summary()
    write_json(path, summary)
    header = "layer", "of", "value", "density"
    write_csv(layers or Path(f"metrics/curves/{name}_layers.csv"), header, found.histograms())
    rows = [
        (int(step), matrix, ratio)
        for matrix, ratios in found.updates.items()
        for step, ratio in zip(found.steps.tolist(), ratios.tolist(), strict=True)
    ]
    write_csv(updates or Path(f"metrics/curves/{name}_updates.csv"), ("step", "matrix", "ratio"), rows)
    for part, values in summary.items():
        print(f"{path}: {part}: " + ", ".join(f"{key} {value:.4g}" for key, value in values.items()))


app = command(main)
if __name__ == "__main__":
    app()
