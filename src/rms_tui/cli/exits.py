"""Exit statuses and how an error ends a verb: one clear line on stderr, no stack trace."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from rms_tui import stopping

OK = 0
FAILED = 1
USAGE = 2
NO_PACKAGE = 3
REFUSED = 4
NO_SOURCE = 5
NO_DATABASE = 6
INTERRUPTED = 130

MEANINGS = """Exit status: 0 done · 1 a check failed or the program broke · 2 wrong option or
setting · 3 the MT5 package is not installed here · 4 MT5 refused the login · 5 no answer from the
source · 6 no answer from MongoDB."""

OF_CAUSE: dict[str, int] = {
    "missing-package": NO_PACKAGE,
    "configuration": USAGE,
    "refused-data": USAGE,
    "authorisation": REFUSED,
    "wrong-account": REFUSED,
}


def end(text: str, status: int) -> NoReturn:
    """Say why on stderr and exit. What a file brought is shown and never obeyed by a terminal."""
    said = "".join(sign if sign.isprintable() or sign == "\n" else "�" for sign in text)
    print(f"rms-tui: {said}", file=sys.stderr)
    raise SystemExit(status)


def leave(status: int) -> NoReturn:
    """Exit at once: all that had to end has ended, or hangs.

    The interpreter's own end would wait for a driver's threads, a second for each that hangs.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(status)


def guarded(verb: Callable[[], None], *, lasts: bool = False) -> None:
    """Run a verb; a known error becomes its line and status.

    One that `lasts` until it is told to end acts on SIGTERM and SIGHUP itself, others die of them.
    """
    if not lasts:
        stopping.by_default()
    from rms_tui.feed import FeedError
    from rms_tui.settings import SettingsError

    try:
        verb()
    except SettingsError as error:
        end(str(error), USAGE)
    except FeedError as error:
        end(error.text, OF_CAUSE.get(error.cause, NO_SOURCE))
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
