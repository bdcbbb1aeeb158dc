"""What was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.numbers import number
from rms_tui.cli.options import SETTINGS, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command()
@takes(SETTINGS)
def replay(
    shared: Given,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A recording: key w, or --record FILE.")
    ],
    speed: Annotated[
        float,
        typer.Option(
            "--speed", metavar="N", help="Recorded seconds per second, 0.1 to 10000.", parser=number
        ),
    ] = 1.0,
    begin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="T",
            help="Begin there: 10m after the beginning, or 2026-03-02T14:00Z.",
        ),
    ] = None,
    snapshot: Annotated[
        bool,
        typer.Option(
            "--snapshot", help="No console: print all accounts at --from (or the end) as JSON."
        ),
    ] = False,
    mouse: Annotated[bool, typer.Option("--mouse", help="Let the console take the mouse.")] = False,
) -> None:
    """Show a recording in the console as it was then. No MT5, no MongoDB, nothing is written."""
    from rms_tui.cli.recording import replay, replay_snapshot

    if snapshot:
        guarded(lambda: replay_snapshot(file, begin))
    else:
        guarded(lambda: replay(shared, file, speed, begin, mouse=mouse), lasts=True)
