"""The recorder: every frame of a monitor onto a tape, by a thread of its own.

It hears each frame in the monitor's thread and only puts it into a bounded box: nothing waits for
the disk. When the disk is too slow the box is full, and what does not go in is a gap, which is
written and shown. When the disk is full or gone, recording ends and says so; the monitor goes on.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from rms_tui import __version__
from rms_tui.alerts import TIMES, Times
from rms_tui.feed import Selection
from rms_tui.frame import FeedState, Frame
from rms_tui.latest import Latest
from rms_tui.monitor import Answer, Monitor
from rms_tui.plural import counted
from rms_tui.recording.disk import Kind
from rms_tui.recording.entries import (
    Scribe,
    Session,
    deals_record,
    gap_record,
    plan_record,
    session_record,
)
from rms_tui.recording.tape import Tape, TapeError
from rms_tui.risk.profile import Plan

_log = logging.getLogger("rms_tui")

MOST_WAITING = 32
"""Frames that may wait for the disk; they share their unchanged columns."""

WHOLE_EVERY = 300.0
"""Seconds between two polls that are written whole: reading can begin at each."""

SYNC_EVERY = 1.0
"""Seconds of recording that a power cut may cost."""

GAP_SHOWN = 60.0
"""Seconds for which a gap is shown as such."""

DEFAULT_LIMIT = 1_000_000_000
"""Bytes a recording may take when nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class RecordView:
    """Where a recording stands, for a screen. `skipped` polls were not written."""

    state: Literal["on", "gap", "stopped"]
    path: Path
    size: int
    skipped: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class _Seen:
    frame: Frame
    selection: Selection


@dataclass(slots=True)
class _Missed:
    since: float
    frame: Frame
    frames: int = 1


_Item: TypeAlias = _Seen | _Missed | Answer


class Recorder:
    """Records one monitor into one file until it is stopped or the disk is full."""

    def __init__(
        self,
        monitor: Monitor,
        path: Path,
        *,
        limit: int = DEFAULT_LIMIT,
        live: FeedState = FeedState.LIVE,
        report_currency: str = "USD",
        times: Times = TIMES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`limit` is in bytes; the oldest go when it is reached."""
        self.view: Latest[RecordView] = Latest()
        self._monitor = monitor
        self._path = path
        self._limit = limit
        self._session = (live, report_currency, times)
        self._monotonic = monotonic
        self._box: deque[_Item] = deque()
        self._came = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="rms-record", daemon=True)
        self._tape: Tape | None = None
        self._scribe = Scribe(None)
        self._plan: Plan | None = None
        self._id = uuid.uuid4().hex
        self._began = 0.0
        self._whole_at: float | None = None
        self._largest = 0
        self._skipped = 0
        self._gap_at = -GAP_SHOWN
        self._synced_at = 0.0

    def start(self) -> None:
        """Open the file and hear every frame from now on. Raises TapeError, Refused."""
        self._tape = Tape(self._path, self._limit)
        self._began = self._monitor.now()
        self._scribe = Scribe(self._monitor.frames.follow(self.hear))
        self._monitor.answers.follow(self._answered)
        self._say("on")
        self._thread.start()

    def stop(self, timeout: float = 5.0) -> None:
        """Write what waits, and where everything is, and end."""
        self._monitor.frames.leave(self.hear)
        self._monitor.answers.leave(self._answered)
        with self._came:
            self._stopping = True
            self._came.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)

    @property
    def running(self) -> bool:
        """Whether frames are still written."""
        return self._thread.is_alive() and not self._stopping

    @property
    def waiting(self) -> int:
        """Frames that wait for the disk."""
        return len(self._box)

    def hear(self, frame: Frame) -> None:
        """Take a frame; called in the monitor's thread, returns at once."""
        with self._came:
            if len(self._box) >= MOST_WAITING:
                last = self._box[-1]
                if isinstance(last, _Missed):
                    last.frame, last.frames = frame, last.frames + 1
                else:
                    self._box.append(_Missed(frame.at, frame))
                return
            self._box.append(_Seen(frame, self._monitor.selection))
            self._came.notify_all()

    def _answered(self, answer: Answer) -> None:
        with self._came:
            if len(self._box) < MOST_WAITING:
                self._box.append(answer)
                self._came.notify_all()

    def _run(self) -> None:
        assert self._tape is not None
        tape = self._tape
        try:
            while (item := self._next()) is not None or not self._stopping:
                if item is not None:
                    self._write(tape, item)
                if self._monotonic() - self._synced_at >= SYNC_EVERY:
                    tape.sync()
                    self._synced_at = self._monotonic()
                    self._say("on")
            tape.close(self._monitor.now())
            self._say("on")
        except (TapeError, ValueError) as error:
            self._monitor.frames.leave(self.hear)
            self._monitor.answers.leave(self._answered)
            self._stopping = True
            tape.abandon()
            _log.error("recording ended: %s", error)
            self._say("stopped", str(error))

    def _next(self) -> _Item | None:
        with self._came:
            if not self._box and not self._stopping:
                self._came.wait(SYNC_EVERY)
            return self._box.popleft() if self._box else None

    def _write(self, tape: Tape, item: _Item) -> None:
        match item:
            case _Missed():
                self._skipped += item.frames
                self._gap_at = self._monotonic()
                text = f"{counted(item.frames, 'frame')} skipped: the disk was too slow"
                _log.warning("recording: %s", text)
                self._put(tape, item.frame.at, *gap_record(item.since, item.frames, text))
                self._scribe.skip(item.frame)
            case Answer():
                self._put(tape, item.at, *deals_record(item.logins, item.deals))
            case _Seen() if self._scribe.is_poll(item.frame):
                self._poll(tape, item)
            case _Seen():
                self._put(tape, item.frame.at, *self._scribe.handled(item.frame))

    def _poll(self, tape: Tape, seen: _Seen) -> None:
        frame, scribe = seen.frame, self._scribe
        good = scribe.is_good(frame)
        due = self._whole_at is None or not 0 <= frame.at - self._whole_at < WHOLE_EVERY
        if good and not tape.fits(2 * self._largest):
            tape.roll(frame.at)
            scribe.begin()
        plan = self._monitor.plan if frame.assessment is None else frame.assessment.scope.plan
        kind, body = scribe.polled(frame, seen.selection, whole=due)
        if kind is Kind.WHOLE:
            self._whole_at = frame.at
            live, currency, times = self._session
            program = f"rms-tui {__version__}"
            session = Session(
                self._id, self._began, program, self._monitor.feed.title, live, currency, times
            )
            self._put(tape, frame.at, *session_record(session))
        if kind is Kind.WHOLE or plan is not self._plan:
            self._put(tape, frame.at, *plan_record(plan))
            self._plan = plan
        self._put(tape, frame.at, kind, body)
        if kind is Kind.WHOLE and not tape.fits(0):
            raise TapeError(
                f"{self._path}: the limit of {self._limit / 1e6:g} MB is too small: one whole poll "
                f"of this book takes {len(body) / 1e6:.1f} MB, and four files share the limit"
            )

    def _put(self, tape: Tape, at: float, kind: Kind, body: bytes) -> None:
        self._largest = max(self._largest, len(body))
        tape.put(kind, at, body)

    def _say(self, state: Literal["on", "stopped"], text: str = "") -> None:
        assert self._tape is not None
        gap = state == "on" and self._monotonic() - self._gap_at < GAP_SHOWN
        size = self._tape.total
        self.view.put(RecordView("gap" if gap else state, self._path, size, self._skipped, text))
