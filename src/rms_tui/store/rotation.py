"""Making keys and changing them, while every reader goes on reading.

A new data key is used for what is encrypted from now on, then each password is encrypted again by
it; the former data key stays until nothing needs it. A new master key stands beside the former
until every data key is wrapped by it, then takes its place. After a crash between any two steps
everything can be read, and doing it again finishes it.

Each function that changes something yields a sentence after each step that is done for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from bson.binary import Binary
from pymongo.errors import DuplicateKeyError

from rms_tui.plural import counted
from rms_tui.store.database import Document, Rms
from rms_tui.store.errors import SecretsError
from rms_tui.store.master_key import MasterKey, beside, keys_in, succeed, write_new
from rms_tui.store.secrets import (
    KEYS,
    DataKey,
    Vault,
    data_keys,
    key_of,
    open_vault,
    place_of,
)
from rms_tui.store.values import text

UNDER_WAY = "master-key"
"""The document of `leases` that says which master key is taking over."""

ANOTHER = "A new key is made by `rms-tui secrets rotate`"

_WITH_PASSWORD = {"password": {"$type": "binData"}}


def init(database: Rms, file: Path) -> Iterator[str]:
    """The first master key and the first data key of a database.

    Raises SecretsError when they are there already, PyMongoError.
    """
    present = data_keys(database)
    if present:
        what = f"{place_of(database)} has data keys already"
        if file.exists() and present[0].master in {one.name for one in keys_in(file)}:
            raise SecretsError(f"{what}, and {file} opens them: nothing is to be done. {ANOTHER}")
        raise SecretsError(
            f"{what}, wrapped by master key {present[0].master}: copy that key file to {file}. "
            f"{ANOTHER}"
        )
    if file.exists():
        keys_in(file)
        yield f"the master key of {file} is used: it was there already"
    else:
        made = write_new(file)
        yield f"master key {made.name} made: {file}"
    with _Opened(database, file) as vault:
        key = _new_data_key(vault, 1, vault.masters[0])
    yield f"data key {key} made in {place_of(database)}"


def change_data_key(database: Rms, file: Path) -> Iterator[str]:
    """A new data key, and every password encrypted by it.

    Raises SecretsError: no key yet, another rotation made one at this moment; PyMongoError.
    """
    with _Opened(database, file) as vault:
        present = _usable(database, vault)
        _refuse_meanwhile(database, vault)
        # not the next master key, where one was prepared: other hosts may not have it yet
        master = next(one for one in vault.masters if one.name == present[0].master)
        key = _new_data_key(vault, present[0].generation + 1, master)
        try:
            _refuse_meanwhile(database, vault)
        except SecretsError:
            database[KEYS].delete_one({"_id": Binary.from_uuid(key)})
            raise
        yield f"data key {key} made"
        unreadable: set[Any] = set()
        count = 0
        while others := _by_other_keys(database, key, unreadable):
            for element in others:
                if _moved(database, vault, key, element, unreadable):
                    count += 1
                    yield f"password of {element['login']} on {element['server']} encrypted again"
        yield f"{counted(count, 'password')} encrypted with data key {key}"
        if unreadable:
            yield (
                f"{counted(len(unreadable), 'password')} nobody can read, left as before: see "
                "`rms-tui secrets status`"
            )
        for former in _forgotten(database):
            yield f"data key {former} deleted: no password needs it"


def prepare_master(database: Rms, file: Path) -> Iterator[str]:
    """The next master key beside the present one, not used yet: to be copied to other hosts.

    Raises SecretsError, PyMongoError.
    """
    with _Opened(database, file) as vault:
        _usable(database, vault)
    yield _next_in_place(file)[1]


def change_master(database: Rms, file: Path, operator: str) -> Iterator[str]:
    """A new master key, every data key wrapped by it, and the file replaced.

    Goes on where a former one was interrupted; on a host where only the files are left to be
    changed, changes them. Raises SecretsError: a change to another key is under way, a data key
    that no master key here opens; PyMongoError.
    """
    with _Opened(database, file) as vault:
        _usable(database, vault)
        # a change that was done but for saying so
        database.leases.delete_one({"_id": UNDER_WAY, "holder": vault.masters[0].name})
        following, said = _next_in_place(file)
        yield said
        vault.reload()
        _announce(database, following, operator)
        yield f"master key {following.name} is taking over"
        while pending := [key for key in data_keys(database) if key.master != following.name]:
            for key in pending:
                _refuse_unopened(database, vault, [key])
                vault.rewrap(key.id, following)
                yield f"data key {key.id} wrapped by master key {following.name}"
        former = vault.masters[0]
        if former.file != file or former.name != following.name:
            kept = succeed(file, former)
            yield f"master key {following.name} is in {file}" + (
                f"; the former one is in {kept}: delete it when no backup needs it" if kept else ""
            )
        elif beside(file).exists():  # the same key twice: it was copied over the former one
            beside(file).unlink()
            yield f"{beside(file)} was deleted: {file} holds the same key"
        database.leases.delete_one({"_id": UNDER_WAY, "holder": following.name})
        yield "the master key was changed"


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A data key, whether it opens here, and how many passwords it encrypts."""

    key: DataKey
    opens: bool
    current: bool
    passwords: int


@dataclass(frozen=True, slots=True)
class State:
    """All keys, and every password that cannot be read: (login, server, why)."""

    masters: tuple[MasterKey, ...]
    uses: tuple[KeyUse, ...]
    readable: int
    without: int
    unreadable: tuple[tuple[int, str, str], ...]
    taking_over: str | None


