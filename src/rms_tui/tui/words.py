"""States, severities and rules in the words a dealer reads, each with its cell style."""

from __future__ import annotations

from rms_tui.alerts import Alert, Severity, Stage
from rms_tui.risk.verdict import State
from rms_tui.tui.table import Cell

STATE_CELLS: dict[int, Cell] = {
    State.OFF: Cell("no rule", "dim"),
    State.OK: Cell("OK", "dim"),
    State.REACHED: Cell("REACHED", "good"),
    State.UNKNOWN: Cell("UNKNOWN", "unknown"),
    State.CAUTION: Cell("WARNING", "warning"),
    State.CRITICAL: Cell("CRITICAL", "critical"),
    State.BREACHED: Cell("BREACHED", "breached"),
}

STATE_WORDS: dict[str, int] = {
    "off": State.OFF,
    "ok": State.OK,
    "reached": State.REACHED,
    "unknown": State.UNKNOWN,
    "warning": State.CAUTION,
    "caution": State.CAUTION,
    "critical": State.CRITICAL,
    "breached": State.BREACHED,
}
"""Words a filter takes for a state, harmless first."""

SEVERITY_CELLS: dict[int, Cell] = {
    Severity.REACHED: Cell("REACHED", "good"),
    Severity.WARNING: Cell("WARNING", "warning"),
    Severity.CRITICAL: Cell("CRITICAL", "critical"),
    Severity.BREACH: Cell("BREACH", "breached"),
}

SEVERITY_WORDS: dict[str, int] = {severity.word: int(severity) for severity in Severity}


def is_escalated(alert: Alert) -> bool:
    """Whether it is urgent, nobody answered it, and it rang again."""
    return alert.stage is Stage.RAISED and alert.escalated_at is not None


def rule_words(rule: str) -> str:
    """A rule's name as words: `daily loss`."""
    return rule.replace("_", " ")
