"""A list that is painted again when it is another: `--watch`. Ends with 0 on Ctrl-C."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from typing import TYPE_CHECKING, Any, Literal

from rms_tui.cli.oneshot import print_json

if TYPE_CHECKING:
    from rms_tui.store.database import Rms

Rows = list[dict[str, Any]]

LEAST, MOST = 0.5, 60.0
"""Seconds: between two looks at the database, and after which one is taken in any case (ages)."""

_HOME = "\x1b[H\x1b[J"


def repaint(
    database: Rms,
    collection: Literal["elements", "instances"],
    read: Callable[[], Rows],
    paint: Callable[[Rows], None],
    shape: Callable[[dict[str, Any]], dict[str, Any]],
    *,
    json: bool,
) -> None:
    """Print the list now and after each change that is to be seen, until Ctrl-C.

    On a terminal in place, else one table after the other; as JSON a line each time. A database
    that goes away is waited for.
    """
    from rms_tui.store.listing import followed

    shown: object = None
    with suppress(KeyboardInterrupt):
        for found in followed(database, collection, read, MOST, said=_say):
            text = _text(found, paint)
            if text != shown:
                if json:
                    print_json([shape(one) for one in found])
                else:
                    _put(text, first=shown is None)
                shown = text
            time.sleep(LEAST)  # figures change many times a second


def _text(found: Rows, paint: Callable[[Rows], None]) -> str:
    with redirect_stdout(io.StringIO()) as painted:
        paint(found)
    return painted.getvalue()


def _put(text: str, *, first: bool) -> None:
    if sys.stdout.isatty():
        sys.stdout.write(_HOME)
    elif not first:
        sys.stdout.write("\n")
    sys.stdout.write(text)
    sys.stdout.flush()


def _say(text: str) -> None:
    print(f"rms-tui: {text}", file=sys.stderr, flush=True)
