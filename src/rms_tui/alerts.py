"""The life of an alert: pure steps from verdicts to raised, risen, acknowledged and recovered.

One alert for each episode of an account and a rule. A state must last `confirm` before it raises,
severity only rises within an episode, and a row without a decision changes nothing: neither a
phantom nor a gap in the data can raise or end an alert.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.book import Book, Bytes, Floats, Ints, rows_of
from rms_tui.risk.assessment import Applied, Assessment
from rms_tui.risk.profile import Confirm
from rms_tui.risk.verdict import Reason, State, Verdict


class Severity(IntEnum):
    """What an alert is about, worst highest."""

    REACHED = 1
    WARNING = 2
    CRITICAL = 3
    BREACH = 4

    @property
    def word(self) -> str:
        return self.name.lower()


class Stage(StrEnum):
    """Where an alert is in its life."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    RECOVERED = "recovered"
    CLOSED = "closed"


OPEN = (Stage.RAISED, Stage.ACKNOWLEDGED)

_SEVERITY = np.zeros(max(State) + 1, dtype=np.int8)
_SEVERITY[State.REACHED] = Severity.REACHED
_SEVERITY[State.CAUTION] = Severity.WARNING
_SEVERITY[State.CRITICAL] = Severity.CRITICAL
_SEVERITY[State.BREACHED] = Severity.BREACH

_LEVELS = len(Severity) + 1
_CALM = 0
"""Column of a Track's streaks that counts the polls without any severity."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One episode. Times are UTC seconds; money is in the account's `currency`.

    `value`, `limit`, `used`, `distance` and `reason` are those of the newest change of severity.
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

    @property
    def is_open(self) -> bool:
        return self.stage in OPEN


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One edge in an alert's life; `change` is what happened to it."""

    change: str
    alert: Alert
    at: float


@dataclass(frozen=True, slots=True)
class Track:
    """The accounts one rule has an eye on; columns have a row for each of them.

    `streak[:, s]` counts consecutive good polls at severity s or worse, `since` when each began
    (column 0: the calm ones). `raised` is the severity of the open alert, 0 for none.
    """

    key: str
    login: Ints
    streak: npt.NDArray[np.int32]
    since: Floats
    raised: Bytes
    settled: Verdict | None


@dataclass(frozen=True, slots=True)
class Desk:
    """All open alerts, and the tracks that lead to the next ones."""

    alerts: Mapping[tuple[int, str], Alert]
    tracks: Mapping[str, Track]


EMPTY = Desk(MappingProxyType({}), MappingProxyType({}))


def step(
    desk: Desk, book: Book, assessment: Assessment, now: float
) -> tuple[Desk, Sequence[AlertEvent]]:
    """The desk after an assessed Book, and what changed, in order."""
    alerts = dict(desk.alerts)
    tracks: dict[str, Track] = {}
    events: list[AlertEvent] = []
    for applied, verdict in zip(assessment.scope.applied, assessment.verdicts, strict=True):
        key = applied.key
        before = desk.tracks.get(key)
        if before is not None and before.settled is verdict:
            tracks[key] = before
            continue
        tracks[key] = _followed(key, before, applied, verdict, book, now, alerts, events)
    _close_orphans(alerts, tracks, now, events)
    if not events and all(desk.tracks.get(key) is track for key, track in tracks.items()):
        return desk, ()
    kept = MappingProxyType(alerts) if events else desk.alerts
    return Desk(kept, MappingProxyType(tracks)), events


def acknowledge(
    desk: Desk, alert_id: str, operator: str, note: str | None, now: float
) -> tuple[Desk, AlertEvent | None]:
    """The desk with one alert acknowledged; no event when it is not open or was already."""
    for key, alert in desk.alerts.items():
        if alert.id == alert_id and alert.stage is Stage.RAISED:
            known = replace(
                alert,
                stage=Stage.ACKNOWLEDGED,
                operator=operator,
                note=note,
                acknowledged_at=now,
            )
            event = AlertEvent("acknowledged", known, now)
            return replace(desk, alerts=MappingProxyType({**desk.alerts, key: known})), event
    return desk, None


def worst_first(alerts: Mapping[tuple[int, str], Alert]) -> tuple[Alert, ...]:
    """Open alerts: unacknowledged before acknowledged, then by severity, newest first."""
    return tuple(
        sorted(
            alerts.values(),
            key=lambda a: (a.stage is Stage.ACKNOWLEDGED, -a.severity, -a.changed_at, a.login),
        )
    )


