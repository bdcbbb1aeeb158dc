"""The desk: every open alert of a book, stepped with each assessed Book.

One alert for each episode of an account and a rule. Nothing here knows a clock, a thread or a
database: the same Books and handlings at the same times make the same desk.
"""

from __future__ import annotations

import heapq
import math
from bisect import insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from types import MappingProxyType

import numpy as np

from rms_tui.alerts import feed, life, tracks
from rms_tui.alerts.feed import FeedTrack
from rms_tui.alerts.life import (
    URGENT,
    Alert,
    AlertEvent,
    Change,
    Pending,
    Stage,
    Times,
)
from rms_tui.alerts.tracks import Begun, Track
from rms_tui.book import Book, rows_of
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.scope import Applied
from rms_tui.risk.verdict import Reason, Verdict

Episode = tuple[int, str]

MOST_PENDING = 1_000
"""Pending states that are listed: a shock that hits a whole book shows as one soon enough."""

TIMES = Times()

PATIENCE = 60.0
"""Seconds after which the alerts of an account that is in no Book are closed, watched or not."""


@dataclass(frozen=True, slots=True)
class Desk:
    """All open alerts, those that recovered lately (by id), and what leads to the next ones.

    `missing` says of open alerts whose account is in no Book since when that is so. Before `due`
    time alone changes nothing.
    """

    alerts: Mapping[Episode, Alert]
    tracks: Mapping[str, Track]
    recovered: Mapping[str, Alert] = field(default_factory=lambda: MappingProxyType({}))
    feed: FeedTrack = field(default_factory=FeedTrack)
    due: float = math.inf
    missing: Mapping[Episode, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def pending(self) -> tuple[Pending, ...]:
        """States that are seen and not confirmed yet, worst first, at most `MOST_PENDING`."""
        found = chain.from_iterable(tracks.pending(track) for track in self.tracks.values())
        some = islice(found, 10 * MOST_PENDING)
        return tuple(
            heapq.nsmallest(MOST_PENDING, some, key=lambda p: (-p.severity, p.first_seen, p.login))
        )


EMPTY = Desk(MappingProxyType({}), MappingProxyType({}))


@dataclass(slots=True)
class Changes:
    """A desk being stepped: open and recovered alerts, the missing ones, and the edges so far."""

    alerts: dict[Episode, Alert]
    recovered: dict[str, Alert]
    missing: dict[Episode, float]
    events: list[AlertEvent]

    @classmethod
    def of(cls, desk: Desk) -> Changes:
        return cls(dict(desk.alerts), dict(desk.recovered), dict(desk.missing), [])

    def put(self, change: Change, alert: Alert, now: float) -> None:
        """An edge of an alert that stays open."""
        self.alerts[alert.episode] = alert
        self.events.append(AlertEvent(change, alert, now))

    def recover(self, episode: Episode, now: float) -> None:
        alert = self.alerts.pop(episode, None)
        if alert is not None:
            ended = life.recovered(alert, now)
            self.recovered[ended.id] = ended
            self.events.append(AlertEvent("recovered", ended, now))

    def close(self, episode: Episode, now: float) -> None:
        alert = self.alerts.pop(episode, None)
        if alert is not None:
            self.events.append(AlertEvent("closed", life.closed(alert, now), now))

    def onto(self, desk: Desk, due: float) -> Desk:
        """The desk with these alerts."""
        return replace(
            desk,
            alerts=MappingProxyType(self.alerts),
            recovered=MappingProxyType(self.recovered),
            missing=MappingProxyType(self.missing),
            due=due,
        )

    def next_due(self, times: Times) -> float:
        """The earliest instant at which time alone changes one of the alerts."""
        known = chain(self.alerts.values(), self.recovered.values())
        return min((_due(alert, times) for alert in known), default=math.inf)


def nobody(_: int) -> bool:
    """Of no account that is not there are the alerts kept."""
    return False


def step(
    desk: Desk,
    book: Book,
    assessment: Assessment,
    now: float,
    times: Times = TIMES,
    watched: Callable[[int], bool] = nobody,
    *,
    held: bool = False,
    left: Callable[[int], bool] = nobody,
) -> tuple[Desk, Sequence[AlertEvent]]:
    """The desk after an assessed Book, and what changed, in order.

    `watched` says of an account that is not in the Book whether it should be: a source that lost
    sight of it for a moment does not end its alerts, nor raise them again when it is back. `left`
    says of one that is in it that it should not be: a source may show an account once more that
    was removed. `held`: polls count, and nothing begins or ends yet.
    """
    changes = Changes.of(desk)
    before = _back(desk, changes, book)
    made: dict[str, Track] = {}
    gone: list[Episode] = []
    for applied, verdict in zip(assessment.scope.applied, assessment.verdicts, strict=True):
        key = applied.key
        track = before.get(key)
        if track is not None and track.settled is verdict:
            made[key] = track
            continue
        turn = tracks.followed(track, applied, verdict, book.accounts.login, now, held=held)
        made[key] = turn.track
        leaving: dict[int, int] = {}
        for begun in turn.begun:
            row = begun.at if verdict.rows is None else int(verdict.rows[begun.at])
            login = int(book.accounts.login[row])
            if left(login):
                known = changes.alerts.get((login, key))
                leaving[login] = 0 if known is None else int(known.severity)
            else:
                _raise(changes, applied, verdict, book, begun, row, now)
        if leaving:
            made[key] = tracks.raised_as_before(turn.track, leaving)
        for login in turn.calm:
            changes.recover((login, key), now)
        gone += [(login, key) for login in turn.gone]
    if held:
        made = {**before, **made}
    for key in sorted(before.keys() - made.keys()):
        raised = before[key].login[before[key].raised > 0]
        gone += [(login, key) for login in raised.tolist()]
    _without(changes, gone, book, (lambda _: True) if held else watched, now)
    feed_track = desk.feed
    if not held:
        feed_track = _follow_feed(desk, changes, book, assessment, times, now)
    due = desk.due
    if now >= due and not held:
        _pass_time(changes, made, times, now)
        due = changes.next_due(times)
    elif changes.events:
        due = min(due, *(_due(event.alert, times) for event in changes.events))
    same = due == desk.due and feed_track is desk.feed
    same &= all(desk.tracks.get(key) is made[key] for key in made)
    same &= changes.missing == desk.missing
    if not changes.events and same and len(made) == len(desk.tracks):
        return desk, ()
    stepped = replace(
        desk,
        tracks=MappingProxyType(made),
        feed=feed_track,
        missing=MappingProxyType(changes.missing),
        due=due,
    )
    return changes.onto(stepped, due) if changes.events else stepped, changes.events


def _back(desk: Desk, changes: Changes, book: Book) -> Mapping[str, Track]:
    """The tracks, with the alerts of those who are in the Book again."""
    if not desk.missing:
        return desk.tracks
    made = dict(desk.tracks)
    for episode in _there(desk.missing, book):
        del changes.missing[episode]
        alert = changes.alerts.get(episode)
        if alert is not None:
            level = {alert.login: alert.severity}
            made[alert.key] = tracks.with_raised(made.get(alert.key), alert.key, alert.rule, level)
    return made


def _without(
    changes: Changes,
    gone: Iterable[Episode],
    book: Book,
    watched: Callable[[int], bool],
    now: float,
) -> None:
    """Close what is watched no more, or missing for too long; let the others wait."""
    gone = list(gone)
    if not gone and not changes.missing:
        return
    there = set(_there(gone, book))
    for episode in gone:
        if episode not in there:
            changes.missing.setdefault(episode, now)
        else:
            changes.close(episode, now)
    for episode, since in list(changes.missing.items()):
        if now - since > PATIENCE or not watched(episode[0]):
            del changes.missing[episode]
            changes.close(episode, now)


def _there(episodes: Iterable[Episode], book: Book) -> list[Episode]:
    """Those of accounts that are in the Book."""
    asked = list(episodes)
    rows = rows_of(book.accounts.login, np.array([login for login, _ in asked], dtype=np.int64))
    return [one for one, row in zip(asked, rows.tolist(), strict=True) if row >= 0]


def worst_first(
    alerts: Mapping[Episode, Alert], before: tuple[Alert, ...] = ()
) -> tuple[Alert, ...]:
    """Open alerts: unanswered before handled ones, then by severity, newest first.

    `before` is the order of a moment ago: what is still as it was needs no sorting.
    """
    by_id = dict(zip(map(id, alerts.values()), alerts.values(), strict=True))
    ordered = [alert for alert in before if by_id.pop(id(alert), None)]
    fresh = by_id.values()
    if len(fresh) > len(ordered) // 8:
        return tuple(sorted(alerts.values(), key=_rank))
    for alert in fresh:
        insort(ordered, alert, key=_rank)
    return tuple(ordered)


def _rank(alert: Alert) -> tuple[bool, int, float, int, str]:
    handled = alert.stage is not Stage.RAISED
    return handled, -alert.severity, -alert.changed_at, alert.login, alert.key


def newest_first(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Recovered alerts, the last one first."""
    return tuple(sorted(alerts, key=lambda a: (-(a.recovered_at or 0.0), a.login)))


def _raise(
    changes: Changes,
    applied: Applied,
    verdict: Verdict,
    book: Book,
    begun: Begun,
    row: int,
    now: float,
) -> None:
    at = begun.at
    accounts = book.accounts
    login = int(accounts.login[row])
    value, limit = verdict.value_at(at), float(verdict.limit[at])
    used, distance = verdict.used_at(at), verdict.distance_at(at)
    reason = Reason(int(verdict.reason[at]))
    known = changes.alerts.get((login, applied.key))
    if known is not None:
        worse = life.risen(
            known, now, severity=begun.severity, value=value, limit=limit, used=used,
            distance=distance, reason=reason,
        )  # fmt: skip
        changes.put("risen", worse, now)
        return
    alert = Alert(
        id=life.identity(book.server, login, applied.key, begun.first_seen),
        login=login,
        server=book.server,
        name=accounts.name[row],
        group=accounts.group[row],
        currency=accounts.currency[row],
        profile=applied.profile.name,
        rule=applied.rule.rule,
        key=applied.key,
        severity=begun.severity,
        stage=Stage.RAISED,
        first_seen=begun.first_seen,
        raised_at=now,
        changed_at=now,
        value=value,
        limit=limit,
        used=used,
        distance=distance,
        reason=reason,
        rung_at=now,
        unanswered_since=now if begun.severity >= URGENT else None,
    )
    changes.put("raised", alert, now)


def _follow_feed(
    desk: Desk, changes: Changes, book: Book, assessment: Assessment, times: Times, now: float
) -> FeedTrack:
    watched, alert, good = feed.followed(desk.feed, book, assessment, times, now)
    if alert is not None and feed.EPISODE not in changes.alerts:
        changes.put("raised", alert, now)
    elif good:
        changes.recover(feed.EPISODE, now)
    return watched


def _pass_time(changes: Changes, made: Mapping[str, Track], times: Times, now: float) -> None:
    """What time alone does: snoozes end, urgent alerts escalate, recovered ones are closed."""
    for alert in list(changes.alerts.values()):
        if alert.snoozed_until is not None and alert.snoozed_until <= now:
            track = made.get(alert.key)
            if track is None or not track.is_calm(alert.login):
                changes.put("woken", life.woken(alert, now), now)
        elif _escalates_at(alert, times) <= now:
            changes.put("escalated", life.escalated(alert, now), now)
    for alert in list(changes.recovered.values()):
        if (alert.recovered_at or 0.0) + times.close <= now:
            ended = life.closed(changes.recovered.pop(alert.id), now)
            changes.events.append(AlertEvent("closed", ended, now))


def _escalates_at(alert: Alert, times: Times) -> float:
    waits = alert.stage is Stage.RAISED and alert.severity >= URGENT and alert.escalated_at is None
    if not waits or alert.unanswered_since is None:
        return math.inf
    return alert.unanswered_since + times.escalate


def _due(alert: Alert, times: Times) -> float:
    """When time alone changes that alert."""
    if alert.stage is Stage.RECOVERED:
        return (alert.recovered_at or 0.0) + times.close
    if alert.stage is Stage.CLOSED:
        return math.inf
    return _escalates_at(alert, times) if alert.snoozed_until is None else alert.snoozed_until
