"""A connection to MongoDB that is known to be usable, with collections and indexes in place.

Short timeouts throughout: whoever waits for a database here has something better to do.
"""

from __future__ import annotations

import logging
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote_plus

import pymongo
from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidName,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from rms_tui.store.errors import StoreError, advice, cleaned, redacted
from rms_tui.store.left_open import Client, leave
from rms_tui.store.renamed import Name, opened, theirs
from rms_tui.store.schema import COLLECTIONS, Collection

Document: TypeAlias = dict[str, Any]
Rms: TypeAlias = Database[Document]
T = TypeVar("T")

SELECTION_S, CONNECT_S, SOCKET_S, MAJORITY_S = 2.0, 2.0, 5.0, 4.0
ATTEMPTS = 8

OLDEST = (5, 0)
"""Change streams as we use them, transactions on time series of writes, `$$NOW`."""

_NAMESPACE_EXISTS, _STANDS_TWICE = 48, 11_000
_REFUSED_LOGIN, _NOT_ALLOWED, _UNKNOWN_TO_ATLAS = 18, 13, 8000
_COMMAND = re.compile(
    r"not authorized on (?P<db>\S+) to execute command \{ (?P<command>\w+): "
    r"\"?(?P<on>[^\",}]*)"
)


def connect(uri: str, name: Name, *, prepared: bool = False) -> Rms:
    """The database, checked and prepared; close it by `database.client.close()`.

    `prepared` says that whoever started this process saw to collections and indexes. Raises
    StoreError: not reachable, login refused, not a replica set, too old, not allowed. Its text
    never holds the URI's password.
    """
    # Its background threads log a traceback for each cursor that died with a server; what matters
    # of that is said by our own errors.
    logging.getLogger("pymongo.client").setLevel(logging.CRITICAL)
    with in_words(uri):
        database = reached(uri, name)
        try:
            if not prepared:
                prepare(database)
        except BaseException:
            database.client.close()
            raise
        return database


def reached(uri: str, name: Name) -> Rms:
    """The database of a server that is what rms-tui needs, as it stands: nothing is prepared.

    Raises StoreError, PyMongoError.
    """
    client = _client(uri)
    try:
        _check(client, uri)
    except BaseException:
        client.close()
        raise
    return opened(client, name)


def _client(uri: str) -> MongoClient[Document]:
    try:
        with warnings.catch_warnings():  # it would do without `tls=ture`, and say so on the screen
            warnings.filterwarnings("error", category=UserWarning, module="pymongo")
            return Client(
                uri,
                appname="rms-tui",
                tz_aware=True,
                retryWrites=True,
                w="majority",  # on the client: transactions take it from there
                **_timeouts(uri),
            )
    except UserWarning as warning:
        text = cleaned(str(warning), uri)
        raise StoreError(f"MongoDB settings {redacted(uri)}: {text}", final=True) from None
    except OSError as error:  # a file that the URI names
        raise StoreError(
            f"MongoDB settings {redacted(uri)}: {_unread(error, uri)}", final=True
        ) from None


def _unread(error: OSError, uri: str) -> str:
    """Which file of the URI, and why. The driver names the file, or only the option."""
    why = error.strerror if error.errno is None else os.strerror(error.errno)
    if error.filename:
        return f"{error.filename}: {why}"
    said = set(str(error).lower().split())
    for option in uri.partition("?")[2].split("&"):
        name, _, value = option.partition("=")
        if name.lower() in said:
            return f"{unquote_plus(value)}: {why}"
    return cleaned(str(error), uri)


def prepare(database: Rms) -> None:
    """Create what is missing: collections, validators, indexes. Any number may do it at once.

    Raises PyMongoError, and StoreError where documents stand twice that must be one.
    """
    present = {found["name"]: found for found in database.list_collections()}
    for name, wanted in COLLECTIONS.items():
        called = theirs(database, name)
        _validated(database, called, wanted, present.get(called))
        if wanted.indexes:
            try:
                database[name].create_indexes(list(wanted.indexes))
            except OperationFailure as failure:
                if failure.code == _STANDS_TWICE:
                    _name_clashes(database, name)
                raise


def _name_clashes(database: Rms, name: str) -> None:
    """Raises StoreError for documents that keep a unique index from being made."""
    from rms_tui.store.clashes import clashes, mend

    found = clashes(database, name)
    if found:
        said = "; ".join(map(str, found))
        raise StoreError(
            f"MongoDB database {database.name}: {said}: nothing is used and nothing changed till "
            f"then: {mend(database)}",
            final=True,
        )


Guard: TypeAlias = Callable[[ClientSession], object]
"""Raises when the writer of a transaction has lost the right to write; then nothing is written."""


