"""Serve programs and browsers elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.numbers import whole
from rms_tui.cli.options import SERVICE, Record, RecordLimit, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)


@verbs.command()
@takes(SERVICE)
def websocket(
    shared: Given,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="H", help="Address to listen on (127.0.0.1). [WS_HOST]"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="P", help="Its port (8765). [WS_PORT]", parser=whole),
    ] = None,
    cert: Annotated[
        Path | None,
        typer.Option("--cert", metavar="FILE", help="Certificate to serve with TLS. [WS_CERT]"),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="FILE", help="Its private key. [WS_KEY]")
    ] = None,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Serve other machines without TLS: something in front encrypts. [WS_INSECURE]",
        ),
    ] = False,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            "--origin",
            metavar="URL",
            help="A page of this origin may connect too; may be repeated. [WS_ORIGINS]",
        ),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option(
            "-a", "--account", metavar="LOGIN", help="Add these and watch what was added, not all."
        ),
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of all messages and exit.")
    ] = False,
    record: Record = None,
    record_limit: RecordLimit = None,
) -> None:
    """Watch without a screen, and serve WebSocket and a page.

    One port is for both. Any address but this machine's own needs a token (RMS_WS_TOKEN for
    operators, RMS_WS_TOKEN_READ for readers; never an option) and TLS, or --insecure.
    """
    if schema:
        from rms_tui.cli.serving import print_schema

        guarded(print_schema)
        return
    from rms_tui.cli.headless import watch
    from rms_tui.wiring.serving import Served

    served = Served(host, port, cert, key, insecure, tuple(origin or ()))
    guarded(
        lambda: watch(
            shared, account or [], served=served, record=record, record_limit=record_limit
        ),
        lasts=True,
    )
