"""Alerts: list, handle, prove."""

from __future__ import annotations

from typing import Annotated

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.numbers import whole
from rms_tui.cli.options import DATABASE, Json, rule_names, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)

AlertId = Annotated[str, typer.Argument(metavar="ID", help="As `rms-tui alerts` lists it.")]


@verbs.command()
@takes(DATABASE)
def alerts(
    shared: Given,
    open_only: Annotated[
        bool, typer.Option("--open", help="Only those that are still open.")
    ] = False,
    login: Annotated[
        int | None,
        typer.Option(
            "--login", metavar="L", help="Only of this account (0: of the feed).", parser=whole
        ),
    ] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            "--rule",
            metavar="R",
            help="Only of this rule, such as daily_loss.",
            autocompletion=rule_names,
        ),
    ] = None,
    operator: Annotated[
        str | None,
        typer.Option("--operator", metavar="O", help="Only acknowledged or snoozed by: ann@desk."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="T", help="Only raised since: 2h, 3d, 2026-03-02T14:00."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="T", help="Only raised until: 30m, 2026-03-02T15:00."),
    ] = None,
    json: Json = False,
) -> None:
    """Alerts and their history, the newest first. Their ids are what ack and snooze take."""
    from rms_tui.cli.alerts import show_alerts

    guarded(
        lambda: show_alerts(
            shared,
            open_only=open_only,
            login=login,
            rule=rule,
            by=operator,
            since_text=since,
            until_text=until,
            json=json,
        )
    )


@verbs.command()
@takes(DATABASE)
def ack(
    shared: Given,
    alert_id: AlertId,
    note: Annotated[
        str | None,
        typer.Option("--note", metavar="TEXT", help="What the next shift should know."),
    ] = None,
    json: Json = False,
) -> None:
    """Acknowledge an alert in your name. Every console on this MongoDB shows it at once."""
    from rms_tui.cli.alerts import acknowledge

    guarded(lambda: acknowledge(shared, alert_id, note, json=json))


@verbs.command()
@takes(DATABASE)
def snooze(
    shared: Given,
    alert_id: AlertId,
    time: Annotated[str, typer.Argument(metavar="TIME", help="How long: 5m, 30m, 2h, 24h.")],
    json: Json = False,
) -> None:
    """Silence an alert for a time. It rings again if it is still bad then, or gets worse."""
    from rms_tui.cli.alerts import snooze

    guarded(lambda: snooze(shared, alert_id, time, json=json))


@verbs.command()
@takes(DATABASE)
def evidence(shared: Given, alert_id: AlertId, json: Json = False) -> None:
    """What decided an alert, decided again. Exit status 1 when the verdict differs."""
    from rms_tui.cli.alerts import show_evidence

    guarded(lambda: show_evidence(shared, alert_id, json=json))
