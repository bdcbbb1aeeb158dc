"""How long a dealer waits for the help, and for the first paint of the console."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from benchmarks.rows import Row


def rows() -> Iterator[Row]:
    """`rms-tui --help` beside Python alone."""
    bare = _seconds([sys.executable, "-c", "pass"])
    took = _seconds([sys.executable, "-m", "rms_tui", "--help"])
    yield Row("rms-tui --help", took, "s", bare, "python -c pass", "≤ 0.35", took <= 0.35)


def _seconds(command: list[str], repeat: int = 7) -> float:
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return float(np.median(times))
