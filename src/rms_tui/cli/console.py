"""The console: everything running behind it, the screen in front, and a clean end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rms_tui.cli import START
from rms_tui.cli.exits import FAILED, OK, USAGE, end
from rms_tui.cli.log import begin_log
from rms_tui.cli.reload import plan_watch
from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.recording import record_switch
from rms_tui.wiring.sources import Desk, desk, monitor_of
from rms_tui.wiring.storing import writer_of

if TYPE_CHECKING:
    from rms_tui.alerts import Alert
    from rms_tui.alerts.asked import Asked
    from rms_tui.changes import Change
    from rms_tui.serve.websocket import Server
    from rms_tui.store.writer import Writer

T = TypeVar("T")

MOST_HISTORY = 2_000
"""Alerts the history screen asks for."""


def open_console(
    shared: Given,
    *,
    mouse: bool,
    websocket: bool = False,
    record: Path | None = None,
    record_limit: int | None = None,
) -> None:
    """Show the console until the dealer quits. Exit status 0, not 0 after a crash.

    Raises FeedError for a file that cannot be recorded into, SettingsError for a server that must
    not be started so.
    """
    made = desk(shared) or _first_run(shared)
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        end("the console needs a terminal; without one use `rms-tui start`", USAGE)
    begin_log(made.settings, on_console=False)
    monitor = monitor_of(made)
    storing = Storing(made, monitor)
    server = _served(made, monitor, storing) if websocket else None
    recording = record_switch(made, monitor, record_limit)
    if record is not None:
        recording.start(record)
    monitor.start()
    limits = plan_watch(shared, monitor)
    limits.start()
    try:
        from rms_tui.tui.app import RmsApp

        app = RmsApp(
            monitor,
            operator=operator(),
            store=storing.status,
            clock=monitor.now,
            history=storing.history,
            changes=storing.changes,
            recording=recording,
            after_first_paint=storing.start,
        )
        app.run(mouse=mouse)
        status = app.return_code if app.return_code is not None else FAILED
    finally:
        limits.stop()
        if server is not None:
            server.stop(0.3)
        storing.stop()
        monitor.stop(timeout=0.3)
        recording.stop(0.5)
    raise SystemExit(status or OK)


def _served(made: Desk, monitor: Monitor, storing: Storing) -> Server:
    """The server beside the console; it listens before a screen could hide why it cannot."""
    from rms_tui.cli.serving import begin
    from rms_tui.wiring.serving import Served, access_of, websocket_of

    access = access_of(made.settings, Served())
    server = websocket_of(monitor, access, store=storing.status, history=storing.history)
    begin(server)
    return server


class Storing:
    """The writer, started after the first paint: importing the driver takes its time."""

    def __init__(self, made: Desk, monitor: Monitor) -> None:
        self.status: Latest[Any] = Latest()
        self._made = made
        self._monitor = monitor
        self._writer: Writer | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._begin, name="rms-store-start", daemon=True)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, within half a second."""
        self._stopped.set()
        if self._writer is not None:
            self._writer.stop(0.5)

    def history(self, asked: Asked) -> Sequence[Alert]:
        """The newest such alerts of the database; from any thread. Raises HistoryError."""
        wanted = replace(asked, most=MOST_HISTORY)
        return self._answer(lambda writer: writer.history(wanted))

    def changes(self, login: int) -> Sequence[Change]:
        """Who changed what about an account; from any thread. Raises HistoryError."""
        return self._answer(lambda writer: writer.changes(login))

    def _answer(self, question: Callable[[Writer], T]) -> T:
        from rms_tui.store.errors import StoreError
        from rms_tui.tui.view import HistoryError

        if self._writer is None:
            raise HistoryError("MongoDB is being connected")
        try:
            return question(self._writer)
        except StoreError as error:
            raise HistoryError(error.text) from None

    def _begin(self) -> None:
        writer = writer_of(self._made, self._monitor, status=self.status)
        if not self._stopped.is_set():
            self._writer = writer
            writer.start()


def _first_run(shared: Given) -> Desk:
    """No source is configured: say the three ways to start, and start the demo when asked to."""
    if not (sys.stdout.isatty() and sys.stdin.isatty()):
        end(START, USAGE)
    from rms_tui.tui.screens.first_run import show_first_run

    if show_first_run() != "demo":
        end(START, USAGE)
    made = desk(replace(shared, demo=True))
    assert made is not None
    return made
