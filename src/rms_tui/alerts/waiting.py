"""Alerts that were read back and wait for their accounts to appear in a Book.

A source may still be syncing, or be asked for fewer accounts a moment longer: an alert is not over
because its account is not there yet.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from rms_tui.alerts import feed
from rms_tui.alerts.desk import PATIENCE
from rms_tui.alerts.life import Alert, Handling, handled
from rms_tui.book import Ints, rows_of

LONGEST = PATIENCE
"""Seconds after which one goes to the desk anyway, which closes it if its account is not there."""


class Waiting:
    """The waiting alerts, by id. Used under its owner's lock."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._alerts: dict[str, Alert] = {}

    def add(self, alerts: Iterable[Alert], now: float) -> None:
        """Let these wait; the newest reading of an alert counts."""
        for alert in alerts:
            self._alerts[alert.id] = alert
            self._since.setdefault(alert.id, now)

    def heard(self, handlings: Iterable[Handling]) -> None:
        """What operators do about them meanwhile."""
        for one in handlings:
            known = self._alerts.get(one.alert_id)
            after = None if known is None else handled(known, one)
            if after is not None:
                self._alerts[after.id] = after

    def ready(self, logins: Ints, now: float) -> list[Alert]:
        """Those that need wait no more, `logins` being the accounts of a Book."""
        if not self._alerts:
            return []
        alerts = list(self._alerts.values())
        asked = np.array([alert.login for alert in alerts], dtype=np.int64)
        there = rows_of(logins, asked) >= 0
        came = [
            alert
            for alert, here in zip(alerts, there.tolist(), strict=True)
            if here
            or not alert.is_open
            or alert.rule == feed.RULE
            or now - self._since[alert.id] > LONGEST
        ]
        for alert in came:
            del self._alerts[alert.id], self._since[alert.id]
        return came
