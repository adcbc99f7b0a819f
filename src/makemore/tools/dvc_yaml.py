"""The stages of dvc.yaml, as DVC reads them."""

from typing import Any


def definitions() -> dict[str, dict[str, Any]]:
    """What dvc.yaml says about each stage, for `foreach` about each cell: `cmd`, `deps`, `params`, `outs` and so on.

    Raises:
        ValueError: DVC cannot read dvc.yaml.
    """
    from dvc.dvcfile import ProjectFile  # slow to import, and seldom needed
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            stages: dict[str, dict[str, Any]] = ProjectFile(repo, "dvc.yaml").resolver.resolve()["stages"]
    except DvcException as error:
        raise ValueError(str(error)) from None
    return stages
