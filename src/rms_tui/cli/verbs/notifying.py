"""Who is told of alerts."""

from __future__ import annotations

from typing import Annotated

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.options import SETTINGS, Json, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command(
    epilog="Example: rms-tui notify --test --channel desk. Channels are [[notify]] tables of "
    "rms.toml; `rms-tui notify` without any prints one to begin with."
)
@takes(SETTINGS)
def notify(
    shared: Given,
    test: Annotated[bool, typer.Option("--test", help="Send a test message now.")] = False,
    channel: Annotated[
        str | None, typer.Option("--channel", metavar="NAME", help="Only through this channel.")
    ] = None,
    json: Json = False,
) -> None:
    """The channels that alerts are sent to. With --test: whether a message gets through."""
    from rms_tui.cli.notify import show_channels, test_channels

    if test or channel is not None:
        guarded(lambda: test_channels(shared, channel, json=json))
    else:
        guarded(lambda: show_channels(shared, json=json))
