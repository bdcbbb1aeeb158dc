"""The composition root: options, settings, wiring, exit status. Imported by nothing.

Every heavy import stands inside its verb: `rms-tui --help` must answer in a blink.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rms_tui.cli.exits import MEANINGS, guarded
from rms_tui.cli.options import Shared, shared_options

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
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Pure JSON on stdout, for programs.")]


def _version(wanted: bool) -> None:
    if wanted:
        from rms_tui import __version__

        print(f"rms-tui {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
@shared_options
def console(
    ctx: typer.Context,
    shared: Shared,
    mouse: Annotated[
        bool, typer.Option("--mouse", help="Let the console take the mouse (off: select text).")
    ] = False,
    version: Annotated[  # noqa: ARG001  (the callback prints it)
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    ctx.obj = shared
    if ctx.invoked_subcommand is None:
        from rms_tui.cli.console import open_console

        guarded(lambda: open_console(shared, mouse=mouse))


@app.command()
@shared_options
def start(
    shared: Shared,
    account: Annotated[
        list[str] | None,
        typer.Option(
            "-a", "--account", metavar="LOGIN", help="Add these and watch what was added, not all."
        ),
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LOGIN]...", help="More logins for -a.", show_default=False),
    ] = None,
) -> None:
    """Watch without a screen: poll, assess, write to MongoDB, log. Ends on SIGTERM or Ctrl-C."""
    from rms_tui.cli.headless import watch

    guarded(lambda: watch(shared, [*(account or []), *(more or [])]))


@app.command()
@shared_options
def add(
    shared: Shared,
    login: Annotated[list[str], typer.Argument(help="Logins, lists or ranges: 7001 7010-7020")],
    json: Json = False,
) -> None:
    """Watch these accounts, in every rms-tui on this MongoDB."""
    from rms_tui.cli.accounts import change

    guarded(lambda: change(shared, "add", login, json=json))


@app.command()
@shared_options
def remove(
    shared: Shared,
    login: Annotated[list[str], typer.Argument(help="Logins, lists or ranges: 7001 7010-7020")],
    json: Json = False,
) -> None:
    """Stop watching these accounts, in every rms-tui on this MongoDB."""
    from rms_tui.cli.accounts import change

    guarded(lambda: change(shared, "remove", login, json=json))


@app.command()
@shared_options
def snapshot(
    shared: Shared,
    login_id: Annotated[
        int | None,
        typer.Option("--login-id", metavar="L", help="Only this account."),
    ] = None,
    json: Json = False,
) -> None:
    """Every account with its positions and closed trades, once."""
    from rms_tui.cli.oneshot import show_snapshot

    guarded(lambda: show_snapshot(shared, login_id, json=json))


@app.command()
@shared_options
def exposure(
    shared: Shared,
    symbol: Annotated[
        str | None,
        typer.Option("--symbol", metavar="S", help="Only this symbol."),
    ] = None,
    json: Json = False,
) -> None:
    """The book's exposure by symbol, once."""
    from rms_tui.cli.oneshot import show_exposure

    guarded(lambda: show_exposure(shared, symbol, json=json))


@app.command()
@shared_options
def stats(shared: Shared, json: Json = False) -> None:
    """Accounts, positions, risk states and the health of the feed, once."""
    from rms_tui.cli.oneshot import show_stats

    guarded(lambda: show_stats(shared, json=json))


@app.command()
@shared_options
def alerts(
    shared: Shared,
    open_only: Annotated[bool, typer.Option("--open", help="Only those not over yet.")] = False,
    login: Annotated[
        int | None,
        typer.Option("--login", metavar="L", help="Only of this account (0: of the feed)."),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option("--rule", metavar="R", help="Only of this rule, such as daily_loss."),
    ] = None,
    operator: Annotated[
        str | None,
        typer.Option("--operator", metavar="O", help="Only acknowledged or snoozed by: ann@desk."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="T", help="Only raised since: 2h, 3d, 2026-03-02T14:00."),
    ] = None,
    json: Json = False,
) -> None:
    """Alerts and their history, the newest first, with the ids that ack and snooze take."""
    from rms_tui.cli.alerts import show_alerts

    guarded(
        lambda: show_alerts(
            shared,
            open_only=open_only,
            login=login,
            rule=rule,
            by=operator,
            since_text=since,
            json=json,
        )
    )


