"""What changes in elements and instances, as it happens; a restart goes on where it stopped.

The resume token stands in `streams`. Where it is lost (the oplog is past it, it is no token) the
stream begins anew and says so: whoever follows then reads everything again. Figures and pings are
left out by the server: two hundred workers write them many times a second.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymongo.change_stream import DatabaseChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from rms_tui.store.database import Document, Rms
from rms_tui.store.renamed import ours, theirs

SAVE_EVERY = 1.0
WAIT_MS = 500

QUIET = (
    "account", "risk", "last_ping", "updated_at", "term", "failures", "refused", "retry_at",
    "supervisor", "pid", "born", "restarts", "failed_on", "tried",
)  # fmt: skip
"""Fields whose change alone is nobody's business here, with all that stands below them."""

LOST = frozenset({9, 72, 260, 280, 286, 40576, 40585, 40647, 40649, 50811, 50816})
"""Server codes that say: no stream from this token."""

_log = logging.getLogger("rms_tui.fleet")


@dataclass(frozen=True, slots=True)
class Change:
    """One document of `elements` or `instances` is another now; `fields` are those that differ.

    Without fields it was inserted, replaced or deleted.
    """

    collection: str
    id: Any
    fields: frozenset[str] = frozenset()


class FleetWatch:
    """Follows one database for one host. Used by one thread."""

    def __init__(self, database: Rms, host: str) -> None:
        """Opens the stream where it was last, or anew. Raises PyMongoError."""
        self._database = database
        self._name = f"supervisor/{host}"
        self._saved: object = None
        self._saved_at = 0.0
        self.anew = False
        """Whether a stored token was lost: changes may have been missed."""
        self._stream = self._opened()

    def next(self) -> Change | None:
        """The next change, None when there is none within half a second. Raises PyMongoError."""
        try:
            event = self._stream.try_next()
        except OperationFailure as error:
            if error.code not in LOST:
                raise
            self._forget(error)
            self._stream = self._open(None)
            return None
        if time.monotonic() - self._saved_at >= SAVE_EVERY:
            self.save()
        return None if event is None else _change(self._database, event)

    def save(self) -> None:
        """Keep the place for the next start. Raises PyMongoError."""
        token = self._stream.resume_token
        self._saved_at = time.monotonic()
        if token is None or token == self._saved:
            return
        self._database.streams.update_one(
            {"_id": self._name},
            {"$set": {"token": dict(token)}, "$currentDate": {"at": True}},
            upsert=True,
        )
        self._saved = token

    def close(self) -> None:
        try:
            self._stream.close()
        except PyMongoError:
            return  # the server is gone, and its cursor with it

    def _opened(self) -> DatabaseChangeStream[Document]:
        kept = self._database.streams.find_one({"_id": self._name})
        token = None if kept is None else kept.get("token")
        if not isinstance(token, Mapping):
            return self._open(None)
        try:
            return self._open(token)
        except (OperationFailure, ValueError, TypeError) as error:
            anew = self._open(None)  # raises when it was not for the token
            self._forget(error)
            return anew

    def _open(self, token: Mapping[str, Any] | None) -> DatabaseChangeStream[Document]:
        return self._database.watch(
            _pipeline(self._database),
            resume_after=token,
            max_await_time_ms=WAIT_MS,
            batch_size=1_000,
        )

    def _forget(self, error: Exception) -> None:
        _log.warning("the change stream's place is lost, everything is read again: %s", error)
        self.anew = True
        self._database.streams.delete_one({"_id": self._name})


def _change(database: Rms, event: Mapping[str, Any]) -> Change:
    described = event.get("updateDescription") or {}
    fields = {*described.get("updatedFields", ()), *described.get("removedFields", ())}
    return Change(
        ours(database, str(event["ns"]["coll"])),
        event["documentKey"]["_id"],
        frozenset(name.partition(".")[0] for name in fields),
    )


def _loud(names: Document) -> Document:
    """Whether one of these names is not a quiet one, or below one."""
    pattern = f"^({'|'.join(QUIET)})(\\..*)?$"
    quiet = {"$regexMatch": {"input": "$$name", "regex": pattern}}
    return {"$anyElementTrue": {"$map": {"input": names, "as": "name", "in": {"$not": [quiet]}}}}


_UPDATED = {
    "$map": {
        "input": {"$objectToArray": {"$ifNull": ["$updateDescription.updatedFields", {}]}},
        "in": "$$this.k",
    }
}
_REMOVED = {"$ifNull": ["$updateDescription.removedFields", []]}


def _pipeline(database: Rms) -> list[Document]:
    followed = [theirs(database, name) for name in ("elements", "instances")]
    matched = {
        "ns.coll": {"$in": followed},
        "operationType": {"$in": ["insert", "replace", "update", "delete"]},
        "$expr": {
            "$or": [
                {"$ne": ["$operationType", "update"]},
                _loud({"$concatArrays": [_UPDATED, _REMOVED]}),
            ]
        },
    }
    told = {"ns": 1, "documentKey": 1, "operationType": 1, "updateDescription": 1}
    return [{"$match": matched}, {"$project": told}]
