"""Files of settings with a secret in them that other users of this machine can read."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rms_tui.settings.dotenv import dotenv
from rms_tui.settings.toml import TABLES, toml_of
from rms_tui.settings.variables import SECRETS

_CALLED_SECRET = re.compile(r"(PASS|PASSWORD|PASSPHRASE|SECRET|TOKEN)(_READ)?$")
_PASSWORD_IN_URL = re.compile(r"^[a-z0-9+.-]+://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Exposed:
    """A file, its mode, and the names of the secrets in it."""

    path: Path
    mode: int
    names: tuple[str, ...]


def exposed(env_file: Path | None = None, folder: Path | None = None) -> list[Exposed]:
    """Those of `.env` (or `env_file`) and `rms.toml` in `folder` (default: the working folder).

    A pipe keeps nothing, and Windows has no such modes: none of either. Raises SettingsError.
    """
    if os.name != "posix":
        return []
    here = Path.cwd() if folder is None else folder
    toml = here / "rms.toml"
    written = [(Path(path), values) for path, values in dotenv(env_file, here)]
    written.append((toml, _toml_texts(toml)))
    found = []
    for path, values in written:
        names = tuple(sorted(name for name, value in values.items() if _secret(name, value)))
        if names and path.is_file():
            mode = stat.S_IMODE(path.stat().st_mode)
            if mode & OTHERS_READ:
                found.append(Exposed(path, mode, names))
    return found


def _toml_texts(path: Path) -> dict[str, object]:
    """Variables of `rms.toml` and the addresses of its channels, by name."""
    return dict(_named(toml_of(path)))


def _named(toml: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in toml.items():
        if key not in TABLES:
            yield key.upper(), value
    channels = toml.get("notify")
    for channel in channels if isinstance(channels, list) else ():
        if isinstance(channel, dict) and channel.get("url"):
            yield f"notify.{channel.get('name', 'url')}.url", channel["url"]


def _secret(name: str, value: object) -> bool:
    """Whether a password stands there; an address of MongoDB has one only with a user's."""
    text = str(value or "")
    if not text or name == "RMS_MONGODB_URI":
        return _PASSWORD_IN_URL.match(text) is not None
    called = name in SECRETS or _CALLED_SECRET.search(name) is not None
    return called or name.startswith("notify.") or _PASSWORD_IN_URL.match(text) is not None
