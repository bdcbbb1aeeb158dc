"""Audit rows read back: who changed what about one account."""

from __future__ import annotations

from datetime import datetime

from pymongo import DESCENDING

from rms_tui.changes import Change
from rms_tui.store.database import Document, Rms
from rms_tui.store.values import text

MOST = 200

_OWN = frozenset({"_id", "action", "operator", "at", "login", "server"})


def changes(database: Rms, server: str, login: int, most: int = MOST) -> list[Change]:
    """The newest changes of an account, the newest first. Raises PyMongoError."""
    asked: Document = {"login": login, "server": text(server)}
    found = database.audit.find(asked).sort([("at", DESCENDING), ("_id", DESCENDING)]).limit(most)
    return [
        Change(
            str(row["_id"]),
            row["at"].timestamp() if isinstance(row["at"], datetime) else 0.0,
            str(row["action"]),
            str(row["operator"]),
            {name: value for name, value in row.items() if name not in _OWN},
        )
        for row in found
    ]
