"""The monitor as all other threads see it: what they may ask of it, and what it tells them.

What is asked shows with the next poll, or at once. Each idea behind it has its own file: here is
only what may be asked, so that it can be read in one place.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from rms_tui import alerts
from rms_tui.alert_edges import Edges
from rms_tui.alerts import Alert, AlertEvent, Desk, Handling, Times
from rms_tui.allocator import keep_freed_columns_mapped
from rms_tui.book import Deals
from rms_tui.facts import Entry, Fact, ProfileChange
from rms_tui.feed import Feed, Selection
from rms_tui.frame import FeedState, Frame
from rms_tui.latest import Latest
from rms_tui.monitor import pace
from rms_tui.monitor.cycle import LaidOver
from rms_tui.monitor.entering import Entering
from rms_tui.monitor.history import Answer, history
from rms_tui.monitor.polling import Polling
from rms_tui.monitor.watching import Outcomes, Watching
from rms_tui.outbox import Outbox
from rms_tui.risk.entries import Outcome as EntryOutcome
from rms_tui.risk.memory import Memory
from rms_tui.risk.own_profile import OwnProfile
from rms_tui.risk.profile import Plan, Trail


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
        self.answers: Latest[Answer] = Latest()
        self.outbox: Outbox[Fact] = Outbox() if outbox is None else outbox
        self._polling = Polling(
            feed, plan, self.outbox.put,
            interval=interval, report_currency=report_currency, selection=selection or Selection(),
            live=live, clock=clock, times=times,
        )  # fmt: skip
        self._newest = self._polling.newest
        self._alerts = self._newest.alerts
        self._plans = self._polling.plans
        self._memories = self._polling.memories
        self.frames: Latest[Frame] = self._newest.frames
        self._entering = Entering(self._polling, self.outbox.put)
        self._watching = Watching(self._polling, self.outbox.put, self.select)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def feed(self) -> Feed:
        """The source that is watched."""
        return self._polling.feed

    @property
    def interval(self) -> float:
        """Seconds between polls."""
        return self._polling.interval

    def now(self) -> float:
        """UTC seconds as this monitor counts them."""
        return self._polling.now()

    @property
    def edges(self) -> Edges:
        """Every edge of the alerts lately; a Frame says up to which one it goes."""
        return self._alerts.edges

    @property
    def selection(self) -> Selection:
        return self._polling.selection

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
        self.feed.select(self.selection)
        self.feed.start()
        self._stopping.clear()
        self._thread = pace.thread(self._polling, self._wake, self._stopping)
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
        self._polling.interval = seconds
        self._wake.set()

    def select(self, selection: Selection) -> None:
        """Watch exactly these accounts from the next poll on."""
        self._polling.selection = selection
        self.feed.select(selection)
        self._wake.set()

    def add(self, logins: Sequence[int], operator: str, timeout: float = 10.0) -> Outcomes:
        """Watch accounts; says what happened to each. Raises FeedError if the source is silent."""
        return self._watching.add(logins, operator, timeout)

    def members(self, masks: str, timeout: float = 10.0) -> list[int]:
        """Logins of all accounts in groups of such masks. Raises FeedError."""
        return sorted(self.feed.known(masks, timeout).found)

    def remove(self, logins: Sequence[int], operator: str) -> Outcomes:
        """Stop watching accounts; says what happened to each."""
        return self._watching.remove(logins, operator)

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
        book = self._newest.book
        if book is None or login not in book.accounts.login:
            raise ValueError(f"account {login} is not watched")
        self._plans.assign(login, profile)
        self.outbox.put(ProfileChange(login, book.server, profile, operator, self.now()))
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
        self._alerts.restore(stored, self.selection, self._newest.logins)

    def hold_alerts(self, longest: float, again: float = 0.0) -> None:
        """Begin and end no alert before `release_alerts`, or until `longest` seconds after the
        first Book: who is watched, by which limits, with which memory and which alerts open is
        about to be read back.

        From then on all are judged by the plan, and Health says so. What is read back later still
        holds alerts once more, for `again` seconds at most.
        """
        self._alerts.hold(longest, again)

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
        outcomes = self._entering.base(login, balance, equity, operator)
        self._wake.set()
        return outcomes

    def enter_peak(
        self, login: int, trail: Trail, value: float, operator: str
    ) -> list[EntryOutcome]:
        """Enter a peak of an account as it stands now; what became of it.

        Raises ValueError for an account that is not watched, a peak that no rule follows, or a
        figure that cannot be.
        """
        outcomes = self._entering.peak(login, trail, value, operator)
        self._wake.set()
        return outcomes

    def history(self, logins: Sequence[int] | None, timeout: float = 10.0) -> Deals:
        """Deals of the history window. Raises FeedError."""
        return history(self._polling, self.answers, logins, timeout)

    def take_feed(self, feed: Feed, *, live: FeedState, selection: Selection | None = None) -> None:
        """Read from another source from now on. Only while this monitor does not poll by itself."""
        self._polling.take_feed(feed, live)
        if selection is not None:
            self.select(selection)

    def go_on_alone(self, *, remember: bool) -> None:
        """Poll from here on what was only followed, with its alerts, and its memory or without."""
        self._polling.go_on_alone(remember=remember)

    def report_in(self, currency: str) -> None:
        """Sum in another currency from the next poll on."""
        self._polling.report_currency = currency

    def go_on_from(
        self, memory: Memory | None, desk: Desk | None, told: Sequence[AlertEvent] = ()
    ) -> None:
        """With the next Book have this memory and this desk, as who made that very poll has them;
        `told` are the edges that lead to that desk, where they are known."""
        self._polling.go_on_from(memory, desk, told)

    def lay_over(self, verdicts: LaidOver | None) -> None:
        """From the next Book on show what others judged: it is put over each assessment."""
        self._polling.laid_over = verdicts

    def take_back(self) -> None:
        """What was done here about alerts was refused by who polls: show it no more."""
        self._alerts.take_back()

    def show_desk(self, desk: Desk) -> None:
        """Have this desk from now on: it was recorded between two polls."""
        self._alerts.become(desk)

    def step(self, timeout: float | None = None) -> Frame:
        """Poll once and publish: what the thread does each interval, for one-shot use and tests."""
        return self._polling.step(timeout)
