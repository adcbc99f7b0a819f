"""Record the finished pipeline in DVC's run cache. It is not a pipeline stage; `make repro` runs it at the end.

DVC records a stage when it runs it. In a fresh clone it does not run a stage whose outputs are all in git (`evaluate`,
`test`, `figures`), so a later change of a parameter and back would run it once more.
"""

from _stage import command

import typer


def main() -> None:
    """Record every stage that is up to date in DVC's run cache, so that returning to its parameters runs nothing."""
    try:
        from dvc.exceptions import DvcException
        from dvc.repo import Repo
    except ModuleNotFoundError as error:
        raise ValueError(f"the package {error.name} is not installed") from None
    try:
        with Repo() as repo, repo.lock:
            stages = [stage for stage in repo.index.stages if not stage.changed()]
            for stage in stages:
                repo.stage_cache.save(stage)
    except DvcException as error:
        raise ValueError(str(error)) from None
    typer.echo(f"{len(stages)} stages are in DVC's run cache")


app = command(main)
if __name__ == "__main__":
    app()