AlertId = Annotated[str, typer.Argument(metavar="ID", help="As `rms-tui alerts` lists it.")]


@app.command()
@shared_options
def ack(
    shared: Shared,
    alert_id: AlertId,
    note: Annotated[
        str | None,
        typer.Option("--note", metavar="TEXT", help="What the next shift should know."),
    ] = None,
    json: Json = False,
) -> None:
    """Acknowledge an alert in your name; every console on this MongoDB shows it at once."""
    from rms_tui.cli.alerts import acknowledge

    guarded(lambda: acknowledge(shared, alert_id, note, json=json))


@app.command()
@shared_options
def snooze(
    shared: Shared,
    alert_id: AlertId,
    time: Annotated[str, typer.Argument(metavar="TIME", help="How long: 5m, 30m, 2h, 24h.")],
    json: Json = False,
) -> None:
    """Silence an alert for a time: it rings again if it is still bad then, or gets worse."""
    from rms_tui.cli.alerts import snooze

    guarded(lambda: snooze(shared, alert_id, time, json=json))


@app.command()
@shared_options
def evidence(shared: Shared, alert_id: AlertId, json: Json = False) -> None:
    """What decided an alert, decided again: exit status 1 when the verdict differs."""
    from rms_tui.cli.alerts import show_evidence

    guarded(lambda: show_evidence(shared, alert_id, json=json))


@app.command()
@shared_options
def assess(
    shared: Shared,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A timeline in JSON; - for stdin.")],
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME|FILE",
            help="A profile of rms.toml, a preset, or a file, instead of the one inside.",
        ),
    ] = None,
) -> None:
    """Run rules over a written timeline: one JSON object a row, without MT5 and MongoDB."""
    from rms_tui.cli.assess import assess_file

    guarded(lambda: assess_file(shared, file, profile))


profiles = typer.Typer(
    name="profiles",
    help="The profiles of rms.toml and the published presets.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
app.add_typer(profiles)


@profiles.command("list")
@shared_options
def list_profiles(shared: Shared, json: Json = False) -> None:
    """Every profile of rms.toml, and every preset with its firm."""
    from rms_tui.cli.profiles import show_list

    guarded(lambda: show_list(shared, json=json))


@profiles.command("show")
@shared_options
def show_profile(
    shared: Shared,
    name: Annotated[str, typer.Argument(help="A profile or a preset: ftmo-2step")],
    json: Json = False,
) -> None:
    """A profile's rules, and a preset's sources and published examples."""
    from rms_tui.cli.profiles import show_one

    guarded(lambda: show_one(shared, name, json=json))


@profiles.command("check")
@shared_options
def check_profiles(
    shared: Shared,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Another file than rms.toml.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Say whether rms.toml is valid; a wrong key is named with its file. Exit status 2 if not."""
    from rms_tui.cli.profiles import check

    guarded(lambda: check(shared, file, json=json))


@app.command()
@shared_options
def base(
    shared: Shared,
    login: Annotated[int, typer.Argument(help="The account.")],
    balance: Annotated[float, typer.Option("--balance", metavar="B", help="Its balance then.")],
    equity: Annotated[float, typer.Option("--equity", metavar="Q", help="Its equity then.")],
    at: Annotated[
        str,
        typer.Option("--at", metavar="TIME", help="Start of the day: 2026-03-02T00:00+01:00"),
    ],
    json: Json = False,
) -> None:
    """Enter the base of a trading day where it is unknown, in every rms-tui on this MongoDB."""
    from rms_tui.cli.day_base import enter_base

    guarded(lambda: enter_base(shared, login, balance, equity, at, json=json))


@app.command()
@shared_options
def doctor(shared: Shared, json: Json = False) -> None:
    """Check this installation: packages, settings, source, MongoDB; say how to mend it."""
    from rms_tui.cli.doctor import examine

    guarded(lambda: examine(shared, json=json))


def main(arguments: list[str] | None = None) -> Any:
    """Run `rms-tui` and exit with its status."""
    return app(args=arguments, prog_name="rms-tui")
