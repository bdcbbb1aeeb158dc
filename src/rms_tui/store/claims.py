"""Claims: which worker has which element and which instance, and the proof of it, its term.

A claim takes one PENDING element and one FREE instance in one transaction and raises `term` on both
to the same number, so that no two workers ever have one of them. Whoever writes for a claim names
its term; whoever ends one raises it: a worker thought dead that wakes up changes nothing. Only the
server's clock decides anything here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from bson import ObjectId
from pymongo import ASCENDING, ReturnDocument
from pymongo.client_session import ClientSession

from rms_tui.store.database import Document, Guard, Rms, in_transaction
from rms_tui.store.named import key_of
from rms_tui.store.schema import Status, fitting

FREE, OCCUPIED, FAULTY = "FREE", "OCCUPIED", "FAULTY"

MILLISECONDS = 1_000
_DUE = {"$expr": {"$lte": ["$retry_at", "$$NOW"]}}
"""What is absent sorts before all times: without `retry_at` a document is due."""

_PINGED = {"$currentDate": {"last_ping": True}}


class Fenced(Exception):
    """The claim is another's now, or nobody's: what was to be written was not."""


class Ending(StrEnum):
    """Why a claim ended."""

    RELEASED = "released"
    CRASHED = "crashed"
    AUTHORISATION = "authorisation"
    TERMINAL = "terminal"
    KEY = "key"
    """The host has no key that opens the password: neither element nor terminal is to blame."""
    DATABASE = "database"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Claim:
    """One element on one instance, until someone else's term is higher."""

    element: Any
    instance: Any
    term: int
    host: str
    path: str
    portable: bool = False
    login: int = 0
    server: str = ""

    @property
    def key(self) -> tuple[Any, int]:
        """Tells this claim from every other one, also in a dict."""
        return key_of(self.instance), self.term

    @property
    def of_element(self) -> Document:
        """The filter of every write to the element."""
        return {"_id": self.element, "instance": self.instance, "term": _named(self.term)}

    @property
    def of_instance(self) -> Document:
        """The filter of every write to the instance."""
        return {"_id": self.instance, "element": self.element, "term": _named(self.term)}


def _named(term: int) -> Any:
    """The term as a filter has it; documents that never had one count as 0."""
    return term or {"$in": [0, None]}


@dataclass(frozen=True, slots=True)
class Patience:
    """After how many failures in a row nobody tries again, and the pauses before, in seconds.

    A pause doubles from `first` to `longest`; after a refused login from `refused`.
    """

    failures: int = 3
    first: float = 1.0
    longest: float = 300.0
    refused: float = 30.0

    def pause(self, failures: int, first: float | None = None) -> float:
        """Seconds before the next attempt after so many failures."""
        start = self.first if first is None else first
        return min(max(self.longest, start), start * 2.0 ** min(failures - 1, 30))


class _NotNow(Exception):
    """There is no such element or no instance for it: the transaction is undone."""


def claim(
    database: Rms,
    element: Any,
    host: str,
    supervisor: Document | None = None,
    *,
    instance: Any = None,
) -> Claim | None:
    """Take a PENDING element and a FREE instance of this host (or that one) for it.

    `supervisor` says who did: its `id`, `pid` and `born`. None where either is gone, taken or
    waiting for its next attempt. Raises PyMongoError.
    """

    def write(session: ClientSession) -> Claim:
        taken = database.elements.find_one_and_update(
            {"_id": element, "status": Status.PENDING.value, "source": "terminal",
             "instance": None, **_DUE, **fitting("elements")},
            {"$inc": {"term": 1}, **_PINGED},
            {"login": 1, "server": 1, "term": 1, "failed_on": 1},
            return_document=ReturnDocument.AFTER,
            session=session,
        )  # fmt: skip
        if taken is None:
            raise _NotNow
        found = _free_instance(database, taken, host, supervisor, instance, session)
        term = max(taken["term"], found["term"])
        of_both = {"$set": {"term": term}}
        database.instances.update_one({"_id": found["_id"]}, of_both, session=session)
        database.elements.update_one(
            {"_id": element}, {"$set": {"term": term, "instance": found["_id"]}}, session=session
        )
        made = Claim(
            element, found["_id"], term, found["host"], found["path"],
            bool(found.get("portable")), int(taken["login"]), str(taken["server"]),
        )  # fmt: skip
        _log(database, made, "claimed", None, session)
        return made

    try:
        return in_transaction(database, write)
    except _NotNow:
        return None


