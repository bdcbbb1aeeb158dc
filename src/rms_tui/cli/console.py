"""The console: everything running behind it, the screen in front, and a clean end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rms_tui.allocator import share_one_heap
from rms_tui.cli import START
from rms_tui.cli.exits import USAGE, end, leave
from rms_tui.cli.keys import console_keys
from rms_tui.cli.log import begin_log
from rms_tui.cli.screen import need_screen, shown
from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.plural import counted
from rms_tui.serve.clock import Clock
from rms_tui.wiring.book_desk import BookDesk
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.recording import record_switch
from rms_tui.wiring.reload import plan_watch
from rms_tui.wiring.sources import Desk, clocked_monitor, desk, loaded

if TYPE_CHECKING:
    from rms_tui.alerts import Alert
    from rms_tui.alerts.asked import Asked
    from rms_tui.changes import Change

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
    if loaded(shared).settings.rms_source == "fleet":
        from rms_tui.cli.fleet_console import open_fleet_console

        open_fleet_console(shared, mouse=mouse, asked=websocket or record is not None)
    made = desk(shared) or _first_run(shared)
    need_screen("without one use `rms-tui start`")
    keymap = console_keys(made.settings)
    begin_log(made.settings, on_console=False)
    share_one_heap()
    clock = Clock()
    monitor = clocked_monitor(made, clock)
    status: Latest[Any] = Latest()
    asked = Asking()
    recording = record_switch(made, monitor, record_limit)
    if record is not None:
        recording.start(record)
    book = BookDesk(
        made,
        monitor,
        clock,
        limits=lambda: plan_watch(shared, monitor),
        status=status,
    )
    asked.desk = book
    book.prepare()
    if websocket:
        _serve(made, monitor, book)
    try:
        from rms_tui.tui.app import RmsApp
        from rms_tui.tui.holder import Holder

        app = RmsApp(
            monitor,
            operator=operator(),
            store=status,
            clock=monitor.now,
            history=asked.history,
            changes=asked.changes,
            recording=recording,
            deliveries=book.deliveries,
            after_first_paint=book.start,
            keymap=keymap,
            holder=Holder(book.refusals),
        )
        code = shown(app, mouse=mouse)
    finally:
        book.stop()
        recording.stop(0.3)
    _say_lost(status.value)
    leave(code)


def _say_lost(status: Any) -> None:
    """What a dealer did while MongoDB was down, and nobody will know."""
    if status is not None and status.state == "down" and (lost := status.waiting):
        print(
            f"rms-tui: MongoDB was down at the end: {counted(lost, 'fact')} (alerts, "
            "acknowledgements, limits) not written",
            file=sys.stderr,
        )


def _serve(made: Desk, monitor: Monitor, book: BookDesk) -> None:
    """Serve beside the console; it listens before a screen could hide why it cannot."""
    from rms_tui.cli.serving import begin
    from rms_tui.wiring.serving import Served, access_of, websocket_of

    access = access_of(made.settings, Served())
    server = websocket_of(monitor, access, store=book.status, history=book.history)
    begin(server)
    book.serve_at(server, access)


class Asking:
    """What screens ask the database; the desk that answers is there a moment later."""

    def __init__(self) -> None:
        self.desk: BookDesk | None = None

    def history(self, asked: Asked) -> Sequence[Alert]:
        """The newest such alerts of the database; from any thread. Raises HistoryError."""
        wanted = replace(asked, most=MOST_HISTORY)
        return self._answer(lambda desk: desk.history(wanted))

    def changes(self, login: int) -> Sequence[Change]:
        """Who changed what about an account; from any thread. Raises HistoryError."""
        return self._answer(lambda desk: desk.changes(login))

    def _answer(self, question: Callable[[BookDesk], T]) -> T:
        from rms_tui.store.errors import StoreError
        from rms_tui.tui.view import HistoryError

        if self.desk is None:
            raise HistoryError("MongoDB is being connected")
        try:
            return question(self.desk)
        except StoreError as error:
            raise HistoryError(error.text) from None


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
