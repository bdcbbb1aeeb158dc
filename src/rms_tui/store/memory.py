"""Keeps what MT5 forgets over a restart: a document an account, and until when it was watched.

A document is written when a base or a peak changed, and each account's once a minute. Figures of
the last moment before an end come from its element, which is written with every change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
from pymongo import UpdateOne

from rms_tui.book import Flags
from rms_tui.facts import Entry
from rms_tui.frame import Frame
from rms_tui.risk.memory import Memory, blank
from rms_tui.risk.memory_rows import memory_from_rows, memory_rows
from rms_tui.risk.verdict import Reason
from rms_tui.store.database import Document, Guard, Rms, in_transaction
from rms_tui.store.entries import entries_of
from rms_tui.store.schema import Status
from rms_tui.store.values import instant, text

CHUNK = 500
SLICES = 30
"""Writes after which every account's document was written: each takes a slice of them."""

AT_THE_END = 300.0
"""Seconds that an account's document may be older than its server's watch: it is written once a
minute while the account is watched, so that one older than that was let go of before the end."""

FIT = [
    reason.name.lower()
    for reason in (
        Reason.BASE_UNKNOWN,
        Reason.INITIAL_UNKNOWN,
        Reason.NO_RATE,
        Reason.FLOWS_UNKNOWN,
        Reason.PEAK_UNKNOWN,
        Reason.CLOCK_UNKNOWN,
        Reason.OTHER_CURRENCY,
        Reason.STOPS_UNKNOWN,
    )
]
"""Reasons for which a rule decides nothing though the figures of its account are good."""

_DAY = ("balance", "equity", "origin")
_PEAK = ("value", "sure")


class MemoryWriter:
    """Remembers what was written. Used by one thread."""

    def __init__(self, guard: Guard | None = None, *, watch: bool = True) -> None:
        """With a `guard` each write is a transaction that it may refuse. Without `watch` it is not
        said until when the server was watched: a claim's watch stands with its element."""
        self._guard = guard
        self._watch = watch
        self._written: Memory | None = None
        self._slice = 0

    def write(self, database: Rms, frame: Frame, until: float | None = None) -> int:
        """Write what changed, a slice of the rest, and the time; how many.

        `until` is when the figures on the elements were taken (None: those of this frame): the
        server was watched until then as far as the database knows. Raises PyMongoError.
        """
        memory, book = frame.memory, frame.book
        if memory is None or book is None:
            return 0
        rows = changed_rows(memory, self._written)
        rows[self._slice :: SLICES] = True
        server = text(book.server)
        found = np.flatnonzero(rows)
        for part in (found[i : i + CHUNK] for i in range(0, len(found), CHUNK)):
            updates = [
                UpdateOne(
                    {"_id": f"{server}/{row['login']}"},
                    {"$set": {**row, "server": server}, "$currentDate": {"updated_at": True}},
                    upsert=True,
                )
                for row in memory_rows(memory, part)
            ]
            self._bulk(database, updates)
        if book.connected and self._watch:
            at = book.taken_at if until is None else until
            watched = {"$set": {"until": instant(at)}}
            database.watches.update_one({"_id": server}, watched, upsert=True)
        self._written = _compared(memory)
        self._slice = (self._slice + 1) % SLICES
        return len(found)

    def _bulk(self, database: Rms, updates: Sequence[UpdateOne]) -> None:
        if self._guard is None:
            database.memory.bulk_write(updates, ordered=False)
            return
        in_transaction(
            database,
            lambda session: database.memory.bulk_write(updates, ordered=False, session=session),
            self._guard,
        )


def _compared(memory: Memory) -> Memory:
    """What `changed_rows` looks at: the rest would keep the deals and periods of an old Book."""
    none = memory.login[:0]
    return replace(
        blank(none),
        login=memory.login,
        days={key: replace(day, counted=None) for key, day in memory.days.items()},
        peaks=memory.peaks,
    )


def changed_rows(memory: Memory, before: Memory | None) -> Flags:
    """Accounts whose bases or peaks are not those of the memory before."""
    rows = np.zeros(len(memory.login), dtype=np.bool_)
    if before is None or not np.array_equal(memory.login, before.login):
        rows[:] = True
        return rows
    for key, day in memory.days.items():
        _mark(rows, day, before.days.get(key), _DAY)
        old = before.days.get(key)
        if old is not None and old.at != day.at and not (np.isnan(old.at) and np.isnan(day.at)):
            rows[:] = True
    for trail, peak in memory.peaks.items():
        _mark(rows, peak, before.peaks.get(trail), _PEAK)
    return rows


def _mark(rows: Flags, new: object, old: object | None, names: Sequence[str]) -> None:
    for name in names:
        column: npt.NDArray[Any] = getattr(new, name)
        if old is None:
            rows[:] = True
            continue
        known: npt.NDArray[Any] = getattr(old, name)
        if column is not known:
            same = column == known
            if column.dtype == np.float64:
                same |= np.isnan(column) & np.isnan(known)
            rows |= ~same


def read(
    database: Rms, server: str, logins: Iterable[int], *, own_watch: bool = False
) -> tuple[Memory | None, list[Entry]]:
    """What is stored of these accounts, and what operators entered. Raises PyMongoError.

    `own_watch` says that each account had a watch of its own, which ended with its last figures;
    otherwise the whole server had one.
    """
    server = text(server)
    watch = None if own_watch else database.watches.find_one({"_id": server})
    until = None if watch is None else watch.get("until")
    found: list[Document] = []
    for part in _chunks(list(logins)):
        where = {"_id": {"$in": [f"{server}/{login}" for login in part]}}
        found += database.memory.find(where)
    rows = [document for document in found if "last" in document]
    if own_watch or isinstance(until, datetime):
        _until_the_end(database, server, rows, until)
    entries = [entry for document in found for entry in entries_of(document)]
    return (memory_from_rows(rows) if rows else None), entries


def _until_the_end(
    database: Rms, server: str, rows: Sequence[Document], until: datetime | None
) -> None:
    """Put the last figures that were written, and when, in place of those up to a minute older.

    Without `until` they are of the time that stands with them. With it they are of that time for
    accounts that were watched to the end, and of nobody knows when for those that were not.
    """
    by_login = {int(row["login"]): row for row in rows}
    for part in _chunks(list(by_login)):
        where: Document = {
            "server": server,
            "login": {"$in": part},
            "$or": [{"risk.state": {"$ne": "unknown"}}, {"risk.reason": {"$in": FIT}}],
        }
        if until is not None:
            where["status"] = {"$ne": Status.REMOVED.value}
        for element in database.elements.find(where, {"login": 1, "account": 1}):
            account = element.get("account") or {}
            last = by_login[int(element["login"])]["last"]
            balance, equity = account.get("balance"), account.get("equity")
            at = account.get("time") if until is None else until
            if not isinstance(at, datetime) or balance is None or equity is None:
                continue
            older = at.timestamp() - last["at"]
            if older > 0 and (until is None or older <= AT_THE_END):
                last |= {"balance": balance, "equity": equity, "at": at.timestamp()}


def _chunks(logins: Sequence[int], size: int = 10 * CHUNK) -> Iterator[list[int]]:
    return (list(logins[start : start + size]) for start in range(0, len(logins), size))