def state(database: Rms, file: Path) -> State:
    """What stands where, found by decrypting every password. Raises SecretsError, PyMongoError."""
    with _Opened(database, file) as vault:
        counts: Counter[UUID | None] = Counter()
        unreadable = []
        fields = {"login": 1, "server": 1, "password": 1}
        for element in database.elements.find(_WITH_PASSWORD, fields).sort("login"):
            counts[key_of(element["password"])] += 1
            try:
                vault.decrypt(element["password"])
            except SecretsError as error:
                if error.transient:
                    raise
                unreadable.append((int(element["login"]), str(element["server"]), error.text))
        present = data_keys(database)
        names = {master.name for master in vault.masters}
        uses = tuple(
            KeyUse(key, key.master in names, key == present[0], counts[key.id]) for key in present
        )
        marker = database.leases.find_one({"_id": UNDER_WAY})
        return State(
            masters=vault.masters,
            uses=uses,
            readable=counts.total() - len(unreadable),
            without=database.elements.count_documents({}) - counts.total(),
            unreadable=tuple(unreadable),
            taking_over=None if marker is None else str(marker["holder"]),
        )


class _Opened:
    """A vault for the length of a block."""

    def __init__(self, database: Rms, file: Path) -> None:
        self._vault = open_vault(database, file)

    def __enter__(self) -> Vault:
        return self._vault

    def __exit__(self, *_why: object) -> None:
        self._vault.close()


def _usable(database: Rms, vault: Vault) -> list[DataKey]:
    present = data_keys(database)
    if not present:
        raise SecretsError(f"no data key in {place_of(database)}: run `rms-tui secrets init`")
    _refuse_unopened(database, vault, present)
    return present


def _refuse_unopened(database: Rms, vault: Vault, keys: list[DataKey]) -> None:
    """A key that cannot be opened here would stay behind, or be lost with its master key."""
    here = {master.name for master in vault.masters}
    for key in keys:
        if key.master not in here:
            raise SecretsError(
                f"data key {key.id} of {place_of(database)} is wrapped by master key "
                f"{key.master}, which is not on this host: copy its key file here first"
            )


def _refuse_meanwhile(database: Rms, vault: Vault) -> None:
    """A data key made while the master key changes might be left behind with the former one."""
    vault.reload()
    marker = database.leases.find_one({"_id": UNDER_WAY})
    if marker is not None and marker["holder"] != vault.masters[0].name:
        raise SecretsError(
            f"master key {marker['holder']} is taking over, begun by {marker.get('operator')}: let "
            "`rms-tui secrets rotate --master` finish on the host that has it, then try again"
        )


def _new_data_key(vault: Vault, generation: int, master: MasterKey) -> UUID:
    key = vault.create_key(generation, master)
    if key is None:
        raise SecretsError(
            f"another process made data key number {generation} at this moment: look at `rms-tui "
            "secrets status` and try again"
        )
    return key


def _by_other_keys(database: Rms, key: UUID, unreadable: set[Any]) -> list[Document]:
    fields = {"login": 1, "server": 1, "password": 1}
    return [
        element
        for element in database.elements.find(_WITH_PASSWORD, fields)
        if key_of(element["password"]) != key and element["_id"] not in unreadable
    ]


def _moved(database: Rms, vault: Vault, key: UUID, element: Document, unreadable: set[Any]) -> bool:
    """Encrypt a password by `key`, unless somebody gave another one meanwhile."""
    try:
        value = vault.again(element["password"], key)
    except SecretsError as error:
        if error.transient:
            raise
        unreadable.add(element["_id"])
        return False
    as_it_was = {"_id": element["_id"], "password": element["password"]}
    done = database.elements.update_one(as_it_was, {"$set": {"password": value}})
    return done.modified_count == 1


def _forgotten(database: Rms) -> Iterator[UUID]:
    """Delete data keys that no password needs.

    Not the last former one: another process may have encrypted by it and be about to write.
    """
    needed = {
        key_of(element["password"])
        for element in database.elements.find(_WITH_PASSWORD, {"password": 1})
    }
    for former in data_keys(database)[2:]:
        if former.id not in needed:
            database[KEYS].delete_one({"_id": former.document["_id"]})
            yield former.id


def _next_in_place(file: Path) -> tuple[MasterKey, str]:
    following = beside(file)
    if not following.exists():
        made = write_new(following)
        return made, f"master key {made.name} made: {following}"
    *_, found = keys_in(file)
    return found, f"master key {found.name} is used: {following} was there already"


def _announce(database: Rms, following: MasterKey, operator: str) -> None:
    """Say in the database which key is taking over, so that no two do so at once."""
    used = {key.master for key in data_keys(database)}
    mine = {"_id": UNDER_WAY, "holder": following.name, "operator": text(operator), "term": 1}
    try:
        database.leases.insert_one(mine)
    except DuplicateKeyError:
        other = database.leases.find_one({"_id": UNDER_WAY})
    else:
        return
    if other is None or other["holder"] == following.name:
        return
    if other["holder"] in used and following.name not in used | {other["holder"]}:
        raise SecretsError(
            f"a change to master key {other['holder']} by {other.get('operator')} is not finished: "
            "run `rms-tui secrets rotate --master` on the host that has it"
        )
    database.leases.replace_one({"_id": UNDER_WAY, "holder": other["holder"]}, mine)
