"""What comes to a desk from outside its Books: operators, here and elsewhere, and the database.

Whatever is heard twice changes nothing the second time, and in whatever order things are heard
every process comes to the same alerts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from rms_tui.alerts import feed, life
from rms_tui.alerts.desk import TIMES, Changes, Desk
from rms_tui.alerts.life import Alert, AlertEvent, Handling, Severity, Stage, Times
from rms_tui.alerts.tracks import with_raised
from rms_tui.book import Ints, rows_of

LONGEST_SNOOZE = 7 * 86_400.0


def acknowledge(
    desk: Desk,
    alert_id: str,
    operator: str,
    note: str | None,
    now: float,
    times: Times = TIMES,
) -> tuple[Desk, AlertEvent | None]:
    """The desk with one alert acknowledged; no event when it is not open or was already."""
    return _handle(desk, alert_id, "acknowledged", operator, now, times, note=note)


def snooze(
    desk: Desk,
    alert_id: str,
    operator: str,
    seconds: float,
    now: float,
    times: Times = TIMES,
) -> tuple[Desk, AlertEvent | None]:
    """The desk with one alert silent for a time; no event when it is not open.

    Raises ValueError unless it is more than 0 seconds and at most 7 days.
    """
    if not 0 < seconds <= LONGEST_SNOOZE:
        raise ValueError(f"snooze of {seconds:g} s: expected more than 0 and at most 7 days")
    return _handle(desk, alert_id, "snoozed", operator, now, times, until=now + seconds)


def heard(desk: Desk, handlings: Iterable[Handling], times: Times = TIMES) -> Desk:
    """The desk after what operators did in other processes; that is written already."""
    by_id = {alert.id: alert for alert in desk.alerts.values()}
    changes = Changes.of(desk)
    changed = False
    for one in handlings:
        alert = by_id.get(one.alert_id)
        after = None if alert is None else life.handled(alert, one)
        if after is not None:
            by_id[after.id] = changes.alerts[after.episode] = after
            changed = True
    return changes.onto(desk, changes.next_due(times)) if changed else desk


def restored(
    desk: Desk, stored: Iterable[Alert], now: float, times: Times = TIMES
) -> tuple[Desk, Sequence[AlertEvent]]:
    """The desk with the alerts that are open, or recovered lately, in the database.

    A stored alert that is not open here goes on where it stood, and recovers or closes with the
    next Books if that is due. Where an alert of the same episode was raised here meanwhile the
    stored one wins: its id, its beginning and its handling; that ours is worse is an event. Where
    ours has recovered by now, the stored one ends with it, and the database has to hear that.
    """
    changes = Changes.of(desk)
    going_on = {alert.id for alert in desk.alerts.values()}
    found: dict[tuple[str, str], dict[int, Severity]] = {}
    over = {alert.episode: alert for alert in desk.recovered.values()}
    for theirs in stored:
        if theirs.stage is Stage.RECOVERED:
            if theirs.id not in going_on:
                changes.recovered.setdefault(theirs.id, theirs)
            continue
        if not theirs.is_open:
            continue
        known = changes.recovered.get(theirs.id)
        if known is not None:
            changes.events.append(AlertEvent("recovered", known, known.recovered_at or now))
            continue
        ended = over.get(theirs.episode)
        if ended is not None and (at := ended.recovered_at or 0.0) >= theirs.raised_at:
            del changes.recovered[over.pop(theirs.episode).id]
            changes.recovered[theirs.id] = recovered = life.recovered(theirs, at)
            changes.events.append(AlertEvent("recovered", recovered, at))
            continue
        ours = changes.alerts.get(theirs.episode)
        merged = theirs if ours is None else _merged(ours, theirs)
        changes.alerts[merged.episode] = merged
        if merged.severity > theirs.severity:
            changes.events.append(AlertEvent("risen", merged, now))
        if merged.rule != feed.RULE:
            found.setdefault((merged.key, merged.rule), {})[merged.login] = merged.severity
    made = dict(desk.tracks)
    for (key, rule), severities in found.items():
        made[key] = with_raised(made.get(key), key, rule, severities)
    tracked = replace(desk, tracks=MappingProxyType(made))
    return changes.onto(tracked, changes.next_due(times)), changes.events


def given_up(desk: Desk, waited: Iterable[Alert], logins: Ints) -> Desk:
    """The desk that waits no longer for those accounts of `waited` that are not among `logins`."""
    asked = [alert for alert in waited if alert.episode in desk.alerts and alert.rule != feed.RULE]
    rows = rows_of(logins, np.array([alert.login for alert in asked], dtype=np.int64))
    late = {a.episode: -math.inf for a, row in zip(asked, rows.tolist(), strict=True) if row < 0}
    return replace(desk, missing=MappingProxyType({**desk.missing, **late})) if late else desk


def as_they_stand(alerts: Iterable[Alert]) -> Iterator[AlertEvent]:
    """The edges by which a database learns of alerts what is shown of them, where it has not."""
    for alert in alerts:
        yield AlertEvent("raised", alert, alert.raised_at)
        if alert.stage is Stage.ACKNOWLEDGED and alert.acknowledged_at is not None:
            yield AlertEvent("acknowledged", alert, alert.acknowledged_at)
        elif alert.stage is Stage.SNOOZED and alert.snoozed_at is not None:
            yield AlertEvent("snoozed", alert, alert.snoozed_at)


def handling_of(event: AlertEvent) -> Handling | None:
    """What an operator did with this edge; None where no operator made it."""
    alert = event.alert
    if event.change == "acknowledged":
        return Handling(
            alert.id, "acknowledged", alert.operator or "?", event.at, alert.severity, alert.note
        )
    if event.change == "snoozed":
        return Handling(
            alert.id,
            "snoozed",
            alert.snoozed_by or "?",
            event.at,
            alert.severity,
            until=alert.snoozed_until,
        )
    return None


def _handle(
    desk: Desk,
    alert_id: str,
    change: str,
    operator: str,
    now: float,
    times: Times,
    *,
    note: str | None = None,
    until: float | None = None,
) -> tuple[Desk, AlertEvent | None]:
    for alert in desk.alerts.values():
        if alert.id == alert_id:
            by = Handling(
                alert_id,
                "acknowledged" if change == "acknowledged" else "snoozed",
                operator,
                life.answered_at(alert, now),
                alert.severity,
                note,
                until,
            )
            after = life.handled(alert, by)
            if after is None:
                return desk, None
            changes = Changes.of(desk)
            changes.put(by.change, after, by.at)
            return changes.onto(desk, changes.next_due(times)), changes.events[0]
    return desk, None


def _merged(ours: Alert, theirs: Alert) -> Alert:
    """One episode seen by two: the stored beginning, bell and handling, the worse severity.

    What was done about ours since it was merged before is not undone by an older document.
    """
    if ours.severity > theirs.severity and ours.id == theirs.id:
        return ours
    if ours.severity > theirs.severity:
        return replace(
            ours,
            id=theirs.id,
            first_seen=min(ours.first_seen, theirs.first_seen),
            raised_at=theirs.raised_at,
        )
    if theirs.severity > ours.severity or ours.id != theirs.id:
        merged = theirs
        mine = (_acknowledgement(ours), _snooze(ours))
    else:
        merged = ours
        mine = (_acknowledgement(theirs), _snooze(theirs))
    for one in sorted((m for m in mine if m is not None), key=lambda m: m.at):
        merged = life.handled(merged, replace(one, alert_id=merged.id)) or merged
    return merged


def _acknowledgement(alert: Alert) -> Handling | None:
    if alert.stage is not Stage.ACKNOWLEDGED or alert.acknowledged_at is None:
        return None
    return Handling(
        alert.id,
        "acknowledged",
        alert.operator or "?",
        alert.acknowledged_at,
        alert.severity,
        alert.note,
    )


def _snooze(alert: Alert) -> Handling | None:
    if alert.stage is not Stage.SNOOZED or alert.snoozed_at is None:
        return None
    return Handling(
        alert.id,
        "snoozed",
        alert.snoozed_by or "?",
        alert.snoozed_at,
        alert.severity,
        until=alert.snoozed_until,
    )
