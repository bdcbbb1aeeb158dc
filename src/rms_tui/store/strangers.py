"""Documents of the fleet's collections that are none of its own, and what is wrong with each.

An older program's, or inserted before any rms-tui had MongoDB check them. Nobody may change them
(MongoDB refuses it), so they are left alone and named: nothing is lost without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from rms_tui.store.database import Document, Rms
from rms_tui.store.named import id_text, key_of
from rms_tui.store.schema import COLLECTIONS, fitting

Kind: TypeAlias = Literal["elements", "instances"]

KINDS: Mapping[Kind, str] = {"elements": "element", "instances": "instance"}
MOST = 20


@dataclass(frozen=True, slots=True)
class Stranger:
    """One document that does not fit, with the fields that are missing or of another kind."""

    kind: Kind
    id: Any
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"no {KINDS[self.kind]}, left alone: {', '.join(self.fields)} wrong or missing"


def strangers(database: Rms, kind: Kind, most: int = MOST) -> list[Stranger]:
    """Those of a collection, the first so many by id. Raises PyMongoError."""
    asked: Document = {"$nor": [fitting(kind)]}
    ids = [one["_id"] for one in database[kind].find(asked, {"_id": 1}).sort("_id").limit(most)]
    if not ids:
        return []
    wrong: dict[Any, list[str]] = {key_of(id_): [] for id_ in ids}
    rules = COLLECTIONS[kind]
    for name, rule in rules.properties.items():
        needed = {"required": [name]} if name in rules.required else {}
        one: Document = {"$jsonSchema": {"properties": {name: dict(rule)}, **needed}}
        for found in database[kind].find({"_id": {"$in": ids}, "$nor": [one]}, {"_id": 1}):
            wrong[key_of(found["_id"])].append(name)
    return [Stranger(kind, id_, tuple(wrong[key_of(id_)])) for id_ in ids]


def all_strangers(database: Rms) -> list[Stranger]:
    """Those among elements, then those among instances. Raises PyMongoError."""
    return [one for kind in KINDS for one in strangers(database, kind)]


def in_a_line(found: list[Stranger]) -> str:
    """Which and what of them, for a log: `elements 5: login wrong or missing; instances 7: …`."""
    return "; ".join(
        f"{one.kind} {id_text(one.id)}: {', '.join(one.fields)} wrong or missing" for one in found
    )
