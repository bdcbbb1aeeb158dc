"""How far a long reading is, said on a terminal only: what a program reads stays as it is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

PATIENCE = 1.0
"""Seconds of silence before progress is said, and between two sayings."""


class Progress:
    """How far reading is, on a terminal, once it takes longer than a second."""

    def __init__(
        self, began: float, ended: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._began, self._ended, self._clock = began, ended, clock
        self._said_at = clock()
        self._said = False

    def at(self, moment: float) -> None:
        """Say the time that is reached, now and then."""
        now = self._clock()
        if now - self._said_at < PATIENCE or not sys.stderr.isatty():
            return
        self._said_at, self._said = now, True
        whole = max(self._ended - self._began, 1e-9)
        share = min(max((moment - self._began) / whole, 0.0), 1.0)
        print(f"rms-tui: {iso(moment)}, {share:.0%} read", end="\r", file=sys.stderr, flush=True)

    def done(self) -> None:
        """Leave the line."""
        if self._said:
            print(file=sys.stderr)


def iso(at: float) -> str:
    """UTC seconds as an ISO time."""
    moment = datetime.fromtimestamp(at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
