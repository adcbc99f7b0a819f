"""The learning rate of each training step."""

import math
from collections.abc import Callable

from makemore.training.params import TrainingParams

Schedule = Callable[[int], float]  # from a step, counted from 0, to its learning rate


def learning_rate(params: TrainingParams) -> Schedule:
    """The schedule that the params describe: warmup, then constant, step, linear or cosine decay."""

    def rate(step: int) -> float:
        progress = step / params.steps
        factors = {
            "constant": 1.0,
            "step": 1.0 if progress < 0.5 else 0.1,
            "linear": 1 - progress,
            "cosine": (1 + math.cos(math.pi * progress)) / 2,
        }
        return params.lr * factors[params.schedule] * min(1.0, (step + 1) / max(1, params.warmup))

    return rate
