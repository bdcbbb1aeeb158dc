"""The fleet's accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.numbers import number
from rms_tui.cli.options import DATABASE, Json, Watch, gathered, profile_names, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)
element = typer.Typer(
    help="The fleet's accounts, one for each login of a server.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
verbs.add_typer(element, name="element")

Element = Annotated[str, typer.Argument(metavar="LOGIN|ID", help="As `element list` shows it.")]
Server = Annotated[
    str | None,
    typer.Option("--server", metavar="NAME", help="Of this trade server only."),
]
Investor = Annotated[
    bool | None,
    typer.Option(
        "--investor/--no-investor",
        help="It is the investor's password: it only reads.",
        show_default=False,
    ),
]

_LIMITS: dict[str, Any] = {
    "profile": Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="A profile of rms.toml, or a preset.",
            autocompletion=profile_names,
        ),
    ],
    "max_daily_loss": Annotated[
        str | None,
        typer.Option("--max-daily-loss", metavar="X", help="500 (money) or 5% of the day's base."),
    ],
    "max_position_risk": Annotated[
        str | None,
        typer.Option("--max-position-risk", metavar="X", help="100 (money) or 2% of the balance."),
    ],
    "max_profit": Annotated[
        str | None,
        typer.Option(
            "--max-profit", metavar="X", help="900 (money), or 8% with --initial-balance."
        ),
    ],
    "initial_balance": Annotated[
        float | None,
        typer.Option(
            "--initial-balance",
            metavar="B",
            help="What a preset, and percentages of profit, count from.",
            parser=number,
        ),
    ],
}


def _limits(_: typer.Context, given: dict[str, Any]) -> Any:
    """`Limits`; that module brings the rules, and `--help` answers in a blink."""
    from rms_tui.cli.limits import Limits

    return Limits(**given)


SHARED = ("source", *DATABASE)
limited = gathered("limits", _LIMITS, _limits)


@element.command("add")
@takes(SHARED)
@limited
def add_element(
    shared: Given,
    limits: Any,
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="The account.")],
    server: Annotated[
        str, typer.Argument(metavar="SERVER", help="Its trade server, such as Broker-Live.")
    ],
    investor: Investor = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="The terminal has it stored.")
    ] = False,
    json: Json = False,
) -> None:
    """Add an account. Its password is asked for, or read from stdin: never an option.

    --source terminal (default) wants a terminal of its own and a password; --source manager is
    watched through the Manager API, without one.
    """
    from rms_tui.cli import elements

    password = False if no_password else None
    asked = elements.Asked(shared.source, investor, password, limits)
    guarded(lambda: elements.add(shared, login, server, asked, json=json))


@element.command("edit")
@takes(SHARED)
@limited
def edit_element(
    shared: Given,
    limits: Any,
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
    no_profile: Annotated[
        bool, typer.Option("--no-profile", help="No limits of its own: its group's apply.")
    ] = False,
    json: Json = False,
) -> None:
    """Change what is given. Limits apply at once, an element with ERROR is tried again."""
    from rms_tui.cli import elements

    chosen = replace(limits, without=no_profile)
    asked = elements.Asked(shared.source, investor, password, chosen)
    guarded(lambda: elements.edit(shared, which, server, asked, json=json))


@element.command("remove")
@takes(DATABASE)
def remove_element(
    shared: Given, which: Element, server: Server = None, json: Json = False
) -> None:
    """Stop watching an account. Its element stays, REMOVED, until it is added again."""
    from rms_tui.cli import elements

    guarded(lambda: elements.remove(shared, which, server, json=json))


@element.command("show")
@takes(DATABASE)
def show_element(shared: Given, which: Element, server: Server = None, json: Json = False) -> None:
    """Everything about one element but its password."""
    from rms_tui.cli import elements

    guarded(lambda: elements.show(shared, which, server, json=json))


@element.command("list")
@takes(DATABASE)
def list_elements(
    shared: Given, server: Server = None, watch: Watch = False, json: Json = False
) -> None:
    """Every element, its status and risk. Also limits, age of its last ping, instance, error."""
    from rms_tui.cli import elements

    guarded(lambda: elements.list_(shared, server, watch=watch, json=json))
