"""The text of a file of settings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from rms_tui.settings.refused import SettingsError


def text_of(path: Path) -> str | None:
    """What stands in it, without the mark of Notepad; None where nothing is.

    A pipe is as good as a file: a secret may come from a program. Raises SettingsError for what is
    there and cannot be read: settings that silently do not hold are worse than none.
    """
    try:
        found = path.read_bytes() if path.is_file() or path.is_dir() else _once(path)
        return found.decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: expected text in UTF-8: save it as such") from None
    except OSError as error:
        if path.is_dir():  # on Windows a folder is one that may not be read
            raise SettingsError(f"{path}: expected a file; it is a folder") from None
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None


@cache
def _once(path: Path) -> bytes:
    """What a pipe gave: it gives it once, and settings are read again when `rms.toml` changes."""
    return path.read_bytes()
