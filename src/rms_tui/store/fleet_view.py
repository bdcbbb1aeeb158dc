"""The fleet's documents as they stand, for a console that follows them: read, never written.

One change stream over elements, positions, instances and alerts says which documents are others
now; those are read anew, some at a time, so that two hundred workers' writes come to a few reads.
The stream is opened before anything is read, and goes on from its place after a lost connection;
where that place is lost everything is read again. No password is ever read.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pymongo.change_stream import DatabaseChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from rms_tui.alerts import TIMES, Alert, Stage
from rms_tui.store.alert_query import alert_of
from rms_tui.store.database import Document, Rms
from rms_tui.store.fleet_watch import LOST
from rms_tui.store.named import key_of
from rms_tui.store.renamed import ours, theirs
from rms_tui.store.schema import fitting
from rms_tui.store.values import instant

GATHER = 0.2
"""Seconds in which changes come together before they are read."""

CLOCK_EVERY = 5.0
OPEN_STAGES = (Stage.RAISED.value, Stage.ACKNOWLEDGED.value, Stage.SNOOZED.value)

_log = logging.getLogger("rms_tui.fleet")

_FOLLOWED = ("elements", "positions", "instances", "alerts")
_HIDDEN = {
    "elements": {"password": 0, "tried": 0},
    "positions": {},
    "instances": {"supervisor": 0, "born": 0},
    "alerts": {},
}


@dataclass
class FleetDocuments:
    """What is known, by `key_of` the id; kept over lost connections. Alerts: those that go on."""

    elements: dict[Any, Document] = field(default_factory=dict)
    positions: dict[Any, Document] = field(default_factory=dict)
    instances: dict[Any, Document] = field(default_factory=dict)
    alerts: dict[Any, Alert] = field(default_factory=dict)
    server_ahead: float = 0.0
    """The database's clock minus ours, in seconds."""
    token: Mapping[str, Any] | None = None

    def pinged_at(self, document: Mapping[str, Any]) -> float | None:
        """The last ping of a document on our clock, None where there was none."""
        at = document.get("last_ping")
        return at.timestamp() - self.server_ahead if isinstance(at, datetime) else None


class FleetView:
    """Follows one database; used by one thread. Raises PyMongoError in all it does."""

    def __init__(self, database: Rms, known: FleetDocuments) -> None:
        """Goes on where `known` was, or reads everything."""
        self._database = database
        self._known = known
        self._set_clock()
        self._stream = self._opened()

    def wait(self, seconds: float) -> bool:
        """Follow what changes for at most that long; whether something did."""
        if time.monotonic() >= self._next_clock:
            self._set_clock()
        touched: dict[str, dict[Any, Any]] = {name: {} for name in _FOLLOWED}
        until, came = time.monotonic() + seconds, False
        while (left := until - time.monotonic()) > 0 or not came:
            event = self._next()
            if event is not None:
                id_ = event["documentKey"]["_id"]
                touched[ours(self._database, str(event["ns"]["coll"]))][key_of(id_)] = id_
                if not came:
                    came, until = True, time.monotonic() + min(GATHER, max(left, 0.0))
            elif left <= 0:
                break
        for name, ids in touched.items():
            if ids:
                self._read(name, ids)
        self._known.token = self._stream.resume_token
        return came

    def close(self) -> None:
        """Follow no more."""
        try:
            self._stream.close()
        except PyMongoError:
            return  # the server is gone, and its cursor with it

    def _next(self) -> Mapping[str, Any] | None:
        try:
            return self._stream.try_next()
        except OperationFailure as error:
            if error.code not in LOST:
                raise
            _log.warning("the change stream's place is lost, everything is read again: %s", error)
            self._stream = self._anew()
            return None

    def _opened(self) -> DatabaseChangeStream[Document]:
        token = self._known.token
        if token is None:
            return self._anew()
        try:
            return self._open(token)
        except (OperationFailure, ValueError, TypeError) as error:
            anew = self._anew()  # raises when it was not for the token
            _log.warning("the change stream's place is lost, everything is read again: %s", error)
            return anew

    def _anew(self) -> DatabaseChangeStream[Document]:
        stream = self._open(None)
        for name in _FOLLOWED:
            self._read(name, None)
        self._known.token = stream.resume_token
        return stream

    def _open(self, token: Mapping[str, Any] | None) -> DatabaseChangeStream[Document]:
        return self._database.watch(
            _pipeline(self._database), resume_after=token, max_await_time_ms=100, batch_size=1_000
        )

    def _read(self, name: str, ids: Mapping[Any, Any] | None) -> None:
        """Read documents anew, None: all of them; those that are gone are forgotten."""
        kept: dict[Any, Any] = getattr(self._known, name)
        asked: Document = {} if ids is None else {"_id": {"$in": list(ids.values())}}
        wanted = _wanted(name)
        for id_ in list(kept) if ids is None else ids:
            kept.pop(id_, None)
        for found in self._database[name].find({**asked, **wanted}, _HIDDEN[name] or None):
            made = _readable(found) if name == "alerts" else found
            if made is not None:
                kept[key_of(found["_id"])] = made

    def _set_clock(self) -> None:
        before = time.time()
        now = self._database.client.admin.command("hello")["localTime"].timestamp()
        self._known.server_ahead = now - (before + time.time()) / 2
        self._next_clock = time.monotonic() + CLOCK_EVERY


def _pipeline(database: Rms) -> list[Document]:
    matched = {
        "ns.coll": {"$in": [theirs(database, name) for name in _FOLLOWED]},
        "operationType": {"$in": ["insert", "replace", "update", "delete"]},
    }
    return [{"$match": matched}, {"$project": {"ns": 1, "documentKey": 1}}]


def _wanted(name: str) -> Document:
    if name == "elements":
        return {"status": {"$ne": "REMOVED"}, **fitting(name)}
    if name == "instances":
        return fitting(name)
    if name == "alerts":
        lately = instant(time.time() - TIMES.close)
        recovered = {"stage": Stage.RECOVERED.value, "recovered_at": {"$gte": lately}}
        return {"$or": [{"stage": {"$in": list(OPEN_STAGES)}}, recovered]}
    return {}


def _readable(found: Document) -> Alert | None:
    try:
        return alert_of(found)
    except (KeyError, TypeError, ValueError) as error:
        _log.warning("alert %r cannot be read: %s", found.get("_id"), error)
        return None
