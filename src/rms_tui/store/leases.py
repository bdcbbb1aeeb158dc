"""Who polls a book: one process at a time, by a lease that runs out on MongoDB's clock.

The holder renews; whoever finds the lease run out may take it, with the next `term`. What a holder
writes stands behind `guard`: a process that was thought dead and wakes up changes nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from rms_tui.store.database import Document, Guard, Rms
from rms_tui.store.errors import StoreError
from rms_tui.store.renamed import Name, opened
from rms_tui.store.values import text

TTL = 15.0
"""Seconds that a lease lasts from its last renewal."""


class LeaseLost(StoreError):
    """Another process holds the book now: nothing may be written for it any more."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a holder serves its stream (`ws://…`), and the token that lets a follower in.

    The token is made anew with each start: whoever may read this database may follow. None where
    nobody is served, and where followers bring a token of their own.
    """

    address: str | None = None
    token: str | None = field(default=None, repr=False)


SHUT = Door()


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds a lease: on which machine (and in which space of process ids)."""

    machine: str
    pid: int
    born: float


@dataclass(frozen=True, slots=True)
class Lease:
    """A book's lease as it stands. `left` is seconds until it runs out, by the server's clock."""

    book: str
    holder: str
    term: int
    left: float
    host: str
    door: Door
    owner: Owner | None = None

    @property
    def place(self) -> tuple[object, ...]:
        """What a follower has to know to follow."""
        return self.holder, self.term, self.door


def take(
    database: Rms,
    book: str,
    holder: str,
    *,
    host: str,
    door: Door,
    owner: Owner | None = None,
    dead: Lease | None = None,
    ttl: float = TTL,
) -> Lease | None:
    """Take the lease of a book if nobody holds it; None when another process does.

    A holder that asks again gets it with a new term: it has forgotten what it knew. `dead` is a
    lease whose process is known not to live any more: it counts as nobody's. Raises PyMongoError.
    """
    with suppress(DuplicateKeyError):  # another one made it at this moment
        first = {"$setOnInsert": {"term": 0, "holder": None, "expires": None}}
        database.leases.update_one({"_id": text(book)}, first, upsert=True)
    over = {"$lte": [{"$ifNull": ["$expires", "$$NOW"]}, "$$NOW"]}
    mine = {"$eq": ["$holder", _literal(holder)]}
    gone = [] if dead is None else [_same(dead)]
    fields = {
        "owner": None if owner is None else _literal_of(owner),
        "holder": _literal(holder),
        "host": _literal(host),
        **_of_door(door),
        "term": {"$add": ["$term", 1]},
        "since": "$$NOW",
        "expires": _in(ttl),
    }
    found = database.leases.find_one_and_update(
        {"_id": text(book), "$expr": {"$or": [over, mine, *gone]}},
        [{"$set": fields}],
        return_document=ReturnDocument.AFTER,
    )
    return None if found is None else _lease(found, ttl)


def renew(database: Rms, held: Lease, *, door: Door, ttl: float = TTL) -> Lease:
    """Hold on for another `ttl` seconds. Raises LeaseLost, PyMongoError."""
    change = {"expires": _in(ttl), **_of_door(door)}
    found = database.leases.find_one_and_update(
        _of(held), [{"$set": change}], return_document=ReturnDocument.AFTER
    )
    if found is None:
        raise LeaseLost(f"another process polls {held.book} now")
    return _lease(found, ttl)


def release(database: Rms, held: Lease) -> bool:
    """Give the lease back at once; False when it was another's already. Raises PyMongoError."""
    done = database.leases.update_one(_of(held), [{"$set": {"expires": "$$NOW", **_of_door(SHUT)}}])
    return done.matched_count == 1


def held(database: Rms, book: str) -> Lease | None:
    """The lease that somebody holds now; None when it ran out or never was. Raises PyMongoError."""
    rows = database.leases.aggregate(
        [
            {"$match": {"_id": text(book)}},
            {"$set": {"left": {"$divide": [{"$subtract": ["$expires", "$$NOW"]}, 1000]}}},
            {"$match": {"left": {"$gt": 0}}},
        ]
    )
    return next((_lease(found, float(found["left"])) for found in rows), None)


def guard(name: Name, lease: Lease) -> Guard:
    """For `in_transaction` on the database of that name: raises LeaseLost unless the lease still
    is ours at the commit.

    It writes to the lease: a takeover in the meantime makes the transaction fail.
    """

    def hold(session: ClientSession) -> None:
        leases = opened(session.client, name).leases
        done = leases.update_one(_of(lease), {"$inc": {"writes": 1}}, session=session)
        if done.matched_count != 1:
            raise LeaseLost(f"another process polls {lease.book} now")

    return hold


def _of(lease: Lease) -> Document:
    return {"_id": text(lease.book), "holder": text(lease.holder), "term": lease.term}


def _of_door(door: Door) -> Document:
    return {
        "address": None if door.address is None else _literal(door.address),
        "token": None if door.token is None else _literal(door.token),
    }


def _in(seconds: float) -> Document:
    return {"$add": ["$$NOW", round(seconds * 1000)]}


def _literal(value: str) -> Document:
    """Text that is never read as an expression."""
    return {"$literal": text(value)}


def _literal_of(owner: Owner) -> Document:
    return {"$literal": {"machine": owner.machine, "pid": owner.pid, "born": owner.born}}


def _same(lease: Lease) -> Document:
    return {
        "$and": [
            {"$eq": ["$holder", _literal(lease.holder)]},
            {"$eq": ["$term", lease.term]},
        ]
    }


def _owner(found: object) -> Owner | None:
    if not isinstance(found, dict):
        return None
    try:
        return Owner(str(found["machine"]), int(found["pid"]), float(found["born"]))
    except (KeyError, TypeError, ValueError):
        return None


def _lease(found: Document, left: float) -> Lease:
    return Lease(
        str(found["_id"]),
        str(found["holder"]),
        int(found["term"]),
        left,
        str(found.get("host") or "?"),
        Door(found.get("address"), found.get("token")),
        _owner(found.get("owner")),
    )
