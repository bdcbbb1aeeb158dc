"""The terminal that a console is drawn on: whether there is one, and a console's run on it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rms_tui import stopping
from rms_tui.cli.exits import FAILED, USAGE, end

if TYPE_CHECKING:
    from rms_tui.tui.app import RmsApp


def need_screen(instead: str) -> None:
    """End with status 2 where a console cannot be shown; `instead` says what to do without one.

    On POSIX the screen is drawn on stderr: with that in a file nobody would see anything.
    """
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        end(f"the console needs a terminal; {instead}", USAGE)
    if sys.platform != "win32" and not sys.stderr.isatty():
        end(
            "the console is drawn on stderr, which is not a terminal: do not redirect it "
            "(what is logged is in rms.log in the data folder)",
            USAGE,
        )


def shown(app: RmsApp, *, mouse: bool) -> int:
    """Run a console until it is left; its exit status, not 0 after a crash.

    A second SIGTERM or SIGHUP changes nothing of how what it began is ended.
    """
    app.run(mouse=mouse)
    stopping.note()
    return FAILED if app.return_code is None else app.return_code
