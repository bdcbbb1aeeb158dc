"""Every edge of every alert lately, numbered: for readers who must not miss one between Frames.

A Frame is only the newest state; an alert may rise and recover between two that a reader sees. Each
Frame says how many edges its desk has in it, so that a reader can follow both in step.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from rms_tui.alerts import Alert, AlertEvent, Desk, Stage

KEPT = 20_000


class Edges:
    """The newest edges in order. Added to by one thread at a time, read from any."""

    def __init__(self, kept: int = KEPT) -> None:
        self._events: deque[AlertEvent] = deque(maxlen=kept)
        self._lock = threading.Lock()
        self.count = 0
        """How many there were so far."""

    def add(self, events: Iterable[AlertEvent]) -> None:
        """Append edges, without their evidence: that is for the database."""
        with self._lock:
            for event in events:
                self._events.append(replace(event, evidence=None))
                self.count += 1

    def between(self, after: int, upto: int) -> tuple[Sequence[AlertEvent], bool]:
        """Edges number `after` + 1 to `upto`, and whether none of them was forgotten."""
        with self._lock:
            first = self.count - len(self._events)
            found = [
                self._events[number - first]
                for number in range(max(after, first), min(upto, self.count))
            ]
            return found, after >= first


def unwritten(before: Desk, after: Desk, at: float) -> list[AlertEvent]:
    """The edges between two desks when no step made them: heard from elsewhere, or restored."""
    then, now = _standing(before), _standing(after)
    gone = [
        AlertEvent("closed", replace(alert, stage=Stage.CLOSED, closed_at=at), at)
        for alert_id, alert in then.items()
        if alert_id not in now
    ]
    came = [
        AlertEvent(alert.stage.value, alert, at)
        for alert_id, alert in now.items()
        if then.get(alert_id) is not alert
    ]
    return gone + came


def _standing(desk: Desk) -> Mapping[str, Alert]:
    return {**desk.recovered, **{alert.id: alert for alert in desk.alerts.values()}}
