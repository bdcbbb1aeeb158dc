"""The keys of the fleet's passwords."""

from __future__ import annotations

from typing import Annotated

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.options import DATABASE, Json, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)
secrets = typer.Typer(
    help="The keys that passwords are encrypted with.", rich_markup_mode=None, no_args_is_help=True
)
verbs.add_typer(secrets, name="secrets")


@secrets.command("init")
@takes(DATABASE)
def init_secrets(shared: Given, json: Json = False) -> None:
    """Make the master key's file and the first data key. Never over one that is there."""
    from rms_tui.cli import secrets as keys

    guarded(lambda: keys.make(shared, json=json))


@secrets.command("rotate")
@takes(DATABASE)
def rotate_secrets(
    shared: Given,
    master: Annotated[
        bool, typer.Option("--master", help="A new master key, to be copied to every host.")
    ] = False,
    data: Annotated[
        bool, typer.Option("--data", help="A new data key, with --master as well (default).")
    ] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="With --master: only make its file, to be copied.")
    ] = False,
    json: Json = False,
) -> None:
    """Encrypt every password by a new key while everything goes on. Again after a crash."""
    from rms_tui.cli import secrets as keys

    guarded(lambda: keys.rotate(shared, master=master, data=data, prepare=prepare, json=json))


@secrets.command("status")
@takes(DATABASE)
def secrets_status(shared: Given, json: Json = False) -> None:
    """Keys, their age and use, and whether each password can be read. Exit status 1 if not."""
    from rms_tui.cli import secrets as keys

    guarded(lambda: keys.show(shared, json=json))
