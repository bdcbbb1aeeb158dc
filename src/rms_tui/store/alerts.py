"""Alerts as documents: one for each episode, replaced by each edge of its life.

Written in order, by `_id`, in one transaction with the `audit` rows of acknowledgements: writing
the same edges again comes to the same documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from pymongo import InsertOne, UpdateOne
from pymongo.client_session import ClientSession

from rms_tui.alerts import AlertEvent
from rms_tui.store.database import Document, Rms, in_transaction
from rms_tui.store.values import instant, number, text

DIGITS = 6
"""Values of rules are money, percent or counts; six digits lose none of them."""


def apply(database: Rms, events: Sequence[AlertEvent]) -> None:
    """Write edges in order. Raises PyMongoError."""

    def write(session: ClientSession) -> None:
        updates = [_update(event) for event in events]
        database.alerts.bulk_write(updates, ordered=True, session=session)
        rows = {
            row["_id"]: row
            for row in (_audit_row(event) for event in events if event.change == "acknowledged")
        }
        if rows:
            asked = {"_id": {"$in": list(rows)}}
            for known in database.audit.find(asked, {"_id": 1}, session=session):
                del rows[known["_id"]]
        if rows:
            database.audit.bulk_write([InsertOne(row) for row in rows.values()], session=session)

    in_transaction(database, write)


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
        "acknowledged_at": instant(alert.acknowledged_at),
        "operator": None if alert.operator is None else text(alert.operator),
        "note": None if alert.note is None else text(alert.note),
    }


def _update(event: AlertEvent) -> UpdateOne:
    return UpdateOne({"_id": event.alert.id}, {"$set": document(event)}, upsert=True)


def _audit_row(event: AlertEvent) -> Document:
    alert = event.alert
    fact = f"{alert.id}|{event.change}|{round(event.at * 1000)}|{alert.operator}"
    return {
        "_id": blake2b(fact.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest(),
        "action": "acknowledge",
        "operator": text(alert.operator or "?"),
        "at": instant(event.at),
        "login": alert.login,
        "server": text(alert.server),
        "alert": alert.id,
        "note": None if alert.note is None else text(alert.note),
    }
