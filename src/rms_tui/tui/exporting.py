"""Export from the console: a file name is asked for, the work is done in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any

from textual.app import App

from rms_tui import snapshot
from rms_tui.export import ExportError, What, exported, wanted
from rms_tui.feed import FeedError
from rms_tui.monitor import Monitor
from rms_tui.plural import noun
from rms_tui.tui import figures
from rms_tui.tui.errand import once, run_errand
from rms_tui.tui.heading import Moment
from rms_tui.tui.requests import Say
from rms_tui.tui.screens.ask import Ask
from rms_tui.tui.screens.confirm import Confirm
from rms_tui.whole_file import in_words, write_whole

PATIENCE = 60.0
"""Seconds for the deals of a JSON export."""

UNITS: dict[What, str] = {
    "accounts": "account",
    "positions": "position",
    "exposure": "symbol",
    "alerts": "alert",
}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: how many rows, as JSON or one table."""

    rows: int
    unit: str


@dataclass(frozen=True, slots=True)
class NotWritten:
    """Why not; `exists` where replacing the file would do."""

    text: str
    exists: bool = False


class Exporting:
    """Asks on the screens of an App, exports what is shown, says what became of it."""

    def __init__(
        self, app: App[Any], monitor: Monitor, moment: Callable[[], Moment | None], say: Say
    ) -> None:
        self._app = app
        self._monitor = monitor
        self._moment = moment
        self._say = say

    def ask(self, what: What) -> None:
        """Ask for the file of a table, or of everything."""
        moment = self._moment()
        if moment is None or moment.frame.book is None:
            self._say("nothing to export yet: the source has given no accounts")
            return
        at = moment.now + (moment.frame.health.server_offset or 0.0)
        name = f"{what}-{datetime.fromtimestamp(at, UTC):%Y%m%d-%H%M%S}.csv"
        question = f".csv writes all {what}, whatever the filter; .json everything"

        def taken(answer: str | None) -> None:
            if answer is not None:
                self._export(moment, Path(answer.strip()).expanduser(), what, replace=False)

        self._app.push_screen(Ask("Export", question, value=name, wrong=wrong_name), taken)

    def _export(self, moment: Moment, path: Path, what: What, *, replace: bool) -> None:
        def came(outcome: Written | NotWritten) -> None:
            if isinstance(outcome, Written):
                rows = f"{figures.count(outcome.rows)} {noun(outcome.rows, outcome.unit)}"
                self._say(f"{rows} written to {path.absolute()}")
            elif outcome.exists:
                self._confirm(moment, path, what)
            else:
                self._say(f"not exported: {outcome.text}", severity="error")

        def failed(error: Exception) -> None:
            text = error.text if isinstance(error, FeedError) else str(error)
            self._say(f"not exported: {text}", severity="error")

        work = once(lambda: self._written(moment, path, what, replace=replace))
        run_errand(self._app, "export", work, came, failed)

    def _confirm(self, moment: Moment, path: Path, what: What) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                self._export(moment, path, what, replace=True)

        self._app.push_screen(
            Confirm("Export", f"Replace {path}?", "A file of that name exists already."), answered
        )

    def _written(
        self, moment: Moment, path: Path, what: What, *, replace: bool
    ) -> Written | NotWritten:
        """In the thread: make the content and write it. Raises FeedError."""
        asked = wanted(path, what=None if path.suffix.lower() == ".json" else what)
        monitor, frame = self._monitor, moment.frame
        stats = snapshot.stats_shape(frame, running=monitor.running, interval=monitor.interval)
        try:
            if path.exists() and not replace:
                return NotWritten("", exists=True)
            made = exported(
                asked,
                frame,
                stats=stats,
                history=lambda: monitor.history(None, PATIENCE),
                now=moment.now,
            )
            write_whole(path, made.content, replace=replace)
        except FileExistsError:
            return NotWritten("", exists=True)
        except OSError as error:
            return NotWritten(in_words(error, path))
        return Written(made.rows, UNITS[asked.what])


def wrong_name(text: str) -> str | None:
    """What is wrong with a file name, None when it can be tried."""
    if not text.strip():
        return "expected a file name, such as accounts.csv"
    if "\0" in text:
        return "expected a file name without NUL"
    try:
        wanted(PurePath(text.strip()))
    except ExportError as error:
        return str(error)
    return None
