"""The composition root: options, settings, wiring, exit status. Imported by nothing.

Every heavy import stands inside its verb: `rms-tui --help` must answer in a blink.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rms_tui.cli.examples import with_examples
from rms_tui.cli.exits import MEANINGS, guarded
from rms_tui.cli.options import POLLS, Record, RecordLimit, takes
from rms_tui.cli.streams import standard_streams
from rms_tui.cli.verbs import (
    alerting,
    fleet,
    fleet_elements,
    fleet_instances,
    fleet_secrets,
    judging,
    looking,
    notifying,
    recording,
    serving,
    upkeep,
    watching,
)
from rms_tui.wiring.given import Given

START = """No source of accounts is configured. Three ways to start:

  rms-tui --demo
      a simulated broker of 250 clients, with nothing to set up

  MT5_HOST=… MT5_MANAGER_USER=… MT5_MANAGER_PASS=…  in .env, then  rms-tui
      every account of an MT5 server, through its Manager API (Windows)

  MT5_PATH=C:\\…\\terminal64.exe  in .env, then  rms-tui
      the one account of an MT5 terminal on this machine (Windows)
"""

app = typer.Typer(
    name="rms-tui",
    help="The risk desk of a MetaTrader 5 server in one terminal window.\n\n"
    "Without a verb it opens the console: who is about to breach a limit, what the book's net "
    "exposure is, what was already handled. Try `rms-tui --demo`.",
    epilog=MEANINGS,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

TOPICS = (
    watching,
    serving,
    looking,
    alerting,
    notifying,
    judging,
    recording,
    fleet_elements,
    fleet_instances,
    fleet_secrets,
    fleet,
    upkeep,
)
"""In the order that `--help` lists them."""


def _version(wanted: bool) -> None:
    if wanted:
        from rms_tui import __version__

        print(f"rms-tui {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
@takes(POLLS)
def console(
    ctx: typer.Context,
    shared: Given,
    mouse: Annotated[
        bool, typer.Option("--mouse", help="Let the console take the mouse (off: select text).")
    ] = False,
    websocket: Annotated[
        bool,
        typer.Option(
            "--websocket",
            help="Serve programs and browsers beside the console, where WS_HOST and WS_PORT say.",
        ),
    ] = False,
    connect: Annotated[
        str | None,
        typer.Option(
            "--connect",
            metavar="URL",
            help="Follow another rms-tui (ws://HOST:PORT) instead of a source of its own; the "
            "token is RMS_WS_TOKEN.",
        ),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", metavar="FILE", help="Certificates to trust for wss://. [WS_CA]"),
    ] = None,
    record: Record = None,
    record_limit: RecordLimit = None,
    version: Annotated[  # noqa: ARG001  (the callback prints it)
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    ctx.obj = shared
    if ctx.invoked_subcommand is None and connect is not None:
        from rms_tui.cli.following import follow

        guarded(lambda: follow(shared, connect, ca, mouse=mouse), lasts=True)
    elif ctx.invoked_subcommand is None:
        from rms_tui.cli.console import open_console

        guarded(
            lambda: open_console(
                shared, mouse=mouse, websocket=websocket, record=record, record_limit=record_limit
            ),
            lasts=True,
        )


for topic in TOPICS:
    app.add_typer(topic.verbs)
with_examples(app)


def main(arguments: list[str] | None = None) -> Any:
    """Run `rms-tui` and exit with its status."""
    with standard_streams():
        return app(args=arguments, prog_name="rms-tui")
