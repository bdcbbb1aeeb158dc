"""The alerts of a running monitor: stepped by its thread, handled and restored from any other.

What is done shows at once: whoever changes the desk publishes it, under the one lock that also
orders the edges on their way to the database.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from rms_tui import alerts
from rms_tui.alert_edges import Edges, unwritten
from rms_tui.alerts import FEED_RULE, Alert, AlertEvent, Desk, Handling, Times, Waiting
from rms_tui.book import Book, Ints
from rms_tui.feed import Selection
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.memory import Memory


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

    def step(
        self,
        book: Book,
        assessed: Assessment,
        memory: Memory,
        now: float,
        watched: Callable[[int], bool],
    ) -> None:
        """Follow an assessed Book; the caller holds the lock and publishes.

        The alerts of an account that is not in it wait for it while it is `watched`.
        """
        desk = self._admitted(book.accounts.login, now)
        self.desk, events = alerts.step(desk, book, assessed, now, self._times, watched)
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
            desk = alerts.heard(self.desk, handlings, self._times)
            self.edges.add(unwritten(self.desk, desk, self._clock()))
            self._become(desk)

    def restore(self, stored: Sequence[Alert], watched: Selection, logins: Ints | None) -> None:
        """Go on with stored alerts of accounts that may be watched; `logins` are the Book's."""
        mine = [
            alert
            for alert in stored
            if watched.everything
            or alert.login in watched.added
            or alert.login in watched.without
            or alert.rule == FEED_RULE
        ]
        with self.lock:
            self._waiting.add(mine, self._clock())
            if logins is not None:
                self._become(self._admitted(logins, self._clock()))

    def again(self, watched: Selection, logins: Ints | None) -> None:
        """Go on by steps with a desk that was only shown: nothing rings again."""
        with self.lock:
            shown = [*self.desk.alerts.values(), *self.desk.recovered.values()]
            self.desk = alerts.EMPTY
            self.restore(shown, watched, logins)

    def become(self, desk: Desk) -> None:
        """Show a desk that was recorded."""
        with self.lock:
            self.edges.add(unwritten(self.desk, desk, self._clock()))
            self._become(desk)

    def _admitted(self, logins: Ints, now: float) -> Desk:
        """The desk with those waiting alerts whose account is there."""
        ready = self._waiting.ready(logins, now)
        if not ready:
            return self.desk
        self.admitted += 1
        desk, events = alerts.restored(self.desk, ready, now, self._times)
        desk = alerts.given_up(desk, ready, logins)
        self.edges.add(unwritten(self.desk, desk, now))
        for event in events:
            self._put(event)
        return desk

    def _handled(self, desk: Desk, event: AlertEvent | None) -> bool:
        if event is None:
            return False
        self.edges.add([event])
        self._put(event)
        self._become(desk)
        return True

    def _become(self, desk: Desk) -> None:
        if desk is not self.desk:
            self.desk = desk
            self._show()
