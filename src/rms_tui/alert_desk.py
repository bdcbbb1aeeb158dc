"""The alerts of a running monitor: stepped by its thread, handled and restored from any other.

What is done shows at once: whoever changes the desk publishes it, under the one lock that also
orders the edges on their way to the database.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Sequence

from rms_tui import alerts
from rms_tui.alert_edges import Edges, unwritten
from rms_tui.alerts import (
    FEED_RULE,
    Alert,
    AlertEvent,
    Desk,
    Handling,
    Times,
    Waiting,
    as_they_stand,
    handling_of,
)
from rms_tui.book import Book, Ints
from rms_tui.feed import Selection
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.memory import Memory

MOST_OVER = 20_000
"""Closed alerts that are known for a while: the database may say once more that they are open."""

LAID_OVER = 3.0
"""Seconds that what is done here stays on a desk that is only shown, until its holder says so."""


class AlertDesk:
    """The newest Desk. `put` takes its edges, `show` publishes it after a change from outside.

    `lock` is held while either is called, and by whoever reads `desk` to publish it. `edges` are
    all changes of the desk, those made elsewhere too.
    """

    def __init__(
        self,
        put: Callable[[AlertEvent], object],
        show: Callable[[], None],
        clock: Callable[[], float],
        times: Times,
    ) -> None:
        self.lock = threading.RLock()
        self.desk: Desk = alerts.EMPTY
        self.edges = Edges()
        self.admitted = 0
        self._put = put
        self._show = show
        self._clock = clock
        self._times = times
        self._waiting = Waiting()
        self._since = math.inf
        self._over: dict[str, None] = {}
        self.unread = False
        """Whether alerts begin and end without what the database knows."""
        self._patience: float | None = None
        self._again = 0.0
        self._held_until: float | None = None
        self._shown: Desk | None = None
        self._news: list[AlertEvent] = []
        self._mine: list[Handling] = []

    def hold(self, longest: float, again: float) -> None:
        """Begin and end nothing before `go_on`, or `longest` seconds after the first Book: the
        database may know of accounts, limits and alerts that change it all. Polls count.

        A database that speaks later than that is waited for once more, `again` seconds from its
        first alerts on: they are of limits that have not come yet.
        """
        with self.lock:
            self._patience, self._held_until = longest, None
            self._again, self.unread = again, False

    def go_on(self) -> None:
        """What the database knows is here."""
        with self.lock:
            self._patience, self.unread = None, False

    def _holds(self, now: float) -> bool:
        if self._patience is None:
            return False
        if self._held_until is None:
            self._held_until = now + self._patience
        if now < self._held_until:
            return True
        self._patience, self.unread = None, True
        return False

    def step(
        self,
        book: Book,
        assessed: Assessment,
        memory: Memory,
        now: float,
        watched: Callable[[int], bool],
    ) -> None:
        """Follow an assessed Book; the caller holds the lock and publishes.

        The alerts of an account that is not in it wait for it while it is `watched`; one that is
        in it and not `watched` gets none.
        """
        held = self._holds(now)
        desk = self._admitted(book.accounts.login, now)
        self.desk, events = alerts.step(
            desk, book, assessed, now, self._times, watched,
            held=held, left=lambda login: not watched(login),
        )  # fmt: skip
        self._since = now
        self._note_over(events)
        self.edges.add(events)
        for event in alerts.with_evidence(events, book, memory, assessed):
            self._put(event)

    def acknowledge(self, alert_id: str, operator: str, note: str | None) -> bool:
        """Mark an alert as handled; False when it is not open or already was."""
        with self.lock:
            return self._handled(
                *alerts.acknowledge(self.desk, alert_id, operator, note, self._clock(), self._times)
            )

    def snooze(self, alert_id: str, operator: str, seconds: float) -> bool:
        """Silence an alert; False when it is not open. Raises ValueError for an odd time."""
        with self.lock:
            return self._handled(
                *alerts.snooze(self.desk, alert_id, operator, seconds, self._clock(), self._times)
            )

    def heard(self, handlings: Sequence[Handling]) -> None:
        """Follow what operators did in other processes; it is written already."""
        with self.lock:
            self._waiting.heard(handlings)
            desk = alerts.heard(self.desk, handlings, self._times)
            self._note(self.desk, desk)
            self._become(desk)

    def restore(self, stored: Sequence[Alert], watched: Selection, logins: Ints | None) -> None:
        """Go on with stored alerts of accounts that may be watched; `logins` are the Book's."""
        with self.lock:
            if self.unread:
                self.hold(self._again, self._again)
            self._wait_for(stored, watched)
            if logins is not None:
                self._become(self._admitted(logins, self._clock()))

    def _wait_for(self, stored: Sequence[Alert], watched: Selection) -> None:
        mine = [
            alert
            for alert in stored
            if alert.id not in self._over
            and (
                watched.everything
                or alert.login in watched.added
                or alert.login in watched.without
                or alert.rule == FEED_RULE
            )
        ]
        self._waiting.add(mine, self._clock())

    def again(self, watched: Selection, logins: Ints | None) -> None:
        """Go on by steps with a desk that was only shown: nothing rings again.

        Who stepped it may have ended before the database heard all of it: the edges that lead here
        are put once more, and written where they are missing.
        """
        with self.lock:
            before = self.desk
            self._note(self._shown or before, before)
            shown = [*before.alerts.values(), *before.recovered.values()]
            for event in as_they_stand(shown):
                self._put(event)
            self.desk, self._shown, self._mine, self._news = alerts.EMPTY, None, [], []
            self._wait_for(shown, watched)
            if logins is not None:
                self._become(self._admitted(logins, self._clock(), before))

    def told(self, events: Sequence[AlertEvent]) -> None:
        """The edges that lead to the desk that will be shown next, where they are known."""
        with self.lock:
            self._news += events

    def become(self, desk: Desk) -> None:
        """Show a desk that was recorded, or is another process's."""
        with self.lock:
            before = self.desk
            self.show(desk)
            if self.desk is not before:
                self._show()

    def show(self, desk: Desk) -> None:
        """As `become`; the caller holds the lock and publishes.

        What was done here stays on it until it is told of: only then is it an edge here.
        """
        told, self._news = self._news, []
        before = self._shown or self.desk
        if desk is before and not told:
            return
        known = {event.alert.id for event in told}
        self.edges.add(told)
        self._note(before, desk, known)
        self._shown, now = desk, self._clock()
        self._mine = [
            one for one in self._mine if one.alert_id not in known and now - one.at < LAID_OVER
        ]
        self.desk = alerts.heard(desk, self._mine, self._times)

    def take_back(self) -> None:
        """Show what another process has, without what was done here: it was refused there."""
        with self.lock:
            self._mine = []
            self._become(self._shown or self.desk)

    def _note(self, before: Desk, after: Desk, known: Collection[str] = ()) -> None:
        """The edges between two desks that no step made, but for alerts that were told of."""
        now = self._clock()
        edges = unwritten(before, after, now, self._since)
        self.edges.add(one for one in edges if one.alert.id not in known)
        self._since = now

    def _note_over(self, events: Sequence[AlertEvent]) -> None:
        self._over |= {event.alert.id: None for event in events if event.change == "closed"}
        for alert_id in list(self._over)[: max(0, len(self._over) - MOST_OVER)]:
            del self._over[alert_id]

    def _admitted(self, logins: Ints, now: float, known: Desk | None = None) -> Desk:
        """The desk with those waiting alerts whose account is there; `known` has been told of."""
        ready = self._waiting.ready(logins, now)
        if not ready:
            return self.desk
        self.admitted += 1
        desk, events = alerts.restored(self.desk, ready, now, self._times)
        desk = alerts.given_up(desk, ready, logins)
        self._note(known or self.desk, desk)
        for event in events:
            self._put(event)
        return desk

    def _handled(self, desk: Desk, event: AlertEvent | None) -> bool:
        if event is None:
            return False
        doing = handling_of(event)
        if self._shown is None:
            self.edges.add([event])
        elif doing is not None:
            self._mine.append(doing)
        self._put(event)
        self._become(desk)
        return True

    def _become(self, desk: Desk) -> None:
        if desk is not self.desk:
            self.desk = desk
            self._show()
