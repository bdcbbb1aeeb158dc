"""Writes element status and figures: the accounts that changed, a thousand at a time.

Figures go by `_id` alone, a thousand in a transaction: to MongoDB that is one entry in its log, and
three times the speed of a bulk of single updates. A status is written only when it changed, and
never over REMOVED: an operator elsewhere may have removed the account a moment ago.

A write of a whole book takes seconds. It must not hold the frame it was made of meanwhile, nor
documents of more than one chunk.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from rms_tui.book import Ints, rows_of
from rms_tui.frame import Frame
from rms_tui.store.content import (
    NOBODY,
    Content,
    Told,
    Written,
    content,
    documents,
    told_from,
)
from rms_tui.store.database import Document, Guard, Rms, in_transaction
from rms_tui.store.element_ids import ElementIds
from rms_tui.store.elements import Source
from rms_tui.store.schema import Status, fitting
from rms_tui.store.values import text

CHUNK = 1_000
SILENT_AFTER = 300.0
"""Seconds without a good Book after which elements are INACTIVE, as for a silent worker."""

PING = 60.0
"""Seconds after which an account that did not change gets a new `last_ping` all the same."""

_DUPLICATE = 11000


class StatusWriter:
    """Remembers what stands in the database. Used by one thread."""

    def __init__(self, source: Source, guard: Guard | None = None) -> None:
        """With a `guard` nothing that stands is changed without asking it."""
        self.figures_at: float | None = None
        """When the figures were taken that stand in the database now (UTC seconds)."""
        self._source = source
        self._guard = guard
        self._server: str | None = None
        self._told: Told = NOBODY
        self._ids: ElementIds | None = None
        self._written = Written()
        self._newest: tuple[int, float] | None = None
        self._clean = False
        self._pinged = 0.0

    def reconnected(self) -> None:
        """Look again at which elements exist before the next write."""
        self._ids = None
        self._clean = False

    def forget(self, logins: Iterable[int]) -> None:
        """Have these accounts written again: someone else wrote them."""
        self._written.forget(list(logins))
        self._clean = False

    def write(self, database: Rms, frame: Frame | None, now: float) -> int:
        """Write what a frame changed; how many documents. `now` is UTC seconds.

        Rows of a chunk count as written once a majority has it: after a failure the rest is
        written with the next call. Raises PyMongoError.
        """
        if frame is None or frame.book is None:
            return 0
        taken_at, newest = frame.book.taken_at, (frame.seq, frame.at)
        age = now - taken_at
        silent = age > SILENT_AFTER
        if newest == self._newest and self._clean and not silent:
            return 0
        made = self._content(database, frame, silent)
        del frame
        if made is None:
            return 0
        ids = self._ids_of(database, made)
        rows = self._written.differing(made)
        restated = self._written.restated(made, rows)
        self._clean = True
        for part in _chunks(rows[~restated]):
            self._write_figures(database, made, part, ids)
        for part in _chunks(rows[restated]):
            self._bulk(database, _statuses(made, part, ids))
            self._written.note(made, part)
        if age < PING <= now - self._pinged:
            self._ping(database, made, rows)
            self._pinged = now
        self._newest, self.figures_at = newest, taken_at
        return len(rows)

    def _content(self, database: Rms, frame: Frame, silent: bool) -> Content | None:
        book, assessment = frame.book, frame.assessment
        if book is None or assessment is None:
            return None
        if book.server != self._server:
            self._server, self._told, self._ids = book.server, NOBODY, None
            self._written, self._clean = Written(), False
        stored = NOBODY
        if self._ids is None:
            ids = ElementIds()
            fields = {"login": 1, "status": 1, "risk.state": 1, "risk.rule": 1, "risk.since": 1}
            found = database.elements.find(
                {"server": text(book.server), **fitting("elements")}, fields, batch_size=CHUNK
            )
            stored = told_from(ids.noted(found))
            if len(self._told.login) == 0:
                self._told = stored
            self._ids = ids
        made = content(book, assessment, frame, self._told, silent=silent)
        self._told = made.told
        if stored is not NOBODY:
            self._written.forget(_restated_by_others(made, stored).tolist())
        return made

    def _ids_of(self, database: Rms, made: Content) -> ElementIds:
        """The `_id` of every account's element; those that have none get one."""
        ids = ElementIds() if self._ids is None else self._ids
        server = text(made.server)
        for rows in _chunks(ids.unknown(made.login)):
            part = rows.tolist()
            new = [InsertOne(self._first(login, server)) for login in part]
            try:
                database.elements.bulk_write(new, ordered=False)
            except BulkWriteError as error:  # another writer was faster with some
                if any(one["code"] != _DUPLICATE for one in error.details["writeErrors"]):
                    raise
            where = {"login": {"$in": part}, "server": server}
            deque(ids.noted(database.elements.find(where, {"login": 1})), maxlen=0)
            self._written.forget(part)
        return ids

    def _first(self, login: int, server: str) -> Document:
        return {
            "login": login,
            "server": server,
            "source": self._source,
            "status": Status.ACTIVE.value,
            "created_by": None,
        }

    def _write_figures(self, database: Rms, made: Content, rows: Ints, ids: ElementIds) -> None:
        updates = [
            UpdateOne(
                {"_id": id_},
                {
                    "$set": {"risk": fields["risk"], "account": fields["account"]},
                    "$currentDate": {"last_ping": True},
                },
            )
            for id_, fields in zip(ids.of(made.login[rows]), documents(made, rows), strict=True)
        ]
        elements = database.elements
        done = in_transaction(
            database,
            lambda session: elements.bulk_write(updates, ordered=False, session=session),
            self._guard,
        )
        if done.matched_count == len(rows):
            self._written.note(made, rows)
        else:  # someone deleted elements: find out which, and make them anew
            self._written.forget(made.login[rows].tolist())
            self.reconnected()

    def _bulk(self, database: Rms, updates: Sequence[UpdateOne]) -> None:
        if self._guard is None:
            database.elements.bulk_write(updates, ordered=False)
            return
        in_transaction(
            database,
            lambda session: database.elements.bulk_write(updates, ordered=False, session=session),
            self._guard,
        )

    def _ping(self, database: Rms, made: Content, rows: Ints) -> None:
        quiet = np.delete(made.login, rows)
        for part in _chunks(quiet, 10 * CHUNK):
            where = {
                "login": {"$in": part.tolist()},
                "server": text(made.server),
                "status": _NOT_REMOVED,
            }
            database.elements.update_many(where, {"$currentDate": {"last_ping": True}})


def _restated_by_others(made: Content, stored: Told) -> Ints:
    """Accounts whose stored status is not ours: while we were away a sweep found them silent."""
    at = rows_of(stored.login, made.login)
    there = at >= 0
    there[there] = stored.status[at[there]] != made.status[there]
    return made.login[there]


_NOT_REMOVED = {"$ne": Status.REMOVED.value}


def _statuses(made: Content, rows: Ints, ids: ElementIds) -> list[UpdateOne]:
    return [
        UpdateOne(
            {"_id": id_, "status": _NOT_REMOVED},
            {"$set": fields, "$currentDate": {"last_ping": True, "updated_at": True}},
        )
        for id_, fields in zip(ids.of(made.login[rows]), documents(made, rows), strict=True)
    ]


def _chunks(rows: Ints, size: int = CHUNK) -> Iterator[Ints]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
