"""What MongoDB itself refuses: a `$jsonSchema` for each collection, and the indexes.

Fields that are not named here are allowed: older and newer writers share the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pymongo import ASCENDING, DESCENDING, IndexModel


class Status(StrEnum):
    """Where an element is in its life (`fleet.md`)."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    BREACHED = "BREACHED"
    TARGET_REACHED = "TARGET_REACHED"
    INACTIVE = "INACTIVE"
    ERROR = "ERROR"
    REMOVED = "REMOVED"


PASSWORD = ("password", "password_at")
"""What of an element goes with its password."""

SOURCES = ("manager", "terminal", "simulator", "replay")

Schema = Mapping[str, Any]

_TEXT: Schema = {"bsonType": "string", "minLength": 1}
_OPTIONAL_TEXT: Schema = {"bsonType": ["string", "null"]}
_LOGIN: Schema = {"bsonType": ["int", "long"], "minimum": 0}
_NUMBER: Schema = {"bsonType": ["double", "int", "long", "decimal", "null"]}
_TIME: Schema = {"bsonType": ["date", "null"]}
_TERM: Schema = {"bsonType": ["int", "long"], "minimum": 0, "maximum": 2**53}  # it is counted on

_FIGURES = (
    "balance", "credit", "equity", "margin", "free_margin", "margin_level", "profit", "floating",
    "day_profit",
)  # fmt: skip


_SOME_TEXT: Schema = {"$gt": ""}


def _one_of_each(name: str, fields: Mapping[str, Schema]) -> IndexModel:
    """A unique index over documents that have these fields.

    Of others, of an older program, there may be many: they are left alone, and must not keep the
    index from being made.
    """
    keys = [(field, ASCENDING) for field in fields]
    return IndexModel(keys, name=name, unique=True, partialFilterExpression=dict(fields))


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection's rules: required fields, the types of known ones, and its indexes."""

    required: Sequence[str]
    properties: Mapping[str, Schema]
    indexes: Sequence[IndexModel] = ()

    @property
    def validator(self) -> dict[str, Any]:
        return {
            "$jsonSchema": {
                "bsonType": "object",
                "required": list(self.required),
                "properties": {name: dict(rule) for name, rule in self.properties.items()},
            }
        }


