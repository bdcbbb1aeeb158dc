"""The fleet's MT5 terminals."""

from __future__ import annotations

from typing import Annotated

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.options import DATABASE, Json, Watch, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)
instance = typer.Typer(
    help="The fleet's MT5 terminals, one for each installation.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
verbs.add_typer(instance, name="instance")

Instance = Annotated[str, typer.Argument(metavar="ID|PATH", help="As `instance list` shows it.")]
Host = Annotated[
    str | None, typer.Option("--host", metavar="NAME", help="A host other than this one.")
]
OfHost = Annotated[str | None, typer.Option("--host", metavar="NAME", help="Of this host only.")]
Force = Annotated[bool, typer.Option("--force", help="Even while an element is on it.")]


@instance.command("add")
@takes(DATABASE)
def add_instance(
    shared: Given,
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="Full path of terminal64.exe on that host.")
    ],
    portable: Annotated[
        bool, typer.Option("--portable", help="Its data is in its own folder (/portable).")
    ] = False,
    host: Host = None,
    json: Json = False,
) -> None:
    """Add an MT5 terminal of this host, or of another."""
    from rms_tui.cli import instances

    guarded(lambda: instances.add(shared, path, host, portable=portable, json=json))


@instance.command("remove")
@takes(DATABASE)
def remove_instance(
    shared: Given, which: Instance, host: OfHost = None, force: Force = False, json: Json = False
) -> None:
    """Remove a terminal. With --force even one in use: its element goes to another."""
    from rms_tui.cli import instances

    guarded(lambda: instances.remove(shared, which, host, force=force, json=json))


@instance.command("reset")
@takes(DATABASE)
def reset_instance(
    shared: Given, which: Instance, host: OfHost = None, force: Force = False, json: Json = False
) -> None:
    """Let a FAULTY terminal be used again."""
    from rms_tui.cli import instances

    guarded(lambda: instances.reset(shared, which, host, force=force, json=json))


@instance.command("list")
@takes(DATABASE)
def list_instances(
    shared: Given, host: OfHost = None, watch: Watch = False, json: Json = False
) -> None:
    """Every terminal, its status and element. Also host, path, last ping, restarts, error."""
    from rms_tui.cli import instances

    guarded(lambda: instances.list_(shared, host, watch=watch, json=json))
