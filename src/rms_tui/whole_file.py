"""A file written whole or not at all: a reader never sees half of it, a crash leaves the old one.

It never replaces a file unless told to, and never anything that is no plain file.
"""

from __future__ import annotations

import errno
import os
import secrets
import sys
from pathlib import Path

_NO_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})
"""What file systems without hard links answer."""


def write_whole(path: Path, content: bytes, *, replace: bool = False) -> None:
    """Write beside the file, flush to the disk, then rename into place; a link is followed.

    Raises FileExistsError when there is one and `replace` is False (also when it appears in the
    meantime), and OSError when it cannot be written.
    """
    target = Path(os.path.realpath(path))
    if target.exists():
        if not target.is_file():
            raise OSError(errno.EINVAL, "not a plain file", str(path))
        if not replace:
            raise FileExistsError(errno.EEXIST, "the file exists", str(path))
    draft = target.with_name(f".rms-{secrets.token_hex(6)}.part")
    try:
        with open(draft, "xb") as file:  # noqa: PTH123  # honours the umask, as a new file should
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(target)
        else:
            _place(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    _flush_folder(target.parent)


def in_words(error: OSError, path: Path) -> str:
    """Why a file was not written, in one line: what was wanted, what is wrong, what to do."""
    match error:
        case FileExistsError():
            return f"{path} exists: another name, or replace it"
        case FileNotFoundError() | NotADirectoryError():
            return f"{path}: there is no folder {path.parent}"
        case PermissionError():
            return f"{path}: not allowed to write there"
    return f"{path}: {error.strerror or error}"


def _place(draft: Path, target: Path) -> None:
    """Give the draft its name unless someone took it meanwhile."""
    if sys.platform == "win32":
        draft.rename(target)  # refuses a taken name there
        return
    try:
        target.hardlink_to(draft)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, "the file exists", str(target)) from None
        draft.rename(target)


def _flush_folder(folder: Path) -> None:
    """Make the new name last through a power cut, where folders can be flushed."""
    if sys.platform == "win32":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno != errno.EINVAL:  # network file systems that cannot
            raise
    finally:
        os.close(opened)
