"""The learning rate of each training step.

To add a schedule, add a line to `SCHEDULES`.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from makemore.training.params import TrainingParams

Schedule = Callable[[int], float]  # from a step, counted from 0, to its learning rate

SCHEDULES: dict[str, Callable[[float], float]] = {  # from the share of the steps done to the share of the peak rate
    "constant": lambda done: 1.0,
    "step": lambda done: 1.0 if done < 0.5 else 0.1,
    "late_step": lambda done: 1.0 if done < 0.75 else 0.1,
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}


def learning_rate(params: "TrainingParams") -> Schedule:
    """The schedule that the params describe: warmup, then decay."""
    decay = SCHEDULES[params.schedule]

    def rate(step: int) -> float:
        return params.lr * decay(step / params.steps) * min(1.0, (step + 1) / max(1, params.warmup))

    return rate
