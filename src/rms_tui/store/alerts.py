"""Alerts as documents: one for each episode, changed by each edge of its life.

Written in order, in one transaction with the `audit` rows of what operators did. Every edge changes
only a document it can still be about (an acknowledgement is not one of what got worse since, an end
comes once), so that writing the same edges again, or two processes writing theirs, comes to the
same documents. Of two processes that raise the same episode the first one's document stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from pymongo import InsertOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError

from rms_tui.alerts import Alert, AlertEvent, Severity, Stage
from rms_tui.store.alert_query import alert_of
from rms_tui.store.database import Document, Guard, Rms, in_transaction
from rms_tui.store.values import instant, number, text

DIGITS = 6
"""Values of rules are money, percent or counts; six digits lose none of them."""

_DUPLICATE = 11000
_ATTEMPTS = 3

ACTIONS = {"acknowledged": "acknowledge", "snoozed": "snooze"}
"""Edges that operators make, and what `audit` calls them."""

ONCE, ROUNDED = timedelta(seconds=60), timedelta(seconds=0.01)
"""Time within which a holder does what a follower tells it. It may die before it says so: the
follower, who polls then, still has that doing by its own time, which is the earlier one."""

_CHANGED: Mapping[str, Sequence[str]] = {
    "risen": (
        "severity", "stage", "open", "reason", "value", "limit", "used", "distance", "changed_at",
        "rung_at", "unanswered_since", "escalated_at", "snoozed_until",
    ),
    "acknowledged": (
        "stage", "operator", "note", "acknowledged_at", "snoozed_until", "unanswered_since",
    ),
    "snoozed": ("stage", "snoozed_by", "snoozed_at", "snoozed_until", "unanswered_since"),
    "woken": ("stage", "snoozed_until", "rung_at", "unanswered_since", "escalated_at"),
    "escalated": ("escalated_at", "rung_at"),
    "recovered": ("stage", "open", "recovered_at", "changed_at", "unanswered_since"),
    "closed": ("stage", "open", "closed_at", "changed_at", "unanswered_since"),
}  # fmt: skip
"""The fields each edge sets; the first one sets all."""


def apply(
    database: Rms, events: Sequence[AlertEvent], guard: Guard | None = None
) -> Mapping[str, Alert]:
    """Write edges in order. Raises PyMongoError, and what `guard` raises.

    The answer is empty but where another process had raised an episode first: there it gives, for
    the id of ours, the alert that stands in the database and goes on.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return in_transaction(
                database, lambda session: _written(database, events, session), guard
            )
        except (BulkWriteError, DuplicateKeyError) as error:
            if not _another_was_faster(error) or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def document(event: AlertEvent) -> Document:
    """An alert's document after this edge; null numbers are unknown or unlimited, see `reason`."""
    alert = event.alert
    return {
        "login": alert.login,
        "server": text(alert.server),
        "name": text(alert.name),
        "group": text(alert.group),
        "currency": text(alert.currency),
        "profile": text(alert.profile),
        "rule": alert.rule,
        "key": text(alert.key),
        "severity": alert.severity.word,
        "stage": alert.stage.value,
        "open": alert.is_open,
        "change": event.change,
        "reason": alert.reason.name.lower(),
        "value": number(alert.value, DIGITS),
        "limit": number(alert.limit, DIGITS),
        "used": number(alert.used, DIGITS),
        "distance": number(alert.distance, DIGITS),
        "first_seen": instant(alert.first_seen),
        "raised_at": instant(alert.raised_at),
        "changed_at": instant(alert.changed_at),
        "recovered_at": instant(alert.recovered_at),
        "closed_at": instant(alert.closed_at),
        "acknowledged_at": instant(alert.acknowledged_at),
        "operator": None if alert.operator is None else text(alert.operator),
        "note": None if alert.note is None else text(alert.note),
        "snoozed_by": None if alert.snoozed_by is None else text(alert.snoozed_by),
        "snoozed_at": instant(alert.snoozed_at),
        "snoozed_until": instant(alert.snoozed_until),
        "unanswered_since": instant(alert.unanswered_since),
        "escalated_at": instant(alert.escalated_at),
        "rung_at": instant(alert.rung_at),
    }


Episode = tuple[str, int, str]


@dataclass(slots=True)
class _Open:
    """The open alert of each episode while edges are laid upon it in order."""

    by_episode: dict[Episode, Alert] = field(default_factory=dict)
    won: dict[str, Alert] = field(default_factory=dict)

    def after(self, event: AlertEvent) -> AlertEvent:
        """The edge, made one of the alert that the episode has in the database."""
        known = self.won.get(event.alert.id)
        if known is not None:
            event = replace(event, alert=replace(event.alert, id=known.id))
        episode = _episode(event.alert)
        stands = self.by_episode.get(episode)
        if event.change in ("raised", "risen") and event.alert.is_open:
            if stands is not None and stands.id != event.alert.id:
                self.won[event.alert.id] = stands
                renamed = replace(event.alert, id=stands.id)
                return AlertEvent("risen", renamed, event.at, event.evidence)
            self.by_episode[episode] = event.alert
        ended = event.change in ("recovered", "closed")
        if ended and stands is not None and stands.id == event.alert.id:
            del self.by_episode[episode]
        return event


