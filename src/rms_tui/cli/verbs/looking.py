"""What the accounts look like, once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.numbers import whole
from rms_tui.cli.options import POLLS, Json, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command()
@takes(POLLS)
def snapshot(
    shared: Given,
    login_id: Annotated[
        int | None,
        typer.Option("--login-id", metavar="L", help="Only this account.", parser=whole),
    ] = None,
    json: Json = False,
) -> None:
    """Every account with its positions and closed trades, once."""
    from rms_tui.cli.oneshot import show_snapshot

    guarded(lambda: show_snapshot(shared, login_id, json=json))


@verbs.command()
@takes(POLLS)
def exposure(
    shared: Given,
    symbol: Annotated[
        str | None,
        typer.Option("--symbol", metavar="S", help="Only this symbol."),
    ] = None,
    json: Json = False,
) -> None:
    """The book's exposure by symbol, once."""
    from rms_tui.cli.oneshot import show_exposure

    guarded(lambda: show_exposure(shared, symbol, json=json))


@verbs.command()
@takes(POLLS)
def stats(shared: Given, json: Json = False) -> None:
    """Counts, risk states and the health of the feed, once."""
    from rms_tui.cli.oneshot import show_stats

    guarded(lambda: show_stats(shared, json=json))


@verbs.command()
@takes(POLLS)
def export(
    shared: Given,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The file: x.json or x.csv.")
    ],
    what: Annotated[
        str | None,
        typer.Option(
            "--what",
            metavar="TABLE",
            help="For csv: accounts (default), positions, exposure, or the alerts of MongoDB.",
            autocompletion=lambda: ["accounts", "positions", "exposure", "alerts"],
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="json|csv",
            help="When the file's ending does not say.",
            autocompletion=lambda: ["json", "csv"],
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
    json: Json = False,
) -> None:
    """Write everything as JSON, or one table as CSV. The file is whole or not there at all."""
    from rms_tui.cli.export import write_export

    guarded(lambda: write_export(shared, output, format=format, what=what, force=force, json=json))
