"""What the console takes of memory with 100 000 accounts, and whether it grows.

The console as an operator starts it: on a pseudo-terminal, over the demo's broker (five positions
an account, some 16 000 open alerts), with an embedded MongoDB that it writes to. Resident memory is
the kernel's own `VmRSS`, looked at ten times a second; the broker and the database are processes of
their own and do not count. Between two polls there is one Book, during a poll there are two.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from benchmarks.console import Screen, screen
from benchmarks.rows import Row

ACCOUNTS = 100_000
FEW = 250
INTERVALS = (1, 5)
"""Seconds between polls: the demo's, and what is set for real sources."""

FROM, UNTIL = 60.0, 120.0
"""Seconds after the start between which is measured."""

WINDOW = 10.0
"""Seconds at either end whose lowest sizes are compared."""

SETTLED = 15.0
"""Seconds after which few accounts take what they will."""

MEGABYTE = 1024 * 1024

Sample = tuple[float, float]
"""Seconds since the start, and resident megabytes."""


@contextmanager
def demo(accounts: int, interval: int) -> Iterator[Screen]:
    """The demo with its own data folder, live."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        console = [sys.executable, "-m", "rms_tui", "--demo", "--accounts", str(accounts)]
        command = ["env", f"RMS_DATA_DIR={folder}", *console, "--interval", str(interval)]
        with screen(command) as shown:
            shown.first(b"DEMO", 60)
            yield shown


def samples(shown: Screen, start: float, end: float) -> list[Sample]:
    """Resident memory, ten times a second between these seconds after the start."""
    found: list[Sample] = []
    while (at := time.monotonic() - shown.began) < end:
        if at >= start:
            found.append((at, shown.resident()["VmRSS"] / MEGABYTE))
        shown.read(0.1)
    return found


def measure() -> list[Row]:
    """Polled as the demo does, and as all other sources are unless told otherwise."""
    with demo(FEW, 1) as shown:
        alone = median(size for _, size in samples(shown, SETTLED - 3, SETTLED))
    return [row for interval in INTERVALS for row in _large(interval, alone)]


def _large(interval: int, alone: float) -> list[Row]:
    """The claim, what it is between and during polls, and whether it grows."""
    with demo(ACCOUNTS, interval) as shown:
        found = samples(shown, FROM, UNTIL)
        peak = shown.resident()["VmHWM"] / MEGABYTE
    sizes = [size for _, size in found]
    grown = _between(found, UNTIL - WINDOW, UNTIL) - _between(found, FROM, FROM + WINDOW)
    name, against = f"console, 100k x 5, {interval} s", f"{FEW} accounts"
    middle = median(sizes)
    return [
        Row(f"{name}: resident, median", middle, "MB", alone, against, "≤ 300", middle <= 300),
        Row(f"{name}: resident, lowest", min(sizes), "MB", alone, against, "", ok=True),
        Row(f"{name}: resident, highest", max(sizes), "MB", alone, against, "", ok=True),
        Row(f"{name}: peak since start", peak, "MB", alone, against, "", ok=True),
        Row(f"{name}: growth in a minute", grown, "MB", None, "", "≤ 15", grown <= 15),
    ]


def _between(found: Sequence[Sample], start: float, end: float) -> float:
    """The lowest of a window: what is there whether or not a poll is going on."""
    return min(size for at, size in found if start <= at <= end)


if __name__ == "__main__":
    for row in measure():
        print(row)