def in_transaction(
    database: Rms, write: Callable[[ClientSession], T], guard: Guard | None = None
) -> T:
    """What `write` returns, all of it written by a majority or none. `write` may run again.

    `guard` comes first in the same transaction.

    Not the driver's `with_transaction`: that goes on for two minutes when the server is gone, and
    here whoever waits has a better way to go on. One that a lost server may have kept open is noted
    in its client, see `left_open`. Raises PyMongoError.
    """
    with database.client.start_session() as session:
        for attempt in range(ATTEMPTS):
            try:
                with session.start_transaction():
                    if guard is not None:
                        guard(session)
                    return write(session)
            except OperationFailure as failure:
                again = failure.has_error_label("TransientTransactionError")
                if not again or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(0.005 * 2**attempt)  # another writer has the same document
            except ConnectionFailure:
                leave(session)
                raise
    raise AssertionError("unreachable")


def let_go(database: Rms) -> None:
    """Close the connection without waiting for a server that is gone."""
    with pymongo.timeout(0.3):  # it says goodbye, perhaps to nobody
        database.client.close()


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Everything asked of MongoDB inside takes that long at most, together."""
    with pymongo.timeout(max(seconds, 0.1)):
        yield


@contextmanager
def in_words(uri: str) -> Iterator[None]:
    """Turn errors of the driver into StoreErrors that a person can act on, without secrets."""
    place = redacted(uri)
    try:
        yield
    except ServerSelectionTimeoutError as error:
        text = _brief(error, uri)
        hint = advice(text, uri)
        text += f" ({hint})" if hint else ""
        raise StoreError(f"no MongoDB answers at {place}: {text}") from None
    except (ConfigurationError, InvalidName) as error:
        text = cleaned(str(error), uri)
        raise StoreError(f"MongoDB settings {place}: {text}", final=True) from None
    except OperationFailure as error:
        raise StoreError(_refusal(error, place, uri)) from None
    except NetworkTimeout as error:
        raise StoreError(
            f"MongoDB at {place} is too slow to answer: {_brief(error, uri)}"
        ) from None
    except (PyMongoError, BSONError) as error:
        raise StoreError(f"MongoDB at {place}: {_brief(error, uri)}") from None
    except ValueError as error:  # the driver's complaint about a port or an option
        text = cleaned(str(error), uri)
        raise StoreError(f"MongoDB settings {place}: {text}", final=True) from None


def _brief(error: Exception, uri: str) -> str:
    """The driver's text without the settings and topology it appends, and without secrets."""
    text = str(error)
    for tail in (", Timeout:", " (configured timeouts", ", full error:"):
        text = text.partition(tail)[0]
    return cleaned(text, uri)


def _refusal(error: OperationFailure, place: str, uri: str) -> str:
    text = _brief(error, uri)
    if error.code == _REFUSED_LOGIN:
        return f"MongoDB at {place} refused the login: {text}"
    if error.code in (_NOT_ALLOWED, _UNKNOWN_TO_ATLAS):
        if "requires authentication" in text:
            return f"MongoDB at {place} wants a login: put user and password into RMS_MONGODB_URI"
        found = _COMMAND.search(text)
        what = f"{found['command']} on {found['on']}" if found else text
        return (
            f"MongoDB at {place} does not allow {what}: its user needs readWrite and dbAdmin "
            "there; `rms-tui doctor` names what is missing"
        )
    return f"MongoDB at {place} refused: {text}"


def _timeouts(uri: str) -> dict[str, Any]:
    """Ours in milliseconds, but for those the URI sets itself."""
    ours = {
        "serverSelectionTimeoutMS": SELECTION_S,
        "connectTimeoutMS": CONNECT_S,
        "socketTimeoutMS": SOCKET_S,
        "wTimeoutMS": MAJORITY_S,
    }
    theirs = uri.partition("?")[2].lower()
    return {
        name: int(seconds * 1000)
        for name, seconds in ours.items()
        if f"{name.lower()}=" not in theirs
    }


def _check(client: MongoClient[Document], uri: str) -> None:
    place = redacted(uri)
    hello: Mapping[str, Any] = client.admin.command("hello")
    if hello.get("isreplicaset"):
        raise StoreError(
            f"MongoDB at {place} waits for its replica set: run rs.initiate() in mongosh",
            final=True,
        )
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise StoreError(
            f"MongoDB at {place} is a standalone server: rms-tui needs a replica set (one node is "
            "enough) for change streams and transactions; start mongod with --replSet and run "
            "rs.initiate(), or unset RMS_MONGODB_URI for the embedded one",
            final=True,
        )
    version = tuple(client.server_info()["versionArray"][:2])
    if version < OLDEST:
        found, least = ".".join(map(str, version)), ".".join(map(str, OLDEST))
        raise StoreError(
            f"MongoDB at {place} is {found}: rms-tui needs {least} or newer", final=True
        )


def _validated(
    database: Rms, name: str, wanted: Collection, found: Mapping[str, Any] | None
) -> None:
    rules: Document = {
        "validator": wanted.validator,
        "validationLevel": "strict",
        "validationAction": "error",
    }
    if found is None:
        try:
            database.create_collection(name, check_exists=False, **rules)
        except OperationFailure as failure:
            if failure.code != _NAMESPACE_EXISTS:
                raise
        else:
            return
    elif found.get("options", {}).get("validator") == rules["validator"]:
        return
    database.command("collMod", name, **rules)
