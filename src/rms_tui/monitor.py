"""The poller: poll, assess, step the alerts, publish a Frame; it never waits for a reader.

The only thread that asks the feed for Books. It touches no widget and no database: frames go into
a one-slot mailbox, facts (alert edges, accounts added and removed) into an outbox.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from rms_tui import alerts
from rms_tui.alert_desk import AlertDesk
from rms_tui.alert_edges import Edges
from rms_tui.alerts import Alert, AlertEvent, Desk, Handling, Times
from rms_tui.allocator import LARGE, give_back_freed
from rms_tui.allocator import keep_freed_columns_mapped as keep_freed_columns_mapped
from rms_tui.book import Book, Deals
from rms_tui.facts import AccountChange, BaseEntry, Entry, Fact, ProfileChange
from rms_tui.feed import Feed, FeedError, Selection
from rms_tui.frame import FeedState, Frame, Health
from rms_tui.latest import Latest
from rms_tui.memory_desk import MemoryDesk, bases_of, peak_of
from rms_tui.outbox import Outbox
from rms_tui.plan_desk import PlanDesk
from rms_tui.risk import assessment, exposure
from rms_tui.risk.entries import Outcome as EntryOutcome
from rms_tui.risk.memory import Memory
from rms_tui.risk.own_profile import OwnProfile
from rms_tui.risk.profile import Plan, Trail
from rms_tui.risk.reading import judged, reading, remembered

STALE_AFTER = 3.0
"""Poll intervals after which the newest Book is stale."""

READERS = 0.5
"""Longest time in seconds that readers are given to let go of the frame before."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Deals that were read for these accounts (None: all watched). `at` is UTC seconds."""

    at: float
    logins: tuple[int, ...] | None
    deals: Deals


Outcome = Literal["added", "removed", "already watched", "not watched", "not on the server"]

__all__ = ["AccountChange", "Answer", "BaseEntry", "Fact", "Monitor", "Outcome"]


