"""Elements and instances as a list for a person: with ages by the server's clock, no passwords."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeVar

from pymongo import ASCENDING
from pymongo.change_stream import ChangeStream
from pymongo.errors import PyMongoError

from rms_tui.store.database import Document, Rms
from rms_tui.store.named import key_of
from rms_tui.store.strangers import Kind, strangers
from rms_tui.store.values import text

T = TypeVar("T")

_AGE = {
    "$cond": [
        {"$eq": [{"$type": "$last_ping"}, "date"]},
        {"$divide": [{"$subtract": ["$$NOW", "$last_ping"]}, 1000]},
        None,
    ]
}
"""Seconds since the last ping; null without one, or where no time stands."""

_HAS_PASSWORD = {"$eq": [{"$type": "$password"}, "binData"]}

WAIT_MS = 500


def elements(database: Rms, server: str | None = None, *, removed: bool = True) -> list[Document]:
    """All elements by server and login, with `ping_age` (s) and `has_password`.

    Raises PyMongoError.
    """
    asked: Document = {} if server is None else {"server": text(server)}
    if not removed:
        asked["status"] = {"$ne": "REMOVED"}
    found = list(
        database.elements.aggregate(
            [
                {"$match": asked},
                {"$set": {"ping_age": _AGE, "has_password": _HAS_PASSWORD}},
                {"$unset": ["password", "account"]},
                {"$sort": {"server": ASCENDING, "login": ASCENDING}},
            ]
        )
    )
    return _with_strangers(database, "elements", found)


def element(database: Rms, id_: Any) -> Document | None:
    """One element with figures, `ping_age` (s), `has_password`. Raises PyMongoError."""
    found = database.elements.aggregate(
        [
            {"$match": {"_id": id_}},
            {"$set": {"ping_age": _AGE, "has_password": _HAS_PASSWORD}},
            {"$unset": "password"},
        ]
    )
    return next(iter(found), None)


def instances(database: Rms, host: str | None = None) -> list[Document]:
    """All instances by host and path, with `ping_age` (s). Raises PyMongoError."""
    asked: Document = {} if host is None else {"host": text(host)}
    found = list(
        database.instances.aggregate(
            [
                {"$match": asked},
                {"$set": {"ping_age": _AGE}},
                {"$sort": {"host": ASCENDING, "path": ASCENDING}},
            ]
        )
    )
    return _with_strangers(database, "instances", found)


def _with_strangers(database: Rms, kind: Kind, found: list[Document]) -> list[Document]:
    """A document that is none of ours says so where others have their error."""
    why = {key_of(one.id): str(one) for one in strangers(database, kind, len(found) or 1)}
    for one in found:
        if key_of(one["_id"]) in why:
            one["error"] = why[key_of(one["_id"])]
    return found


def followed(
    database: Rms,
    collection: Literal["elements", "instances"],
    read: Callable[[], T],
    most: float,
    *,
    said: Callable[[str], None],
) -> Iterator[T]:
    """What `read` gives at first, then after changes of a collection, and after `most` seconds.

    Changes in a row come to one. While the database does not answer it is waited for; `said` hears
    of that once. Never ends by itself.
    """
    down = False
    while True:
        try:
            with database[collection].watch(_ANY, max_await_time_ms=WAIT_MS) as stream:
                while True:
                    yield read()
                    down = False
                    seen = time.monotonic()
                    while not _changed(stream) and time.monotonic() - seen < most:
                        continue
        except PyMongoError:
            if not down:
                said("MongoDB does not answer: waiting for it")
            down = True
            time.sleep(1.0)


_ANY = [{"$project": {"_id": 1}}]


def _changed(stream: ChangeStream[Document]) -> bool:
    """Whether there was a change within about half a second."""
    until = time.monotonic() + WAIT_MS / 1000
    woken = stream.try_next() is not None
    while woken and time.monotonic() < until and stream.try_next() is not None:
        continue
    return woken
