"""Elements as an operator writes them: added with password and limits, edited, found again.

Each change is one transaction with its `audit` row, which names the fields that changed and never
what a password was. A supervisor and a worker follow what is written here; nothing is told to them
directly.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from rms_tui.store.database import Document, Rms, in_transaction
from rms_tui.store.elements import Source
from rms_tui.store.named import ids_of
from rms_tui.store.schema import Status, fitting
from rms_tui.store.values import LARGEST_LOGIN, instant, text

EDITABLE = frozenset({"source", "investor", "profile", "password"})

CREDENTIALS = frozenset({"password", "investor"})
"""What an account is logged in with: a worker that runs with others ends and is begun anew."""

ANEW: Mapping[str, Any] = {
    "status": Status.PENDING.value,
    "error": None,
    "failures": 0,
    "retry_at": None,
    "failed_on": None,
    "tried": None,
}
"""An element as if nothing had been tried; earlier refused logins are kept apart."""


class ElementError(Exception):
    """An element cannot be what was asked: which, what it is, what to do."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Fields to set and fields to take away; what is in neither stays. A password is encrypted."""

    sets: Mapping[str, Any] = field(default_factory=dict, repr=False)
    drops: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        strange = ({*self.sets} | self.drops) - EDITABLE
        if strange:
            raise ValueError(f"not editable: {', '.join(sorted(strange))}")

    @property
    def names(self) -> list[str]:
        return sorted({*self.sets} | self.drops)


def create(
    database: Rms,
    login: int,
    server: str,
    source: Source,
    operator: str,
    edit: Edit,
    *,
    at: float | None = None,
) -> Any:
    """Add an account, or one that was removed again, with nothing of what it had; its id.

    Raises ElementError when it is there already, ValueError for a login or server that cannot be
    one, PyMongoError.
    """
    if not server.strip():
        raise ValueError("expected the name of the trade server")
    if not 0 < login <= LARGEST_LOGIN:
        raise ValueError(f"login {login}: expected a number from 1 to 2^63 - 1")
    name = text(server)
    where = {"login": login, "server": name}
    gone = sorted((EDITABLE | {"password_at", "risk", "account"}) - {*edit.sets, "source"})
    change: Document = {
        "$set": {
            **ANEW, "refused": 0, **edit.sets, "source": source, "created_by": text(operator),
        },
        "$unset": dict.fromkeys(gone, ""),
        "$currentDate": _dates(edit),
    }  # fmt: skip
    if "password" in edit.sets:
        del change["$unset"]["password_at"]

    def write(session: ClientSession) -> Any:
        _not_by_another_case(database, login, name, session)
        found = database.elements.find_one(where, {"status": 1}, session=session)
        if found is not None and found.get("status") != Status.REMOVED:
            raise ElementError(
                f"account {login} on {server} is there already ({found.get('status')}): change it "
                f"by `rms-tui element edit {login}`"
            )
        row = _row("add", login, name, operator, at, source=source, fields=edit.names)
        database.audit.insert_one(row, session=session)
        done = database.elements.update_one(where, change, upsert=True, session=session)
        return done.upserted_id if found is None else found["_id"]

    try:
        return in_transaction(database, write)
    except DuplicateKeyError:
        raise ElementError(
            f"account {login} on {server} was added by another at this moment"
        ) from None


def _not_by_another_case(database: Rms, login: int, server: str, session: ClientSession) -> None:
    """A server's name in other letters is the same server to MT5: one account, one terminal."""
    asked = {"login": login, "server": {"$ne": server}, "status": {"$ne": Status.REMOVED.value}}
    for other in database.elements.find(asked, {"server": 1}, session=session):
        if str(other.get("server")).casefold() == server.casefold():
            raise ElementError(
                f"account {login} is there already, on {other['server']}: servers are the same in "
                "capital and small letters"
            )


def change(
    database: Rms, element: Any, operator: str, edit: Edit, *, at: float | None = None
) -> bool:
    """Edit an element; one with ERROR is PENDING again. Whether it is to be tried again.

    Refused logins count on unless what the account is logged in with was edited: brokers lock
    accounts out. Raises ElementError for one that is gone, PyMongoError.
    """

    def write(session: ClientSession) -> bool:
        found = database.elements.find_one({"_id": element}, session=session)
        if found is None:
            raise ElementError(f"element {element} is gone")
        login, server = int(found["login"]), str(found["server"])
        if found.get("status") == Status.REMOVED:
            raise ElementError(
                f"account {login} on {server} was removed: `rms-tui element add` adds it again"
            )
        row = _row("edit", login, server, operator, at, fields=edit.names)
        database.audit.insert_one(row, session=session)
        again = found.get("status") == Status.ERROR
        sets = {**(ANEW if again else {}), **edit.sets}
        if again and CREDENTIALS & {*edit.names}:
            sets["refused"] = 0
        update: Document = {"$currentDate": _dates(edit)}
        if sets:
            update["$set"] = sets
        if edit.drops:
            update["$unset"] = dict.fromkeys(edit.drops, "")
        database.elements.update_one({"_id": element}, update, session=session)
        return again

    return in_transaction(database, write)


def named(database: Rms, given: str, server: str | None = None) -> Document:
    """The element that a login, with its server where there are two, or an id stands for.

    Of several the only one that was not removed. Without figures. Raises ElementError for none and
    for two, PyMongoError.
    """
    word = given.strip()
    queries: list[Document] = []
    if word.isascii() and word.isdecimal() and int(word) <= LARGEST_LOGIN:
        queries.append({"login": int(word)} | ({} if server is None else {"server": text(server)}))
    if server is None:
        queries += [{"_id": id_} for id_ in ids_of(word)]
    for query in queries:
        found = list(database.elements.find(query, {"account": 0}))
        watched = [one for one in found if one.get("status") != Status.REMOVED]
        found = watched if len(watched) == 1 else found
        if len(found) > 1:
            servers = ", ".join(sorted(str(one.get("server")) for one in found))
            raise ElementError(
                f"account {word} is on {len(found)} servers ({servers}): say which by --server"
            )
        if found:
            return _own(database, word, found[0])
    on = "" if server is None else f" on {server}"
    raise ElementError(
        f"no element {word}{on}: expected a login or an id as `rms-tui element list` shows them"
    )


def _own(database: Rms, word: str, found: Document) -> Document:
    """The element, if it is one: MongoDB refuses every change of another document."""
    asked = {"_id": found["_id"], **fitting("elements")}
    if database.elements.find_one(asked, {"_id": 1}) is None:
        raise ElementError(
            f"{word} is no element, `rms-tui element list` says why: give it what is missing with "
            "mongosh, or delete it"
        )
    return found


def _dates(edit: Edit) -> Document:
    """At the server's time; a password's date says that it is another one now."""
    return {"updated_at": True, **({"password_at": True} if "password" in edit.sets else {})}


def _row(
    action: str, login: int, server: str, operator: str, at: float | None, **more: Any
) -> Document:
    when = time.time() if at is None else at
    fact = f"{server}|{login}|{action}|{round(when * 1000)}|{operator}"
    return {
        "_id": blake2b(fact.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest(),
        "action": action,
        "login": login,
        "server": server,
        "operator": text(operator) or "?",
        "at": instant(when),
        **more,
    }
