"""Each command that the documentation shows is run, on a tiny list, but for those that are named here."""

import fnmatch
import re

from checkout import ROOT, Project

ELSEWHERE = {
    "make *": "sets up an environment: CI runs `make test`; `make repro` is `dvc repro`, with an environment",
    "npm pack *": "fetches the raw list",
    "tar -xzf *": "of what is fetched",
    "python stages/ssa_names.py *": "of what is fetched: test_names",
    "pip install *": "changes the environment",
    "python stages/molecules.py *": "fetches the list: test_moses",
    "dvc repro sample@ngram10 *": "in the project that it makes",
    "dvc repro evaluate@ngram13": "the same",
    "python stages/score_molecules.py *": "needs RDKit: test_molecules",
    "MAKEMORE_ARITHMETIC=fast python stages/train.py recurrent lstm --hidden 256 --batch-size *": "minutes",
    "python stages/* charrnn *": "in the project that test_moses makes",
    "sha256sum *": "of what is fetched: test_names",
    "dvc remote add *": "wants a place of the user's: test_experiments has a folder",
    "dvc push": "test_experiments",
    "dvc artifacts get *": "wants a remote: test_experiments",
    "dvc exp run *": "takes long: test_pipeline and test_experiments have them",
    "dvc exp apply": "test_experiments",
    "dvc repro evaluate@fourgram *": "like test_adding",
    "dvc repro evaluate@unigram *": "test_adding",
    "python stages/train.py unigram *": "test_adding",
    "python benchmarks/*": "minutes",
    "python stages/train.py mlp mlp_wide *": "compiles for half a minute",
    "torchrun *": "starts processes that load PyTorch: test_distributed",
    "dvc commit train@lstm": "of what torchrun trained",
    "dask *": "runs until it is stopped: test_cluster",
    "DASK_SCHEDULER_ADDRESS=*": "wants a cluster: test_cluster",
    "MAKEMORE_CLUSTER=*": "starts processes: test_cluster",
    "*s3://*": "wants an object store: test_cluster has another",
    "cd *": "into a new project, test_lists",
}


def documented() -> list[str]:
    """The lines of all shell blocks, and commands in the text between backticks."""
    found = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            found += [line.partition("  #")[0].strip() for line in block.splitlines()]
        found += re.findall(r"`((?:python (?:stages|benchmarks)/|dvc \w+ |make )[^`\n]*)`", text)
    return list(dict.fromkeys(found))


def exception(command: str) -> str | None:
    return next((pattern for pattern in ELSEWHERE if fnmatch.fnmatchcase(command, pattern)), None)


def test_every_documented_command_ends_well(project: Project) -> None:
    failed = []
    with project.forking() as variables:
        for command in documented():
            if not exception(command):
                done = project.run("bash", "-o", "pipefail", "-c", command, check=False, **variables)
                if done.returncode:
                    failed.append(f"{command}\n{done.stdout[-300:]}{done.stderr[-300:]}")
    assert not failed, "\n".join(failed)


def test_every_exception_is_documented() -> None:
    assert set(ELSEWHERE) == {exception(command) for command in documented()} - {None}
