"""One poll after another: ask the feed, run the cycle, publish the Frame.

What happens to a monitor from poll to poll lives here, also where its Frames are a recording's or
another process's: then what those have of a poll is taken instead of what would be made of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from rms_tui.alerts import AlertEvent, Desk, Times
from rms_tui.book import Book
from rms_tui.feed import Feed, FeedError, Selection
from rms_tui.frame import FeedState, Frame, Health
from rms_tui.memory_desk import MemoryDesk
from rms_tui.monitor.cycle import (
    NOTHING,
    LaidOver,
    Shown,
    judged_after,
    read_after,
    shown_by,
)
from rms_tui.monitor.health import UNREAD, health, outdated
from rms_tui.monitor.newest import Newest
from rms_tui.plan_desk import PlanDesk
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Plan
from rms_tui.risk.reading import Reading, remembered
from rms_tui.risk.verdict import Reason


class Polling:
    """The source, how it is polled, and what came of it. One thread at a time calls `step`."""

    def __init__(
        self,
        feed: Feed,
        plan: Plan,
        put: Callable[[AlertEvent], object],
        *,
        interval: float,
        report_currency: str,
        selection: Selection,
        live: FeedState,
        clock: Callable[[], float] | None,
        times: Times,
    ) -> None:
        """`put` takes the edges of the alerts; the others as in Monitor."""
        self.feed = feed
        self.interval = interval
        self.report_currency = report_currency
        self.selection = selection
        self.laid_over: LaidOver | None = None
        self.plans = PlanDesk(plan)
        self.memories = MemoryDesk()
        self.newest = Newest(put, self.now, times, self.memories)
        self._live = live
        self._clock = clock
        self._polls = 0
        self._errors = 0
        self._taken_at: float | None = None
        self._recorded: tuple[Memory | None, Desk | None] = (None, None)

    def now(self) -> float:
        """UTC seconds: the clock's, or the newest Book's where time is the Books' own."""
        if self._clock is not None:
            return self._clock()
        return 0.0 if self._taken_at is None else self._taken_at

    def step(self, timeout: float | None = None) -> Frame:
        """Poll once and publish; wait for the feed no longer than `timeout` seconds."""
        limit = max(self.interval, 1.0) if timeout is None else timeout
        try:
            book = self.feed.read(limit)
        except FeedError as error:
            if self.feed.status.phase in ("live", "down"):
                self._errors += 1
            return self._without_book(error)
        self._polls += 1
        self._taken_at = book.taken_at
        return self._with_book(book, None)

    def broke(self, error: Exception) -> Frame:
        """Publish that a poll could not be finished: what was shown before it is stale now."""
        self._errors += 1
        before, now = self.newest.frame, self.now()
        shown = NOTHING if before is None else shown_by(before)
        undecided = {} if before is None else before.health.undecided
        text = f"this poll broke: {type(error).__name__}: {error}"
        said = self._health(shown.book, undecided, text, now)
        if shown.book is not None and said.state is not FeedState.DISCONNECTED:
            said = replace(said, state=FeedState.STALE)
        return self.newest.publish(now, said, shown)

    def take_feed(self, feed: Feed, live: FeedState) -> None:
        """Read from another source from now on: who is away there is not known."""
        self.feed, self._live = feed, live
        self.memories.forget()
        self._recorded = (None, None)

    def go_on_from(
        self, memory: Memory | None, desk: Desk | None, told: Sequence[AlertEvent]
    ) -> None:
        """With the next Book have this memory and this desk, instead of what would be made of it:
        they are what a recording, or another process, has of that very poll. `told` are the edges
        that lead to that desk, where they are known."""
        self._recorded = (memory, desk)
        self.newest.alerts.told(told)

    def go_on_alone(self, *, remember: bool) -> None:
        """Make from here on what was only followed; the alerts go on as they were shown.

        With `remember` the memory goes on too: it is of the same accounts.
        """
        logins = self.newest.logins
        if not remember:
            self.newest.forget()
        self.newest.alerts.again(self.selection, logins)

    def _with_book(self, book: Book, error: str | None) -> Frame:
        before, now = self.newest.frame, self.now()
        began = time.perf_counter()
        stale = error is not None or outdated(book, now, self.interval)
        read = read_after(before, book, self.plans.judged_by, stale=stale)
        memory = self._remembered(None if before is None else before.memory, read)
        (recorded, desk), self._recorded = self._recorded, (None, None)
        memory = memory if recorded is None else recorded
        assessed, summed = judged_after(before, read, memory, self.report_currency, self.laid_over)
        shown = Shown(book, memory, assessed, summed)
        alerts = self.newest.alerts
        with alerts.lock:
            if desk is None:
                alerts.step(book, assessed, memory, now, self.selection.watches)
            else:
                alerts.show(desk)
            cycle = time.perf_counter() - began
            said = self._health(book, assessed.counts, error, now, cycle)
            return self.newest.publish(now, said, shown)

    def _remembered(self, known: Memory | None, read: Reading) -> Memory:
        """What is remembered after this Book, with all that waited for it."""
        step = partial(remembered, read, interval=self.interval)
        self.memories.followed(known, read.book.accounts.login)
        return self.memories.joined(
            step(known), step, partial(step, stored=True), good=bool(read.good.any())
        )

    def _without_book(self, error: FeedError) -> Frame:
        """Show the last Book once more: as it was judged, until it is too old for that."""
        before, now = self.newest.frame, self.now()
        if before is None or before.book is None:
            return self.newest.publish(now, self._health(None, {}, error.text, now), NOTHING)
        book = before.book
        if self.feed.status.phase == "down" or outdated(book, now, self.interval):
            return self._with_book(book, error.text)
        said = self._health(book, before.health.undecided, error.text, now)
        if before.health.state in (FeedState.STALE, FeedState.DISCONNECTED):  # judged as such
            said = replace(said, state=FeedState.STALE)
        return self.newest.publish(now, said, shown_by(before))

    def _health(
        self,
        book: Book | None,
        undecided: Mapping[Reason, int],
        error: str | None,
        now: float,
        cycle: float = 0.0,
    ) -> Health:
        return health(
            self.feed.title, self.feed.status, book, now, self.interval, self._live,
            cycle=cycle, polls=self._polls, errors=self._errors, error=error,
            limits_error=self.plans.error or (UNREAD if self.newest.alerts.unread else None),
            undecided=undecided,
        )  # fmt: skip