COLLECTIONS: Mapping[str, Collection] = {
    "elements": Collection(
        ("login", "server"),  # what a person inserts; a supervisor fills in the rest
        {
            "login": _LOGIN,
            "server": _TEXT,
            "source": {"enum": list(SOURCES)},
            "status": {"enum": [status.value for status in Status]},
            "password": {"bsonType": ["binData", "null"]},
            "password_at": _TIME,  # when it was given; a rotation of keys leaves it
            "investor": {"bsonType": ["bool", "null"]},
            "profile": {"bsonType": ["string", "object", "null"]},
            "risk": {
                "bsonType": ["object", "null"],
                "required": ["state"],
                "properties": {
                    "state": _TEXT,
                    "rule": _OPTIONAL_TEXT,
                    "reason": _OPTIONAL_TEXT,
                    "value": _NUMBER,
                    "limit": _NUMBER,
                    "since": _TIME,
                },
            },
            "account": {
                "bsonType": ["object", "null"],
                "properties": dict.fromkeys(_FIGURES, _NUMBER),
            },
            "term": _TERM,
            "failures": _TERM,
            "refused": _TERM,
            "retry_at": _TIME,
            "last_ping": _TIME,
            "updated_at": _TIME,
            "created_by": _OPTIONAL_TEXT,
            "error": _OPTIONAL_TEXT,
        },
        (
            _one_of_each("one_account", {"login": {"$gte": 0}, "server": _SOME_TEXT}),
            IndexModel([("login", ASCENDING)]),
            IndexModel([("server", ASCENDING), ("status", ASCENDING)]),
            IndexModel([("status", ASCENDING), ("instance", ASCENDING)]),
            IndexModel(
                [("server", ASCENDING), ("profile", ASCENDING)],
                name="own_profiles",
                partialFilterExpression={"profile": {"$exists": True}},
            ),
        ),
    ),
    "instances": Collection(
        ("host", "path", "status"),
        {
            "host": _TEXT,
            "path": _TEXT,
            "portable": {"bsonType": ["bool", "null"]},
            "status": {"enum": ["FREE", "OCCUPIED", "FAULTY"]},
            "pid": {"bsonType": ["int", "long", "null"]},
            "supervisor": {"bsonType": ["object", "null"]},
            "term": _TERM,
            "failures": _TERM,
            "restarts": _TERM,
            "retry_at": _TIME,
            "last_ping": _TIME,
            "error": _OPTIONAL_TEXT,
        },
        (
            _one_of_each("one_terminal", {"host": _SOME_TEXT, "path": _SOME_TEXT}),
            IndexModel([("status", ASCENDING), ("host", ASCENDING)]),
        ),
    ),
    "claims": Collection(  # append-only: who had what, from when to when, and why it ended
        ("event", "element", "instance", "term"),
        {"event": {"enum": ["claimed", "ended"]}, "term": _TERM, "at": _TIME},
        (
            IndexModel([("element", ASCENDING), ("term", ASCENDING)]),
            IndexModel([("instance", ASCENDING), ("term", ASCENDING)]),
            IndexModel([("at", ASCENDING)], expireAfterSeconds=90 * 86_400),
        ),
    ),
    "streams": Collection(("_id",), {"_id": _TEXT, "token": {"bsonType": ["object", "null"]}}),
    "positions": Collection(
        ("positions", "time"), {"positions": {"bsonType": "array"}, "time": _TIME}
    ),
    "alerts": Collection(
        ("_id", "login", "server", "rule", "severity", "stage", "raised_at", "changed_at"),
        {
            "_id": _TEXT,
            "login": _LOGIN,
            "server": _TEXT,
            "rule": _TEXT,
            "severity": {"enum": ["reached", "warning", "critical", "breach"]},
            "stage": {"enum": ["raised", "acknowledged", "snoozed", "recovered", "closed"]},
            "open": {"bsonType": "bool"},
            "value": _NUMBER,
            "limit": _NUMBER,
            "used": _NUMBER,
            "distance": _NUMBER,
            "raised_at": {"bsonType": "date"},
            "changed_at": {"bsonType": "date"},
            "recovered_at": _TIME,
            "acknowledged_at": _TIME,
            "snoozed_at": _TIME,
            "snoozed_until": _TIME,
            "escalated_at": _TIME,
            "closed_at": _TIME,
            "operator": _OPTIONAL_TEXT,
            "note": _OPTIONAL_TEXT,
        },
        (
            IndexModel(  # one open alert an episode, however many processes raise it
                [("server", ASCENDING), ("login", ASCENDING), ("key", ASCENDING)],
                unique=True,
                partialFilterExpression={"open": True},
            ),
            IndexModel(
                [("login", ASCENDING), ("server", ASCENDING), ("raised_at", DESCENDING)]
            ),
            IndexModel([("stage", ASCENDING), ("raised_at", DESCENDING)]),
            IndexModel([("raised_at", DESCENDING)]),
        ),
    ),
    "evidence": Collection(
        ("_id", "alert", "severity", "at"),
        {"_id": _TEXT, "alert": _TEXT, "severity": _TEXT, "at": {"bsonType": "date"}},
        (IndexModel([("alert", ASCENDING), ("at", ASCENDING)]),),
    ),
    "memory": Collection(("login", "server"), {"login": _LOGIN, "server": _TEXT}, (
        IndexModel([("login", ASCENDING), ("server", ASCENDING)]),
        IndexModel([("server", ASCENDING), ("entered_at", ASCENDING)], sparse=True),
    )),
    "watches": Collection(("_id",), {"_id": _TEXT, "until": _TIME}),
    "audit": Collection(
        ("_id", "action", "operator", "at"),
        {
            "_id": _TEXT,
            "action": _TEXT,
            "operator": _TEXT,
            "at": {"bsonType": "date"},
            "login": _LOGIN,
            "server": _TEXT,
        },
        (
            IndexModel([("at", DESCENDING)]),
            IndexModel([("login", ASCENDING), ("server", ASCENDING), ("at", DESCENDING)]),
        ),
    ),
    "keys": Collection(  # data keys, as MongoDB's encryption writes them
        ("_id", "keyMaterial", "masterKey"),
        {"keyMaterial": {"bsonType": "binData"}, "masterKey": {"bsonType": "object"}},
        (
            IndexModel(
                [("keyAltNames", ASCENDING)],
                unique=True,
                partialFilterExpression={"keyAltNames": {"$exists": True}},
            ),
        ),
    ),
    "leases": Collection(
        ("_id", "term"), {"_id": _TEXT, "holder": _OPTIONAL_TEXT, "term": _TERM, "expires": _TIME}
    ),
}  # fmt: skip


def fitting(name: str) -> dict[str, Any]:
    """The query for documents of a collection that are what rms-tui means by them.

    Others may stand there: of an older program, or inserted before any rms-tui looked at it. They
    are left alone, since MongoDB refuses every change of them.
    """
    return COLLECTIONS[name].validator
