"""The master key: a file of this host that wraps the data keys which encrypt passwords.

It never leaves its file and this process's memory: not into the database, a log or an exception.
While a master key is being changed a second file stands beside the first (`master.key.new`), and
a reader uses whichever of the two opens a data key.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from rms_tui.store.errors import SecretsError

LENGTH = 96
"""Bytes, as MongoDB's local key provider demands."""

LARGEST_FILE = 4096

HEADING = """\
# Master key of rms-tui. Whoever has this file and the database can read every account's password;
# whoever loses it can read none. Keep a copy in a safe place, never in a repository.
"""

WAY_OUT = (
    "`rms-tui secrets init` makes the first one; on any other host copy the file from the host "
    "that has it; RMS_MASTER_KEY_FILE says where it is"
)


@dataclass(frozen=True, slots=True)
class MasterKey:
    """A key and where it stood. Its name is a fingerprint, which may be shown."""

    name: str
    file: Path
    material: bytes = field(repr=False)

    @property
    def provider(self) -> str:
        """Its name for MongoDB's encryption."""
        return provider_of(self.name)


def provider_of(name: str) -> str:
    return f"local:{name}"


def beside(file: Path) -> Path:
    """Where the next master key stands until every data key is wrapped by it."""
    return file.with_name(f"{file.name}.new")


def keys_in(file: Path) -> tuple[MasterKey, ...]:
    """The master key of `file`, then the next one if a change of keys is under way.

    Raises SecretsError: missing, readable by others, not a key.
    """
    following = beside(file)
    if not file.exists() and not following.exists():
        raise SecretsError(f"no master key at {file}: {WAY_OUT}", of_host=True)
    # `file` last: when the next key takes its place in between, it is found there.
    found = [key for key in (_read(following), _read(file)) if key is not None]
    found.reverse()
    if not found:
        raise SecretsError(f"no master key at {file}: {WAY_OUT}", of_host=True)
    return tuple(found)


def write_new(file: Path) -> MasterKey:
    """A new master key in `file`, whole or not at all, for its owner's eyes only.

    Raises SecretsError when the file is there already: a master key is never overwritten.
    """
    material = secrets.token_bytes(LENGTH)
    part = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, (HEADING + base64.b64encode(material).decode() + "\n").encode())
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            _place(part, file)
        finally:
            part.unlink(missing_ok=True)
        settle(file.parent)
    except FileExistsError:
        raise SecretsError(f"{file} is there already: a master key is never overwritten") from None
    except OSError as error:
        raise SecretsError(f"{file} cannot be written: {error.strerror}") from None
    return MasterKey(_fingerprint(material), file, material)


def succeed(file: Path, former: MasterKey) -> Path | None:
    """The next master key takes the place of the former, which is kept under its own name.

    Where the former was kept. At every instant a reader finds both, or the next one. Raises
    SecretsError.
    """
    kept = file.with_name(f"{file.name}.{former.name}")
    try:
        with suppress(FileExistsError):
            if former.file == file:
                os.link(file, kept)
        beside(file).replace(file)
        settle(file.parent)
    except OSError as error:
        raise SecretsError(f"{file} cannot be replaced: {error.strerror}") from None
    return kept if kept.exists() else None


def settle(folder: Path) -> None:
    """Make a new name in the folder outlive a power cut, where the system can."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot, and need not
            os.fsync(handle)
    finally:
        os.close(handle)


def _place(part: Path, file: Path) -> None:
    """Give the finished file its name, unless another has it: raises FileExistsError."""
    if sys.platform == "win32":
        part.rename(file)
    else:
        os.link(part, file)


def _read(file: Path) -> MasterKey | None:
    try:
        handle = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SecretsError(
            f"master key {file} cannot be opened: {error.strerror}; expected a file that the user "
            "who runs rms-tui may read",
            of_host=True,
        ) from None
    try:
        _refuse_open_door(file, os.fstat(handle))
        content = os.read(handle, LARGEST_FILE)
    except OSError as error:
        raise SecretsError(
            f"master key {file} cannot be read: {error.strerror}", of_host=True
        ) from None
    finally:
        os.close(handle)
    material = _decoded(content)
    del content
    if material is None:
        raise SecretsError(
            f"{file} is not a master key: expected {LENGTH} bytes in base64, as `rms-tui secrets "
            "init` writes them; copy the file again from its backup or from the host that has it",
            of_host=True,
        )
    return MasterKey(_fingerprint(material), file, material)


def _refuse_open_door(file: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise SecretsError(
            f"{file} is not a file: expected the master key; {WAY_OUT}", of_host=True
        )
    mode = stat.S_IMODE(found.st_mode)
    if sys.platform != "win32" and mode & 0o077:
        raise SecretsError(
            f"master key {file} is open to other users (mode {mode:04o}): expected 0600; run "
            f"`chmod 600 {file}`, and `rms-tui secrets rotate --master` if they may have read it",
            of_host=True,
        )


def _decoded(content: bytes) -> bytes | None:
    lines = [line for line in content.splitlines() if line.strip() and not line.startswith(b"#")]
    try:
        material = base64.b64decode(b"".join(lines).strip(), validate=True)
    except binascii.Error:
        return None
    return material if len(material) == LENGTH else None


def _fingerprint(material: bytes) -> str:
    return blake2b(material, digest_size=5, person=b"rms-tui master").hexdigest()
