"""Alerts read back: those that go on after a start, and the history an operator asks for."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from pymongo import DESCENDING

from rms_tui.alerts import OPEN, Alert, Severity, Stage
from rms_tui.alerts.asked import Asked
from rms_tui.risk.verdict import Reason
from rms_tui.store.database import Document, Rms
from rms_tui.store.values import instant, text

_log = logging.getLogger("rms_tui.store")


def history(database: Rms, asked: Asked) -> list[Alert]:
    """Alerts, the newest raised first. Raises PyMongoError."""
    query: Document = {}
    if asked.open_only:
        query["stage"] = {"$in": [stage.value for stage in OPEN]}
    if asked.login is not None:
        query["login"] = asked.login
    if asked.rule is not None:
        query["rule"] = text(asked.rule)
    if asked.server is not None:
        query["server"] = text(asked.server)
    raised = {"$gte": instant(asked.since), "$lte": instant(asked.until)}
    if raised := {sign: at for sign, at in raised.items() if at is not None}:
        query["raised_at"] = raised
    if asked.operator is not None:
        named = {"$regex": f"^{re.escape(text(asked.operator))}(@|$)", "$options": "i"}
        query["$or"] = [{"operator": named}, {"snoozed_by": named}]
    found = database.alerts.find(query).sort([("raised_at", DESCENDING), ("_id", DESCENDING)])
    return _readable(found.limit(asked.most))


def going_on(
    database: Rms, server: str, recovered_since: float, login: int | None = None
) -> list[Alert]:
    """The open alerts of a server or one account, and those that recovered lately.

    Raises PyMongoError.
    """
    query: Document = {
        "server": text(server),
        "$or": [
            {"stage": {"$in": [stage.value for stage in OPEN]}},
            {
                "stage": Stage.RECOVERED.value,
                "recovered_at": {"$gte": instant(recovered_since)},
            },
        ],
    }
    if login is not None:
        query["login"] = login
    return _readable(database.alerts.find(query))


def by_id(database: Rms, alert_id: str) -> Alert | None:
    """One alert, None where there is none of that id. Raises PyMongoError."""
    found = database.alerts.find_one({"_id": text(alert_id)})
    return None if found is None else alert_of(found)


def alert_of(found: Mapping[str, Any]) -> Alert:
    """The alert of a document, also of an older writer's."""
    reason = _reason(found.get("reason"))
    endless = math.inf if reason is Reason.NO_STOP_LOSS else math.nan
    raised_at = _required(found, "raised_at")
    return Alert(
        id=str(found["_id"]),
        login=int(found["login"]),
        server=str(found["server"]),
        name=str(found.get("name") or ""),
        group=str(found.get("group") or ""),
        currency=str(found.get("currency") or ""),
        profile=str(found.get("profile") or ""),
        rule=str(found["rule"]),
        key=str(found.get("key") or found["rule"]),
        severity=Severity[str(found["severity"]).upper()],
        stage=Stage(found["stage"]),
        first_seen=_seconds(found.get("first_seen")) or raised_at,
        raised_at=raised_at,
        changed_at=_required(found, "changed_at"),
        value=_number(found.get("value"), endless),
        limit=_number(found.get("limit"), math.nan),
        used=_number(found.get("used"), endless),
        distance=_number(found.get("distance"), -endless),
        reason=reason,
        recovered_at=_seconds(found.get("recovered_at")),
        operator=found.get("operator"),
        note=found.get("note"),
        acknowledged_at=_seconds(found.get("acknowledged_at")),
        snoozed_by=found.get("snoozed_by"),
        snoozed_at=_seconds(found.get("snoozed_at")),
        snoozed_until=_seconds(found.get("snoozed_until")),
        unanswered_since=_seconds(found.get("unanswered_since")),
        escalated_at=_seconds(found.get("escalated_at")),
        rung_at=_seconds(found.get("rung_at")),
        closed_at=_seconds(found.get("closed_at")),
    )


def _readable(documents: Iterable[Mapping[str, Any]]) -> list[Alert]:
    """Their alerts; a document that a newer version wrote and this one cannot read is left out."""
    read = []
    for found in documents:
        try:
            read.append(alert_of(found))
        except (KeyError, TypeError, ValueError) as error:
            _log.warning("alert %r cannot be read: %s", found.get("_id"), error)
    return read


def _reason(word: object) -> Reason:
    return Reason.__members__.get(str(word).upper(), Reason.NONE)


def _number(value: object, unknown: float) -> float:
    return float(value) if isinstance(value, int | float) else unknown


def _seconds(moment: object) -> float | None:
    return moment.timestamp() if isinstance(moment, datetime) else None


def _required(found: Mapping[str, Any], name: str) -> float:
    seconds = _seconds(found[name])
    if seconds is None:
        raise ValueError(f"alert {found['_id']}: {name} is no time")
    return seconds
