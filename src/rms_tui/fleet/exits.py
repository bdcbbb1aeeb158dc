"""How a worker ends, for whoever started it; documented in `rms-tui worker --help`."""

from __future__ import annotations

from enum import IntEnum

from rms_tui.store.claims import Ending


class Exit(IntEnum):
    """Exit status of `rms-tui worker`."""

    RELEASED = 0
    FAILED = 1
    USAGE = 2
    FENCED = 3
    AUTHORISATION = 4
    TERMINAL = 5
    DATABASE = 6


ENDINGS: dict[int, Ending] = {
    Exit.RELEASED: Ending.RELEASED,
    Exit.FENCED: Ending.RELEASED,  # nobody's fault, and mostly over already
    Exit.AUTHORISATION: Ending.AUTHORISATION,
    Exit.TERMINAL: Ending.TERMINAL,
    Exit.DATABASE: Ending.DATABASE,
}
"""What each status means for the claim; any other one is a crash."""


def ending_of(status: int) -> Ending:
    """Why a worker with this exit status ended its claim."""
    return ENDINGS.get(status, Ending.CRASHED)


def in_words(status: int) -> str:
    """The exit status for a log: `fenced`, `killed by signal 9`, `exit status 1`."""
    if status < 0:
        return f"killed by signal {-status}"
    return Exit(status).name.lower() if status in Exit.__members__.values() else f"exit {status}"
