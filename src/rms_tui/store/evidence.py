"""Evidence as documents: one for each raise and rise of an alert, written once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from pymongo import ASCENDING, UpdateOne

from rms_tui.alerts import AlertEvent, evidence
from rms_tui.store.database import Document, Guard, Rms, in_transaction
from rms_tui.store.values import instant, text

CHUNK = 25
"""Documents made at once: each is a thousand small objects, and alerts come in storms."""


def apply(database: Rms, events: Iterable[AlertEvent], guard: Guard | None = None) -> None:
    """Write the evidence these edges carry; what is there already stays.

    Raises PyMongoError, and what `guard` raises.
    """
    updates = (
        UpdateOne({"_id": one["_id"]}, {"$setOnInsert": one}, upsert=True)
        for one in (_document(event) for event in events)
        if one is not None
    )
    while part := list(islice(updates, CHUNK)):
        if guard is None:
            database.evidence.bulk_write(part, ordered=False)
        else:
            _guarded(database, part, guard)


def _guarded(database: Rms, part: Sequence[UpdateOne], guard: Guard) -> None:
    evidence = database.evidence
    in_transaction(
        database,
        lambda session: evidence.bulk_write(part, ordered=False, session=session),
        guard,
    )


def of_alert(database: Rms, alert_id: str) -> Sequence[Document]:
    """All evidence of an alert, in the order of its edges. Raises PyMongoError."""
    return list(database.evidence.find({"alert": text(alert_id)}).sort([("at", ASCENDING)]))


def _document(event: AlertEvent) -> Document | None:
    made = evidence.document(event)
    if made is None:
        return None
    alert = event.alert
    return {
        "_id": f"{alert.id}/{alert.severity.word}",
        "alert": alert.id,
        "severity": alert.severity.word,
        "at": instant(event.at),
        "login": alert.login,
        "server": text(alert.server),
        **made,
    }
