"""Whether there is a terminal to draw a console on; said before anything is connected."""

from __future__ import annotations

import sys

from rms_tui.cli.exits import USAGE, end


def need_screen(instead: str) -> None:
    """End with status 2 where a console cannot be shown; `instead` says what to do without one.

    On POSIX the screen is drawn on stderr: with that in a file nobody would see anything.
    """
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        end(f"the console needs a terminal; {instead}", USAGE)
    if sys.platform != "win32" and not sys.stderr.isatty():
        end(
            "the console is drawn on stderr, which is no terminal: do not redirect it (rms.log in "
            "the data folder has what is logged)",
            USAGE,
        )
