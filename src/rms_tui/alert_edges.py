"""Every edge of every alert lately, numbered: for readers who must not miss one between Frames.

A Frame is only the newest state; an alert may rise and recover between two that a reader sees. Each
Frame says how many edges its desk has in it, so that a reader can follow both in step.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace

from rms_tui.alerts import Alert, AlertEvent, Change, Desk, Stage

KEPT = 20_000

_FIELDS = tuple(column.name for column in fields(Alert))


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


def unwritten(before: Desk, after: Desk, at: float, since: float) -> list[AlertEvent]:
    """The edges between two desks when no step made them: heard from elsewhere, or restored.

    `since` is when the desk before was made: what was raised earlier is no news.
    """
    then, now = _standing(before), _standing(after)
    gone = [
        AlertEvent("closed", replace(alert, stage=Stage.CLOSED, closed_at=at), at)
        for alert_id, alert in then.items()
        if alert_id not in now
    ]
    came = [
        AlertEvent(_change(then.get(alert_id), alert, since), alert, at)
        for alert_id, alert in now.items()
        if not _same(then.get(alert_id), alert)
    ]
    return gone + came


def _standing(desk: Desk) -> Mapping[str, Alert]:
    return {**desk.recovered, **{alert.id: alert for alert in desk.alerts.values()}}


def _same(then: Alert | None, now: Alert) -> bool:
    """Equal in every field, NaN to NaN: another object of the same alert is no change."""
    if then is None or then is now:
        return then is now
    pairs = ((getattr(then, name), getattr(now, name)) for name in _FIELDS)
    return all(old == new or (old != old and new != new) for old, new in pairs)


def _change(then: Alert | None, now: Alert, since: float) -> Change:
    """What happened to an alert of which only both ends are known."""
    if then is None:
        return "raised" if now.stage is Stage.RAISED and now.raised_at > since else "restated"
    if now.severity > then.severity:
        return "risen"
    if now.stage is not then.stage:
        back = now.stage is Stage.RAISED
        return now.stage.value if not back else _RANG.get(then.stage, "restated")
    again = now.stage is Stage.SNOOZED and now.snoozed_at != then.snoozed_at
    louder = now.escalated_at is not None and now.escalated_at != then.escalated_at
    return "snoozed" if again else "escalated" if louder else "restated"


_RANG: Mapping[Stage, Change] = {Stage.SNOOZED: "woken"}
"""How an alert comes back to being raised."""
