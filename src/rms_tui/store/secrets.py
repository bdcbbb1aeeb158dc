"""Passwords, encrypted before they leave this process: a dump of the database holds none.

MongoDB's explicit client-side encryption. Data keys stand in the collection `keys`, wrapped by the
master key of a local file; a password is encrypted by the newest of them, at random: the same
password twice gives two different values. Nothing here puts a plain text into an exception, a log
or a representation, nor into the frames that a traceback shows with its local variables.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

from bson.binary import Binary
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from pydantic import SecretStr
from pymongo.encryption import ClientEncryption
from pymongo.errors import (
    ConnectionFailure,
    DuplicateKeyError,
    EncryptionError,
    ExecutionTimeout,
    PyMongoError,
)

from rms_tui.store.database import Document, Rms
from rms_tui.store.errors import SecretsError
from rms_tui.store.master_key import MasterKey, keys_in, provider_of
from rms_tui.store.renamed import theirs

__all__ = ["KEYS", "DataKey", "SecretsError", "Vault", "data_keys", "key_of", "open_vault"]

KEYS = "keys"
"""The collection of data keys."""

ALGORITHM = "AEAD_AES_256_CBC_HMAC_SHA_512-Random"

SUBTYPE = 6
"""Of BSON binary: an encrypted value."""

_RANDOM = 2
_GENERATION = "rms-tui-"
T = TypeVar("T")
Encryption: TypeAlias = ClientEncryption[Document]


@dataclass(frozen=True, slots=True)
class DataKey:
    """A data key as the database holds it: which generation, and which master key wraps it."""

    id: UUID
    generation: int
    master: str
    document: Document


def open_vault(database: Rms, key_file: Path) -> Vault:
    """What encrypts and decrypts passwords; close it by `close()`. Asks the database nothing yet.

    Raises SecretsError: the key file is missing, readable by others or not a key.
    """
    return Vault(database, key_file, keys_in(key_file))


def place_of(database: Rms) -> str:
    """Where its data keys are: database and collection."""
    return f"{database.name}.{theirs(database, KEYS)}"


def data_keys(database: Rms) -> list[DataKey]:
    """All data keys, the newest first. Raises PyMongoError."""
    found = [_data_key(document) for document in database[KEYS].find()]
    return sorted(found, key=lambda key: key.generation, reverse=True)


def generation_name(number: int) -> str:
    """The alternative name of a data key: unique, so that two hosts never make the same one."""
    return f"{_GENERATION}{number}"


def key_of(value: bytes) -> UUID | None:
    """The data key a value was encrypted with; None when it is not an encrypted value."""
    return UUID(bytes=bytes(value[1:17])) if len(value) > 18 and value[0] in (1, _RANDOM) else None


class Vault:
    """Encrypts and decrypts. Methods may be called from any thread.

    The key file is read again when a data key is found that it did not open: a master key that was
    changed meanwhile is picked up by a running process.
    """

    def __init__(self, database: Rms, key_file: Path, keys: tuple[MasterKey, ...]) -> None:
        self._database = database
        self._file = key_file
        self._keys = keys
        self._lock = threading.Lock()
        self._encryption = _encryption(database, keys)

    def __repr__(self) -> str:
        names = " and ".join(key.name for key in self._keys)
        return f"Vault({place_of(self._database)}, master key {names} of {self._file})"

    @property
    def masters(self) -> tuple[MasterKey, ...]:
        """The master keys in hand: of the key file, then the next one if there is one."""
        return self._keys

    def encrypt(self, text: str) -> Binary:
        """The text, any unicode, as the database may hold it: by the newest data key.

        Raises SecretsError: no data key yet, one that no master key here opens, no database.
        """
        plain = SecretStr(text)
        del text  # a traceback shows local variables
        newest = self._asked(lambda: data_keys(self._database))
        if not newest:
            raise SecretsError(
                f"no data key in {place_of(self._database)}: run `rms-tui secrets init` first"
            )
        return self._encrypted(plain, newest[0].id)

    def again(self, value: bytes | Binary, key: UUID) -> Binary:
        """The same text by another data key. Raises SecretsError as `decrypt` and `encrypt` do."""
        return self._encrypted(self.decrypt(value), key)

    def decrypt(self, value: bytes | Binary) -> SecretStr:
        """The text of a value that `encrypt` made.

        Raises SecretsError: not such a value, its data key is missing, no master key here opens
        it, no database.
        """
        key = key_of(value)
        if key is None:
            raise SecretsError(
                "the stored password is not an encrypted value: enter it again with `rms-tui "
                "element edit`"
            )
        opened, why = self._attempt(lambda encryption: _opened(encryption, value))
        if opened is None:
            raise self._explained(key, why)
        return opened

    def create_key(self, generation: int, master: MasterKey) -> UUID | None:
        """A new data key of that generation, wrapped by that master key; None if there is one.

        Raises SecretsError.
        """
        with self._lock:
            encryption = self._encryption
        name = generation_name(generation)

        def create() -> UUID | None:
            try:
                made = encryption.create_data_key(master.provider, key_alt_names=[name])
                return made.as_uuid()
            except EncryptionError as error:
                if isinstance(error.cause, DuplicateKeyError):
                    return None
                raise

        return self._asked(create)

    def rewrap(self, key: UUID, master: MasterKey) -> None:
        """Have that data key wrapped by that master key, at once. Raises SecretsError."""
        with self._lock:
            encryption = self._encryption
        self._asked(
            lambda: encryption.rewrap_many_data_key(
                {"_id": Binary.from_uuid(key)}, provider=master.provider
            )
        )

    def reload(self) -> bool:
        """Read the key file again; whether it holds other keys now. Raises SecretsError."""
        keys = keys_in(self._file)
        with self._lock:
            if [key.name for key in keys] == [key.name for key in self._keys]:
                return False
            former, self._keys = self._encryption, keys
            self._encryption = _encryption(self._database, keys)
            former.close()
        return True

    def close(self) -> None:
        """Let go of the keys. The database stays open."""
        with self._lock:
            self._encryption.close()

    def _encrypted(self, plain: SecretStr, key: UUID) -> Binary:
        made, why = self._attempt(
            lambda encryption: encryption.encrypt(
                plain.get_secret_value().encode("utf-8", "surrogatepass"),
                ALGORITHM,
                key_id=Binary.from_uuid(key),
            )
        )
        if made is None:
            raise self._explained(key, why)
        return made

    def _attempt(self, step: Callable[[Encryption], T]) -> tuple[T | None, Exception | None]:
        """The step's result, or why there is none; with the keys of the file as it is now.

        Errors are handed back, not raised: their frames hold what was being encrypted.
        """
        result, why = self._once(step)
        if why is not None and not _is_absence(why) and self._reloaded():
            result, why = self._once(step)
        return result, None if why is None else why.with_traceback(None)

    def _once(self, step: Callable[[Encryption], T]) -> tuple[T | None, Exception | None]:
        try:
            with self._lock:
                return step(self._encryption), None
        except (PyMongoError, BSONError, ValueError) as error:
            return None, error

    def _reloaded(self) -> bool:
        try:
            return self.reload()
        except SecretsError:
            return False  # the keys in hand are as good as any: the first error is the one to tell

    def _asked(self, question: Callable[[], T]) -> T:
        why = ""
        absent = False
        try:
            return question()
        except PyMongoError as error:
            why, absent = _brief(error), _is_absence(error)
        raise SecretsError(f"{place_of(self._database)} cannot be used: {why}", transient=absent)

    def _explained(self, key: UUID, why: Exception | None) -> SecretsError:
        """In words, from what the database says of the data key."""
        if why is not None and _is_absence(why):
            return SecretsError(
                f"{place_of(self._database)} does not answer: {_brief(why)}", transient=True
            )
        place = place_of(self._database)
        known = {found.id: found for found in self._asked(lambda: data_keys(self._database))}
        found = known.get(key)
        here = " and ".join(key.name for key in self._keys)
        if found is None:
            return SecretsError(
                f"data key {key} is not in {place}: restore that collection from a backup, or "
                "enter the password again with `rms-tui element edit`"
            )
        if found.master not in {one.name for one in self._keys}:
            return SecretsError(
                f"data key {key} is wrapped by master key {found.master}, {self._file} holds "
                f"{here}: copy the key file from the host where it was made or last changed",
                of_host=True,
            )
        return SecretsError(
            f"a value of data key {key} does not open: it or the key was damaged; enter the "
            "password again with `rms-tui element edit`"
        )


def _encryption(database: Rms, keys: tuple[MasterKey, ...]) -> Encryption:
    providers: dict[str, Any] = {key.provider: {"key": key.material} for key in keys}
    namespace = place_of(database)
    options: CodecOptions[Document] = CodecOptions(tz_aware=True)
    return ClientEncryption(providers, namespace, database.client, options)


def _opened(encryption: Encryption, value: bytes) -> SecretStr:
    plain = encryption.decrypt(Binary(bytes(value), SUBTYPE))
    if isinstance(plain, bytes):
        return SecretStr(plain.decode("utf-8", "surrogatepass"))
    return SecretStr(plain if isinstance(plain, str) else str(plain))


def _data_key(document: Document) -> DataKey:
    numbers = [
        int(number)
        for name in document.get("keyAltNames", ())
        if (number := name.removeprefix(_GENERATION)).isdecimal()
    ]
    provider = str(document["masterKey"]["provider"])
    master = provider.removeprefix(provider_of(""))
    return DataKey(_uuid(document["_id"]), max(numbers, default=0), master, document)


def _uuid(found: object) -> UUID:
    return found.as_uuid() if isinstance(found, Binary) else UUID(str(found))


def _cause(error: Exception) -> Exception:
    return error.cause if isinstance(error, EncryptionError) else error


def _is_absence(error: Exception) -> bool:
    """Whether the database was not there, as against a key or a value that does not fit."""
    return isinstance(_cause(error), ConnectionFailure | ExecutionTimeout)


def _brief(error: Exception) -> str:
    return str(_cause(error)).partition(", Timeout:")[0].partition(", full error:")[0]
