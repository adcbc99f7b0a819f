"""The same results on every x86-64 processor with AVX2.

PyTorch, MKL, oneDNN, numpy and OpenBLAS choose their instructions by processor, and different instructions round
differently. The settings below fix the choice. They are read when these libraries are loaded, so `pin` comes before
`import numpy` and `import torch`. docs/exact.md says what they guarantee, docs/benchmarks.md what they cost.
"""

import os
import platform

SWITCH = "MAKEMORE_ARITHMETIC"
DEFAULT = "reproducible"  # or `fast`: a project that stages/new.py makes has nobody's bytes to match

SETTINGS = {
    "ATEN_CPU_CAPABILITY": "avx2",  # PyTorch's own kernels
    "MKL_CBWR": "COMPATIBLE",  # PyTorch's matrix products: MKL promises its AVX2 mode on Intel's processors only
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # the few PyTorch operations that go to oneDNN
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # numpy's exp, log and power
    "OPENBLAS_CORETYPE": "Haswell",  # numpy's matrix products
}
# Threads split sums and matrix products. Training sets its own number of them, the param `threads`.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


def pin() -> None:
    """Set the environment variables, unless `MAKEMORE_ARITHMETIC` is `fast`.

    Instructions that are chosen already are kept. The number of threads is not: clusters set it for every job.

    Raises:
        ValueError: `MAKEMORE_ARITHMETIC` is neither `reproducible` nor `fast`.
    """
    choice = os.environ.get(SWITCH, DEFAULT)
    if choice not in ("reproducible", "fast"):
        raise ValueError(f"{SWITCH}: expected reproducible or fast, got {choice!r}")
    if choice == "reproducible" and platform.machine() in ("x86_64", "AMD64"):
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        os.environ.update(THREADS)
