from checkout import Project
from interrupt import AIMS, interrupt_often


def test_a_killed_run_recovers(project: Project) -> None:
    """Once of each kind; `python tests/interrupt.py --times 200` does it often."""
    assert interrupt_often(project, len(AIMS), seed=1).total() == len(AIMS)
