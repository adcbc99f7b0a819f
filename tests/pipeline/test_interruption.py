from checkout import Project
from interrupt import interrupt_often


def test_a_killed_run_is_finished_by_the_next(project: Project) -> None:
    """Three times here; `python tests/interrupt.py --times 200` does it often."""
    assert interrupt_often(project, times=3, seed=1).total() == 3
