"""Whether this installation is sound, and which keys it has."""

from __future__ import annotations

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.options import DATABASE, SETTINGS, Json, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command()
@takes(("demo", "source", "prices", *DATABASE))
def doctor(shared: Given, json: Json = False) -> None:
    """Check this installation, and say how to mend it. Exit status 1 where something fails."""
    from rms_tui.cli.doctor import examine

    guarded(lambda: examine(shared, json=json))


@verbs.command()
@takes(SETTINGS)
def keys(shared: Given, json: Json = False) -> None:
    """The console's commands by id, with their keys. keys.toml may rebind them."""
    from rms_tui.cli.keys import list_keys

    guarded(lambda: list_keys(shared, json=json))