class Monitor:
    """One source, watched. Commands may come from any thread."""

    def __init__(
        self,
        feed: Feed,
        plan: Plan,
        *,
        interval: float = 5.0,
        report_currency: str = "USD",
        selection: Selection | None = None,
        live: FeedState = FeedState.LIVE,
        outbox: Outbox[Fact] | None = None,
        clock: Callable[[], float] | None = time.time,
        times: Times = alerts.TIMES,
    ) -> None:
        """`clock` gives UTC seconds; None where time is the Books' own (a recording)."""
        self.feed = feed
        self.frames: Latest[Frame] = Latest()
        self.answers: Latest[Answer] = Latest()
        self.outbox: Outbox[Fact] = Outbox() if outbox is None else outbox
        self._plans = PlanDesk(plan)
        self._memories = MemoryDesk()
        self._interval = interval
        self._report_currency = report_currency
        self._selection = selection or Selection()
        self._live = live
        self._clock = clock
        self._alerts = AlertDesk(self.outbox.put, self._show, self.now, times)
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._frame: Frame | None = None
        self._polls = 0
        self._errors = 0
        self._taken_at: float | None = None
        self._recorded: tuple[Memory | None, Desk | None] = (None, None)
        self._laid_over: Callable[[assessment.Assessment], assessment.Assessment] | None = None

    @property
    def interval(self) -> float:
        """Seconds between polls."""
        return self._interval

    def now(self) -> float:
        """UTC seconds as this monitor counts them."""
        if self._clock is not None:
            return self._clock()
        return 0.0 if self._taken_at is None else self._taken_at

    @property
    def edges(self) -> Edges:
        """Every edge of the alerts lately; a Frame says up to which one it goes."""
        return self._alerts.edges

    @property
    def selection(self) -> Selection:
        return self._selection

    @property
    def plan(self) -> Plan:
        return self._plans.plan

    @property
    def own_profiles(self) -> Mapping[int, OwnProfile]:
        """The accounts that have a profile of their own."""
        return self._plans.own

    @property
    def entries_waiting(self) -> int:
        """Bases and peaks that will be used with the next poll."""
        return self._memories.waiting

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Connect the feed and poll until `stop`; returns at once."""
        keep_freed_columns_mapped()
        self.feed.select(self._selection)
        self.feed.start()
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="rms-monitor", daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 1.0) -> None:
        """End polling and close the feed, within `timeout` and the feed's own second."""
        self._stopping.set()
        self._wake.set()
        self.feed.close()
        if self._thread is not None:
            self._thread.join(timeout)

    def set_interval(self, seconds: float) -> None:
        """Poll every `seconds` from now on. Raises ValueError unless 0.05 to 3600."""
        if not 0.05 <= seconds <= 3600:
            raise ValueError(f"poll interval {seconds:g} s: expected 0.05 to 3600 seconds")
        self._interval = seconds
        self._wake.set()

    def select(self, selection: Selection) -> None:
        """Watch exactly these accounts from the next poll on."""
        self._selection = selection
        self.feed.select(selection)
        self._wake.set()

    def add(
        self, logins: Sequence[int], operator: str, timeout: float = 10.0
    ) -> list[tuple[int, Outcome]]:
        """Watch accounts; says what happened to each. Raises FeedError if the source is silent."""
        known = self.feed.known(logins, timeout)
        with self._lock:
            outcomes: list[tuple[int, Outcome]] = [
                (login, self._added(login, login in known.found)) for login in logins
            ]
            joining = frozenset(login for login, outcome in outcomes if outcome == "added")
            now = self._selection
            self._commit(
                Selection(now.everything, now.added | joining, now.without - joining),
                joining,
                "add",
                operator,
            )
        return outcomes

    def members(self, masks: str, timeout: float = 10.0) -> list[int]:
        """Logins of all accounts in groups of such masks. Raises FeedError."""
        return sorted(self.feed.known(masks, timeout).found)

    def remove(self, logins: Sequence[int], operator: str) -> list[tuple[int, Outcome]]:
        """Stop watching accounts; says what happened to each."""
        with self._lock:
            outcomes: list[tuple[int, Outcome]] = [
                (login, "removed" if self._selection.watches(login) else "not watched")
                for login in logins
            ]
            leaving = frozenset(login for login, outcome in outcomes if outcome == "removed")
            now = self._selection
            without = now.without | leaving if now.everything else now.without
            self._commit(
                Selection(now.everything, now.added - leaving, without),
                leaving,
                "remove",
                operator,
            )
        return outcomes

    def set_plan(self, plan: Plan | None, error: str | None = None) -> None:
        """Judge by another plan from the next poll on; what is remembered stays.

        None keeps the plan: `error` then says in Health why the new one was refused.
        """
        self._plans.set_plan(plan, error)
        self._wake.set()

    def set_own_profiles(self, own: Mapping[int, OwnProfile]) -> None:
        """Judge these accounts by the profile of their element: a name, or limits of its own.

        One that cannot be leaves its account with the plan's profile, and Health says why.
        """
        if self._plans.set_own(own):
            self._wake.set()

    def assign(self, login: int, profile: OwnProfile | None, operator: str) -> None:
        """Judge a watched account by a profile of its own from the next poll on; None: by that of
        its group again. What is remembered stays.

        Raises ValueError for an account that is not watched and a profile that cannot be.
        """
        frame = self._frame
        if frame is None or frame.book is None or login not in frame.book.accounts.login:
            raise ValueError(f"account {login} is not watched")
        self._plans.assign(login, profile)
        self.outbox.put(ProfileChange(login, frame.book.server, profile, operator, self.now()))
        self._wake.set()

    def acknowledge(self, alert_id: str, operator: str, note: str | None = None) -> bool:
        """Mark an alert as handled, at once; False when it is not open or already was."""
        return self._alerts.acknowledge(alert_id, operator, note)

    def snooze(self, alert_id: str, seconds: float, operator: str) -> bool:
        """Silence an alert for a time, at once; False when it is not open.

        Raises ValueError unless it is more than 0 seconds and at most 7 days.
        """
        return self._alerts.snooze(alert_id, operator, seconds)

    def heard(self, handlings: Sequence[Handling]) -> None:
        """Follow what operators did in other processes; it is written already."""
        self._alerts.heard(handlings)

    def restore(self, stored: Sequence[Alert]) -> None:
        """Go on with alerts from the database, of the accounts that may be watched here.

        May come at any time, also again: where one of them was raised here meanwhile, the stored
        episode wins. Nothing rings. An alert waits for its account to appear in a Book; one that
        stays away is closed.
        """
        book = None if self._frame is None else self._frame.book
        logins = None if book is None else book.accounts.login
        self._alerts.restore(stored, self._selection, logins)

    def hold_alerts(self, longest: float) -> None:
        """Begin and end no alert before `release_alerts`, or until `longest` seconds after the
        first Book: who is watched, by which limits, with which memory and which alerts open is
        about to be read back."""
        self._alerts.hold(longest)

    def release_alerts(self) -> None:
        """All that was stored has been given to this monitor."""
        self._alerts.go_on()

    def recall(self, stored: Memory) -> int:
        """Go on with what was remembered before this process, from the next poll on.

        Returns the number that `Frame.recalls` will have reached when it is in. May come at any
        time: what was learnt since start is joined with it, and the better origin wins.
        """
        return self._memories.recall(stored)

    def enter(self, entries: Sequence[Entry]) -> None:
        """Use what operators entered, where nothing better is known; it is written already."""
        self._memories.enter(entries)
        self._wake.set()

    def enter_base(
        self, login: int, balance: float, equity: float, operator: str
    ) -> list[EntryOutcome]:
        """Enter the base of every present trading day of an account; what became of it for each.

        Raises ValueError for an account that is not watched or figures that cannot be.
        """
        made = bases_of(self._memory, login, balance, equity, operator, self.now())
        return self._entered(made)

    def enter_peak(
        self, login: int, trail: Trail, value: float, operator: str
    ) -> list[EntryOutcome]:
        """Enter a peak of an account as it stands now; what became of it.

        Raises ValueError for an account that is not watched, a peak that no rule follows, or a
        figure that cannot be.
        """
        return self._entered(peak_of(self._memory, login, trail, value, operator, self.now()))

    @property
    def _memory(self) -> Memory | None:
        return None if self._frame is None else self._frame.memory

    def _entered(self, made: Sequence[Entry]) -> list[EntryOutcome]:
        """What became of each; one that nothing would use is no fact."""
        assert self._memory is not None
        wanted, outcomes = self._memories.enter_useful(self._memory, made)
        for entry in wanted:
            self.outbox.put(entry)
        self._wake.set()
        return outcomes

    def history(self, logins: Sequence[int] | None, timeout: float = 10.0) -> Deals:
        """Deals of the history window. Raises FeedError."""
        deals = self.feed.history(logins, timeout)
        self.answers.put(Answer(self.now(), None if logins is None else tuple(logins), deals))
        return deals

    def take_feed(self, feed: Feed, *, live: FeedState, selection: Selection | None = None) -> None:
        """Read from another source from now on. Only while this monitor does not poll by itself."""
        self.feed, self._live = feed, live
        self._memories.forget()
        self._recorded = (None, None)
        if selection is not None:
            self.select(selection)

    def go_on_alone(self, *, remember: bool) -> None:
        """Poll from here on what was only followed; the alerts go on as they were shown.

        With `remember` the memory goes on too: it is of the same accounts.
        """
        frame = self._frame
        if frame is not None and not remember:
            self._frame = replace(
                frame, book=None, memory=None, assessment=None, exposure=None, alerts=()
            )
        logins = None if frame is None or frame.book is None else frame.book.accounts.login
        self._alerts.again(self._selection, logins)

    def report_in(self, currency: str) -> None:
        """Sum in another currency from the next poll on."""
        self._report_currency = currency

    def go_on_from(
        self, memory: Memory | None, desk: Desk | None, told: Sequence[AlertEvent] = ()
    ) -> None:
        """With the next Book have this memory and this desk, instead of what it would make of
        them: they are what a recording has of that very poll. `told` are the edges that lead to
        that desk, where they are known."""
        self._recorded = (memory, desk)
        self._alerts.told(told)

    def lay_over(
        self, verdicts: Callable[[assessment.Assessment], assessment.Assessment] | None
    ) -> None:
        """From the next Book on show what others judged: it is put over each assessment."""
        self._laid_over = verdicts

    def take_back(self) -> None:
        """What was done here about alerts was refused by who polls: show it no more."""
        self._alerts.take_back()

    def show_desk(self, desk: Desk) -> None:
        """Have this desk from now on: it was recorded between two polls."""
        self._alerts.become(desk)

    def step(self, timeout: float | None = None) -> Frame:
        """Poll once and publish: what the thread does each interval, for one-shot use and tests."""
        limit = max(self._interval, 1.0) if timeout is None else timeout
        try:
            book = self.feed.read(limit)
        except FeedError as error:
            if self.feed.status.phase in ("live", "down"):
                self._errors += 1
            return self._without_book(error)
        self._polls += 1
        self._taken_at = book.taken_at
        return self._with_book(book, None)

    def _run(self) -> None:
        due = time.monotonic()
        while not self._stopping.is_set():
            before = None if self._frame is None else weakref.ref(self._frame)
            self.step()
            due += self._interval
            now = time.monotonic()
            if not now + self._interval / 2 <= due <= now + self._interval:
                due = now + self._interval
            self._tidy(before, due)
            while not self._stopping.is_set() and (left := due - time.monotonic()) > 0:
                woken = self._wake.wait(left)
                self._wake.clear()
                if woken and not self._stopping.is_set():
                    due = min(due, time.monotonic() + self._interval)

    def _tidy(self, before: weakref.ref[Frame] | None, due: float) -> None:
        """Give back what the frame before was made of, once its readers have let go of it."""
        book = None if self._frame is None else self._frame.book
        if self._interval < 1 or book is None or len(book.accounts) < LARGE:
            return
        end = min(due, time.monotonic() + READERS)
        while before is not None and before() is not None and time.monotonic() < end:
            if self._wake.wait(0.02):  # left set: it is for who waits next
                return
        give_back_freed()

    def _added(self, login: int, found: bool) -> Outcome:
        if not found:
            return "not on the server"
        return "already watched" if self._selection.watches(login) else "added"

    def _commit(
        self,
        selection: Selection,
        logins: Iterable[int],
        action: Literal["add", "remove"],
        operator: str,
    ) -> None:
        if selection == self._selection:
            return
        now, book = self.now(), None if self._frame is None else self._frame.book
        for login in sorted(logins):
            server = None if book is None else book.server
            self.outbox.put(AccountChange(login, server, action, operator, now))
        self.select(selection)

    def _with_book(self, book: Book, error: str | None) -> Frame:
        before, now = self._frame, self.now()
        began = time.perf_counter()
        stale = error is not None or now - book.taken_at > STALE_AFTER * self._interval
        past = None if before is None else before.assessment
        known = None if before is None else before.memory
        read = reading(book, self._plans.judged_by, past, stale=stale, known=known)
        step = partial(remembered, read, interval=self._interval)
        self._memories.followed(known, book.accounts.login)
        memory = self._memories.joined(
            step(known), step, partial(step, stored=True), good=bool(read.good.any())
        )
        (recorded, desk), self._recorded = self._recorded, (None, None)
        memory = memory if recorded is None else recorded
        assessed = judged(read, memory, past)
        if self._laid_over is not None:
            assessed = self._laid_over(assessed)
        shown = exposure.exposure(
            book, self._report_currency, None if before is None else before.exposure
        )
        with self._alerts.lock:
            if desk is None:
                self._alerts.step(book, assessed, memory, now, self._selection.watches)
            else:
                self._alerts.show(desk)
            cycle = time.perf_counter() - began
            return self._publish(
                now,
                self._health(book, assessed.counts, error, cycle, now),
                book=book,
                memory=memory,
                assessment=assessed,
                exposure=shown,
            )

    def _without_book(self, error: FeedError) -> Frame:
        before, now = self._frame, self.now()
        if before is None or before.book is None:
            return self._publish(now, self._health(None, {}, error.text, 0.0, now))
        age = now - before.book.taken_at
        down = self.feed.status.phase == "down"
        if down or age > STALE_AFTER * self._interval:
            return self._with_book(before.book, error.text)
        health = self._health(before.book, before.health.undecided, error.text, 0.0, now)
        if before.health.state in (FeedState.STALE, FeedState.DISCONNECTED):  # judged as such
            health = replace(health, state=FeedState.STALE)
        return self._publish(
            now,
            health,
            book=before.book,
            memory=before.memory,
            assessment=before.assessment,
            exposure=before.exposure,
        )

    def _health(
        self,
        book: Book | None,
        undecided: object,
        error: str | None,
        cycle: float,
        now: float,
    ) -> Health:
        status = self.feed.status
        return Health(
            state=self._state(book, now),
            source=self.feed.title,
            feed=status,
            interval=self._interval,
            polled_at=None if book is None else book.taken_at,
            cycle=cycle,
            polls=self._polls,
            errors=self._errors,
            error=error if error is not None else status.error or self._plans.error,
            limits_error=self._plans.error,
            server_offset=None if book is None else book.server_offset,
            undecided=undecided if isinstance(undecided, dict) else {},
        )

    def _state(self, book: Book | None, now: float) -> FeedState:
        down = self.feed.status.phase == "down"
        if book is None:
            return FeedState.DISCONNECTED if down else FeedState.STARTING
        if down or not book.connected:
            return FeedState.DISCONNECTED
        if now - book.taken_at > STALE_AFTER * self._interval:
            return FeedState.STALE
        return self._live

    def _publish(self, now: float, health: Health, **parts: Any) -> Frame:
        with self._alerts.lock:
            before, desk = self._frame, self._alerts.desk
            seq = 1 if before is None else before.seq + 1
            same = before is not None and before.desk.alerts is desk.alerts
            open_ones = before.alerts if before and same else alerts.worst_first(desk.alerts)
            self._frame = Frame(
                seq,
                now,
                health,
                **parts,
                alerts=open_ones,
                desk=desk,
                recalls=self._memories.recalls,
                edges=self._alerts.edges.count,
                outside=self._outside,
            )
            self.frames.put(self._frame)
            return self._frame

    @property
    def _outside(self) -> int:
        return self._memories.taken + self._alerts.admitted

    def _show(self) -> None:
        """Publish the newest frame with the desk as it is now."""
        with self._alerts.lock:
            desk = self._alerts.desk
            if self._frame is not None:
                self._frame = replace(
                    self._frame,
                    seq=self._frame.seq + 1,
                    alerts=alerts.worst_first(desk.alerts),
                    desk=desk,
                    edges=self._alerts.edges.count,
                    outside=self._outside,
                )
                self.frames.put(self._frame)
