"""From settings to a recorder of a monitor, and where it records when nobody says."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from rms_tui.frame import FeedState
from rms_tui.monitor import Monitor
from rms_tui.recording.recorder import DEFAULT_LIMIT, Recorder
from rms_tui.recording.switch import RecordSwitch
from rms_tui.settings import Settings, SettingsError
from rms_tui.wiring.sources import LIVE_WORD, Desk, times_of

SMALLEST_LIMIT = 4
"""Megabytes: four files share the limit."""


def record_switch(made: Desk, monitor: Monitor, limit: int | None) -> RecordSwitch:
    """Recording of this monitor, off. `limit` is in megabytes. Raises SettingsError."""
    if limit is not None and limit < SMALLEST_LIMIT:
        raise SettingsError(
            f"--record-limit {limit}: expected megabytes, {SMALLEST_LIMIT} or more (from option)"
        )
    most = DEFAULT_LIMIT if limit is None else limit * 1_000_000

    def make(path: Path) -> Recorder:
        return Recorder(
            monitor,
            path,
            limit=most,
            live=LIVE_WORD.get(made.source, FeedState.LIVE),
            report_currency=made.settings.rms_report_currency,
            times=times_of(made.settings),
        )

    def place() -> Path:
        book = None if monitor.frames.value is None else monitor.frames.value.book
        return new_file(made.settings, made.source if book is None else book.server)

    return RecordSwitch(make, place)


def new_file(settings: Settings, server: str) -> Path:
    """A file in `recordings` of the data folder, named for the server and the time (UTC)."""
    if settings.rms_data_dir is not None:
        folder = settings.rms_data_dir.absolute()
    else:
        import platformdirs

        folder = platformdirs.user_data_path("rms-tui", appauthor=False)
    folder = folder / "recordings"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", server).strip("-.")[:60] or "server"
    return folder / f"{safe}-{datetime.now(UTC):%Y%m%d-%H%M%S}.rec"
