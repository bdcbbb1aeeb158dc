"""The alerts' part of the store thread: edges and evidence out, others' alerts and doings in.

Knows by which id the database has an episode that another process raised first, and goes on under
that one with edges that were on their way under ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from rms_tui.alerts import TIMES, Alert, AlertEvent, Handling
from rms_tui.store import alerts, evidence
from rms_tui.store.alert_watch import AlertWatch
from rms_tui.store.database import Guard, Rms

InParts: TypeAlias = Callable[
    [Sequence[AlertEvent], Callable[[Sequence[AlertEvent]], object]], None
]
"""Writes all at once, or one by one when MongoDB will never have one of them."""


class AlertWriter:
    """Used by one thread; `on_alerts` and `on_handled` are called in it."""

    def __init__(
        self,
        on_alerts: Callable[[Sequence[Alert]], None] | None,
        on_handled: Callable[[Sequence[Handling]], None] | None,
        guard: Guard | None = None,
    ) -> None:
        """Nothing is written where `guard` raises."""
        self.restored = False
        """Whether the alerts of the database were read since this process began."""
        self._on_alerts = on_alerts
        self._on_handled = on_handled
        self._guard = guard
        self._watch: AlertWatch | None = None
        self._renamed: dict[str, str] = {}

    def disconnected(self) -> None:
        """Open a new watch, and read the alerts again, when there is a connection."""
        self._watch = None

    def write(self, database: Rms, edges: Sequence[AlertEvent], in_parts: InParts) -> None:
        """Write edges and their evidence. Raises PyMongoError."""
        stand: dict[str, Alert] = {}
        events = [self._known(event) for event in edges]
        in_parts(events, lambda part: stand.update(alerts.apply(database, part, self._guard)))
        self._renamed |= {mine: alert.id for mine, alert in stand.items()}
        proven = [self._known(event) for event in events if event.evidence is not None]
        in_parts(proven, lambda part: evidence.apply(database, part, self._guard))
        for event in edges:
            if event.change in ("recovered", "closed"):
                self._renamed.pop(event.alert.id, None)
        if stand and self._on_alerts is not None:
            self._on_alerts(list(stand.values()))

    def hear(self, database: Rms, server: str | None, now: float) -> None:
        """Follow the alerts of the database: all of them once, then what operators do.

        Nothing before the server has a name. Raises PyMongoError.
        """
        if server is None:
            return
        if self._watch is None:
            self._watch = AlertWatch(database, server)
            found = self._watch.going_on(now - TIMES.close)
            if found and self._on_alerts is not None:
                self._on_alerts(found)
            self.restored = True
        heard = self._watch.poll()
        if heard and self._on_handled is not None:
            self._on_handled(heard)

    def _known(self, event: AlertEvent) -> AlertEvent:
        name = self._renamed.get(event.alert.id)
        return event if name is None else replace(event, alert=replace(event.alert, id=name))
