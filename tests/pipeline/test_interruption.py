from checkout import Project
from interrupt import AIMS, interrupt_often


def test_a_killed_run_recovers(project: Project) -> None:
    """Twice of each kind; `python tests/interrupt.py --times 200` does it often."""
    times = 2 * len(AIMS)
    assert interrupt_often(project, times, seed=1).total() == times
