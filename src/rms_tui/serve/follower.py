"""A monitor that follows another process instead of polling: thread `rms-follow`.

Each message of the stream becomes a Frame of this process's own monitor, judged here by the same
functions and with the holder's memory, plan and alerts. What operators do goes to the holder. When
the holder is gone the monitor still has all it needs to poll by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rms_tui.alerts import Alert, AlertEvent
from rms_tui.alerts.asked import Asked
from rms_tui.feed import Selection
from rms_tui.frame import FeedState
from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.serve.clock import Clock
from rms_tui.serve.followed import Followed
from rms_tui.serve.followed_feed import FollowedFeed
from rms_tui.serve.forward import Forwarder
from rms_tui.serve.link import Link, LinkError
from rms_tui.serve.packed import Unpackable
from rms_tui.serve.packed_alerts import alert_from
from rms_tui.serve.wire import MOST_OPERATOR

_log = logging.getLogger("rms_tui.follow")

SILENT_S = 1.0
"""Seconds without a message after which the age of what there is is looked at."""

FIRST_PAUSE, LONGEST_PAUSE = 0.3, 5.0

HISTORY_S, MOST_HISTORY = 10.0, 2_000


@dataclass(frozen=True, slots=True)
class Told:
    """The holder's MongoDB, as it says."""

    state: str
    text: str
    waiting: int
    refused: int = 0
    latency: float | None = None


