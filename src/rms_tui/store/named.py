"""Ids of elements and instances as text: in a command line, and back."""

from __future__ import annotations

import re
from typing import Any

from bson import ObjectId, encode, json_util
from bson.errors import BSONError

from rms_tui.store.database import Document, Rms

_WHOLE = re.compile(r"-?[0-9]{1,19}")


def id_text(value: Any) -> str:
    """An id as one word: the text itself, the hex of an ObjectId, else extended JSON."""
    return str(value) if isinstance(value, str | int | ObjectId) else json_util.dumps(value)


def key_of(value: Any) -> Any:
    """An id as a key of a dict: MongoDB allows documents as ids, Python does not."""
    return value if not isinstance(value, dict | list) else id_text(value)


def ids_of(word: str) -> list[Any]:
    """What the word may stand for, the likeliest first."""
    found: list[Any] = [ObjectId(word)] if ObjectId.is_valid(word) else []
    found.append(word)
    if _WHOLE.fullmatch(word) and -(2**63) <= int(word) < 2**63:
        found.append(int(word))
    try:
        read = json_util.loads(word)
        encode({"_id": read})  # what MongoDB cannot hold is nobody's id
    except (ValueError, BSONError, TypeError, OverflowError):
        return found
    return [*found, read]


def named(database: Rms, element: str, instance: str) -> tuple[Document | None, Document | None]:
    """The two documents of these words, None where there is none. Raises PyMongoError."""
    return (
        database.elements.find_one({"_id": {"$in": ids_of(element)}}),
        database.instances.find_one({"_id": {"$in": ids_of(instance)}}),
    )
