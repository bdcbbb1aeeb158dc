"""The feed's alert of a desk that watches one account: in the database it is that account's.

A desk's feed alert is about its whole book, whose server has one desk. A fleet has many, each of
one account: under the book's name they would raise, recover and close each other's.
"""

from __future__ import annotations

from dataclasses import replace

from rms_tui.alerts import FEED_RULE, Alert, AlertEvent, Handling, identity

_BOOK = 0
"""The login of an alert that is about a whole book."""


class OwnFeed:
    """Names the feed's alert outward by its account, and inward as the desk knows it."""

    def __init__(self, login: int) -> None:
        self._login = login
        self._known: dict[str, str] = {}

    def outward(self, alert: Alert) -> Alert:
        """As the database has it."""
        if alert.rule != FEED_RULE or alert.login != _BOOK:
            return alert
        own = identity(alert.server, self._login, alert.key, alert.first_seen)
        self._known[own] = alert.id
        return replace(alert, id=own, login=self._login)

    def outward_edge(self, event: AlertEvent) -> AlertEvent:
        """An edge of it, as the database has it."""
        return replace(event, alert=self.outward(event.alert))

    def inward(self, alert: Alert) -> Alert:
        """As the desk knows it."""
        if alert.rule != FEED_RULE or alert.login != self._login:
            return alert
        return replace(alert, id=self._known.get(alert.id, alert.id), login=_BOOK)

    def inward_doing(self, handling: Handling) -> Handling:
        """What an operator did about it, as the desk knows it."""
        known = self._known.get(handling.alert_id)
        return handling if known is None else replace(handling, alert_id=known)
