"""Profiles of published firms, shipped with the package as data (`risk/presets.toml`).

Each carries its firm, its sources and the firm's own worked examples, which the tests run. A
profile in `rms.toml` or a timeline starts from one with `preset = "NAME"` and overrides its keys.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

PREFIX = "preset:"
"""What a preset's name may be written with, to tell it from a profile of one's own."""


class UnknownPreset(ValueError):
    """There is no preset of that name; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One firm's rules. `profile` has the keys of a profile, `examples` published numbers."""

    name: str
    firm: str
    title: str
    sources: tuple[str, ...]
    profile: Mapping[str, Any]
    examples: tuple[Mapping[str, Any], ...]
    note: str | None = None


@lru_cache(maxsize=1)
def presets() -> Mapping[str, Preset]:
    """All presets by name."""
    text = files("rms_tui.risk").joinpath("presets.toml").read_text("utf-8")
    return MappingProxyType(
        {
            name: Preset(
                name=name,
                firm=body["firm"],
                title=body["title"],
                sources=tuple(body["sources"]),
                profile=body["profile"],
                examples=tuple(body["examples"]),
                note=body.get("note"),
            )
            for name, body in tomllib.loads(text).items()
        }
    )


def preset(name: str) -> Preset:
    """The preset of that name, with or without `preset:`. Raises UnknownPreset."""
    found = presets().get(name.removeprefix(PREFIX))
    if found is None:
        raise UnknownPreset(
            f"no preset {name.removeprefix(PREFIX)!r}: there are {', '.join(sorted(presets()))}"
        )
    return found


def expanded(body: Mapping[str, Any]) -> dict[str, Any]:
    """A profile's keys with its preset's keys under them. Raises UnknownPreset."""
    own = {key: value for key, value in body.items() if key != "preset"}
    name = body.get("preset")
    if name is None:
        return own
    return {**preset(str(name)).profile, **own}
