"""`profiles`: what is in rms.toml, what firms publish, and whether a file is right."""

from __future__ import annotations

import json as standard_json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rms_tui.cli.oneshot import plain, print_json
from rms_tui.plural import counted
from rms_tui.presets import UnknownPreset, expanded, preset, presets
from rms_tui.risk.profile import Plan, RiskProfile
from rms_tui.settings import SettingsError, plan_of
from rms_tui.timeline import Refused, parsed, profile_from
from rms_tui.wiring.given import Given
from rms_tui.wiring.sources import loaded

FILES = (".toml", ".json")
"""A profile given with one of these endings is a file, not a name; without, a name goes first."""


def profile_named(shared: Given, name: str) -> RiskProfile:
    """A profile by name (rms.toml, then presets) or from a file.

    Raises SettingsError for a name that is neither, Refused for a wrong file.
    """
    if name.endswith(FILES):
        return _from_file(Path(name))
    if not name.startswith("preset:"):
        for profile in loaded(shared).plan.profiles:
            if profile.name == name:
                return profile
    try:
        return profile_from(expanded({"preset": name}), name, name.removeprefix("preset:"))
    except UnknownPreset as error:
        if Path(name).is_file():
            return _from_file(Path(name))
        raise SettingsError(f"profile {name}: no such profile in rms.toml, and {error}") from None


def known_names() -> list[str]:
    """What completion offers: profiles of the working folder's rms.toml, then presets."""
    try:
        own = [profile.name for profile in loaded(Given()).plan.profiles]
    except SettingsError:
        own = []  # a file that is wrong is said by whatever reads it, not by a pressed tab
    return [*own, *presets()]


def show_list(shared: Given, *, json: bool) -> None:
    """Print every profile and preset by name."""
    own = loaded(shared).plan
    shape: dict[str, Any] = {
        "profiles": [_summary(profile, own) for profile in own.profiles],
        "presets": [
            {"name": one.name, "firm": one.firm, "title": one.title, "sources": one.sources}
            for one in presets().values()
        ],
    }
    if json:
        print_json(shape)
        return
    print("Profiles of this installation")
    for profile in shape["profiles"]:
        print(f"  {profile['name']:26} {', '.join(profile['rules'])}")
    print('\nPresets (preset = "NAME" in rms.toml, or --profile NAME)')
    for one in presets().values():
        print(f"  {one.name:34} {one.firm}: {one.title}")


def show_one(shared: Given, name: str, *, json: bool) -> None:
    """Print one profile's keys; a preset's with its sources and examples."""
    profile = profile_named(shared, name)
    shape: dict[str, Any] = {"profile": profile.model_dump(mode="json", exclude_none=True)}
    plain = name.removeprefix("preset:")
    if plain in presets() and profile.name in (plain, name):
        one = preset(plain)
        shape |= {"firm": one.firm, "title": one.title, "sources": one.sources, "note": one.note,
                  "examples": one.examples}  # fmt: skip
    if json:
        print_json(shape)
        return
    for key in ("firm", "title", "note"):
        if shape.get(key):
            print(f"{key:10} {shape[key]}")
    for source in shape.get("sources", ()):
        print(f"{'source':10} {source}")
    for key, value in shape["profile"].items():
        if key != "rules":
            print(f"{key:10} {value}")
    for rule in shape["profile"]["rules"]:
        print("\n[[rules]]")
        for key, value in rule.items():
            print(f"{key} = {standard_json.dumps(value)}")


def check(shared: Given, file: Path | None, *, json: bool) -> None:
    """Print what a valid file defines. Raises SettingsError with file and key for another."""
    plan = loaded(shared).plan if file is None else plan_of(file)
    shape: dict[str, Any] = {
        "valid": True,
        "default": plan.default,
        "profiles": [_summary(profile, plan) for profile in plan.profiles],
        "scenarios": [scenario.model_dump(mode="json") for scenario in plan.scenarios],
        "warnings": [line for profile in plan.profiles for line in _warnings(profile)],
    }
    if json:
        print_json(shape)
        return
    saved = f", {counted(len(plan.scenarios), 'scenario')}" if plan.scenarios else ""
    count = f"{counted(len(plan.profiles), 'profile')}{saved}"
    if file is None and not Path("rms.toml").exists():
        print(f"no rms.toml in {plain(str(Path.cwd()))}: {count}, of the settings' three limits")
        return
    print(f"{'rms.toml' if file is None else file}: valid, {count}")
    for line in shape["warnings"]:
        print(f"  warning: {line}")


def _summary(profile: RiskProfile, plan: Plan) -> dict[str, Any]:
    return {
        "name": profile.name,
        "rules": [rule.rule for rule in profile.rules],
        "initial_balance": profile.initial_balance,
        "default": profile.name == plan.default,
    }


def _warnings(profile: RiskProfile) -> list[str]:
    """What is valid and yet will never decide anything."""
    if profile.initial_balance is not None:
        return []
    return [
        f"profile.{profile.name}: rule {rule.rule} needs initial_balance: unknown without it"
        for rule in profile.rules
        if rule.rule in ("total_loss", "trailing_drawdown", "profit_target")
        or (
            getattr(rule, "percent", None) is not None
            and getattr(rule, "of", None) == "initial"
            and rule.rule not in ("total_loss", "trailing_drawdown")
        )
    ]


def _from_file(path: Path) -> RiskProfile:
    """A profile of its own in a file: the keys of `[profile.NAME]`, or one such table."""
    try:
        text = path.read_text("utf-8-sig")
        as_json = path.suffix == ".json" or text.lstrip().startswith("{")
        body = parsed(text, str(path)) if as_json else tomllib.loads(text)
    except OSError as error:
        raise Refused(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Refused(f"{path}: expected a profile, TOML or JSON in UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path}: not valid TOML: {error}") from None
    if not isinstance(body, dict):
        raise Refused(f"{path}: expected the keys of a profile")
    nested = body.get("profile")
    name = "profile"
    if isinstance(nested, Mapping) and "rules" not in body:
        if "rules" in nested or "preset" in nested:
            body = dict(nested)
        elif len(nested) == 1:
            name, body = next(iter(nested.items()))
        else:
            raise Refused(f"{path}: profile: expected one profile, got {', '.join(nested)}")
    try:
        return profile_from(expanded(body), str(path), name)
    except UnknownPreset as error:
        raise Refused(f"{path}: {name}.preset: {error}") from None
