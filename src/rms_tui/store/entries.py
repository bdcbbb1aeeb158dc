"""What operators entered by hand: bases and peaks, on the account's memory document.

Each is a fact, written in a transaction with its `audit` row, whose id is made from the fact
itself; every process that watches the account hears of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo.client_session import ClientSession

from rms_tui.facts import BaseEntry, Entry, PeakEntry
from rms_tui.risk.profile import Rollover, Trail
from rms_tui.store.database import Document, Rms, in_transaction
from rms_tui.store.values import instant, text

KEPT = 20
"""Entries of each kind that stay on an account's document."""

OVERLAP = timedelta(seconds=5)
"""How far back is looked again: a transaction may become visible after a later one."""


def enter(database: Rms, server: str, entry: Entry) -> None:
    """Write an entry with its audit row; again is the same. Raises PyMongoError."""
    server = text(server)
    kind, field, written = _written(entry)
    place = f"{entry.at:.0f}" if isinstance(entry, BaseEntry) else repr(entry.trail)
    stamp = f"{kind}|{server}|{entry.login}|{place}|{entry.entered_at:.3f}"
    common = {"operator": text(entry.operator), "entered_at": instant(entry.entered_at)}

    def write(session: ClientSession) -> None:
        if database.audit.find_one({"_id": stamp}, session=session) is not None:
            return
        row = {
            "_id": stamp,
            "action": kind,
            "login": entry.login,
            "server": server,
            "operator": common["operator"] or "?",
            "at": common["entered_at"],
            kind: written,
        }
        database.audit.insert_one(row, session=session)
        database.memory.update_one(
            {"_id": f"{server}/{entry.login}"},
            {
                "$push": {field: {"$each": [{**written, **common}], "$slice": -KEPT}},
                "$currentDate": {"entered_at": True},
                "$setOnInsert": {"login": entry.login, "server": server},
            },
            upsert=True,
            session=session,
        )

    in_transaction(database, write)


def entries_of(document: Mapping[str, Any]) -> list[Entry]:
    """What was entered for an account, bases first."""
    login = int(document["login"])
    made: list[Entry] = [
        BaseEntry(
            login,
            entry["at"].timestamp(),
            float(entry["balance"]),
            float(entry["equity"]),
            str(entry["operator"]),
            entry["entered_at"].timestamp(),
        )
        for entry in document.get("entries") or ()
    ]
    made += [
        PeakEntry(
            login,
            _trail(entry),
            float(entry["value"]),
            str(entry["operator"]),
            entry["entered_at"].timestamp(),
        )
        for entry in document.get("peak_entries") or ()
    ]
    return made


class EntryWatch:
    """Hears what was entered in any process, each entry once. Used by one thread."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._heard: frozenset[Entry] = frozenset()

    def poll(self, database: Rms, server: str) -> list[Entry]:
        """Entries since the last call, all at first. Raises PyMongoError."""
        after: Document = {"$ne": None} if self._since is None else {"$gte": self._since - OVERLAP}
        fields = {"login": 1, "entries": 1, "peak_entries": 1, "entered_at": 1}
        found = list(database.memory.find({"server": text(server), "entered_at": after}, fields))
        made = [entry for document in found for entry in entries_of(document)]
        new = [entry for entry in made if entry not in self._heard]
        if found:
            self._since = max(document["entered_at"] for document in found)
            self._heard = frozenset(made)
        return new


def _written(entry: Entry) -> tuple[str, str, Document]:
    """The audit action, the field of the memory document, and what was entered."""
    if isinstance(entry, BaseEntry):
        base = {"at": instant(entry.at), "balance": entry.balance, "equity": entry.equity}
        return "base", "entries", base
    day = entry.trail.rollover
    peak = {
        "source": entry.trail.source,
        "withdrawals": entry.trail.withdrawals,
        "zone": None if day is None else day.zone,
        "rollover": None if day is None else day.at,
        "value": entry.value,
    }
    return "peak", "peak_entries", peak


def _trail(entry: Mapping[str, Any]) -> Trail:
    day = None if entry["zone"] is None else Rollover(entry["zone"], entry["rollover"])
    return Trail(entry["source"], entry["withdrawals"], day)