class Follower:
    """Follows one address until stopped. `monitor` must not poll meanwhile."""

    def __init__(
        self,
        monitor: Monitor,
        address: str,
        clock: Clock,
        *,
        operator: str | None = None,
        token: str | None = None,
        authority: Path | None = None,
        store: Latest[Any] | None = None,
        refusals: Latest[str] | None = None,
    ) -> None:
        """`operator` is who acts here, `store` where the holder's word about its MongoDB is put,
        `refusals` where it is said why something that was done here was refused there."""
        self.refusals: Latest[str] = Latest() if refusals is None else refusals
        self.reads_only = False
        """Whether the holder takes no commands from here, as it said last."""
        self.store: Latest[Any] = Latest() if store is None else store
        self.final: str | None = None
        """Why trying again cannot help, once that is known."""
        self._monitor = monitor
        self._address = address
        self._clock = clock
        self._operator = operator
        self._token = token
        self._authority = authority
        self._feed = FollowedFeed(address, clock.now())
        self._followed = Followed()
        self._link: Link | None = None
        self._interval: float | None = None
        self._why: str | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rms-follow", daemon=True)
        self._facts = Forwarder(monitor.outbox, lambda: self._link, self._say_refused)

    @property
    def connected(self) -> bool:
        return self._link is not None

    def history(self, asked: Asked) -> list[Alert]:
        """Alerts of the holder's database, the newest first. Raises LinkError."""
        link = self._link
        if link is None:
            raise LinkError("no connection to the process that polls")
        request = {
            "type": "get_alerts",
            "history": True,
            "exact": True,
            "most": min(asked.most, MOST_HISTORY),
        }
        only = {"login_id": asked.login, "rule": asked.rule}
        given = {name: value for name, value in only.items() if value is not None}
        answer = link.ask({**request, **given}, HISTORY_S)
        if answer["type"] == "error":
            raise LinkError(str(answer["message"]))
        return [found for found in map(alert_from, answer["history"]) if asked.wants(found)]

    def start(self) -> None:
        """Begin; returns at once."""
        self._monitor.take_feed(self._feed, live=FeedState.FOLLOWING)
        self._thread.start()
        self._facts.start()

    def stop(self, timeout: float = 1.0) -> None:
        """Follow no more, within `timeout`."""
        self._stopping.set()
        link = self._link
        if link is not None:
            link.close()
        self._facts.stop(0.2)
        self._thread.join(timeout)
        self._clock.own()

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                self._follow()
                pause = FIRST_PAUSE
            except (LinkError, Unpackable) as error:
                if self._stopping.is_set():
                    return
                pause = FIRST_PAUSE if self._link is not None else pause
                self._lost(str(error), final=getattr(error, "final", False))
                self._wait(pause)
                pause = min(LONGEST_PAUSE, pause * 1.6)

    def _follow(self) -> None:
        """One connection, from its opening to its end. Raises LinkError, Unpackable."""
        self._monitor.step(0.0)
        if " " in self._address:  # why there is none, in words
            raise LinkError(self._address)
        link = Link(self._address, self._token, self._authority)
        try:
            held = self._followed
            again = {} if held.seq is None else {"from_seq": held.seq, "stream": held.stream}
            link.send({"type": "subscribe", "detail": "book", **again})
            while not self._stopping.is_set():
                message = link.receive(SILENT_S)
                if message is None:
                    self._look()
                elif message.get("type") in ("frame", "delta"):
                    self._take(link, message)
                elif message.get("type") == "subscribed":
                    resumed, role = bool(message["resumed"]), message["role"]
                    self._subscribed(link, resumed=resumed, reads_only=role != "operator")
                elif message.get("type") == "error":
                    raise LinkError(str(message.get("message")))
        except Unpackable:
            self._followed = Followed()
            raise
        finally:
            link.close()

    def _subscribed(self, link: Link, *, resumed: bool, reads_only: bool) -> None:
        self._link, self.final, self._why = link, None, None
        self.reads_only = reads_only
        _log.info("following %s", self._address)
        if resumed:
            held = self._followed
            self._feed.received(link, held.header, held.book)
            self._monitor.go_on_from(held.memory, held.desk)
            self._monitor.step(0.0)

    def _look(self) -> None:
        """See how old it all is now. The same figures again are no poll: no alert is counted on
        by them, it stays with the holder's desk until the figures are too old to be judged."""
        frame, held = self._monitor.frames.value, self._followed
        if frame is not None and frame.health.state is FeedState.FOLLOWING:
            self._monitor.go_on_from(held.memory, held.desk)
        self._monitor.step(0.0)

    def _take(self, link: Link, message: dict[str, Any]) -> None:
        held, before = self._followed, self._followed.book
        had = held.plan
        told = held.take(message)
        self._clock.follow(float(held.header["at"]))
        self._feed.received(link, held.header, held.book)
        self._settle(told, new_plan=held.plan is not had, moved=held.book is not before)
        store = held.header["store"]
        if store is not None:
            self.store.put(Told(store["state"], "as the holder says", int(store["waiting"])))

    def _settle(self, told: Sequence[AlertEvent], *, new_plan: bool, moved: bool) -> None:
        """Bring this process's monitor to where the stream is, with the edges that led there."""
        monitor, held = self._monitor, self._followed
        if new_plan and held.plan is not None:
            monitor.set_plan(held.plan)
        self._same_interval(float(held.header["interval"]))
        currency = held.header["report_currency"]
        if currency is not None:
            monitor.report_in(currency)
        if moved and held.book is not None:
            logins = frozenset(held.book.accounts.login.tolist())
            if logins != monitor.selection.added:
                monitor.select(Selection(everything=False, added=logins))
        monitor.go_on_from(held.memory, held.desk, told)
        monitor.step(0.0)
        monitor.show_desk(held.desk)

    def _same_interval(self, theirs: float) -> None:
        """An interval set here since the last message goes to the holder, else theirs is ours."""
        mine, link = self._monitor.interval, self._link
        if self._interval is not None and mine != self._interval and link is not None:
            self._interval = None
            who = {} if self._operator is None else {"operator": self._operator[:MOST_OPERATOR]}
            link.send({"type": "set_interval", "seconds": mine, "id": "interval", **who})
        elif self._interval != theirs or mine != theirs:
            self._interval = theirs
            self._monitor.set_interval(theirs)

    def _lost(self, why: str, *, final: bool) -> None:
        if why != self._why:
            _log.warning("not following %s: %s", self._address, why)
        self._link, self._why = None, why
        self.final = why if final else None
        self._feed.lost(why, self._clock.now())
        self._monitor.step(0.0)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping.is_set() and (left := until - time.monotonic()) > 0:
            self._stopping.wait(min(left, SILENT_S))
            self._monitor.step(0.0)

    def _say_refused(self, text: str) -> None:
        _log.warning("the holder refused: %s", text)
        self._monitor.take_back()
        self.refusals.put(text)
