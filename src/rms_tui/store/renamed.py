"""A database by its name, where its collections may be called otherwise than here.

For a firm whose documents stand in collections of other names, or whose database has collections
of its own of ours. Everything in this folder says `database.elements` and means what is called so
in the settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database


@dataclass(frozen=True, slots=True)
class Names:
    """What a database is called, and by our names those of its collections that differ."""

    database: str
    collections: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.database


Name: TypeAlias = str | Names
"""A database; a plain text where its collections are called as here."""


class Renamed(Database[dict[str, Any]]):
    """A database whose collections are asked for by our names."""

    def __init__(self, client: MongoClient[dict[str, Any]], names: Names) -> None:
        super().__init__(client, names.database)
        self._theirs = dict(names.collections)
        self._ours = {theirs: ours for ours, theirs in names.collections.items()}

    def __getitem__(self, name: str) -> Collection[dict[str, Any]]:
        return super().__getitem__(self._theirs.get(name, name))

    def theirs(self, name: str) -> str:
        """What our collection is called there."""
        return self._theirs.get(name, name)

    def ours(self, name: str) -> str:
        """What we call a collection of theirs."""
        return self._ours.get(name, name)


def opened(client: MongoClient[dict[str, Any]], name: Name) -> Database[dict[str, Any]]:
    """The database of a client. Asks it nothing."""
    if isinstance(name, str) or not name.collections:
        return client.get_database(str(name))
    return Renamed(client, name)


def theirs(database: Database[dict[str, Any]], name: str) -> str:
    """What our collection is called in this database: for commands and change streams."""
    return database.theirs(name) if isinstance(database, Renamed) else name


def ours(database: Database[dict[str, Any]], name: str) -> str:
    """What we call a collection of this database: of an event of a change stream."""
    return database.ours(name) if isinstance(database, Renamed) else name
