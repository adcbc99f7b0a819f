"""The lectures' runs are valid params, with the published numbers of parameters."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from makemore.core.params import read_section
from makemore.models.mlp import MLP, MLPParams
from makemore.tools.lectures import RUNS, Run, settings
from makemore.training.params import TrainingParams

PARAMETERS = {
    **dict.fromkeys(("2-10-200", "3-randn", "3-small-output", "3-unsaturated", "3-kaiming"), 11_897),
    **dict.fromkeys(("3-batch-norm", "5-baseline"), 12_097),
    **dict.fromkeys(("5-hierarchical", "5-both"), 22_397),
    **{"2-2-100": 3_481, "2-2-300": 10_281, "3-deep": 47_024, "4-manual": 12_297, "5-context-8": 22_097},
    "5-wider": 76_579,
}


@pytest.mark.parametrize("run", RUNS, ids=[run.experiment for run in RUNS])
def test_a_run_changes_only_params_of_the_mlp(run: Run) -> None:
    values = read_section(Path("params.yaml"), "mlp")
    assert run.params.keys() <= values.keys()
    values |= run.params
    shape = MLPParams.model_validate({key: values[key] for key in MLPParams.model_fields})
    TrainingParams.model_validate({key: values[key] for key in TrainingParams.model_fields if key in values})
    assert MLP(shape, 27, None).parameter_count == PARAMETERS[run.experiment.removeprefix("lecture-")]
    assert f"--set-param=mlp.hidden={run.params['hidden']}" in settings(run)


def test_a_table_without_experiments_is_one_line(run: Callable[..., Result]) -> None:
    done = run("lecture", "3", "--show")
    assert done.exit_code == 1 and done.output == "lecture-3-randn: no such experiment; run `make lecture-3`\n"
