"""What a supervisor sets right in the fleet's documents: gaps, edits, and what fell silent.

Every function may be called by any number of supervisors at once, as often as they like: each
change names what it found, so that it is made once. Times are the server's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import ASCENDING

from rms_tui.store.claims import (
    FREE,
    MILLISECONDS,
    OCCUPIED,
    Claim,
    Ending,
    Patience,
    give_back,
    tried,
)
from rms_tui.store.database import Document, Rms
from rms_tui.store.schema import PASSWORD, Status, fitting
from rms_tui.store.status import SILENT_AFTER

UNDECIDED = {"status": {"$in": [Status.ACTIVE, Status.BREACHED, Status.TARGET_REACHED]}}
_REFUSED = [Status.ERROR.value, Status.PENDING.value]
_TERMINAL = {"source": "terminal"}
_ELEMENT, _INSTANCE = fitting("elements"), fitting("instances")


@dataclass(frozen=True, slots=True)
class Swept:
    """What fell silent: claims that were ended, elements without one that are INACTIVE now."""

    ended: list[Claim] = field(default_factory=list)
    orphaned: int = 0
    inactive: int = 0


_MADE = {
    "$cond": [
        {"$eq": [{"$type": "$_id"}, "objectId"]},
        {"$max": [{"$subtract": ["$$NOW", 60_000]}, {"$min": ["$$NOW", {"$toDate": "$_id"}]}]},
        "$$NOW",
    ]
}
"""When a document was made, by its id and at most a minute ago: the clock of who made it may be
wrong. So those who came together wait in the order they came in, whichever supervisor saw them."""


def fill_in(database: Rms) -> int:
    """Complete elements that a person inserted with less than all fields; how many."""
    bare = [{"status": {"$in": [None]}}, {"source": {"$in": [None]}}]
    whole = {
        "status": {"$ifNull": ["$status", Status.PENDING.value]},
        "source": {"$ifNull": ["$source", "terminal"]},
        "updated_at": _MADE,
    }
    done = database.elements.update_many({"$or": bare, **_ELEMENT}, [{"$set": whole}])
    return int(done.modified_count)


def forget_passwords(database: Rms) -> int:
    """Erase passwords of removed elements, whoever set them REMOVED; how many."""
    asked = {"status": Status.REMOVED.value, "password": {"$type": "binData"}, **_ELEMENT}
    done = database.elements.update_many(asked, {"$unset": dict.fromkeys(PASSWORD, "")})
    return int(done.modified_count)


def revive(database: Rms) -> int:
    """Have elements tried again, at once, whose login was refused and edited since; how many."""
    fields = {"login": 1, "server": 1, "password": 1, "password_at": 1, "investor": 1, "tried": 1}
    refused = {"status": {"$in": _REFUSED}, "instance": None, "tried": {"$type": "string"}}
    asked = {**refused, **_TERMINAL, **_ELEMENT}
    count = 0
    for element in database.elements.find(asked, fields):
        if element["tried"] == tried(element):
            continue
        anew = {"status": Status.PENDING.value, "error": None, "retry_at": None, "failures": 0}
        done = database.elements.update_one(
            {"_id": element["_id"], **refused, "tried": element["tried"]},
            {
                "$set": {**anew, "refused": 0, "tried": None, "failed_on": None},
                "$currentDate": {"updated_at": True},
            },
        )
        count += done.modified_count
    return count


def waiting(database: Rms, most: int) -> list[Any]:
    """Ids of elements that want an instance now, those that wait longest first."""
    asked = {
        "status": Status.PENDING.value,
        "instance": None,
        **_TERMINAL,
        "$expr": {"$lte": ["$retry_at", "$$NOW"]},
        **_ELEMENT,
    }
    order = [("updated_at", ASCENDING), ("_id", ASCENDING)]
    return [found["_id"] for found in database.elements.find(asked, {"_id": 1}).sort(order)[:most]]


def free_instances(database: Rms, host: str) -> int:
    """How many instances of this host could be taken now."""
    due = {"$expr": {"$lte": ["$retry_at", "$$NOW"]}}
    asked = {"host": host, "status": FREE, **due, **_INSTANCE}
    return database.instances.count_documents(asked)


def sweep(database: Rms, silent: float, patience: Patience) -> Swept:
    """End claims whose worker did not ping for `silent` seconds, of any host.

    An element whose instance is gone wants another one; one that was silent without any claim is
    INACTIVE (its desk writes it at least each minute).
    """
    made = Swept()
    for instance in database.instances.find({"status": OCCUPIED, **_silent(silent), **_INSTANCE}):
        held = claim_of(instance)
        why = f"no ping for {silent:g} s"
        if give_back(database, held, Ending.SILENT, patience, why, while_true=_silent(silent)):
            made.ended.append(held)
    return Swept(made.ended, _orphans(database, silent), _deserted(database, silent))


def _orphans(database: Rms, silent: float) -> int:
    """Elements on an instance that does not know them (any more)."""
    asked: Document = {"instance": {"$ne": None}, **_silent(silent), **_ELEMENT}
    count = 0
    for element in database.elements.find(asked, {"instance": 1, "term": 1, "status": 1}):
        held = {"_id": element["instance"], "element": element["_id"], "term": element.get("term")}
        if database.instances.find_one({**held, "status": OCCUPIED}, {"_id": 1}) is not None:
            continue
        found = {"_id": element["_id"], "instance": element["instance"], "term": held["term"]}
        ended = (Status.REMOVED.value, Status.ERROR.value)
        status = element["status"] if element.get("status") in ended else Status.PENDING.value
        done = database.elements.update_one(
            {**found, **_silent(silent)},
            {
                "$set": {"instance": None, "status": status},
                "$inc": {"term": 1},
                "$currentDate": {"updated_at": True},
            },
        )
        count += done.modified_count
    return count


def _deserted(database: Rms, silent: float) -> int:
    done = database.elements.update_many(
        {"instance": None, **UNDECIDED, **_silent(max(silent, SILENT_AFTER)), **_ELEMENT},
        {"$set": {"status": Status.INACTIVE.value}, "$currentDate": {"updated_at": True}},
    )
    return int(done.modified_count)


def claimed_here(
    database: Rms, host: str, supervisor: str, known: Collection[tuple[Any, int]], quiet: float
) -> list[tuple[Claim, Mapping[str, Any]]]:
    """Claims of this host that may have no worker, with their instance documents.

    Those this very supervisor made and knows nothing of (its answer was lost), and those of others
    that have not pinged for `quiet` seconds: whether their process lives is for the host to say.
    """
    mine = {"host": host, "status": OCCUPIED, **_INSTANCE}
    asked = {**mine, "$or": [{"supervisor.id": supervisor}, _silent(quiet)]}
    found = [(claim_of(instance), instance) for instance in database.instances.find(asked)]
    return [(held, doc) for held, doc in found if held.key not in known]


def claim_of(instance: Mapping[str, Any]) -> Claim:
    """The claim that an OCCUPIED instance stands for."""
    return Claim(
        instance.get("element"),
        instance["_id"],
        instance.get("term") or 0,
        str(instance.get("host") or ""),
        str(instance.get("path") or ""),
        bool(instance.get("portable")),
    )


def _silent(seconds: float) -> Document:
    oldest = {"$subtract": ["$$NOW", round(seconds * MILLISECONDS)]}
    return {"$expr": {"$lt": ["$last_ping", oldest]}}
