"""Who changed what about an account: audit rows in a dealer's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One audit row. `at` is UTC seconds; `more` what the action is about, as it was written."""

    id: str
    at: float
    action: str
    operator: str
    more: Mapping[str, Any] = field(default_factory=dict)


def words(change: Change, server_offset: float | None) -> str:
    """What was done: `snoozed daily loss until 14:32`. Times are on the server's clock."""
    say = _WORDS.get(change.action)
    return change.action if say is None else say(change.more, server_offset)


def _rule(more: Mapping[str, Any]) -> str:
    return str(more.get("rule") or "alert").replace("_", " ")


def _clock(moment: object, offset: float | None) -> str:
    if not isinstance(moment, datetime):
        return "?"
    at = datetime.fromtimestamp(moment.timestamp() + (offset or 0.0), UTC)
    return at.strftime("%m-%d %H:%M") + ("" if offset is not None else "Z")


def _money(value: object) -> str:
    return f"{value:,.2f}".replace(",", " ") if isinstance(value, int | float) else "?"


def _acknowledged(more: Mapping[str, Any], _: float | None) -> str:
    note = f": {more['note']}" if more.get("note") else ""
    return f"acknowledged {_rule(more)}{note}"


def _snoozed(more: Mapping[str, Any], offset: float | None) -> str:
    return f"snoozed {_rule(more)} until {_clock(more.get('until'), offset)}"


def _base(more: Mapping[str, Any], offset: float | None) -> str:
    base = more.get("base") or {}
    figures = f"balance {_money(base.get('balance'))}, equity {_money(base.get('equity'))}"
    return f"base of {_clock(base.get('at'), offset)}: {figures}"


def _peak(more: Mapping[str, Any], _: float | None) -> str:
    peak = more.get("peak") or {}
    return f"{str(peak.get('source')).replace('_', ' ')} peak {_money(peak.get('value'))}"


def _profile(more: Mapping[str, Any], _: float | None) -> str:
    profile = more.get("profile")
    if profile is None:
        return "limits: back to its group's"
    if isinstance(profile, Mapping):
        said = [f"{key} {value}" for key, value in profile.items() if key != "rules"]
        said += [str(rule.get("rule")) for rule in profile.get("rules") or ()]
        return f"limits of its own: {', '.join(said)}"
    return f"limits: {profile}"


_WORDS: dict[str, Callable[[Mapping[str, Any], float | None], str]] = {
    "add": lambda *_: "added",
    "remove": lambda *_: "stopped watching",
    "acknowledge": _acknowledged,
    "snooze": _snoozed,
    "base": _base,
    "peak": _peak,
    "profile": _profile,
}
