"""The same bytes under the instructions of other processors."""

import os
import subprocess
import sys

import pytest

from checkout import ROOT
from makemore.core.arithmetic import SETTINGS, SWITCH, THREADS

sys.path.insert(0, str(ROOT / "benchmarks"))
import determinism

PINNED = SETTINGS | THREADS
slow = pytest.mark.slow


def pinned(**variables: str) -> subprocess.CompletedProcess[str]:
    """A process that shows the settings as a stage has them."""
    code = f"import _stage, os; print({{key: os.environ.get(key) for key in {list(PINNED)}}})"
    environment = {key: value for key, value in os.environ.items() if key not in PINNED}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT / "stages", env=environment | variables, capture_output=True, text=True
    )


@slow
@pytest.mark.parametrize(
    "others",
    [
        {"ONEDNN_MAX_CPU_ISA": "SSE41", "OMP_NUM_THREADS": "2"},
        {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "ONEDNN_MAX_CPU_ISA": "DEFAULT"},
    ],
    ids=["oneDNN without AVX, two threads", "numpy without AVX, oneDNN free"],
)
def test_every_family_trains_and_samples_the_same_bytes(others: dict[str, str]) -> None:
    expected, found = determinism.hashes({}), determinism.hashes(others)
    assert len(expected) > 70 and found == expected


@slow
def test_a_setting_that_a_library_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="cannot disable CPU features"):
        determinism.hashes({"NPY_DISABLE_CPU_FEATURES": "AVX512F"})


def test_the_stages_pin_the_arithmetic_unless_told_otherwise() -> None:
    assert pinned().stdout.strip() == str(PINNED)
    assert pinned(MKL_CBWR="AVX2").stdout.strip() == str(PINNED | {"MKL_CBWR": "AVX2"})
    assert pinned(OMP_NUM_THREADS="2").stdout.strip() == str(PINNED)
    assert pinned(**{SWITCH: "fast"}).stdout.strip() == str(dict.fromkeys(PINNED))
    wrong = pinned(**{SWITCH: "quick"})
    assert wrong.returncode == 1 and wrong.stderr == f"{SWITCH}: expected reproducible or fast, got 'quick'\n"
