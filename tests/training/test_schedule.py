import math

import pytest

from makemore.training.params import TrainingParams
from makemore.training.schedule import learning_rate


def rates(schedule: str, steps: int = 4, warmup: int = 0) -> list[float]:
    """The learning rate of each step, relative to the peak."""
    params = TrainingParams.model_construct(schedule=schedule, lr=2, steps=steps, warmup=warmup)
    rate = learning_rate(params)
    return [rate(step) / 2 for step in range(steps)]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [1, 1, 1, 1]),
        ("step", [1, 1, 0.1, 0.1]),
        ("linear", [1, 0.75, 0.5, 0.25]),
        ("cosine", [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2]),
    ],
)
def test_schedules(schedule: str, expected: list[float]) -> None:
    assert rates(schedule) == pytest.approx(expected)


def test_warmup_multiplies_the_schedule() -> None:
    assert rates("constant", steps=6, warmup=4) == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])
    assert rates("linear", steps=4, warmup=2) == pytest.approx([0.5, 0.75, 0.5, 0.25])
