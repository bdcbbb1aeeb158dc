"""Why MongoDB cannot be used as it is, point by point: reach, login, replica set, privileges, keys.

Only reads: a diagnosis changes nothing, not even what is missing.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pymongo.errors import OperationFailure, PyMongoError

from rms_tui.plural import counted
from rms_tui.store import clashes
from rms_tui.store.database import Rms, in_words, reached
from rms_tui.store.errors import SecretsError, StoreError, redacted
from rms_tui.store.master_key import keys_in
from rms_tui.store.renamed import Name, theirs
from rms_tui.store.schema import COLLECTIONS
from rms_tui.store.secrets import data_keys, place_of
from rms_tui.store.strangers import all_strangers, in_a_line

Missing: TypeAlias = frozenset[tuple[str, str]]

EVERYWHERE = ("find", "insert", "update", "createCollection", "createIndex")
REMOVED_FROM = ("instances", "keys", "leases", "streams")
FOLLOWED = ("elements", "instances", "audit")
WHOLE = ""
"""In place of a collection: the database itself."""

NEEDED: Sequence[tuple[str, str]] = (
    *((action, name) for name in COLLECTIONS for action in EVERYWHERE),
    *(("remove", name) for name in REMOVED_FROM),
    *(("changeStream", name) for name in FOLLOWED),
    *((action, WHOLE) for action in ("listCollections", "changeStream", "find")),
)
"""Every privilege that some part of rms-tui uses: action and collection."""

LATER: Sequence[tuple[str, str]] = tuple(("collMod", name) for name in COLLECTIONS)
"""What only an update of rms-tui needs, to change what MongoDB itself checks."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One point, and what to do about it."""

    grade: Literal["OK", "WARN", "FAIL"]
    what: str
    found: str
    mend: str = ""


def of_server(uri: str, name: Name, what: str, mend: str) -> Iterator[Finding]:
    """Reach, login, kind and version of the server, then privileges, then a change stream.

    `mend` is for a server that is not there. Nothing it yields holds the URI's password.
    """
    began = time.monotonic()
    try:
        with in_words(uri):
            database = reached(uri, name)
    except StoreError as error:
        yield Finding("FAIL", what, error.text, "" if error.final else mend)
        return
    try:
        with in_words(uri):
            number = database.client.server_info()["version"]
            took = (time.monotonic() - began) * 1000
            missing = yield from _privileges(database)
            if ("changeStream", WHOLE) not in missing and ("find", WHOLE) not in missing:
                with database.watch(max_await_time_ms=1):
                    pass
            yield from _documents(database, missing)
            place = redacted(uri)
            if not missing:
                text = f"{place}: {number}, replica set, change streams, {took:.0f} ms"
                yield Finding("OK", what, text)
            else:
                text = f"{place}: {number}, replica set, but privileges are missing"
                yield Finding("FAIL", what, text, _grant(database.name))
    except StoreError as error:
        yield Finding("FAIL", what, error.text, mend)
    finally:
        database.client.close()


@dataclass(frozen=True, slots=True)
class Terminals:
    """How many instances of a fleet are a host's, and how many are others'."""

    here: int
    elsewhere: int


def terminals_of(uri: str, name: Name, host: str) -> Terminals | None:
    """The instances of the database; None where nobody may ask for them."""
    try:
        with in_words(uri):
            database = reached(uri, name)
    except StoreError:
        return None  # said before
    try:
        here = database.instances.count_documents({"host": host})
        return Terminals(here, database.instances.count_documents({}) - here)
    except PyMongoError:
        return None
    finally:
        database.client.close()


