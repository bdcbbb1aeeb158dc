"""`assess`: a written timeline in, one JSON object a row out. Refusals end with status 2."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from rms_tui.assess import assess
from rms_tui.cli.exits import USAGE, end
from rms_tui.cli.profiles import profile_named
from rms_tui.cli.progress import Progress
from rms_tui.timeline import Refused, Timeline, read
from rms_tui.wiring.given import Given

STDIN = "-"


def assess_file(shared: Given, file: str, profile: str | None) -> None:
    """Print what every rule says of every row. Raises SettingsError for a wrong rms.toml."""
    name = "<stdin>" if file == STDIN else file
    try:
        text = _text(file)
    except OSError as error:
        end(f"{name}: cannot be read: {error.strerror}", USAGE)
    except UnicodeDecodeError:
        end(
            f"{name}: expected a timeline, JSON in UTF-8; a recording goes after --recording", USAGE
        )
    try:
        chosen = None if profile is None else profile_named(shared, profile)
        print_rows(read(text, name, chosen))
    except Refused as error:
        sys.stdout.buffer.flush()
        end(str(error), USAGE)
    sys.stdout.buffer.flush()


def print_rows(timeline: Timeline, clock: Callable[[], float] = time.monotonic) -> None:
    """A line a row; how far it is where these go into a file, and a terminal would stay dark."""
    progress = None
    if not sys.stdout.isatty():
        progress = Progress(timeline.at[0], timeline.at[-1], clock)
    try:
        for row, at in zip(assess(timeline), timeline.at, strict=True):
            sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            if progress is not None:
                progress.at(at)
    finally:
        if progress is not None:
            progress.done()


def _text(file: str) -> str:
    """The text of a file, without the byte order mark that Windows programs write before it."""
    if file == STDIN:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    return Path(file).read_text("utf-8-sig")
