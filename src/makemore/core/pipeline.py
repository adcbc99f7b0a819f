"""What the pipeline is made of: the list of models."""

from pathlib import Path

from makemore.core.params import read_section

INDEX = "index.yaml"


def model_names(folder: Path) -> list[str]:
    """The models that the index in `folder` lists.

    Files that a removed model left behind are not among them.

    Raises:
        OSError: the index cannot be read.
        ValueError: it is not YAML, or has no `models`.
    """
    return [str(name) for name in read_section(folder / INDEX, "models")]