def _written(
    database: Rms, events: Sequence[AlertEvent], session: ClientSession
) -> Mapping[str, Alert]:
    standing = _Open(_open_now(database, events, session))
    meant = [standing.after(event) for event in events]
    rows = {e: audit_row(e) for e in meant if e.change in ACTIONS}
    known = _audited(database, rows.values(), session)
    done = {e for e, row in rows.items() if any(_is_told_of(row, one) for one in known)}
    updates = [_update(e) for e in meant if e not in done]
    if updates:
        database.alerts.bulk_write(updates, ordered=True, session=session)
    there = {one["_id"] for one in known}
    new = {row["_id"]: row for e, row in rows.items() if e not in done and row["_id"] not in there}
    if new:
        database.audit.bulk_write([InsertOne(row) for row in new.values()], session=session)
    return standing.won


def _audited(
    database: Rms, rows: Collection[Document], session: ClientSession
) -> Sequence[Document]:
    """The rows that these alerts have already."""
    if not rows:
        return ()
    asked = {
        name: {"$in": sorted({row[name] for row in rows})} for name in ("login", "server", "alert")
    }
    return list(database.audit.find(asked, session=session))


def _is_told_of(row: Document, known: Document) -> bool:
    """Whether a row is what a follower told its holder of, who had it written as `known`."""
    same = all(row[name] == known.get(name) for name in ("alert", "action", "severity", "note"))
    who, there = row["operator"], str(known.get("operator"))
    if not same or not (there == who or there.startswith(f"{who} (")):
        return False
    later: timedelta = known["at"] - row["at"]
    if row["until"] is not None and abs(known["until"] - row["until"] - later) > ROUNDED:
        return False
    return timedelta(0) < later <= ONCE


def _open_now(
    database: Rms, events: Sequence[AlertEvent], session: ClientSession
) -> dict[Episode, Alert]:
    asked = {_episode(e.alert) for e in events if e.change in ("raised", "risen")}
    if not asked:
        return {}
    query = {
        "open": True,
        "server": {"$in": sorted({server for server, _, _ in asked})},
        "login": {"$in": sorted({login for _, login, _ in asked})},
        "key": {"$in": sorted({key for _, _, key in asked})},
    }
    found = (alert_of(one) for one in database.alerts.find(query, session=session))
    return {_episode(alert): alert for alert in found if _episode(alert) in asked}


def _episode(alert: Alert) -> Episode:
    return text(alert.server), alert.login, text(alert.key)


def _update(event: AlertEvent) -> UpdateOne:
    made = document(event)
    if event.change == "raised":
        return UpdateOne({"_id": event.alert.id}, {"$setOnInsert": made}, upsert=True)
    fields = {name: made[name] for name in (*_CHANGED[event.change], "change")}
    return UpdateOne({"_id": event.alert.id, **_still(event)}, {"$set": fields})


def _still(event: AlertEvent) -> Document:
    """What must still be true of a document for the edge to be about it."""
    alert, at = event.alert, instant(event.at)
    seen = {"$in": [level.word for level in Severity if level <= alert.severity]}
    match event.change:
        case "risen":
            return {
                "severity": {"$in": [level.word for level in Severity if level < alert.severity]}
            }
        case "acknowledged":
            later = {"stage": Stage.ACKNOWLEDGED.value, "acknowledged_at": {"$gt": at}}
            before = {"stage": {"$in": [Stage.RAISED.value, Stage.SNOOZED.value]}}
            known = [{"$or": [before, later]}, _none_since("snoozed_at", "$lte", at)]
            return {"open": True, "severity": seen, "$and": known}
        case "snoozed":
            answered = {"stage": {"$ne": Stage.ACKNOWLEDGED.value}}
            earlier = {"$or": [answered, _none_since("acknowledged_at", "$lte", at)]}
            known = [earlier, _none_since("snoozed_at", "$lt", at)]
            return {"open": True, "severity": seen, "$and": known}
        case "woken":
            return {"stage": Stage.SNOOZED.value, "snoozed_until": {"$lte": at}}
        case "escalated":
            return {"stage": Stage.RAISED.value, "escalated_at": None}
        case "closed":
            return {"stage": {"$ne": Stage.CLOSED.value}}
    return {"open": True}


def _none_since(name: str, sign: str, at: datetime | None) -> Document:
    return {"$or": [{name: None}, {name: {sign: at}}]}


def audit_row(event: AlertEvent) -> Document:
    """The row of what an operator did; the same doing always has the same `_id`."""
    alert = event.alert
    snoozed = event.change == "snoozed"
    operator = alert.snoozed_by if snoozed else alert.operator
    fact = f"{alert.id}|{event.change}|{round(event.at * 1000)}|{operator}"
    note = None if snoozed or alert.note is None else text(alert.note)
    return {
        "_id": blake2b(fact.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest(),
        "action": ACTIONS[event.change],
        "operator": text(operator or "") or "?",
        "at": instant(event.at),
        "login": alert.login,
        "server": text(alert.server),
        "alert": alert.id,
        "rule": text(alert.rule),
        "severity": alert.severity.word,
        "note": note,
        "until": instant(alert.snoozed_until) if snoozed else None,
    }


def _another_was_faster(error: BulkWriteError | DuplicateKeyError) -> bool:
    if isinstance(error, DuplicateKeyError):
        return True
    details = error.details or {}
    return any(one.get("code") == _DUPLICATE for one in details.get("writeErrors", ()))
