"""The clock of a desk that may follow another: while it does, the other's time is the time."""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """UTC seconds: this host's, or while following the holder's."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._ahead = 0.0

    def now(self) -> float:
        """UTC seconds."""
        return self._clock() + self._ahead

    def follow(self, now: float) -> None:
        """The holder says it is this time."""
        self._ahead = now - self._clock()

    def own(self) -> None:
        """This host's time again."""
        self._ahead = 0.0