def _free_instance(
    database: Rms,
    taken: Document,
    host: str,
    supervisor: Document | None,
    instance: Any,
    session: ClientSession,
) -> Document:
    """A free one, rather not the one that failed this element last, rather one that never did."""
    where: Document = {"host": host, "status": FREE, **_DUE, **fitting("instances")}
    wishes: list[Document] = [{"_id": instance}]
    if instance is None:
        wishes = [{"_id": {"$ne": taken.get("failed_on")}}, {}]
    for wish in wishes:
        found = database.instances.find_one_and_update(
            {**where, **wish},
            {
                "$set": {
                    "status": OCCUPIED,
                    "element": taken["_id"],
                    "supervisor": supervisor,
                    "pid": None,
                    "born": None,
                },
                "$inc": {"term": 1},
                **_PINGED,
            },
            {"term": 1, "host": 1, "path": 1, "portable": 1},
            sort=[("failures", ASCENDING), ("_id", ASCENDING)],
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if found is not None:
            return found
    raise _NotNow


def guard(database: Rms, held: Claim) -> Guard:
    """For `in_transaction`: raises Fenced unless the claim still holds at its commit."""

    def hold(session: ClientSession) -> None:
        done = database.elements.update_one(held.of_element, _PINGED, session=session)
        if done.matched_count != 1:
            raise Fenced

    return hold


def begin(database: Rms, held: Claim, pid: int, born: float) -> Document:
    """A worker took the claim up: its process, and the element as it is. Raises Fenced.

    `born` is the process's creation time as this host counts it, to tell a number used again.
    """

    def write(session: ClientSession) -> Document:
        who = {"$set": {"pid": pid, "born": born}, **_PINGED}
        done = database.instances.update_one(held.of_instance, who, session=session)
        found = database.elements.find_one_and_update(
            held.of_element, _PINGED, return_document=ReturnDocument.AFTER, session=session
        )
        if done.matched_count != 1 or found is None:
            raise Fenced
        return found

    return in_transaction(database, write)


def keep(database: Rms, held: Claim) -> bool:
    """Keep a claim alive whose worker is being started; False once it has begun, or is over."""
    waiting = {**held.of_instance, "pid": None}
    done = database.instances.update_one(waiting, _PINGED)
    database.elements.update_one(held.of_element, _PINGED)
    return done.matched_count == 1


def ping(
    database: Rms, held: Claim, fields: Document | None = None, *, settled: bool = False
) -> Document:
    """Say on both documents that the worker lives; the element as it is after that.

    `fields` are set on the element, `settled` forgets earlier failures. Raises Fenced.
    """
    well: Document = {"failures": 0, "error": None, "retry_at": None} if settled else {}
    element = {**(fields or {}), **({"failures": 0, "refused": 0, "failed_on": None,
                                     "retry_at": None} if settled else {})}  # fmt: skip

    def write(session: ClientSession) -> Document:
        done = database.instances.update_one(
            held.of_instance, {**({"$set": well} if well else {}), **_PINGED}, session=session
        )
        found = database.elements.find_one_and_update(
            held.of_element,
            {**({"$set": element} if element else {}), **_PINGED},
            {"account": 0, "risk": 0},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if done.matched_count != 1 or found is None:
            raise Fenced
        return found

    return in_transaction(database, write)


def write_element(
    database: Rms,
    held: Claim,
    fields: Document,
    *,
    restated: bool,
    positions: Document | None = None,
) -> Document:
    """Set fields of the element, and what it holds, if the claim still holds; the element after.

    `restated` says that the status is among the fields: it is never put over REMOVED. Raises
    Fenced.
    """
    change = _unless_removed(fields) if restated else {"$set": fields, **_PINGED}

    def write(session: ClientSession | None) -> Document:
        found = database.elements.find_one_and_update(
            held.of_element,
            change,
            {"account": 0, "risk": 0},
            return_document=ReturnDocument.AFTER,
            session=session,
        )
        if found is None:
            raise Fenced
        if positions is not None:
            database.positions.update_one(
                {"_id": held.element}, {"$set": positions}, upsert=True, session=session
            )
        return found

    return write(None) if positions is None else in_transaction(database, write)


def _unless_removed(fields: Document) -> list[Document]:
    kept = {"$cond": [{"$eq": ["$status", Status.REMOVED.value]}, "$status", fields["status"]]}
    rest = {name: {"$literal": value} for name, value in fields.items() if name != "status"}
    return [{"$set": {**rest, "status": kept, "last_ping": "$$NOW", "updated_at": "$$NOW"}}]


def give_back(
    database: Rms,
    held: Claim,
    ending: Ending,
    patience: Patience,
    error: str | None = None,
    *,
    while_true: Document | None = None,
) -> bool:
    """End a claim: the instance is FREE (or FAULTY), the element PENDING (or ERROR).

    False when it was over already, or `while_true` no longer holds of the instance. A REMOVED
    element stays that. Raises PyMongoError.
    """
    still = while_true or {}
    return in_transaction(
        database, lambda session: _ended(database, held, ending, patience, error, still, session)
    )


def _ended(
    database: Rms,
    held: Claim,
    ending: Ending,
    patience: Patience,
    error: str | None,
    still: Document,
    session: ClientSession,
) -> bool:
    instance = database.instances.find_one({**held.of_instance, **still}, session=session)
    element = database.elements.find_one(held.of_element, session=session)
    if instance is None and (still or element is None):
        return False
    if instance is not None:
        changed = _instance_after(instance, element or {}, held, ending, patience, error)
        database.instances.update_one(held.of_instance, changed, session=session)
    if element is not None:
        changed = _element_after(element, held, ending, patience, error)
        database.elements.update_one(held.of_element, changed, session=session)
    _log(database, held, "ended", ending, session, error)
    return True


def _instance_after(
    instance: Document,
    element: Document,
    held: Claim,
    ending: Ending,
    patience: Patience,
    error: str | None,
) -> list[Document]:
    """An instance is blamed unless this element failed on another one before."""
    made: Document = {"element": None, "pid": None, "born": None, "supervisor": None}
    made |= {"status": FREE, "term": held.term + 1}
    blamed = element.get("failed_on") in (None, instance["_id"])
    if ending is not Ending.RELEASED:
        made["restarts"] = int(instance.get("restarts") or 0) + 1
    if ending is Ending.KEY:
        made |= {"error": {"$literal": error}, "retry_at": _after(patience.refused)}
    if ending is Ending.TERMINAL and blamed:
        failures = int(instance.get("failures") or 0) + 1
        made |= {"failures": failures, "error": {"$literal": error}}
        made["retry_at"] = _after(patience.pause(failures))
        if failures >= patience.failures:
            made["status"] = FAULTY
    return [{"$set": made}]


def _element_after(
    element: Document, held: Claim, ending: Ending, patience: Patience, error: str | None
) -> list[Document]:
    made: Document = {"instance": None, "term": held.term + 1, "updated_at": "$$NOW"}
    if ending in (Ending.RELEASED, Ending.KEY):
        made["retry_at"] = None
        if ending is Ending.KEY:
            made["error"] = {"$literal": error}
    else:
        failures = int(element.get("failures") or 0) + 1
        made |= {"failures": failures, "retry_at": _after(patience.pause(failures))}
        if error is not None:
            made["error"] = {"$literal": error}
    if ending in (Ending.TERMINAL, Ending.KEY):
        made["failed_on"] = {"$literal": held.instance}
    status = Status.PENDING
    if ending is Ending.AUTHORISATION:
        refused = int(element.get("refused") or 0) + 1
        made |= {
            "tried": tried(element),
            "refused": refused,
            "retry_at": _after(patience.pause(refused, patience.refused)),
        }
        if refused >= patience.failures:
            status = Status.ERROR
            made["retry_at"] = None
    if element.get("status") not in (Status.REMOVED.value, Status.ERROR.value):
        made["status"] = status.value
    return [{"$set": made}]


def tried(element: Document) -> str:
    """A mark of what an account is logged in with: another one means that it was edited.

    Of a password its date, where it has one: keys are rotated without a new password.
    """
    mark = blake2b(digest_size=12)
    for name in ("login", "server", "investor"):
        mark.update(repr(element.get(name)).encode() + b"|")
    at = element.get("password_at")
    password = element.get("password")
    mark.update(repr(at).encode() if at is not None else bytes(password or b""))
    return mark.hexdigest()


def _after(seconds: float) -> Document:
    return {"$add": ["$$NOW", round(seconds * MILLISECONDS)]}


def _log(
    database: Rms,
    held: Claim,
    event: str,
    why: Ending | None,
    session: ClientSession,
    error: str | None = None,
) -> None:
    """Append to the log of claims, at the server's time."""
    row = {
        "event": event,
        "element": held.element,
        "instance": held.instance,
        "term": held.term,
        "host": held.host,
        "login": held.login,
        "server": held.server,
        "why": None if why is None else why.value,
        "error": error,
    }
    database.claims.update_one(
        {"_id": ObjectId()},
        {"$setOnInsert": row, "$currentDate": {"at": True}},
        upsert=True,
        session=session,
    )
