"""The layers of settings, one over the other, and where each value came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rms_tui.risk.profile import Plan
from rms_tui.serve.notify.channel import Channel, channels_of
from rms_tui.settings.dotenv import dotenv
from rms_tui.settings.limits import planned
from rms_tui.settings.misspelt import refuse_misspelt
from rms_tui.settings.refused import SettingsError, explained
from rms_tui.settings.toml import TABLES, refuse_strange, toml_of
from rms_tui.settings.variables import Settings


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with the plan of limits and where each value came from (`default` otherwise)."""

    settings: Settings
    plan: Plan
    origins: Mapping[str, str]
    channels: tuple[Channel, ...] = ()


def load(
    options: Mapping[str, object] | None = None,
    *,
    env_file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Settings from all layers. `options` are by variable name and win.

    `env_file` must exist when given; otherwise `.env` in `folder` (default: the working folder) is
    read if it is there, and `rms.toml` beside it. Raises SettingsError.
    """
    here = Path.cwd() if folder is None else folder
    toml_path = here / "rms.toml"
    toml = toml_of(toml_path)
    layers = [
        ("option", {k.upper(): v for k, v in (options or {}).items() if v is not None}),
        ("environment", _named(os.environ if environ is None else environ)),
        *dotenv(env_file, here),
        (str(toml_path), {k.upper(): v for k, v in toml.items() if k not in TABLES}),
    ]
    known = {name.upper() for name in Settings.model_fields}
    refuse_strange(toml, toml_path)
    refuse_misspelt(layers[1:-1], known)
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for origin, layer in reversed(layers):
        for name, value in layer.items():
            if name in known and value != "":
                values[name.lower()] = value
                origins[name] = origin
    try:
        settings = Settings(**values)  # type: ignore[arg-type]  # validated by pydantic itself
    except ValidationError as error:
        raise SettingsError(explained(error, values, origins)) from None
    variables = {
        name: value for _, layer in reversed(layers[1:-1]) for name, value in layer.items()
    }
    channels = _channels(toml, toml_path, variables)
    return Loaded(settings, planned(settings, toml, toml_path), origins, channels)


def _named(environ: Mapping[str, str]) -> dict[str, object]:
    return {name.upper(): value for name, value in environ.items()}


def _channels(
    toml: Mapping[str, Any], path: Path, variables: Mapping[str, object]
) -> tuple[Channel, ...]:
    try:
        return channels_of(toml.get("notify", []), variables)
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None
