"""Elements: one document for each account, who added or removed it, and which are watched.

Adding and removing are facts: written in a transaction together with their `audit` row, whose id
is made from the fact itself. The same fact written again, by a retry after a lost answer, finds
its row and changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pymongo import InsertOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from rms_tui.feed import Selection
from rms_tui.monitor import AccountChange
from rms_tui.store.database import Document, Rms, in_transaction
from rms_tui.store.schema import PASSWORD, Status, fitting
from rms_tui.store.values import instant, text

Source = Literal["manager", "terminal", "simulator", "replay"]

_OURS = fitting("elements")


class RiskStatus(BaseModel):
    """The rule that gives an account its state. Null numbers: unknown or unlimited, see reason."""

    model_config = ConfigDict(frozen=True, extra="allow")

    state: str
    rule: str | None = None
    value: float | None = None
    limit: float | None = None
    reason: str | None = None
    since: datetime | None = None


class Element(BaseModel):
    """An element as read. Fields of newer writers are kept as extras."""

    model_config = ConfigDict(frozen=True, extra="allow", arbitrary_types_allowed=True)

    id: Any = Field(alias="_id")
    login: int
    server: str
    source: Source = "terminal"
    status: Status = Status.PENDING
    password: bytes | None = Field(default=None, repr=False)
    investor: bool | None = None
    profile: str | dict[str, Any] | None = None
    risk: RiskStatus | None = None
    account: dict[str, Any] | None = None
    instance: Any = None
    term: int | None = None
    last_ping: datetime | None = None
    created_by: str | None = None
    updated_at: datetime | None = None
    error: str | None = None


def elements(database: Rms, server: str | None = None) -> list[Element]:
    """All elements, or those of one server, by login. Raises PyMongoError, ValidationError."""
    query: Document = {} if server is None else {"server": text(server)}
    return [Element.model_validate(found) for found in database.elements.find(query).sort("login")]


def add(
    database: Rms,
    login: int,
    server: str,
    source: Source,
    operator: str,
    *,
    at: float | None = None,
) -> bool:
    """Add an account on an operator's behalf; False when this very fact was written before.

    Raises ValueError for a login or server that cannot be one, PyMongoError.
    """
    change = AccountChange(login, server, "add", operator, time.time() if at is None else at)
    return apply(database, [change], source) == 1


def remove(
    database: Rms,
    login: int,
    server: str,
    source: Source,
    operator: str,
    *,
    at: float | None = None,
) -> bool:
    """Remove an account: its element stays, REMOVED, without a password. As `add` otherwise."""
    change = AccountChange(login, server, "remove", operator, time.time() if at is None else at)
    return apply(database, [change], source) == 1


def apply(database: Rms, changes: Sequence[AccountChange], source: Source) -> int:
    """Write additions and removals in order, in one transaction; how many were new.

    Raises ValueError when a change names no server or no possible login, PyMongoError.
    """
    for change in changes:
        _checked(change)

    def write(session: ClientSession) -> int:
        ids = [fact_id(change) for change in changes]
        known = {
            found["_id"]
            for found in database.audit.find({"_id": {"$in": ids}}, {"_id": 1}, session=session)
        }
        fresh: dict[str, AccountChange] = {
            at: change for at, change in zip(ids, changes, strict=True) if at not in known
        }
        if fresh:
            rows = [InsertOne(_audit_row(at, change)) for at, change in fresh.items()]
            database.audit.bulk_write(rows, session=session)
            updates = [update for change in fresh.values() for update in _updates(change, source)]
            database.elements.bulk_write(updates, ordered=True, session=session)
        return len(fresh)

    return in_transaction(database, write)


def fact_id(change: AccountChange) -> str:
    """The same fact has the same id whoever writes it, and however often."""
    at = round(change.at * 1000)
    fact = f"{change.server}|{change.login}|{change.action}|{at}|{change.operator}"
    return blake2b(fact.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def selection(database: Rms, server: str, *, everything: bool) -> Selection:
    """What a console of that server starts with. Raises PyMongoError.

    `added` are those an operator added and none removed; `without` those removed.
    """
    fields = {"_id": 0, "login": 1, "status": 1}
    query: Document = {
        "server": text(server),
        "$or": [{"status": Status.REMOVED.value}, {"created_by": {"$type": "string"}}],
        **_OURS,
    }
    added: set[int] = set()
    without: set[int] = set()
    for found in database.elements.find(query, fields):
        chosen = without if found.get("status") == Status.REMOVED else added
        chosen.add(int(found["login"]))
    return Selection(everything, frozenset(added), frozenset(without))


def own_profiles(database: Rms, server: str) -> dict[int, str | Document]:
    """Profiles that stand on elements: a name or limits, by login. Raises PyMongoError."""
    query = {
        "server": text(server),
        "profile": {"$exists": True, "$type": ["string", "object"]},
        **_OURS,
    }
    found = database.elements.find(query, {"_id": 0, "login": 1, "profile": 1})
    return {int(element["login"]): element["profile"] for element in found}


def pending(database: Rms, server: str) -> frozenset[int]:
    """Logins that wait for their first status. Raises PyMongoError."""
    query = {"server": text(server), "status": Status.PENDING.value, **_OURS}
    found = database.elements.find(query, {"_id": 0, "login": 1})
    return frozenset(int(element["login"]) for element in found)


def with_changes(stored: Selection, changes: Sequence[AccountChange]) -> Selection:
    """The selection after changes that are not written yet, in order."""
    added, without = set(stored.added), set(stored.without)
    for change in changes:
        into, out_of = (added, without) if change.action == "add" else (without, added)
        into.add(change.login)
        out_of.discard(change.login)
    return Selection(stored.everything, frozenset(added), frozenset(without))


class SelectionWatch:
    """Tells when the selection of a server was changed in the database, by anyone.

    A change stream over `audit` is only a wake-up (element documents change with every price;
    their additions and removals stand in `audit`): the selection itself is read anew, so that a
    missed event costs nothing.
    """

    def __init__(self, database: Rms, server: str, *, everything: bool) -> None:
        """Raises PyMongoError. The stream is open before anything is read."""
        self._database = database
        self._server = server
        self._everything = everything
        self._first = True
        self._stream = database.audit.watch(
            [{"$match": {"operationType": "insert"}}], max_await_time_ms=1
        )

    def poll(self) -> Selection | None:
        """The selection when it may have changed since the last call (always at first).

        Never waits for a change. Raises PyMongoError: open a new watch then.
        """
        woken = self._first
        while self._stream.try_next() is not None:
            woken = True
        if not woken:
            return None
        found = selection(self._database, self._server, everything=self._everything)
        self._first = False
        return found

    def close(self) -> None:
        try:
            self._stream.close()
        except PyMongoError:
            return  # the server is gone, and its cursor with it


def _checked(change: AccountChange) -> None:
    if not change.server:
        raise ValueError(f"login {change.login}: expected the name of its server, got none")
    if not 0 <= change.login < 2**63:
        raise ValueError(f"login {change.login}: expected a number from 0 to 2^63 - 1")


def _audit_row(at: str, change: AccountChange) -> Document:
    return {
        "_id": at,
        "action": change.action,
        "login": change.login,
        "server": text(change.server or ""),
        "operator": text(change.operator) or "?",
        "at": instant(change.at),
    }


def _updates(change: AccountChange, source: Source) -> list[UpdateOne]:
    where = {"login": change.login, "server": text(change.server or "")}
    now: Document = {"$currentDate": {"updated_at": True}}
    pending = {"status": Status.PENDING.value, "error": None}
    if change.action == "add":
        by = {"source": source, "created_by": text(change.operator)}
        again = {**where, "status": {"$in": [Status.REMOVED.value, Status.ERROR.value]}}
        return [
            UpdateOne(where, {"$set": by, "$setOnInsert": pending, **now}, upsert=True),
            UpdateOne(again, {"$set": pending, **now}),
        ]
    gone = {"$set": {"status": Status.REMOVED.value}, "$unset": dict.fromkeys(PASSWORD, "")}
    first = {"source": source, "created_by": None}
    return [UpdateOne(where, {**gone, "$setOnInsert": first, **now}, upsert=True)]
