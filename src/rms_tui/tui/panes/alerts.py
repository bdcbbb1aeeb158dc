"""Pane 4: open alerts, unacknowledged and worst first."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from rich.cells import cell_len

from rms_tui.account_keys import login_of
from rms_tui.alerts import Alert, Pending, Stage
from rms_tui.frame import Frame
from rms_tui.plural import counted
from rms_tui.tui import figures
from rms_tui.tui.filter import Fields, IdField, NumberField, Query, TextField, WordField
from rms_tui.tui.order import Draw, OrderedRows, StackedRows, fitting, ordered
from rms_tui.tui.panes.source import Sort, View
from rms_tui.tui.table import Cell, Column, ListedRows
from rms_tui.tui.table.literal import literal
from rms_tui.tui.words import SEVERITY_CELLS, SEVERITY_WORDS, is_escalated, rule_words

COLUMNS = (
    Column("severity", "STATE", 8, frozen=True),
    Column("time", "Time", 6),
    Column("login", "Login", 9, "right"),
    Column("rule", "Rule", 14),
    Column("used", "Used%", 6, "right"),
    Column("handled", "Handled", 19),
    Column("name", "Name", 16),
    Column("value", "Value", 14, "right"),
    Column("limit", "Limit", 14, "right"),
    Column("reason", "Why", 30),
    Column("note", "Note", 24),
)
IMPORTANCE = (
    "severity", "login", "rule", "handled", "time", "used", "name", "value", "limit", "reason",
    "note",
)  # fmt: skip

WIDE, ROOMY = 60, 48
"""Cells from which severities are whole words, and from which rules are; below, when it was raised
and who handled it need the room."""

SHORT = {"CRITICAL": "CRIT", "WARNING": "WARN", "REACHED": "GOAL", "PENDING": "PEND"}
"""Severities where there is little room; what is short already stays."""

WHOLE_WORD = 8
"""Cells of the longest severity."""


def _narrow(widths: Mapping[str, int]) -> tuple[Column, ...]:
    return tuple(replace(one, width=widths.get(one.id, one.width)) for one in COLUMNS)


ROOMY_COLUMNS = _narrow({"severity": 6})
NARROW = _narrow({"severity": 6, "rule": 12})


def _numbers(name: str) -> Any:
    def column(frame: Frame) -> Any:
        return np.array([float(getattr(alert, name)) for alert in frame.alerts])

    return column


def _texts(name: str) -> TextField:
    return TextField(lambda frame: tuple(str(getattr(alert, name)) for alert in frame.alerts))


MOST_PENDING = 20
"""Pending states that get a row; the title counts them all."""

HANDLED = {Stage.ACKNOWLEDGED: "ack", Stage.SNOOZED: "snoozed"}
"""Stages in which someone took care of it."""

FIELDS: Fields = {
    "login": IdField(
        lambda frame: np.array([login_of(a.login) for a in frame.alerts], dtype=np.int64)
    ),
    "severity": WordField(
        lambda frame: np.array([int(a.severity) for a in frame.alerts]), SEVERITY_WORDS
    ),
    "rule": TextField(lambda frame: tuple(rule_words(a.rule) for a in frame.alerts)),
    "used": NumberField(_numbers("used"), scale=0.01),
    "stage": _texts("stage"),
    "name": _texts("name"),
    "group": _texts("group"),
    "operator": TextField(lambda frame: tuple(a.operator or "" for a in frame.alerts)),
}


def rule_figure(rule: str, value: float, digits: int = 2) -> str:
    """A rule's value or limit in its unit: money, percent or a count."""
    match rule:
        case "margin_level":
            text = figures.money(value, 1)
            return text if text == figures.NA else f"{text} %"
        case "open_positions":
            return figures.money(value, 0)
    return figures.money(value, digits)


class AlertsSource:
    """Rows of the alerts table, in the order the monitor gives them unless sorted."""

    name = "Alerts"
    fields = FIELDS
    words = ("login", "rule", "name")
    default_sort: Sort = ("severity", True)

    def __init__(self) -> None:
        self.subject = ""

    def columns(self, width: int) -> tuple[Column, ...]:
        """See `Source.columns`."""
        columns = NARROW if width < ROOMY else ROOMY_COLUMNS if width < WIDE else COLUMNS
        return fitting(columns, IMPORTANCE, width, elastic="handled", most=34)

    def view(self, frame: Frame, columns: tuple[Column, ...], sort: Sort, query: Query) -> View:
        """See `Source.view`."""
        alerts = frame.alerts
        order = ordered(self._sort_key(alerts, sort[0]), query.mask(frame), descending=sort[1])

        def find(key: Hashable) -> int | None:  # asked once or twice: not worth an index
            return next((row for row, alert in enumerate(alerts) if alert.id == key), None)

        drawn = _drawn(alerts, frame.health.server_offset, columns)
        rows = OrderedRows(
            order,
            lambda row: alerts[row].id,
            find,
            [drawn[column.id] for column in columns],
            lambda row: "dim" if alerts[row].stage in HANDLED else "",
        )
        pending = self.pending(frame)
        self.subject = _subject(alerts, pending)
        if not pending or query.text:
            return View(rows, len(alerts))
        listed = _listed(pending[:MOST_PENDING], columns, frame.health.server_offset)
        return View(StackedRows(rows, listed), len(alerts))

    def pending(self, frame: Frame) -> tuple[Pending, ...]:
        """States on their way to an alert that are shown below the alerts."""
        return frame.pending

    def nothing(self) -> str:
        """See `Source.nothing`."""
        return "No open alerts."

    def _sort_key(self, alerts: tuple[Alert, ...], column: str) -> Any:
        match column:
            case "severity":  # the monitor's own order: raised first, then worst, then newest
                return -np.arange(len(alerts), dtype=np.float64)
            case "time":
                return [alert.raised_at for alert in alerts]
            case "handled":
                return [alert.acknowledged_at or 0.0 for alert in alerts]
            case "rule" | "name" | "reason" | "note":
                texts = [str(getattr(alert, column) or "").casefold() for alert in alerts]
                rank = {text: at for at, text in enumerate(sorted(set(texts)))}
                return [rank[text] for text in texts]
        return [float(getattr(alert, column)) for alert in alerts]


