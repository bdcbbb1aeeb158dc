"""Writes element status and figures: the accounts that changed, a thousand at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from rms_tui.book import Ints
from rms_tui.frame import Frame
from rms_tui.store.content import NOBODY, Content, Told, Written, content, documents, told_from
from rms_tui.store.database import Document, Rms
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
        self._known: set[int] | None = None
        self._written = Written()
        self._frame: Frame | None = None
        self._clean = False
        self._pinged = 0.0

    def reconnected(self) -> None:
        """Look again at which elements exist before the next write."""
        self._known = None
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
            self._server, self._told, self._known = book.server, NOBODY, None
            self._written, self._clean = Written(), False
        silent = now - book.taken_at > SILENT_AFTER
        if frame is self._frame and self._clean and not silent:
            return 0
        if self._known is None:
            self._known = self._read_back(database, book.server)
        made = content(book, assessment, frame, self._told, silent=silent)
        self._told = made.told
        self._insert_new(database, made, self._known)
        rows = self._written.differing(made)
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            database.elements.bulk_write(self._updates(made, part), ordered=False)
            self._written.note(made, part)
        if now - book.taken_at < PING <= now - self._pinged:
            self._ping(database, made, rows)
            self._pinged = now
        self._frame, self._clean = frame, True
        return len(rows)

    def _read_back(self, database: Rms, server: str) -> set[int]:
        fields = {"_id": 0, "login": 1, "status": 1, "risk.state": 1, "risk.since": 1}
        found = list(database.elements.find({"server": text(server)}, fields))
        if len(self._told.login) == 0:
            self._told = told_from(found)
        return {int(element["login"]) for element in found}

    def _insert_new(self, database: Rms, made: Content, known: set[int]) -> None:
        unknown = [login for login in made.accounts.login.tolist() if login not in known]
        for start in range(0, len(unknown), CHUNK):
            part = unknown[start : start + CHUNK]
            new = [InsertOne(self._first(login, made.server)) for login in part]
            try:
                database.elements.bulk_write(new, ordered=False)
            except BulkWriteError as error:
                if any(one["code"] != _DUPLICATE for one in error.details["writeErrors"]):
                    raise
            known.update(part)
            self._written.forget(part)

    def _first(self, login: int, server: str) -> Document:
        return {
            "login": login,
            "server": text(server),
            "source": self._source,
            "status": Status.ACTIVE.value,
            "created_by": None,
        }

    def _updates(self, made: Content, rows: Ints) -> Sequence[UpdateOne]:
        server = text(made.server)
        watched: dict[str, Any] = {"$ne": Status.REMOVED.value}
        stamp = {"last_ping": True, "updated_at": True}
        logins = made.accounts.login[rows].tolist()
        return [
            UpdateOne(
                {"login": login, "server": server, "status": watched},
                {"$set": fields, "$currentDate": stamp},
            )
            for login, fields in zip(logins, documents(made, rows), strict=True)
        ]

    def _ping(self, database: Rms, made: Content, rows: Ints) -> None:
        quiet = np.delete(made.accounts.login, rows)
        for start in range(0, len(quiet), 10 * CHUNK):
            part = quiet[start : start + 10 * CHUNK].tolist()
            where = {
                "login": {"$in": part},
                "server": text(made.server),
                "status": {"$ne": "REMOVED"},
            }
            database.elements.update_many(where, {"$currentDate": {"last_ping": True}})