def of_keys(uri: str, name: Name, file: Path) -> Iterator[Finding]:
    """The master key's file, and whether it opens the data keys of the database."""
    try:
        with in_words(uri):
            database = reached(uri, name)
    except StoreError:
        return  # said before
    try:
        present = data_keys(database)
    except PyMongoError:
        return
    finally:
        database.client.close()
    following = file.with_name(f"{file.name}.new")
    if not present and not file.exists() and not following.exists():
        yield Finding(
            "OK",
            "master key",
            "none, and nothing is encrypted yet; `rms-tui secrets init` makes a fleet's",
        )
        return
    try:
        masters = keys_in(file)
    except SecretsError as error:
        yield Finding("FAIL", "master key", error.text)
        return
    names = " and ".join(master.name for master in masters)
    closed = [key for key in present if key.master not in {master.name for master in masters}]
    if closed:
        wanted = ", ".join(sorted({key.master for key in closed}))
        yield Finding(
            "FAIL",
            "master key",
            f"{file} ({names}) does not open {len(closed)} of {counted(len(present), 'data key')} "
            f"of {place_of(database)}, which are encrypted with {wanted}",
            "copy the key file from the host where it was made or last changed",
        )
    elif len(masters) > 1:
        yield Finding(
            "WARN",
            "master key",
            f"{file}: a change to {masters[1].name} is not finished on this host",
            "rms-tui secrets rotate --master",
        )
    else:
        opened = f"opens {counted(len(present), 'data key')}" if present else "no data key yet"
        mend = "" if present else "rms-tui secrets init"
        yield Finding(
            "OK" if present else "WARN", "master key", f"{file} ({names}): {opened}", mend
        )


def _documents(database: Rms, missing: Missing) -> Iterator[Finding]:
    """What stands among elements and instances and is neither, and what stands twice."""
    if {("find", name) for name in COLLECTIONS} & missing:
        return
    twice = clashes.all_clashes(database)
    if twice:
        yield Finding("FAIL", "documents", "; ".join(map(str, twice)), clashes.mend(database))
    found = all_strangers(database)
    if found:
        mend = "give them what is missing with mongosh, or delete them"
        yield Finding("WARN", "documents", f"left alone: {in_a_line(found)}", mend)


def _privileges(database: Rms) -> Generator[Finding, None, Missing]:
    """A line for each action that is missing, with the collections; returns what is missing."""
    try:
        status = database.client.admin.command("connectionStatus", showPrivileges=True)
    except OperationFailure:
        return frozenset()  # a proxy that does not know: the server will say
    name, known = database.name, status["authInfo"]
    granted = known.get("authenticatedUserPrivileges") or []
    if not known.get("authenticatedUsers"):
        # Without users all is allowed, or nothing: then the first question is refused.
        database.list_collection_names()
        return frozenset()
    missing = [need for need in NEEDED if not _allowed(granted, database, *need)]
    for action, collections in _by_action(missing).items():
        places = ", ".join(_place(database, one) for one in collections)
        yield Finding("FAIL", "MongoDB privilege", f"missing: {action} on {places}", _grant(name))
    later = [need for need in LATER if not _allowed(granted, database, *need)]
    for action, collections in _by_action(later).items():
        places = ", ".join(_place(database, one) for one in collections)
        text = f"missing: {action} on {places}: an update of rms-tui may need it"
        yield Finding("WARN", "MongoDB privilege", text, _grant(name))
    return frozenset(missing)


def _allowed(
    granted: Sequence[Mapping[str, Any]], database: Rms, action: str, collection: str
) -> bool:
    for privilege in granted:
        resource = privilege["resource"]
        if action not in privilege["actions"]:
            continue
        if resource.get("anyResource"):
            return True
        if "db" not in resource or resource["db"] not in ("", database.name):
            continue
        if resource["collection"] in ("", theirs(database, collection)):
            return True
    return False


def _by_action(needs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for action, collection in needs:
        found[action].append(collection)
    return found


def _place(database: Rms, collection: str) -> str:
    if not collection:
        return f"the database {database.name}"
    return f"{database.name}.{theirs(database, collection)}"


def _grant(name: str) -> str:
    return (
        f'grant its user {{role: "readWrite", db: "{name}"}} and {{role: "dbAdmin", db: "{name}"}}'
    )
