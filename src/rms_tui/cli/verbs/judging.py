"""Rules: profiles, a written timeline, a day base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rms_tui.cli.exits import USAGE, end, guarded
from rms_tui.cli.numbers import number, whole
from rms_tui.cli.options import ACCOUNTS, SETTINGS, Json, profile_names, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)

profiles = typer.Typer(
    help="The profiles of rms.toml and the published presets.",
    rich_markup_mode=None,
    no_args_is_help=True,
)
verbs.add_typer(profiles, name="profiles")


@verbs.command()
@takes(SETTINGS)
def assess(
    shared: Given,
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="A timeline in JSON; - for stdin.", show_default=False),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(
            "--recording",
            metavar="FILE",
            help="A recording instead of a timeline: what would have breached, and when.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile",
            metavar="NAME|FILE",
            help="A profile of rms.toml, a preset, or a file, instead of the one inside.",
            autocompletion=profile_names,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Run rules over a written timeline or a recording.

    It needs no MT5 and no MongoDB. A timeline gives one JSON object a row; a recording every
    change of a verdict, and a summary.
    """
    if (file is None) == (recording is None):
        end("assess: expected a timeline FILE, or --recording FILE", USAGE)
    if recording is not None:
        from rms_tui.cli.recording import assess_recording

        guarded(lambda: assess_recording(shared, recording, profile, json=json))
        return
    from rms_tui.cli.assess import assess_file

    guarded(lambda: assess_file(shared, str(file), profile))


@profiles.command("list")
@takes(SETTINGS)
def list_profiles(shared: Given, json: Json = False) -> None:
    """Every profile of rms.toml, and every preset with its firm."""
    from rms_tui.cli.profiles import show_list

    guarded(lambda: show_list(shared, json=json))


@profiles.command("show")
@takes(SETTINGS)
def show_profile(
    shared: Given,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A profile or a preset: ftmo-2step", autocompletion=profile_names
        ),
    ],
    json: Json = False,
) -> None:
    """A profile's rules, and a preset's sources and published examples."""
    from rms_tui.cli.profiles import show_one

    guarded(lambda: show_one(shared, name, json=json))


@profiles.command("check")
@takes(SETTINGS)
def check_profiles(
    shared: Given,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Another file than rms.toml.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Say whether rms.toml is valid; a wrong key is named with its file. Exit status 2 if not."""
    from rms_tui.cli.profiles import check

    guarded(lambda: check(shared, file, json=json))


@profiles.command("assign")
@takes(ACCOUNTS)
def assign_profile(
    shared: Given,
    words: Annotated[
        list[str],
        typer.Argument(metavar="LOGIN... NAME|none", help="70123 7000-7010 ftmo-2step"),
    ],
    max_daily_loss: Annotated[
        float | None,
        typer.Option("--max-daily-loss", metavar="M", help="Instead of a NAME.", parser=number),
    ] = None,
    max_position_risk: Annotated[
        float | None,
        typer.Option("--max-position-risk", metavar="M", help="Instead of a NAME.", parser=number),
    ] = None,
    max_profit: Annotated[
        float | None,
        typer.Option("--max-profit", metavar="M", help="Instead of a NAME.", parser=number),
    ] = None,
    initial_balance: Annotated[
        float | None,
        typer.Option(
            "--initial-balance", metavar="I", help="What a preset counts from.", parser=number
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Judge accounts by a profile of their own, on every rms-tui. `none`: by the group's again."""
    from rms_tui.cli.assigning import assign

    limits = {
        "max_daily_loss": max_daily_loss,
        "max_position_risk": max_position_risk,
        "max_profit": max_profit,
        "initial_balance": initial_balance,
    }
    guarded(lambda: assign(shared, words, limits, json=json))


@verbs.command()
@takes(ACCOUNTS)
def base(
    shared: Given,
    login: Annotated[int, typer.Argument(metavar="LOGIN", help="The account.", parser=whole)],
    balance: Annotated[
        float, typer.Option("--balance", metavar="B", help="Its balance then.", parser=number)
    ],
    equity: Annotated[
        float, typer.Option("--equity", metavar="Q", help="Its equity then.", parser=number)
    ],
    at: Annotated[
        str,
        typer.Option("--at", metavar="TIME", help="Start of the day: 2026-03-02T00:00+01:00"),
    ],
    json: Json = False,
) -> None:
    """Enter a trading day's base where it is unknown. Every rms-tui on this MongoDB takes it."""
    from rms_tui.cli.entering import enter_base

    guarded(lambda: enter_base(shared, login, balance, equity, at, json=json))


@verbs.command()
@takes(ACCOUNTS)
def peak(
    shared: Given,
    login: Annotated[int, typer.Argument(metavar="LOGIN", help="The account.", parser=whole)],
    equity: Annotated[
        float | None,
        typer.Option("--equity", metavar="P", help="Its highest equity so far.", parser=number),
    ] = None,
    balance: Annotated[
        float | None,
        typer.Option("--balance", metavar="P", help="Its highest balance so far.", parser=number),
    ] = None,
    eod_balance: Annotated[
        float | None,
        typer.Option(
            "--eod-balance", metavar="P", help="Its highest balance at a day's end.", parser=number
        ),
    ] = None,
    max_balance_equity: Annotated[
        float | None,
        typer.Option(
            "--max-balance-equity", metavar="P", help="The highest of both so far.", parser=number
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Enter a trailing rule's peak where it is unknown. As it stands now."""
    from rms_tui.cli.entering import enter_peak

    peaks = {
        "equity": equity,
        "balance": balance,
        "eod_balance": eod_balance,
        "max_balance_equity": max_balance_equity,
    }
    guarded(lambda: enter_peak(shared, login, peaks, json=json))
