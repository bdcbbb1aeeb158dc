"""Where the `mongod` program is: as configured, on the PATH, or from the `embedded` extra."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from pathlib import Path

from rms_tui.store.errors import StoreError

PROGRAM = "mongod.exe" if sys.platform == "win32" else "mongod"

WAYS_OUT = (
    "no mongod found: set RMS_MONGOD, put it on PATH, install rms-tui[embedded], "
    "or set RMS_MONGODB_URI"
)


def mongod_program(configured: str | None, folder: Path) -> Path:
    """The program to start, looked for in the order of `fleet.md`.

    A packaged program that lacks its executable bit (installers drop it) is copied into `folder`
    and made executable there: site-packages may be read-only or shared. Raises StoreError.
    """
    if configured:
        named = shutil.which(configured)
        if named is None:
            raise StoreError(
                f"RMS_MONGOD is {configured!r}: expected an executable mongod program there",
                final=True,
            )
        return Path(named)
    found = shutil.which(PROGRAM)
    if found is not None:
        return Path(found)
    packaged = packaged_program()
    if packaged is None:
        raise StoreError(WAYS_OUT, final=True)
    return packaged if os.access(packaged, os.X_OK) else _made_executable(packaged, folder)


def packaged_program() -> Path | None:
    """The program of the `embedded` extra, found without importing anything of its package."""
    spec = importlib.util.find_spec("fiftyone")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        program = Path(place) / "db" / "bin" / PROGRAM
        if program.is_file():
            return program
    return None


def _made_executable(packaged: Path, folder: Path) -> Path:
    copy = folder / PROGRAM
    wanted = packaged.stat()
    if copy.is_file() and copy.stat().st_size == wanted.st_size and os.access(copy, os.X_OK):
        return copy
    part = copy.with_name(f"{PROGRAM}.{os.getpid()}")
    shutil.copyfile(packaged, part)
    part.chmod(0o700)
    part.replace(copy)
    return copy
