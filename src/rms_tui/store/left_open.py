"""Transactions that a server was left with: a client that lost it could neither commit nor abort.

The server goes on holding their documents, for a minute unless it is set up otherwise. Among them
is the lease of a book, so that nobody could write, renew or take over for that long. Whoever comes
back with a new connection ends them first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure


class Client(MongoClient[dict[str, Any]]):
    """A client that remembers the sessions of transactions that it left open."""

    def __init__(self, *given: Any, **options: Any) -> None:
        self.left_open: list[Mapping[str, Any]] = []
        super().__init__(*given, **options)


def leave(session: ClientSession) -> None:
    """The server may still have this session's transaction."""
    if isinstance(session.client, Client):
        session.client.left_open.append(session.session_id)


def left_open(client: MongoClient[Any]) -> Sequence[Mapping[str, Any]]:
    """The sessions of transactions that this client left."""
    return tuple(client.left_open) if isinstance(client, Client) else ()


def end(client: MongoClient[Any], sessions: Sequence[Mapping[str, Any]]) -> None:
    """End what sessions of this user left. Nothing where they are over. Raises PyMongoError."""
    if not sessions:
        return
    with suppress(OperationFailure):  # a server that does not let us ends them by itself
        client.admin.command("killSessions", list(sessions))
