"""The fleet's running half: the supervisor of a host, and one worker."""

from __future__ import annotations

from typing import Annotated

import typer

from rms_tui.cli.exits import guarded
from rms_tui.cli.numbers import whole
from rms_tui.cli.options import FLEET_SERVICE, Json, takes
from rms_tui.wiring.given import Given

verbs = typer.Typer(rich_markup_mode=None)

Host = Annotated[
    str | None,
    typer.Option("--host", metavar="NAME", help="This trading host. [RMS_FLEET_HOST]"),
]


@verbs.command()
@takes(FLEET_SERVICE)
def supervise(shared: Given, host: Host = None, json: Json = False) -> None:
    """Run this host's terminals and their workers.

    Waiting elements get free instances; a worker is launched for each, and watched. Any number of
    hosts, and of supervisors for one host, share one MongoDB. SIGTERM has the workers give their
    elements back.
    """
    from rms_tui.cli.supervise import supervise

    guarded(lambda: supervise(shared, host, json=json), lasts=True)


@verbs.command()
@takes(FLEET_SERVICE)
def worker(
    shared: Given,
    element_id: Annotated[
        str, typer.Option("--element-id", metavar="E", help="Id of the element.")
    ],
    pathway: Annotated[
        str, typer.Option("--pathway", metavar="PATH", help="The instance's terminal64.exe.")
    ],
    instance: Annotated[str, typer.Option("--instance", metavar="I", help="Id of the instance.")],
    term: Annotated[
        int | None,
        typer.Option(
            "--term",
            metavar="T",
            help="Of the supervisor's claim; without it one is made.",
            parser=whole,
        ),
    ] = None,
    host: Host = None,
) -> None:
    """Watch one element through one terminal. A supervisor launches it.

    Exit status: 0 released · 1 broken · 2 not possible as asked · 3 fenced: the claim is another's
    · 4 MT5 refused the login · 5 the terminal failed repeatedly · 6 no answer from MongoDB.
    """
    from rms_tui.cli.worker import work

    guarded(lambda: work(shared, element_id, pathway, instance, term, host), lasts=True)