def _followed(
    key: str,
    before: Track | None,
    applied: Applied,
    verdict: Verdict,
    book: Book,
    now: float,
    alerts: dict[tuple[int, str], Alert],
    events: list[AlertEvent],
) -> Track:
    logins = book.accounts.login if verdict.rows is None else book.accounts.login[verdict.rows]
    severity = _SEVERITY[verdict.state]
    rows = np.flatnonzero(severity)
    old = rows_of(logins, before.login) if before is not None else np.zeros(0, dtype=np.int64)
    rows = np.union1d(rows, old[old >= 0]).astype(np.int64)
    streak, since, raised = _carried(before, old, rows)
    now_at = severity[rows]
    decided = verdict.state[rows] != State.UNKNOWN

    hit = np.empty((len(rows), _LEVELS), dtype=np.bool_)
    hit[:, _CALM] = now_at == 0
    for level in Severity:
        hit[:, level] = now_at >= level
    counted = np.where(hit, streak + 1, 0)
    began = np.where(hit & (streak == 0), now, np.where(hit, since, np.nan))
    streak = np.where(decided[:, None], counted, streak).astype(np.int32)
    since = np.where(decided[:, None], began, since)
    sure = _confirmed(applied.rule.confirm, streak, since, now) & decided[:, None]

    reached = np.zeros(len(rows), dtype=np.int8)
    for level in Severity:
        reached[sure[:, level]] = level
    for i in np.flatnonzero(reached > raised).tolist():
        raised[i] = reached[i]
        _raise(
            key, applied, verdict, book, int(rows[i]), Severity(int(reached[i])),
            float(since[i, int(reached[i])]), now, alerts, events,
        )  # fmt: skip
    calm = sure[:, _CALM] & (raised > 0)
    for i in np.flatnonzero(calm).tolist():
        raised[i] = 0
        _recover(alerts, (int(logins[rows[i]]), key), now, events)

    keep = (raised > 0) | (now_at > 0) | (~decided & (streak[:, 1:] > 0).any(axis=1))
    settled = bool((decided & (raised == now_at))[keep].all())
    return Track(
        key,
        logins[rows[keep]],
        streak[keep],
        since[keep],
        raised[keep],
        verdict if settled else None,
    )


def _carried(
    before: Track | None, old: Ints, rows: Ints
) -> tuple[npt.NDArray[np.int32], Floats, Bytes]:
    streak = np.zeros((len(rows), _LEVELS), dtype=np.int32)
    since = np.full((len(rows), _LEVELS), np.nan)
    raised = np.zeros(len(rows), dtype=np.int8)
    if before is not None:
        there = old >= 0
        at = np.searchsorted(rows, old[there])
        streak[at] = before.streak[there]
        since[at] = before.since[there]
        raised[at] = before.raised[there]
    return streak, since, raised


def _confirmed(
    confirm: Confirm, streak: npt.NDArray[np.int32], since: Floats, now: float
) -> npt.NDArray[np.bool_]:
    return (streak >= confirm.polls) & (now - since >= confirm.seconds)


def _raise(
    key: str,
    applied: Applied,
    verdict: Verdict,
    book: Book,
    at: int,
    severity: Severity,
    first_seen: float,
    now: float,
    alerts: dict[tuple[int, str], Alert],
    events: list[AlertEvent],
) -> None:
    row = at if verdict.rows is None else int(verdict.rows[at])
    accounts = book.accounts
    login = int(accounts.login[row])
    figures: dict[str, Any] = {
        "severity": severity,
        "changed_at": now,
        "value": float(verdict.value[at]),
        "limit": float(verdict.limit[at]),
        "used": float(verdict.used[at]),
        "distance": float(verdict.distance[at]),
        "reason": Reason(int(verdict.reason[at])),
    }
    known = alerts.get((login, key))
    if known is not None:
        alert = replace(known, stage=Stage.RAISED, **figures)
        change = "risen"
    else:
        alert = Alert(
            id=_identity(book.server, login, key, first_seen),
            login=login,
            server=book.server,
            name=accounts.name[row],
            group=accounts.group[row],
            currency=accounts.currency[row],
            profile=applied.profile.name,
            rule=applied.rule.rule,
            key=key,
            stage=Stage.RAISED,
            first_seen=first_seen,
            raised_at=now,
            **figures,
        )
        change = "raised"
    alerts[login, key] = alert
    events.append(AlertEvent(change, alert, now))


def _recover(
    alerts: dict[tuple[int, str], Alert],
    key: tuple[int, str],
    now: float,
    events: list[AlertEvent],
) -> None:
    alert = alerts.pop(key, None)
    if alert is not None:
        ended = replace(alert, stage=Stage.RECOVERED, recovered_at=now, changed_at=now)
        events.append(AlertEvent("recovered", ended, now))


def _close_orphans(
    alerts: dict[tuple[int, str], Alert],
    tracks: Mapping[str, Track],
    now: float,
    events: list[AlertEvent],
) -> None:
    """Close alerts whose account is watched no more or whose rule no longer applies to it."""
    if not alerts:
        return
    raised = {
        (login, key)
        for key, track in tracks.items()
        for login in track.login[track.raised > 0].tolist()
    }
    for key in [key for key in alerts if key not in raised]:
        ended = replace(alerts.pop(key), stage=Stage.CLOSED, changed_at=now)
        events.append(AlertEvent("closed", ended, now))


def _identity(server: str, login: int, key: str, first_seen: float) -> str:
    """The same episode has the same id whoever sees it; it does not depend on a process."""
    episode = f"{server}|{login}|{key}|{first_seen:.3f}"
    return blake2b(episode.encode("utf-8", "replace"), digest_size=6).hexdigest()
