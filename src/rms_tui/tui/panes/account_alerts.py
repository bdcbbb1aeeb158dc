"""Details: the open alerts of one account."""

from __future__ import annotations

from dataclasses import replace

from rms_tui.alerts import Pending
from rms_tui.frame import Frame
from rms_tui.tui.filter import Query
from rms_tui.tui.panes.alerts import AlertsSource
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Column

LOGIN = 10
"""Cells of the column that is left out."""


class AccountAlertsSource(AlertsSource):
    """Alerts of one login."""

    def __init__(self, login: int) -> None:
        super().__init__()
        self._login = login

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`; whose alerts they are is known."""
        columns = [column for column in super().columns(width + LOGIN) if column.id != "login"]
        return tuple(columns)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        own = tuple(alert for alert in frame.alerts if alert.login == self._login)
        return super().view(replace(frame, alerts=own), columns, sort, query)

    def pending(self, frame: Frame) -> tuple[Pending, ...]:
        """See `AlertsSource.pending`."""
        return tuple(one for one in frame.pending if one.login == self._login)

    def nothing(self) -> str:
        """See `Source.nothing`."""
        return "No open alerts of this account."
