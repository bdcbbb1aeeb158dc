"""Which edges of alerts are news, and how several of them read as one message.

Pure. Names come from outside: control characters are taken out, nothing is markup.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rms_tui.alerts import Alert, AlertEvent, Severity

MOST_LINES = 20
_LONGEST_NAME = 64

_EDGES = {
    "raised": ("raised", "raised_at"),
    "risen": ("raised", "changed_at"),
    "woken": ("raised", "rung_at"),
    "escalated": ("escalated", "escalated_at"),
    "recovered": ("recovered", "recovered_at"),
}
"""Edge of an alert: what a channel calls it, and the alert's own time of it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One edge that is worth telling. `edge` is raised, escalated or recovered."""

    edge: str
    alert: Alert
    at: float


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, as plain text; `severity` is the worst of its notices."""

    title: str
    body: str
    severity: Severity
    notices: int


def notice_of(event: AlertEvent) -> Notice | None:
    """The notice of an edge; None where it is no news.

    An alert that comes back from the database after a restart was told of when it happened: its
    own time of the edge is older than the edge.
    """
    found = _EDGES.get(event.change)
    if found is None:
        return None
    edge, when = found
    return Notice(edge, event.alert, event.at) if getattr(event.alert, when) == event.at else None


def still_news(notices: Sequence[Notice]) -> list[Notice]:
    """The newest notice of each alert, in the order they came."""
    newest = {notice.alert.id: notice for notice in notices}
    return sorted(newest.values(), key=lambda notice: notice.at)


def message_of(notices: Sequence[Notice]) -> Message:
    """One message for these notices, the worst first. Raises ValueError for none."""
    ordered = sorted(notices, key=lambda notice: (-notice.alert.severity, notice.at))
    if not ordered:
        raise ValueError("expected at least one notice")
    lines = [_line(notice) for notice in ordered[:MOST_LINES]]
    if len(ordered) > MOST_LINES:
        lines.append(f"… and {len(ordered) - MOST_LINES} more: rms-tui alerts --open")
    title = _title(ordered[0]) if len(ordered) == 1 else _titles(ordered)
    return Message(title, "\n".join(lines), ordered[0].alert.severity, len(ordered))


def test_message(now: float) -> Message:
    """What `rms-tui notify --test` sends."""
    text = f"This is a test of rms-tui, sent at {_clock(now)}. Alerts will come here."
    return Message("rms-tui: test", text, Severity.REACHED, 1)


def _title(notice: Notice) -> str:
    alert = notice.alert
    return f"{_edge_word(notice)} {_who(alert)} {alert.rule.replace('_', ' ')}"


def _titles(notices: Sequence[Notice]) -> str:
    counts = Counter(_edge_word(notice) for notice in notices)
    return f"{len(notices)} alerts: " + ", ".join(f"{n} {word}" for word, n in counts.items())


def _edge_word(notice: Notice) -> str:
    word = notice.alert.severity.word.upper()
    return word if notice.edge == "raised" else f"{word} {notice.edge}"


def _line(notice: Notice) -> str:
    alert = notice.alert
    used = f", {alert.used * 100:.0f} % used" if math.isfinite(alert.used) else ""
    figures = f"value {_figure(alert.value)}, limit {_figure(alert.limit)}{used}"
    place = " ".join(part for part in (_clean(alert.name), _clean(alert.group)) if part)
    named = f" ({place})" if place else ""
    rule = alert.rule.replace("_", " ")
    return (
        f"{_edge_word(notice)} {_who(alert)}{named} {rule}: {figures}, {alert.reason.words}, "
        f"{_clock(notice.at)} [{alert.id}]"
    )


def _who(alert: Alert) -> str:
    return str(alert.login) if alert.login else "feed"


def _figure(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:,.2f}" if math.isfinite(value) else "unlimited"


def _clean(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain if len(plain) <= _LONGEST_NAME else plain[: _LONGEST_NAME - 1] + "…"


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
