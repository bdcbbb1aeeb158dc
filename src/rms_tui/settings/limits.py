"""The plan of limits that settings and the tables of `rms.toml` describe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rms_tui.presets import UnknownPreset, expanded
from rms_tui.risk.profile import Assign, Plan, RiskProfile, limits_profile
from rms_tui.risk.refusals import refusals
from rms_tui.settings.refused import SettingsError, in_file
from rms_tui.settings.scenarios import scenarios_of
from rms_tui.settings.toml import refuse_strange, toml_of
from rms_tui.settings.variables import Settings


def planned(settings: Settings, toml: Mapping[str, Any], path: Path) -> Plan:
    """What everybody is judged by: the three limits of settings, and what the file says.

    Raises SettingsError with file and key.
    """
    limits = limits_profile(
        margin_warning=settings.margin_level_warning,
        margin_critical=settings.margin_level_critical,
        max_loss=settings.max_loss_threshold,
    )
    written = toml.get("profile", {})
    if not isinstance(written, dict):
        raise SettingsError(f"{path}: profile: expected tables such as [profile.standard]")
    profiles = [limits]
    for name, body in written.items():
        if name == limits.name or not isinstance(body, dict):
            raise SettingsError(f"{path}: profile.{name}: expected a table of another name")
        try:
            profiles.append(RiskProfile.model_validate({**expanded(body), "name": name}))
        except UnknownPreset as error:
            raise SettingsError(f"{path}: profile.{name}.preset: {error}") from None
        except ValidationError as error:
            raise SettingsError(in_file(path, f"profile.{name}", error)) from None
    try:
        return Plan(
            profiles=tuple(profiles),
            assigned=_assigned(toml.get("assign", []), path),
            default=toml.get("default_profile", limits.name),
            overnight_minutes=settings.rms_overnight_minutes,
            scenarios=scenarios_of(toml.get("scenarios", []), path),
        )
    except ValidationError as error:
        raise SettingsError("\n".join(f"{path}: {line}" for line in refusals(error))) from None


def _assigned(lines: object, path: Path) -> tuple[Assign, ...]:
    if not isinstance(lines, list):
        raise SettingsError(f"{path}: assign: expected tables [[assign]]")
    made = []
    for number, line in enumerate(lines):
        try:
            made.append(Assign.model_validate(line))
        except ValidationError as error:
            raise SettingsError(in_file(path, f"assign.{number}", error)) from None
    return tuple(made)


def plan_of(path: Path) -> Plan:
    """The plan of one `rms.toml`, with the limits of three settings at their defaults.

    Raises SettingsError with file and key.
    """
    if not path.exists():
        raise SettingsError(f"{path}: no such file")
    toml = toml_of(path)
    refuse_strange(toml, path)
    return planned(Settings.model_validate({}), toml, path)
