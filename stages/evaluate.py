"""How good a model is on train and dev."""

from pathlib import Path
from typing import Annotated

import typer

from _stage import DevPath, ModelName, TrainPath, VocabPath, command
from makemore import model as models
from makemore import names
from makemore.evaluation import evaluate
from makemore.files import write_json
from makemore.progress import progress
from makemore.vocab import Vocab


def main(
    name: ModelName,
    vocab: VocabPath = Path("data/vocab.json"),
    train: TrainPath = Path("data/splits/train.txt"),
    dev: DevPath = Path("data/splits/dev.txt"),
    model: Annotated[Path | None, typer.Option(help="to read", show_default="models/MODEL.safetensors")] = None,
    metrics: Annotated[Path | None, typer.Option(help="to write", show_default="metrics/MODEL.json")] = None,
) -> None:
    """Evaluate a model on the train and dev names, and on the dev names that are not in train."""
    vocabulary = Vocab.read(vocab)
    evaluated = models.load(model or Path(f"models/{name}.safetensors"), vocabulary)
    train_text, dev_text = names.read(train), names.read(dev)
    train_tokens, dev_tokens = vocabulary.encode(train_text, str(train)), vocabulary.encode(dev_text, str(dev))
    unseen = ~names.is_in(dev_text, train_text)  # (dev names,)
    with progress(f"evaluate {name} on train", len(train_tokens), "tokens") as report:
        on_train = evaluate(evaluated, train_tokens, report)
    with progress(f"evaluate {name} on dev", len(dev_tokens), "tokens") as report:
        on_dev = evaluate(evaluated, dev_tokens, report, unseen)
    path = metrics or Path(f"metrics/{name}.json")
    write_json(path, {"parameters": evaluated.parameter_count, "train": on_train, "dev": on_dev})
    print(f"{path}: train {on_train['nll']:.4f}, dev {on_dev['nll']:.4f} nats a token")


app = command(main)
if __name__ == "__main__":
    app()
