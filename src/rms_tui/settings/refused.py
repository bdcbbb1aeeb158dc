"""What is said of a wrong value: variable, what was given, what is allowed, where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from rms_tui.risk.refusals import refusals
from rms_tui.settings.variables import SECRETS, Settings

_PATTERNS = {
    "RMS_REPORT_CURRENCY": "expected a currency of 3 to 5 letters, such as USD",
    "RMS_MONGODB_DATABASE": "expected 1 to 38 letters, digits, _ or -",
    "MT5_HOST": "expected a host name or address alone, such as mt5.broker.example; its port is "
    "MT5_PORT",
}
"""What a pattern allows, in words."""


class SettingsError(Exception):
    """Settings that cannot be used; the text names variable, value, what is allowed and origin."""


def explained(
    error: ValidationError, values: Mapping[str, object], origins: Mapping[str, str]
) -> str:
    """A line for each wrong variable. `values` by lower case name, `origins` by the variable's."""
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0]).upper() if problem["loc"] else ""
        if not name:
            text = _words(problem)
            named = [
                f"{variable} from {at}" for variable, at in origins.items() if variable in text
            ]
            lines.append(f"{text} ({'; '.join(named)})")
            continue
        value = "(hidden)" if name in SECRETS else repr(values.get(name.lower()))
        lines.append(f"{name}={value}: {_allowed(name, problem)} (from {origins[name]})")
    return "\n".join(dict.fromkeys(lines))


def in_file(path: Path, where: str, error: ValidationError) -> str:
    """A line for each wrong key of a table of the file."""
    return "\n".join(f"{path}: {line}" for line in refusals(error, where))


def _words(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "extra_forbidden":
        return "unknown key"
    return str(problem["msg"]).removeprefix("Value error, ").replace("Input should be", "expected")


def _allowed(name: str, problem: Mapping[str, Any]) -> str:
    annotation = Settings.model_fields[name.lower()].annotation
    choices = [
        choice
        for kind in (annotation, *get_args(annotation))
        for choice in get_args(kind)
        if isinstance(choice, str)
    ]
    if choices:
        return f"expected one of {', '.join(dict.fromkeys(choices))}"
    if problem["type"] == "string_pattern_mismatch":
        return _PATTERNS[name]
    return _words(problem)
