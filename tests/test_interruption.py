from pathlib import Path

from interrupt import interrupt_often


def test_a_killed_run_is_finished_by_the_next(tmp_path: Path) -> None:
    """A few times here; `python tests/interrupt.py --times 200` does it often."""
    assert interrupt_often(tmp_path, times=4, seed=1).total() == 4
