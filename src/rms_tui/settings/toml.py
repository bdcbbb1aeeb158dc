"""The file `rms.toml`: variables by name, and tables of limits and channels."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rms_tui.settings.files import text_of
from rms_tui.settings.refused import SettingsError
from rms_tui.settings.variables import Settings

TABLES = frozenset({"profile", "assign", "default_profile", "notify", "scenarios"})
"""Keys of `rms.toml` that are not variables."""


def toml_of(path: Path) -> dict[str, Any]:
    """What stands in it; nothing where it is not there. Raises SettingsError."""
    text = text_of(path)
    try:
        return {} if text is None else tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None


def refuse_strange(toml: Mapping[str, Any], path: Path) -> None:
    """Raises SettingsError for a key that is none of ours."""
    known = {name.upper() for name in Settings.model_fields}
    strange = sorted({key.upper() for key in toml if key not in TABLES} - known)
    if strange:
        raise SettingsError(
            f"{path}: unknown key {strange[0]}; expected a variable such as RMS_SOURCE, or "
            "profile, assign, default_profile, notify, scenarios"
        )
