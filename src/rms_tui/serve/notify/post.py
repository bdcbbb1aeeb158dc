"""One channel at work: gathers notices, sends them as one, tries again, says how it stands.

Its thread may hang in a dead service for as long as it likes: nobody waits for it. What it holds
is bounded; what it gives up is counted and said.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from rms_tui.alerts.feed import LOGIN as FEED_LOGIN
from rms_tui.serve.notify.channel import Channel
from rms_tui.serve.notify.notice import Message, Notice, message_of, still_news

_log = logging.getLogger("rms_tui.notify")

MOST_WAITING = 2_000
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 300.0

Send = Callable[[Message], str | None]
"""Delivers a message; None when it was taken, else why not, without a secret."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a channel stands. Times are UTC seconds; `dropped` notices were never delivered."""

    channel: str
    state: Literal["idle", "gathering", "quiet", "sending", "retrying"] = "idle"
    waiting: int = 0
    delivered: int = 0
    dropped: int = 0
    last_delivered: float | None = None
    error: str | None = None
    next_attempt: float | None = None


class Post:
    """A channel's notices on their way out. `tell` comes from any thread and never waits."""

    def __init__(
        self,
        channel: Channel,
        send: Send,
        *,
        clock: Callable[[], float] = time.time,
        changed: Callable[[], object] = lambda: None,
    ) -> None:
        self.channel = channel
        self._send = send
        self._clock = clock
        self._changed = changed
        self._waiting: deque[Notice] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._due: float | None = None
        self._failures = 0
        self._thread = threading.Thread(
            target=self._run, name=f"rms-notify-{channel.name}"[:15], daemon=True
        )
        self.delivery = Delivery(channel.name)

    def start(self) -> None:
        """Begin to deliver; returns at once."""
        self._thread.start()

    def stop(self, timeout: float = 0.2) -> int:
        """Deliver no more, waiting at most `timeout`; how many notices were left."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout)
        return len(self._waiting)

    def tell(self, notice: Notice) -> None:
        """Deliver this, soon, if it is for this channel."""
        alert = notice.alert
        group = None if alert.login == FEED_LOGIN else alert.group
        if not self.channel.wants(alert.severity.word, notice.edge, group):
            return
        with self._wake:
            self._waiting.append(notice)
            if len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self._say(dropped=self.delivery.dropped + 1)
            if self._due is None:
                self._due = self._clock() + self.channel.gather
            self._say(waiting=len(self._waiting))
            self._wake.notify_all()

    def step(self) -> float | None:
        """Send what is due now; seconds until there is more to do, None when there is nothing."""
        with self._wake:
            now = self._clock()
            ready, wait = self._ready(now)
            if not ready:
                return wait
        refused = self._tried(message_of(still_news(ready)))
        with self._wake:
            now = self._clock()
            if refused is None:
                self._delivered(ready, now)
            else:
                self._failed(refused, now)
            return 0.0 if self._waiting else None

    def _ready(self, now: float) -> tuple[list[Notice], float | None]:
        """What may go now, or how long until something may; the caller holds the lock."""
        if not self._waiting or self._due is None:
            self._say(state="idle", waiting=0)
            return [], None
        if now < self._due:
            self._say(state="retrying" if self._failures else "gathering", next_attempt=self._due)
            return [], self._due - now
        until = self.channel.quiet_until(now)
        ready = [
            notice
            for notice in self._waiting
            if until is None or notice.alert.severity.word in self.channel.quiet_through
        ]
        if not ready:
            self._say(state="quiet", next_attempt=until)
            return [], (until or now) - now
        self._say(state="sending", next_attempt=None)
        return ready, None

    def _tried(self, message: Message) -> str | None:
        try:
            return self._send(message)
        except Exception as error:  # noqa: BLE001  a service's library may raise anything
            return f"{type(error).__name__}"

    def _delivered(self, sent: list[Notice], now: float) -> None:
        gone = {id(notice) for notice in sent}
        self._waiting = deque(notice for notice in self._waiting if id(notice) not in gone)
        self._failures = 0
        self._due = now if self._waiting else None
        self._say(
            state="idle",
            waiting=len(self._waiting),
            delivered=self.delivery.delivered + len(sent),
            last_delivered=now,
            error=None,
            next_attempt=None,
        )

    def _failed(self, why: str, now: float) -> None:
        self._failures += 1
        self._due = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(self._failures - 1, 10))
        if self._failures == 1:
            _log.warning("notifications to %s do not go out: %s", self.channel.name, why)
        self._say(state="retrying", error=why, next_attempt=self._due)

    def _say(self, **change: object) -> None:
        now = replace(self.delivery, **change)  # type: ignore[arg-type]  # names are its fields
        if now != self.delivery:
            self.delivery = now
            self._changed()

    def _run(self) -> None:
        while True:
            wait = self.step()
            with self._wake:
                if self._stopping:
                    return
                if wait is None and self._waiting:
                    continue
                if wait is None or wait > 0:
                    self._wake.wait(wait)
                if self._stopping:
                    return
