"""SIGTERM and SIGHUP from the first moment on.

Until a program that lasts can act on one, it is noted: without that, one that comes while modules
are imported would end the process by the signal, and a service would have failed instead of
stopped. Imports nothing heavy: it is there before all else.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

ENDING = tuple(
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)
)  # there is no SIGHUP on Windows


class Noted:
    """A handler that only remembers that its signal came."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, *_: object) -> None:
        """Called by Python with number and frame, in the main thread."""
        self.came = True


def note() -> None:
    """Note what comes from now on, where it would end the process; in the main thread only."""
    for number in ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, Noted())


def came() -> bool:
    """Whether one was noted, and nobody has acted on it."""
    handlers = [signal.getsignal(number) for number in ENDING]
    return any(isinstance(one, Noted) and one.came for one in handlers)


def hear(stop: Callable[[], object]) -> None:
    """Call `stop` for SIGTERM, SIGHUP and Ctrl-C; at once for one that was noted."""
    early = came()
    for number in (signal.SIGINT, *ENDING):
        signal.signal(number, lambda *_: stop())
    if early:
        stop()


def by_default() -> None:
    """Have them end the process as the system does, for who does one thing and is not asked to
    stop; one that was noted ends it now."""
    for number in ENDING:
        handler = signal.getsignal(number)
        if isinstance(handler, Noted):
            signal.signal(number, signal.SIG_DFL)
            if handler.came:
                signal.raise_signal(number)
