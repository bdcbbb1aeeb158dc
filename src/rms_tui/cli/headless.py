"""`start` and `websocket`: the desk without a screen, for a service or a second machine."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rms_tui.alerts import Alert
from rms_tui.cli import START
from rms_tui.cli.exits import OF_CAUSE, USAGE, end
from rms_tui.cli.log import begin_log
from rms_tui.cli.oneshot import plain
from rms_tui.cli.serving import begin
from rms_tui.feed import FeedError, Selection
from rms_tui.frame import Frame
from rms_tui.latest import Latest
from rms_tui.logins import parse_logins
from rms_tui.monitor import AccountChange, Monitor
from rms_tui.plural import counted
from rms_tui.risk.lacking import lacking
from rms_tui.risk.verdict import Reason
from rms_tui.serve.clock import Clock
from rms_tui.stopping import hear
from rms_tui.wiring.book_desk import BookDesk
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.recording import record_switch
from rms_tui.wiring.reload import plan_watch
from rms_tui.wiring.serving import Served, access_of, websocket_of
from rms_tui.wiring.sources import clocked_monitor, desk

_log = logging.getLogger("rms_tui")


def watch(
    shared: Given,
    logins: Sequence[str],
    *,
    served: Served | None = None,
    record: Path | None = None,
    record_limit: int | None = None,
) -> None:
    """Poll, assess, write, record, and serve if wanted, until SIGTERM, SIGHUP or Ctrl-C.

    Raises FeedError for a file that cannot be recorded into and for a source that will never be
    there as things are, SettingsError for a server that must not be started so.
    """
    stopping = threading.Event()
    hear(stopping.set)
    made = desk(shared)
    if made is None:
        end(START, USAGE)
    only = _only(logins)
    access = None if served is None else access_of(made.settings, served)
    path = begin_log(made.settings, on_console=True)
    clock = Clock()
    monitor = clocked_monitor(made, clock)
    if only is not None:
        monitor.select(only)
        for login in sorted(only.added):
            monitor.outbox.put(AccountChange(login, None, "add", operator(), time.time()))
    status: Latest[Any] = Latest()
    book = BookDesk(made, monitor, clock, limits=lambda: plan_watch(shared, monitor), status=status)
    book.prepare()
    if access is not None:
        server = websocket_of(monitor, access, store=status, history=book.history)
        begin(server)
        book.serve_at(server, access)
    where = "no log file" if path is None else f"log in {path}"
    _log.info("watching %s every %g s, %s", monitor.feed.title, monitor.interval, where)
    recording = record_switch(made, monitor, record_limit)
    if record is not None:
        _log.info("recording into %s", recording.start(record))
    book.start()
    try:
        _report_until(stopping, monitor)
    finally:
        book.stop()
        recording.stop()
        _log.info("stopped")


def _only(logins: Sequence[str]) -> Selection | None:
    if not logins:
        return None
    try:
        return Selection(everything=False, added=frozenset(parse_logins(" ".join(logins))))
    except ValueError as error:
        end(str(error), USAGE)


def _report_until(stopping: threading.Event, monitor: Monitor) -> None:
    seen, state = 0, ""
    lacked: frozenset[Reason] = frozenset()
    known: dict[str, Alert] = {}
    while not stopping.is_set():
        got = monitor.frames.newer(seen, 0.25)
        if got is None:
            continue
        seen, frame = got
        now = _state_of(frame)
        if now != state:
            state = now
            _log.log(logging.INFO if frame.health.error is None else logging.WARNING, "%s", now)
        lacked = _report_lacking(frame, lacked)
        known = _report_alerts(frame, known)
        _end_if_over(monitor)


def _end_if_over(monitor: Monitor) -> None:
    """A service that will never see an account must not look alive: it ends with its status.

    Asked of our own feed: who follows another desk has not started it.
    """
    status = monitor.feed.status
    if status.phase == "down" and status.next_attempt is None and status.cause in OF_CAUSE:
        raise FeedError(status.cause, status.error or monitor.feed.title, final=True)


def _state_of(frame: Frame) -> str:
    health = frame.health
    count = 0 if frame.book is None else len(frame.book.accounts)
    trouble = f": {health.error}" if health.error else ""
    return f"{health.state.value} {health.source}, {counted(count, 'account')}{trouble}"


def _report_lacking(frame: Frame, before: frozenset[Reason]) -> frozenset[Reason]:
    """Say once that rules lack something, and once that they do not any more; what is lacked."""
    found = {} if frame.assessment is None else lacking(frame.assessment)
    for reason in found.keys() - before:
        accounts = counted(found[reason], "account")
        _log.warning("%s: %s with a rule that needs it", reason.words, accounts)
    for reason in before - found.keys():
        _log.info("%s: no longer, for any account", reason.words)
    return frozenset(found)


def _report_alerts(frame: Frame, before: dict[str, Alert]) -> dict[str, Alert]:
    now = {alert.id: alert for alert in frame.alerts}
    for alert in now.values():
        old = before.get(alert.id)
        if old is None or old.severity != alert.severity:
            _log.warning(
                "%s %s %s: value %s, limit %s, %s",
                alert.severity.word.upper(),
                alert.login,
                alert.rule,
                _figure(alert.value),
                _figure(alert.limit),
                alert.reason.words,
            )
    for alert in before.values():
        if alert.id not in now:
            _log.info("ended %s %s", alert.login, alert.rule)
    return now


def _figure(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else plain(value)
