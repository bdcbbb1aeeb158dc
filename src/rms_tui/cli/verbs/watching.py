"""Watch without a screen; which accounts are watched."""

from __future__ import annotations

from typing import Annotated

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.options import ACCOUNTS, SERVICE, Json, Record, RecordLimit, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)

Force = Annotated[
    bool, typer.Option("--force", help="Do not ask the source whether it has these accounts.")
]


@verbs.command()
@takes(SERVICE)
def start(
    shared: Given,
    account: Annotated[
        list[str] | None,
        typer.Option(
            "-a", "--account", metavar="LOGIN", help="Add these and watch what was added, not all."
        ),
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="LOGIN", help="More logins for -a.", show_default=False),
    ] = None,
    websocket: Annotated[
        bool,
        typer.Option(
            "--websocket", help="Serve programs and browsers too, where WS_HOST and WS_PORT say."
        ),
    ] = False,
    record: Record = None,
    record_limit: RecordLimit = None,
) -> None:
    """Watch without a screen: poll, assess, write to MongoDB, log. Ends on SIGTERM or Ctrl-C."""
    from rms_tui.cli.headless import watch
    from rms_tui.wiring.serving import Served

    logins = [*(account or []), *(more or [])]
    served = Served() if websocket else None
    guarded(
        lambda: watch(shared, logins, served=served, record=record, record_limit=record_limit),
        lasts=True,
    )


@verbs.command()
@takes(ACCOUNTS)
def add(
    shared: Given,
    login: Annotated[
        list[str],
        typer.Argument(metavar="LOGIN", help="Logins, lists or ranges: 7001 7010-7020"),
    ],
    force: Force = False,
    json: Json = False,
) -> None:
    """Watch these accounts, in every rms-tui on this MongoDB.

    The source is asked whether it has them. Exit status 2 where one is not there.
    """
    from rms_tui.cli.accounts import change

    guarded(lambda: change(shared, "add", login, force=force, json=json))


@verbs.command()
@takes(ACCOUNTS)
def remove(
    shared: Given,
    login: Annotated[
        list[str],
        typer.Argument(metavar="LOGIN", help="Logins, lists or ranges: 7001 7010-7020"),
    ],
    force: Force = False,
    json: Json = False,
) -> None:
    """Stop watching these accounts, in every rms-tui on this MongoDB.

    The source is asked whether it has them, but for those that were added. Exit status 2 where
    one is not there.
    """
    from rms_tui.cli.accounts import change

    guarded(lambda: change(shared, "remove", login, force=force, json=json))
