"""Writes element status and figures: the accounts that changed, a thousand at a time.

Figures go by `_id` alone, a thousand in a transaction: to MongoDB that is one entry in its log, and
three times the speed of a bulk of single updates. A status is written only when it changed, and
never over REMOVED: an operator elsewhere may have removed the account a moment ago.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from rms_tui.book import Book, Ints
from rms_tui.frame import Frame
from rms_tui.risk.assessment import Assessment
from rms_tui.store.content import NOBODY, Content, Told, Written, content, documents, told_from
from rms_tui.store.database import Document, Rms, in_transaction
from rms_tui.store.elements import Source
from rms_tui.store.schema import Status
from rms_tui.store.values import text

CHUNK = 1_000
SILENT_AFTER = 300.0
"""Seconds without a good Book after which elements are INACTIVE, as for a silent worker."""

PING = 60.0
"""Seconds after which an account that did not change gets a new `last_ping` all the same."""

_DUPLICATE = 11000


class StatusWriter:
    """Remembers what stands in the database. Used by one thread."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._server: str | None = None
        self._told: Told = NOBODY
        self._ids: dict[int, Any] | None = None
        self._written = Written()
        self._frame: Frame | None = None
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

    def write(self, database: Rms, frame: Frame, now: float) -> int:
        """Write what a frame changed; how many documents. `now` is UTC seconds.

        Rows of a chunk count as written once a majority has it: after a failure the rest is
        written with the next call. Raises PyMongoError.
        """
        book, assessment = frame.book, frame.assessment
        if book is None or assessment is None:
            return 0
        if book.server != self._server:
            self._server, self._told, self._ids = book.server, NOBODY, None
            self._written, self._clean = Written(), False
        silent = now - book.taken_at > SILENT_AFTER
        if frame is self._frame and self._clean and not silent:
            return 0
        made = self._content(database, book, assessment, frame, silent)
        ids = self._ids_of(database, made)
        rows = self._written.differing(made)
        restated = self._written.restated(made, rows)
        self._clean = True
        for part in _chunks(rows[~restated]):
            self._write_figures(database, made, part, ids)
        for part in _chunks(rows[restated]):
            database.elements.bulk_write(_statuses(made, part, ids), ordered=False)
            self._written.note(made, part)
        if now - book.taken_at < PING <= now - self._pinged:
            self._ping(database, made, rows)
            self._pinged = now
        self._frame = frame
        return len(rows)

    def _content(
        self, database: Rms, book: Book, assessment: Assessment, frame: Frame, silent: bool
    ) -> Content:
        if self._ids is None:
            fields = {"login": 1, "status": 1, "risk.state": 1, "risk.rule": 1, "risk.since": 1}
            found = list(database.elements.find({"server": text(book.server)}, fields))
            if len(self._told.login) == 0:
                self._told = told_from(found)
            self._ids = {int(element["login"]): element["_id"] for element in found}
        made = content(book, assessment, frame, self._told, silent=silent)
        self._told = made.told
        return made

    def _ids_of(self, database: Rms, made: Content) -> Mapping[int, Any]:
        """The `_id` of every account's element; those that have none get one."""
        ids = {} if self._ids is None else self._ids
        server = text(made.server)
        unknown = [login for login in made.accounts.login.tolist() if login not in ids]
        for start in range(0, len(unknown), CHUNK):
            part = unknown[start : start + CHUNK]
            new = [InsertOne(self._first(login, server)) for login in part]
            try:
                database.elements.bulk_write(new, ordered=False)
            except BulkWriteError as error:  # another writer was faster with some
                if any(one["code"] != _DUPLICATE for one in error.details["writeErrors"]):
                    raise
            where = {"login": {"$in": part}, "server": server}
            for element in database.elements.find(where, {"login": 1}):
                ids[int(element["login"])] = element["_id"]
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

    def _write_figures(
        self, database: Rms, made: Content, rows: Ints, ids: Mapping[int, Any]
    ) -> None:
        logins = made.accounts.login[rows].tolist()
        updates = [
            UpdateOne(
                {"_id": ids[login]},
                {
                    "$set": {"risk": fields["risk"], "account": fields["account"]},
                    "$currentDate": {"last_ping": True},
                },
            )
            for login, fields in zip(logins, documents(made, rows), strict=True)
        ]
        elements = database.elements
        done = in_transaction(
            database,
            lambda session: elements.bulk_write(updates, ordered=False, session=session),
        )
        if done.matched_count == len(rows):
            self._written.note(made, rows)
        else:  # someone deleted elements: find out which, and make them anew
            self._written.forget(logins)
            self.reconnected()

    def _ping(self, database: Rms, made: Content, rows: Ints) -> None:
        quiet = np.delete(made.accounts.login, rows)
        for part in _chunks(quiet, 10 * CHUNK):
            where = {
                "login": {"$in": part.tolist()},
                "server": text(made.server),
                "status": _NOT_REMOVED,
            }
            database.elements.update_many(where, {"$currentDate": {"last_ping": True}})


_NOT_REMOVED = {"$ne": Status.REMOVED.value}


def _statuses(made: Content, rows: Ints, ids: Mapping[int, Any]) -> list[UpdateOne]:
    logins = made.accounts.login[rows].tolist()
    return [
        UpdateOne(
            {"_id": ids[login], "status": _NOT_REMOVED},
            {"$set": fields, "$currentDate": {"last_ping": True, "updated_at": True}},
        )
        for login, fields in zip(logins, documents(made, rows), strict=True)
    ]


def _chunks(rows: Ints, size: int = CHUNK) -> Iterator[Ints]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
