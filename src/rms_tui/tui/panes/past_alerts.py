"""Alert history: what was raised, by whom it was handled and when it was over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rms_tui.account_keys import login_of
from rms_tui.alerts import Alert, Stage
from rms_tui.alerts.asked import Asked
from rms_tui.frame import Frame
from rms_tui.tui import figures
from rms_tui.tui.filter import EVERYTHING, NO_FIELDS, Query
from rms_tui.tui.order import fitting, ordered
from rms_tui.tui.panes.alerts import rule_figure
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column, ListedRows
from rms_tui.tui.words import SEVERITY_CELLS, rule_words

COLUMNS = (
    Column("severity", "WAS", 8, frozen=True),
    Column("raised_at", "Raised", 11),
    Column("ended", "Over", 11),
    Column("login", "Login", 9, "right"),
    Column("name", "Name", 18),
    Column("rule", "Rule", 17),
    Column("used", "Used%", 6, "right"),
    Column("value", "Value", 12, "right"),
    Column("limit", "Limit", 12, "right"),
    Column("handled", "Handled by", 16),
    Column("note", "Note", 24),
    Column("stage", "Stage", 9),
)
IMPORTANCE = (
    "severity", "login", "rule", "raised_at", "ended", "handled", "name", "note", "used", "stage",
    "value", "limit",
)  # fmt: skip

OVER = (Stage.RECOVERED, Stage.CLOSED)


class PastAlertsSource:
    """Alerts that are over: of the database once they came, and of this process."""

    name = "Alert history"
    fields = NO_FIELDS
    words: tuple[str, ...] = ()
    default_sort: Sort = ("ended", True)

    def __init__(self, *, asks: bool) -> None:
        self.stored: Sequence[Alert] | None = None
        self.error: str | None = None
        self.asked = Asked()
        self._asks = asks
        self._logins: dict[object, int] = {}

    @property
    def subject(self) -> str:
        """See `Source.subject`."""
        if not self._asks:
            return "since this console started"
        if self.error is not None:
            return f"since this console started; {self.error}"
        return "reading MongoDB" if self.stored is None else ""

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        return fitting(COLUMNS, IMPORTANCE, width, elastic="note", most=60)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        del query
        alerts = self._alerts(frame)
        order = ordered(_sort_key(alerts, sort[0]), EVERYTHING.mask(frame), descending=sort[1])
        shown = [alerts[row] for row in order.tolist()]
        self._logins = {alert.id: alert.login for alert in shown}
        made = []
        for alert in shown:
            cells = _cells(alert, frame.health.server_offset)
            made.append([cells[column.id] for column in columns])
        return View(ListedRows([alert.id for alert in shown], made), len(shown))

    def nothing(self) -> str:
        """See `Source.nothing`."""
        if self.error is not None:
            return f"The history could not be read.\n\n{self.error}\n\nr tries again"
        if self._asks and self.stored is None:
            return "Reading the history"
        if self.asked != Asked():
            return "No past alert matches what you asked for.\n\n/ asks for others"
        return "No past alerts yet."

    def login_of(self, alert_id: object) -> int | None:
        """Whose alert it is, None for one that is not shown."""
        return self._logins.get(alert_id)

    def _alerts(self, frame: Frame) -> list[Alert]:
        known = {alert.id: alert for alert in self.stored or () if alert.stage in OVER}
        for alert in frame.recovered:
            if self.asked.wants(alert):
                known.setdefault(alert.id, alert)
        return list(known.values())


def _ended(alert: Alert) -> float:
    return alert.recovered_at or alert.closed_at or alert.changed_at


def _by(alert: Alert) -> str:
    return alert.operator or alert.snoozed_by or ""


def _sort_key(alerts: Sequence[Alert], column: str) -> Any:
    if column in ("name", "rule", "note", "stage", "handled"):
        texts = [
            _by(a) if column == "handled" else str(getattr(a, column) or "").casefold()
            for a in alerts
        ]
        rank = {text: at for at, text in enumerate(sorted(set(texts)))}
        return [rank[text] for text in texts]
    return [_ended(a) if column == "ended" else float(getattr(a, column)) for a in alerts]


def _cells(alert: Alert, offset: float | None) -> dict[str, Cell]:
    def when(at: float) -> Cell:
        return Cell(figures.server_moment(int(at + (offset or 0.0)))[:11])

    return {
        "severity": Cell(SEVERITY_CELLS[alert.severity].text, "dim"),
        "raised_at": when(alert.raised_at),
        "ended": when(_ended(alert)),
        "login": Cell(str(login_of(alert.login))),
        "name": Cell(alert.name),
        "rule": Cell(rule_words(alert.rule)),
        "used": Cell(figures.percent(alert.used)),
        "value": Cell(rule_figure(alert.rule, alert.value)),
        "limit": Cell(rule_figure(alert.rule, alert.limit)),
        "handled": Cell(_by(alert) or "nobody", "" if _by(alert) else "dim"),
        "note": Cell(alert.note or ""),
        "stage": Cell(alert.stage.value, "dim"),
    }
