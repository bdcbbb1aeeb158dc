"""Which alerts of the history are wanted: by time, account, rule, operator.

Asked of the database, and of the alerts a process knows itself, by the same conditions; typed in a
line of the console in the words of the shell's options.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, get_args

from pydantic import BaseModel

from rms_tui.alerts.feed import RULE as FEED_RULE
from rms_tui.alerts.life import OPEN, Alert
from rms_tui.moments import since
from rms_tui.risk.rules import RULES

MOST = 10_000
LARGEST_LOGIN = 2**63 - 1

SYNTAX = "since:2h until:30m login:70123 rule:daily_loss operator:ann"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which alerts are wanted; None asks for all. `since` and `until` are UTC seconds of raising.

    `operator` is who acknowledged or snoozed it: the whole name, or the part before its `@`.
    """

    open_only: bool = False
    login: int | None = None
    rule: str | None = None
    operator: str | None = None
    since: float | None = None
    until: float | None = None
    server: str | None = None
    most: int = MOST

    def wants(self, alert: Alert) -> bool:
        """Whether an alert is one of those."""
        return (
            (not self.open_only or alert.stage in OPEN)
            and self.login in (None, alert.login)
            and self.rule in (None, alert.rule)
            and self.server in (None, alert.server)
            and (self.since is None or alert.raised_at >= self.since)
            and (self.until is None or alert.raised_at <= self.until)
            and (self.operator is None or _by(self.operator, alert))
        )


def _by(operator: str, alert: Alert) -> bool:
    wanted = operator.casefold()
    named = (alert.operator or "", alert.snoozed_by or "")
    return any(wanted in (name.casefold(), name.casefold().partition("@")[0]) for name in named)


def rule_names() -> tuple[str, ...]:
    """Every name an alert's rule can have."""
    named = (
        get_args(rule.model_fields["rule"].annotation)
        for rule in RULES
        if issubclass(rule, BaseModel)
    )
    return (*(str(name) for names in named for name in names), FEED_RULE)


def parsed(text: str, now: float) -> Asked:
    """What was typed: `login:70123 since:2h`; "" asks for all. A bare number is a login.

    Raises ValueError with what was expected.
    """
    asked = Asked()
    for word in text.split():
        name, mark, value = word.partition(":")
        if not mark and word.isdecimal():
            name, value = "login", word
        elif name not in _READ or not value:
            raise ValueError(f"{word}: expected {' '.join(f'{known}:' for known in _READ)}")
        found: dict[str, Any] = {name: _READ[name](value, now)}
        asked = replace(asked, **found)
    return asked


def _login(text: str, _: float) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:20]) <= LARGEST_LOGIN):
        raise ValueError(f"login:{text}: expected the number of an account")
    return int(text)


def rule_named(text: str) -> str:
    """A rule's name, or the beginning of just one. Raises ValueError with those that may be."""
    wanted, names = text.casefold().replace("-", "_"), rule_names()
    found = [name for name in names if name == wanted] or [n for n in names if n.startswith(wanted)]
    if len(found) != 1:
        raise ValueError(f"{text}: expected one of {', '.join(found or names)}")
    return found[0]


def _rule(text: str, _: float) -> str:
    try:
        return rule_named(text)
    except ValueError as error:
        raise ValueError(f"rule:{error}") from None


_READ: dict[str, Callable[[str, float], object]] = {
    "since": since,
    "until": since,
    "login": _login,
    "rule": _rule,
    "operator": lambda text, _: text,
}
