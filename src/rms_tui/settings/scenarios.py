"""The saved scenarios of `rms.toml`."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from rms_tui.risk.scenario import Scenario
from rms_tui.settings.refused import SettingsError, in_file


def scenarios_of(tables: object, path: Path) -> tuple[Scenario, ...]:
    """What the `[[scenarios]]` of this file say. Raises SettingsError with file and key."""
    if not isinstance(tables, list):
        raise SettingsError(f"{path}: scenarios: expected tables [[scenarios]]")
    made = []
    for number, table in enumerate(tables):
        _refuse_dotted(table, f"{path}: scenarios.{number}")
        try:
            made.append(Scenario.model_validate(table))
        except ValidationError as error:
            raise SettingsError(in_file(path, f"scenarios.{number}", error)) from None
    return tuple(made)


def _refuse_dotted(table: object, where: str) -> None:
    """A bare `EURUSD.r = 1` is a table in a table to TOML: say what was meant."""
    moves = table.get("moves") if isinstance(table, dict) else None
    for name, below in moves.items() if isinstance(moves, dict) else ():
        if isinstance(below, dict):
            inner = ".".join([name, *map(str, list(below)[:1])])
            raise SettingsError(
                f"{where}.moves.{name}: expected a percentage; a name with a dot is written in "
                f'quotes, "{inner}"'
            )
