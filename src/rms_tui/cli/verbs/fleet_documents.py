"""The fleet's documents: accounts, terminals, keys."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.options import Json, profile_names, shared_options
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)


def _group(name: str, text: str) -> typer.Typer:
    made = typer.Typer(help=text, rich_markup_mode=None, no_args_is_help=True)
    verbs.add_typer(made, name=name)
    return made


element = _group("element", "The fleet's accounts, one for each login of a server.")
instance = _group("instance", "The fleet's MT5 terminals, one for each installation.")
secrets = _group("secrets", "The keys that passwords are encrypted with.")

Element = Annotated[str, typer.Argument(metavar="LOGIN|ID", help="As `element list` shows it.")]
Instance = Annotated[str, typer.Argument(metavar="ID|PATH", help="As `instance list` shows it.")]
Server = Annotated[
    str | None,
    typer.Option("--server", metavar="NAME", help="Of this trade server only."),
]
Host = Annotated[
    str | None, typer.Option("--host", metavar="NAME", help="Another host than this one.")
]
OfHost = Annotated[str | None, typer.Option("--host", metavar="NAME", help="Of this host only.")]
Watch = Annotated[
    bool, typer.Option("--watch", help="Print it again whenever it changes, until Ctrl-C.")
]
Force = Annotated[bool, typer.Option("--force", help="Although an element is on it.")]
Investor = Annotated[
    bool | None,
    typer.Option("--investor/--no-investor", help="The password only reads.", show_default=False),
]
Profile = Annotated[
    str | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="A profile of rms.toml, or a preset.",
        autocompletion=profile_names,
    ),
]
MaxDailyLoss = Annotated[
    str | None,
    typer.Option("--max-daily-loss", metavar="X", help="500 (money) or 5% of the day's base."),
]
MaxPositionRisk = Annotated[
    str | None,
    typer.Option("--max-position-risk", metavar="X", help="100 (money) or 2% of the balance."),
]
MaxProfit = Annotated[
    str | None,
    typer.Option("--max-profit", metavar="X", help="900 (money), or 8% with --initial-balance."),
]
InitialBalance = Annotated[
    float | None,
    typer.Option("--initial-balance", metavar="B", help="What percentages of profit are of."),
]


def _limits(
    profile: str | None,
    loss: str | None,
    risk: str | None,
    profit: str | None,
    initial: float | None,
    *,
    without: bool = False,
) -> Any:
    from rms_tui.cli.limits import Limits

    return Limits(profile, loss, risk, profit, initial, without)


@element.command("add")
@shared_options
def add_element(
    shared: Given,
    login: Annotated[str, typer.Argument(help="The account.")],
    server: Annotated[str, typer.Argument(help="Its trade server, such as Broker-Live.")],
    investor: Investor = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="The terminal has it stored.")
    ] = False,
    profile: Profile = None,
    max_daily_loss: MaxDailyLoss = None,
    max_position_risk: MaxPositionRisk = None,
    max_profit: MaxProfit = None,
    initial_balance: InitialBalance = None,
    json: Json = False,
) -> None:
    """Add an account. Its password is asked for, or read from stdin: never an option.

    --source terminal (default) wants a terminal of its own and a password; --source manager is
    watched through the Manager API, without one.
    """
    from rms_tui.cli import elements

    limits = _limits(profile, max_daily_loss, max_position_risk, max_profit, initial_balance)
    password = False if no_password else None
    asked = elements.Asked(shared.source, investor, password, limits)
    guarded(lambda: elements.add(shared, login, server, asked, json=json))


@element.command("edit")
@shared_options
def edit_element(
    shared: Given,
    which: Element,
    server: Server = None,
    password: Annotated[
        bool | None,
        typer.Option(
            "--password/--no-password",
            help="Ask for another password, or have none stored.",
            show_default=False,
        ),
    ] = None,
    investor: Investor = None,
    profile: Profile = None,
    no_profile: Annotated[
        bool, typer.Option("--no-profile", help="No limits of its own: its group's apply.")
    ] = False,
    max_daily_loss: MaxDailyLoss = None,
    max_position_risk: MaxPositionRisk = None,
    max_profit: MaxProfit = None,
    initial_balance: InitialBalance = None,
    json: Json = False,
) -> None:
    """Change what is given. Limits apply at once, an element with ERROR is tried again."""
    from rms_tui.cli import elements

    limits = _limits(
        profile,
        max_daily_loss,
        max_position_risk,
        max_profit,
        initial_balance,
        without=no_profile,
    )
    asked = elements.Asked(shared.source, investor, password, limits)
    guarded(lambda: elements.edit(shared, which, server, asked, json=json))


@element.command("remove")
@shared_options
def remove_element(
    shared: Given, which: Element, server: Server = None, json: Json = False
) -> None:
    """Stop watching an account. Its element stays, REMOVED, until it is added again."""
    from rms_tui.cli import elements

    guarded(lambda: elements.remove(shared, which, server, json=json))


@element.command("show")
@shared_options
def show_element(shared: Given, which: Element, server: Server = None, json: Json = False) -> None:
    """Everything about one element but its password."""
    from rms_tui.cli import elements

    guarded(lambda: elements.show(shared, which, server, json=json))


@element.command("list")
@shared_options
def list_elements(
    shared: Given, server: Server = None, watch: Watch = False, json: Json = False
) -> None:
    """Every element, its status and risk. Also limits, age of its last ping, instance, error."""
    from rms_tui.cli import elements

    guarded(lambda: elements.list_(shared, server, watch=watch, json=json))


@instance.command("add")
@shared_options
def add_instance(
    shared: Given,
    path: Annotated[str, typer.Argument(help="Full path of terminal64.exe on that host.")],
    portable: Annotated[
        bool, typer.Option("--portable", help="Its data stands in its own folder (/portable).")
    ] = False,
    host: Host = None,
    json: Json = False,
) -> None:
    """Add an MT5 terminal of this host, or of another."""
    from rms_tui.cli import instances

    guarded(lambda: instances.add(shared, path, host, portable=portable, json=json))


@instance.command("remove")
@shared_options
def remove_instance(
    shared: Given, which: Instance, host: OfHost = None, force: Force = False, json: Json = False
) -> None:
    """Take a terminal away. With --force one in use, whose element goes to another."""
    from rms_tui.cli import instances

    guarded(lambda: instances.remove(shared, which, host, force=force, json=json))


@instance.command("reset")
@shared_options
def reset_instance(
    shared: Given, which: Instance, host: OfHost = None, force: Force = False, json: Json = False
) -> None:
    """Have a FAULTY terminal be used again."""
    from rms_tui.cli import instances

    guarded(lambda: instances.reset(shared, which, host, force=force, json=json))


@instance.command("list")
@shared_options
def list_instances(
    shared: Given, host: OfHost = None, watch: Watch = False, json: Json = False
) -> None:
    """Every terminal, its status and element. Also host, path, last ping, restarts, error."""
    from rms_tui.cli import instances

    guarded(lambda: instances.list_(shared, host, watch=watch, json=json))


@secrets.command("init")
@shared_options
def init_secrets(shared: Given, json: Json = False) -> None:
    """Make the master key's file and the first data key. Never over one that is there."""
    from rms_tui.cli import secrets as keys

    guarded(lambda: keys.make(shared, json=json))


@secrets.command("rotate")
@shared_options
def rotate_secrets(
    shared: Given,
    master: Annotated[
        bool, typer.Option("--master", help="A new master key, for every host to be given.")
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
@shared_options
def secrets_status(shared: Given, json: Json = False) -> None:
    """Keys, their age and use, and whether each password can be read. Exit status 1 if not."""
    from rms_tui.cli import secrets as keys

    guarded(lambda: keys.show(shared, json=json))
