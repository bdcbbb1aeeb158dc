"""Profiles of accounts' own, on their elements: who gave which, and who hears of it.

Assigning is a fact: written in a transaction with its `audit` row, whose id is made from the fact
itself. Limits are stored as they were given; whoever judges by them validates them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b

from pymongo import UpdateOne
from pymongo.client_session import ClientSession

from rms_tui.facts import OwnProfile, ProfileChange
from rms_tui.store.database import Document, Rms, in_transaction
from rms_tui.store.elements import Source
from rms_tui.store.schema import Status
from rms_tui.store.values import instant, text


def assign(database: Rms, change: ProfileChange, source: Source) -> bool:
    """Write an account's own profile, or that it has none any more; False when this very fact
    was written before. Raises ValueError for a change without a server, PyMongoError."""
    if not change.server:
        raise ValueError(f"login {change.login}: expected the name of its server, got none")
    server, at = text(change.server), _id(change)
    profile = _plain(change.profile)

    def write(session: ClientSession) -> bool:
        if database.audit.find_one({"_id": at}, session=session) is not None:
            return False
        row = {
            "_id": at,
            "action": "profile",
            "login": change.login,
            "server": server,
            "operator": text(change.operator) or "?",
            "at": instant(change.at),
            "profile": profile,
        }
        database.audit.insert_one(row, session=session)
        first = {
            "source": source,
            "status": Status.PENDING.value,
            "created_by": None,
            "error": None,
        }
        set_or_not: Document = (
            {"$unset": {"profile": ""}} if profile is None else {"$set": {"profile": profile}}
        )
        update = {**set_or_not, "$setOnInsert": first, "$currentDate": {"updated_at": True}}
        where = {"login": change.login, "server": server}
        database.elements.bulk_write([UpdateOne(where, update, upsert=True)], session=session)
        return True

    return in_transaction(database, write)


def with_changes(
    own: Mapping[int, OwnProfile], changes: Iterable[ProfileChange]
) -> dict[int, OwnProfile]:
    """The accounts' own profiles after changes that are not written yet, in order."""
    made = dict(own)
    for change in changes:
        made.pop(change.login, None)
        if change.profile is not None:
            made[change.login] = change.profile
    return made


def _plain(profile: OwnProfile | None) -> str | Document | None:
    return text(profile) if isinstance(profile, str) else None if profile is None else dict(profile)


def _id(change: ProfileChange) -> str:
    body = json.dumps(_plain(change.profile), sort_keys=True, default=str)
    at = round(change.at * 1000)
    fact = f"profile|{change.server}|{change.login}|{body}|{at}|{change.operator}"
    return blake2b(fact.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
