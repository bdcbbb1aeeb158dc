"""One alert and everything that can happen to it.

raised → acknowledged | snoozed → recovered → closed. Severity only rises; getting worse, and the
end of a snooze, raise it again; critical and unanswered for long, it escalates. Every function
here is a pure step of one alert: what is true of a whole desk stands in `desk`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from hashlib import blake2b
from typing import Any, Literal, TypeAlias

from rms_tui.risk.profile import Confirm
from rms_tui.risk.verdict import Reason


class Severity(IntEnum):
    """What an alert is about, worst highest."""

    REACHED = 1
    WARNING = 2
    CRITICAL = 3
    BREACH = 4

    @property
    def word(self) -> str:
        """Its name in lower case, as programs and notifications get it."""
        return self.name.lower()


class Stage(StrEnum):
    """Where an alert is in its life."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RECOVERED = "recovered"
    CLOSED = "closed"


OPEN = (Stage.RAISED, Stage.ACKNOWLEDGED, Stage.SNOOZED)

URGENT = Severity.CRITICAL
"""The least severity that escalates while nobody answers it."""

Change: TypeAlias = Literal[
    "raised", "risen", "acknowledged", "snoozed", "woken", "escalated", "recovered", "closed",
    "restated",
]  # fmt: skip
"""`restated` is no edge of its life: how it stands by the word of the database or of another
process, of which nothing happened now."""


@dataclass(frozen=True, slots=True)
class Times:
    """Settings of the alert life cycle, in seconds.

    An urgent alert escalates after `escalate` without an answer. No decision for `feed` seconds on
    `feed_share` of the accounts raises the feed alert. A recovered alert is closed after `close`.
    """

    escalate: float = 300.0
    feed: float = 60.0
    feed_share: float = 0.1
    close: float = 300.0


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode. Times are UTC seconds; money is in the account's `currency`.

    `value`, `limit`, `used`, `distance` and `reason` are those of the newest change of severity.
    `operator`, `note` and `acknowledged_at` are of the first acknowledgement since it last got
    worse. `rung_at` is when it last wanted the bell: a screen rings for a raised alert whose
    `rung_at` is later than what it has shown.
    """

    id: str
    login: int
    server: str
    name: str
    group: str
    currency: str
    profile: str
    rule: str
    key: str
    severity: Severity
    stage: Stage
    first_seen: float
    raised_at: float
    changed_at: float
    value: float
    limit: float
    used: float
    distance: float
    reason: Reason
    recovered_at: float | None = None
    operator: str | None = None
    note: str | None = None
    acknowledged_at: float | None = None
    snoozed_by: str | None = None
    snoozed_at: float | None = None
    snoozed_until: float | None = None
    unanswered_since: float | None = None
    escalated_at: float | None = None
    rung_at: float | None = None
    closed_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody may still have to do something: raised, acknowledged or snoozed."""
        return self.stage in OPEN

    @property
    def episode(self) -> tuple[int, str]:
        """The account and rule it is about: at most one open alert for each."""
        return self.login, self.key


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One edge in an alert's life; `change` is what happened to it.

    `evidence` is what decided a raise or rise (`evidence.Evidence`), shared by the edges of a Book.
    """

    change: Change
    alert: Alert
    at: float
    evidence: object = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Handling:
    """What an operator did about an alert, here or in another process.

    `severity` is what the operator saw: it says nothing of an alert that got worse since.
    """

    alert_id: str
    change: Literal["acknowledged", "snoozed"]
    operator: str
    at: float
    severity: Severity
    note: str | None = None
    until: float | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A state on its way to an alert: seen `polls` times of the `confirm.polls` it takes."""

    login: int
    rule: str
    key: str
    severity: Severity
    polls: int
    confirm: Confirm
    first_seen: float


def identity(server: str, login: int, key: str, first_seen: float) -> str:
    """The same episode has the same id whoever sees it; it does not depend on a process."""
    episode = f"{server}|{login}|{key}|{first_seen:.3f}"
    return blake2b(episode.encode("utf-8", "replace"), digest_size=6).hexdigest()


def risen(alert: Alert, now: float, **figures: Any) -> Alert:
    """Worse than before: raised again, whatever was done about it."""
    answered = alert.stage is not Stage.RAISED
    worse: Alert = replace(
        alert, stage=Stage.RAISED, snoozed_until=None, changed_at=now, rung_at=now, **figures
    )
    if worse.severity >= URGENT and (answered or alert.unanswered_since is None):
        return replace(worse, unanswered_since=now, escalated_at=None)
    return worse


def woken(alert: Alert, now: float) -> Alert:
    """The snooze is over and it is still bad."""
    return replace(
        alert,
        stage=Stage.RAISED,
        snoozed_until=None,
        rung_at=now,
        unanswered_since=now if alert.severity >= URGENT else None,
        escalated_at=None,
    )


def escalated(alert: Alert, now: float) -> Alert:
    """Nobody answered: the bell again, once for each time it stands unanswered."""
    return replace(alert, escalated_at=now, rung_at=now)


def recovered(alert: Alert, now: float) -> Alert:
    return replace(
        alert, stage=Stage.RECOVERED, recovered_at=now, changed_at=now, unanswered_since=None
    )


def closed(alert: Alert, now: float) -> Alert:
    """The end: long enough recovered, or its account or rule is watched no more."""
    return replace(alert, stage=Stage.CLOSED, closed_at=now, changed_at=now, unanswered_since=None)


def answered_at(alert: Alert, now: float) -> float:
    """The time of what is done now by someone who sees the alert as it is: later than all that was
    done about it, also where a clock was set back, or another host's is ahead of this one's.

    In whole milliseconds, as databases keep it: what is read back of it is no earlier doing."""
    known = [at for at in (alert.acknowledged_at, alert.snoozed_at) if at is not None]
    return round(max([now, *(at + 0.001 for at in known)]), 3)


def handled(alert: Alert, by: Handling) -> Alert | None:
    """The alert after an operator's handling; None where that changes nothing.

    Handlings may come late and in any order from several processes, and come to the same alert
    everywhere: the first acknowledgement is kept, the newest snooze counts, and neither says
    anything of an alert that got worse or was snoozed since.
    """
    if not alert.is_open or by.severity < alert.severity:
        return None
    snoozed_at = -math.inf if alert.snoozed_at is None else alert.snoozed_at
    known = -math.inf if alert.acknowledged_at is None else alert.acknowledged_at
    if by.change == "acknowledged":
        second = alert.stage is Stage.ACKNOWLEDGED and by.at >= known
        return None if second or by.at < snoozed_at else _acknowledged(alert, by)
    stale = by.at <= snoozed_at or (alert.stage is Stage.ACKNOWLEDGED and by.at < known)
    return None if stale or by.until is None else _snoozed(alert, by)


def _acknowledged(alert: Alert, by: Handling) -> Alert:
    return replace(
        alert,
        stage=Stage.ACKNOWLEDGED,
        operator=by.operator,
        note=by.note,
        acknowledged_at=by.at,
        snoozed_until=None,
        unanswered_since=None,
    )


def _snoozed(alert: Alert, by: Handling) -> Alert:
    return replace(
        alert,
        stage=Stage.SNOOZED,
        snoozed_by=by.operator,
        snoozed_at=by.at,
        snoozed_until=by.until,
        unanswered_since=None,
    )
