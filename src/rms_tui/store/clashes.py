"""Documents that are one and the same to rms-tui, and stand there twice: no index can be made.

Another program may have inserted them before any rms-tui had MongoDB check it. Which of them is
meant, only a person knows: they are named, and none is touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rms_tui.store.database import Document, Rms
from rms_tui.store.named import id_text
from rms_tui.store.renamed import theirs
from rms_tui.store.schema import COLLECTIONS

MOST = 5
SHOWN = 4
"""How many of each are named; there may be thousands."""


@dataclass(frozen=True, slots=True)
class Clash:
    """Documents of one collection (called as it is in the database) that must be one."""

    collection: str
    ids: tuple[Any, ...]
    count: int
    same: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        ids = ", ".join(repr(id_text(one))[1:-1] for one in self.ids)
        more = f" and {self.count - len(self.ids)} more" if self.count > len(self.ids) else ""
        same = ", ".join(f"{field} {value!r}" for field, value in self.same)
        return f"{self.collection} {ids}{more} all have {same}"


def clashes(database: Rms, name: str, most: int = MOST) -> list[Clash]:
    """Those that keep a collection from its unique indexes, the first so many.

    Raises PyMongoError.
    """
    found: list[Clash] = []
    for index in (made.document for made in COLLECTIONS[name].indexes):
        if not index.get("unique"):
            continue
        fields = list(index["key"])
        asked: list[Document] = [
            {"$match": index.get("partialFilterExpression", {})},
            *(
                {"$unwind": {"path": f"${field}", "preserveNullAndEmptyArrays": True}}
                for field in fields
            ),
            {
                "$group": {
                    "_id": [f"${field}" for field in fields],
                    "ids": {"$addToSet": "$_id"},
                }
            },
            {"$set": {"count": {"$size": "$ids"}}},
            {"$match": {"count": {"$gt": 1}}},
            {"$sort": {"_id": 1}},
            {"$limit": most - len(found)},
        ]
        for one in database[name].aggregate(asked, allowDiskUse=True):
            ids = tuple(sorted(one["ids"], key=id_text)[:SHOWN])
            same = tuple(zip(fields, one["_id"], strict=True))
            found.append(Clash(theirs(database, name), ids, one["count"], same))
        if len(found) >= most:
            break
    return found


def all_clashes(database: Rms) -> list[Clash]:
    """Those of every collection. Raises PyMongoError."""
    return [one for name in COLLECTIONS for one in clashes(database, name)]


def mend(database: Rms) -> str:
    """What a person does about them, in mongosh."""
    return (
        "keep one of each and delete the others with mongosh: "
        f'db.getSiblingDB("{database.name}").COLLECTION.deleteOne({{_id: ID}}), '
        'an ID of 24 hexadecimal digits written as ObjectId("…")'
    )
