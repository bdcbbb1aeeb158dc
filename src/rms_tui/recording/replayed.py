"""A monitor driven by a recording, frame for frame.

The recorded Books go through the very engine that watched them, at the recorded instants; what was
learnt from elsewhere (stored memory, handled alerts) comes in where it came in. No vendor package,
no database, nothing outside this process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from rms_tui.alerts import EMPTY, Desk, Times
from rms_tui.book import Book, Deals, empty, take
from rms_tui.feed import FeedError, FeedStatus, Known, Selection, Sought, known_of
from rms_tui.frame import FeedState, Frame
from rms_tui.monitor import Monitor
from rms_tui.recording.entries import Dealt, Entry, Gap, Handled, PlanSet, Polled, Session
from rms_tui.recording.other_plan import memory_for
from rms_tui.recording.reader import Recording
from rms_tui.risk.profile import Plan

MOST_ANSWERS = 1_000
"""Readings of closed deals that are kept for whoever asks again."""


class Recorded:
    """The Feed of a replay: gives the Book, or the error, of the entry that is played."""

    def __init__(self, title: str, at: float) -> None:
        self.title = title
        self.status = FeedStatus("starting", "reading the recording", at)
        self.entry: Polled | None = None
        self.now = at
        self._answers: dict[tuple[int, ...] | None, Deals] = {}
        self._book: Book | None = None

    def start(self) -> None:
        """Nothing to connect."""

    def close(self) -> None:
        """Nothing to let go."""

    def select(self, selection: Selection) -> None:
        """A recording holds whom it holds."""

    def read(self, timeout: float) -> Book:  # noqa: ARG002  (a Feed's)
        """The Book of the entry. Raises FeedError where the source gave none."""
        entry = self.entry
        if entry is None or entry.book is None:
            text = self.status.error if entry is None else entry.error
            cause = self.status.cause or "connection"
            raise FeedError(cause, text or "the source gave no Book")
        self._book = entry.book
        return entry.book

    def known(self, sought: Sought, timeout: float) -> Known:  # noqa: ARG002
        """Which logins are in the recording now."""
        if self._book is None:
            return Known(frozenset(), frozenset(() if isinstance(sought, str) else sought))
        accounts = self._book.accounts
        return known_of(accounts.login, accounts.group, sought)

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:  # noqa: ARG002
        """The deals that were read for these accounts then; else those in the Book."""
        asked = None if logins is None else tuple(int(login) for login in logins)
        if asked in self._answers:
            return self._answers[asked]
        if self._book is None:
            return empty(Deals)
        deals = self._book.deals
        return deals if asked is None else take(deals, np.isin(deals.login, asked))

    def answered(self, dealt: Dealt) -> None:
        """Remember deals that were read."""
        self._answers.pop(dealt.logins, None)
        self._answers[dealt.logins] = dealt.deals
        while len(self._answers) > MOST_ANSWERS:
            del self._answers[next(iter(self._answers))]


class Replayed:
    """A recording as the frames of a monitor of its own.

    `session` says who recorded. With a `plan` of its own it judges by that instead of the recorded
    one: then only Books and memory are the recording's, and alerts begin anew.
    """

    def __init__(
        self, recording: Recording, *, start: float | None = None, plan: Plan | None = None
    ) -> None:
        """`start` is where reading begins (UTC seconds; None: at the beginning). Raises Refused."""
        begin = recording.began if start is None else start
        session = next((e for e in recording.entries(begin) if isinstance(e, Session)), None)
        self.session = session
        self.recording = recording
        self.feed = Recorded(f"Replay of {recording.path.name}", begin)
        self.monitor = Monitor(
            self.feed,
            plan or Plan(profiles=()),
            report_currency="USD" if session is None else session.report_currency,
            live=FeedState.REPLAY,
            clock=lambda: self.feed.now,
            times=Times() if session is None else session.times,
        )
        self._plan = plan
        self._start = start
        self._went_on = False
        self._refused_limits: str | None = None

    def frames(self) -> Iterator[Frame]:
        """Every frame in order, as fast as they are asked for. Raises Refused."""
        for entry in self.recording.entries(self._start):
            frame = self.play(entry)
            if frame is not None:
                yield frame

    def jumped(self) -> None:
        """The next entry does not follow the one before."""
        self._went_on = False

    def broke_off(self, error: FeedError) -> Frame:
        """The frame of a recording that cannot be read further: what was shown is old."""
        self.feed.entry = None
        self.feed.status = FeedStatus(
            "down", "the recording cannot be read further", self.feed.now, error.text, error.cause
        )
        return self.monitor.step(timeout=0.0)

    def play(self, entry: Entry) -> Frame | None:
        """Let an entry happen; the frame it makes, None where it makes none."""
        match entry:
            case Gap():
                self.jumped()
            case Session() if entry.id != (self.session or entry).id:
                self.session = entry
                self.jumped()
            case PlanSet() if self._plan is None and entry.plan != self.monitor.plan:
                self.monitor.set_plan(entry.plan)
            case Dealt():
                self.feed.answered(entry)
            case Handled() if self._plan is None:
                self.feed.now = entry.at
                self.monitor.show_desk(entry.desk.onto(self._desk()))
                return self.monitor.frames.value
            case Polled():
                try:
                    return self._poll(entry)
                except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                    # Figures of a file may be any: what cannot be computed with is the file's.
                    raise self._refused(entry, error) from error
            case _:
                pass
        return None

    def _poll(self, entry: Polled) -> Frame:
        feed, monitor = self.feed, self.monitor
        feed.now, feed.entry, feed.status = entry.at, entry, entry.status
        monitor.set_interval(entry.interval)
        monitor.select(entry.selection)
        refused = None if entry.failed or entry.error == entry.status.error else entry.error
        if refused != self._refused_limits:
            self._refused_limits = refused
            monitor.set_plan(None, refused)
        memory, desk = entry.memory, entry.desk
        if self._went_on and not entry.outside:
            memory, desk = None, None
        if self._plan is not None:
            book = entry.book
            before = monitor.frames.value
            if memory is not None and book is not None:
                own = None if before is None else before.memory
                memory = memory_for(self._plan, memory, own, entry.at, entry.interval, book)
            desk = None
        monitor.go_on_from(memory, None if desk is None else desk.onto(self._desk()))
        if entry.book is not None:
            self._went_on = True
        return monitor.step(timeout=0.0)

    def _refused(self, entry: Polled, error: Exception) -> FeedError:
        text = (
            f"{self.recording.path}: the poll of {entry.at:.3f} cannot be judged: "
            f"{type(error).__name__}: {error}"
        )
        return FeedError("refused-data", text, final=True)

    def _desk(self) -> Desk:
        frame = self.monitor.frames.value
        return EMPTY if frame is None else frame.desk
