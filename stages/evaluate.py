"""Evaluate a model on train and dev."""

from pathlib import Path
from typing import Annotated

from _stage import DevPath, ModelName, ModelPath, TrainPath, command, option

from makemore.core import names
from makemore.core.files import write_json
from makemore.core.model import read_model
from makemore.core.progress import progress
from makemore.evaluation.losses import evaluate, evaluate_file

LossesOut = Annotated[Path | None, option("losses to write", "metrics/losses/MODEL.json")]


def main(
    name: ModelName,
    train: TrainPath = Path("data/splits/train.txt"),
    dev: DevPath = Path("data/splits/dev.txt"),
    model: ModelPath = None,
    metrics: LossesOut = None,
) -> None:
    """Evaluate a model on the train names, on the dev names, and on the dev names that are not in train."""
    path = model or Path(f"models/{name}.safetensors")
    evaluated, vocab = read_model(path)
    dev_text = names.read(dev)
    dev_tokens = vocab.encode(dev_text, str(dev))
    unseen = ~names.have(names.known(names.blocks(train)), dev_text)  # (dev names,)
    with progress(f"evaluate {name} on train", sum(map(len, names.blocks(train))), "tokens") as update:
        on_train = evaluate_file(path, train, update, (evaluated, vocab))
    with progress(f"evaluate {name} on dev", len(dev_tokens), "tokens") as update:
        on_dev = evaluate(evaluated, dev_tokens, update, unseen)
    output = metrics or Path(f"metrics/losses/{name}.json")
    write_json(output, {"parameters": evaluated.parameter_count, "train": on_train, "dev": on_dev})
    print(f"{output}: train {on_train['nll']:.4f}, dev {on_dev['nll']:.4f} nats per token")


app = command(main)
if __name__ == "__main__":
    app()
