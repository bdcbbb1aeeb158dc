"""Instances: one document for each installed terminal, added and taken away by operators.

Who has which one is decided in `claims`; what is done here to an instance in use goes by the same
terms, so that the worker on it changes nothing afterwards.
"""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import Any

from bson import ObjectId
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from rms_tui.store.claims import FAULTY, FREE, OCCUPIED
from rms_tui.store.database import Document, Rms, in_transaction
from rms_tui.store.named import ids_of
from rms_tui.store.schema import Status, fitting
from rms_tui.store.values import instant, text

_ENDED = [Status.REMOVED.value, Status.ERROR.value]


class InstanceError(Exception):
    """An instance cannot be what was asked: which, what it is, what to do."""


def add(
    database: Rms,
    host: str,
    path: str,
    operator: str,
    *,
    portable: bool = False,
    at: float | None = None,
) -> Any:
    """Add a terminal of a host, FREE; its id.

    Raises InstanceError when that host has one at that path, ValueError for an empty host or path,
    PyMongoError.
    """
    if not host.strip() or not path.strip():
        raise ValueError("expected a host and the full path of its terminal")
    made: Document = {
        "_id": ObjectId(),
        "host": text(host),
        "path": text(path),
        "portable": portable,
        "status": FREE,
        "element": None,
        "pid": None,
        "term": 0,
        "last_ping": None,
    }

    def write(session: ClientSession) -> Any:
        database.audit.insert_one(_row("instance add", made, operator, at), session=session)
        database.instances.insert_one(made, session=session)
        return made["_id"]

    try:
        return in_transaction(database, write)
    except DuplicateKeyError:
        raise InstanceError(
            f"host {host} has an instance at {path} already: see `rms-tui instance list`"
        ) from None


def remove(
    database: Rms, instance: Any, operator: str, *, force: bool = False, at: float | None = None
) -> Any:
    """Take an instance away. The id of the element that is PENDING now because of it, or None.

    Raises InstanceError when it is OCCUPIED and `force` is not given, or gone; PyMongoError.
    """

    def write(session: ClientSession) -> Any:
        found = _present(database, instance, session)
        element = _let_go(database, found, "removed", session, force=force)
        database.audit.insert_one(_row("instance remove", found, operator, at), session=session)
        database.instances.delete_one({"_id": instance}, session=session)
        return element

    return in_transaction(database, write)


def reset(
    database: Rms, instance: Any, operator: str, *, force: bool = False, at: float | None = None
) -> str:
    """Have a FAULTY instance, or with `force` an OCCUPIED one, be FREE; what it was.

    Earlier failures are forgotten. Raises InstanceError when it is OCCUPIED and `force` is not
    given, or gone; PyMongoError.
    """

    def write(session: ClientSession) -> str:
        found = _present(database, instance, session)
        _let_go(database, found, "reset", session, force=force)
        database.audit.insert_one(_row("instance reset", found, operator, at), session=session)
        anew = {
            "status": FREE, "element": None, "pid": None, "born": None, "supervisor": None,
            "failures": 0, "error": None, "retry_at": None,
        }  # fmt: skip
        change = {"$set": anew, "$inc": {"term": 1}}
        database.instances.update_one({"_id": instance}, change, session=session)
        return str(found["status"])

    return in_transaction(database, write)


def named(database: Rms, given: str, host: str | None = None) -> Document:
    """The instance that an id or a path (of that host, where two have it) stands for.

    Raises InstanceError for none and for two, PyMongoError.
    """
    word = given.strip()
    of_host: Document = {} if host is None else {"host": text(host)}
    asked = {"$or": [{"_id": {"$in": ids_of(text(word))}}, {"path": text(word)}], **of_host}
    found = list(database.instances.find(asked))
    if len(found) > 1:
        hosts = ", ".join(sorted(str(one.get("host")) for one in found))
        raise InstanceError(f"{word} is on {len(found)} hosts ({hosts}): say which by --host")
    if not found:
        on = "" if host is None else f" on {host}"
        raise InstanceError(
            f"no instance {word}{on}: expected an id or a path as `rms-tui instance list` shows"
        )
    if database.instances.find_one({"_id": found[0]["_id"], **fitting("instances")}) is None:
        raise InstanceError(
            f"{word} is no instance, `rms-tui instance list` says why: give it what is missing "
            "with mongosh, or delete it"
        )
    return found[0]


def _present(database: Rms, instance: Any, session: ClientSession) -> Document:
    found = database.instances.find_one({"_id": instance}, session=session)
    if found is None:
        raise InstanceError(f"instance {instance} is gone")
    return found


def _let_go(
    database: Rms, found: Document, why: str, session: ClientSession, *, force: bool
) -> Any:
    """End the claim on an instance; the element that wants another one now."""
    if found["status"] != OCCUPIED:
        return None
    if not force:
        raise InstanceError(
            f"instance {found['_id']} ({found['path']} on {found['host']}) is OCCUPIED by element "
            f"{found.get('element')}: remove the element first, or add --force to send it elsewhere"
        )
    held = {"_id": found.get("element"), "instance": found["_id"], "term": found.get("term")}
    element = database.elements.find_one(held, {"status": 1}, session=session)
    row = {
        "event": "ended", "element": held["_id"], "instance": found["_id"],
        "term": int(found.get("term") or 0), "host": found["host"], "why": why, "error": None,
    }  # fmt: skip
    database.claims.update_one(
        {"_id": ObjectId()},
        {"$setOnInsert": row, "$currentDate": {"at": True}},
        upsert=True,
        session=session,
    )
    if element is None:
        return None
    pending = {} if element.get("status") in _ENDED else {"status": Status.PENDING.value}
    database.elements.update_one(
        held,
        {
            "$set": {"instance": None, "retry_at": None, **pending},
            "$inc": {"term": 1},
            "$currentDate": {"updated_at": True},
        },
        session=session,
    )
    return element["_id"] if pending else None


def _row(action: str, found: Document, operator: str, at: float | None) -> Document:
    when = time.time() if at is None else at
    fact = f"{action}|{found['_id']}|{round(when * 1000)}|{operator}"
    return {
        "_id": blake2b(fact.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest(),
        "action": action,
        "operator": text(operator) or "?",
        "at": instant(when),
        "instance": found["_id"],
        "host": found["host"],
        "path": found["path"],
    }


__all__ = ["FAULTY", "FREE", "OCCUPIED", "InstanceError", "add", "named", "remove", "reset"]