def handled_words(alert: Alert, offset: float | None, room: int) -> str:
    """What was done about an open alert, in `room` cells: `snoozed until 14:32`, `ack jane`."""
    if is_escalated(alert):
        return "ESCALATED"
    word = HANDLED.get(alert.stage)
    if word is None:
        return "open"
    if alert.stage is not Stage.SNOOZED or alert.snoozed_until is None:
        who = alert.operator or ""
        return _fitting([f"{word} {who}".rstrip(), f"{word} {_user(who)}".rstrip()], room)
    until = figures.clock(alert.snoozed_until, offset, seconds=False)
    who = alert.snoozed_by or ""
    user = _user(who)
    forms = [f"snoozed until {until} {who}", f"snoozed until {until} {user}",
             f"until {until} {user}", f"snz {user}"]  # fmt: skip
    return _fitting([form.rstrip() for form in forms], room)


def _user(operator: str) -> str:
    return operator.partition("@")[0]


def _fitting(forms: Sequence[str], room: int) -> str:
    return next((form for form in forms if cell_len(literal(form)) <= room), forms[-1])


def _subject(alerts: tuple[Alert, ...], pending: tuple[Pending, ...]) -> str:
    escalated = sum(alert.escalated_at is not None and is_escalated(alert) for alert in alerts)
    numbers = ((escalated, "ESCALATED"), (len(pending), "pending"))
    return ", ".join(f"{figures.count(number)} {word}" for number, word in numbers if number)


def _listed(
    pending: Sequence[Pending], columns: tuple[Column, ...], offset: float | None
) -> ListedRows:
    """A dim row for each state that is seen and not believed yet."""
    made = []
    for one in pending:
        seconds = one.confirm.seconds
        lasting = f", lasting {figures.span(seconds, seconds_shown=True)}" if seconds else ""
        polls = counted(one.confirm.polls, "poll")
        cells = {
            "severity": _severity_word("PENDING", _room(columns, "severity")),
            "time": figures.clock(one.first_seen, offset, seconds=False),
            "login": str(login_of(one.login)),
            "rule": rule_words(one.rule),
            "handled": f"{one.polls} of {one.confirm.polls}",
            "reason": f"{one.severity.word}, if it lasts {polls}{lasting}",
        }
        made.append([Cell(cells.get(column.id, ""), "dim") for column in columns])
    return ListedRows([(one.login, one.key) for one in pending], made, ["dim"] * len(made))


def _room(columns: Sequence[Column], name: str) -> int:
    return next(column.width for column in columns if column.id == name)


def _severity_word(word: str, room: int) -> str:
    return word if room >= WHOLE_WORD else SHORT.get(word, word)


def _drawn(
    alerts: tuple[Alert, ...], offset: float | None, columns: Sequence[Column]
) -> dict[str, Draw]:
    words, room = _room(columns, "severity"), _room(columns, "handled")

    def severity(row: int) -> Cell:
        cell = SEVERITY_CELLS[alerts[row].severity]
        style = "dim" if alerts[row].stage in HANDLED else cell.style
        return Cell(_severity_word(cell.text, words), style)

    def used(row: int) -> Cell:
        value = alerts[row].used
        return Cell(figures.NA if math.isnan(value) else figures.percent(value))

    def handled(row: int) -> Cell:
        alert = alerts[row]
        words = handled_words(alert, offset, room)
        return Cell(words, "critical" if is_escalated(alert) else "")

    return {
        "severity": severity,
        "time": lambda row: Cell(figures.clock(alerts[row].raised_at, offset, seconds=False)),
        "login": lambda row: Cell(str(login_of(alerts[row].login))),
        "rule": lambda row: Cell(rule_words(alerts[row].rule)),
        "used": used,
        "handled": handled,
        "name": lambda row: Cell(alerts[row].name),
        "value": lambda row: Cell(rule_figure(alerts[row].rule, alerts[row].value)),
        "limit": lambda row: Cell(rule_figure(alerts[row].rule, alerts[row].limit)),
        "reason": lambda row: Cell(alerts[row].reason.words),
        "note": lambda row: Cell(alerts[row].note or ""),
    }
