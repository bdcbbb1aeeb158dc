"""`add` and `remove`: write elements, which every rms-tui on the same MongoDB follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from rms_tui.cli import START
from rms_tui.cli.exits import USAGE, end
from rms_tui.cli.storing import database
from rms_tui.feed import Selection
from rms_tui.logins import parse_logins
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import Desk, desk
from rms_tui.wiring.storing import server_name

PAST = {"add": "added", "remove": "removed"}


def change(
    shared: Given, action: Literal["add", "remove"], texts: Sequence[str], *, json: bool
) -> None:
    """Write one element and one audit row a login, and say what happened to each."""
    made = desk(shared)
    if made is None:
        end(START, USAGE)
    try:
        logins = parse_logins(" ".join(texts))
    except ValueError as error:
        end(str(error), USAGE)
    from rms_tui.store import elements

    name, who = server_name(made), operator()
    everything = made.settings.rms_accounts == "all"
    outcomes: dict[int, str] = {}
    with database(made.settings) as found:
        before = elements.selection(found, name, everything=everything)
        for login in logins:
            if action == "add" and login in before.added:
                outcomes[login] = "already added"
            elif action == "remove" and login in before.without:
                outcomes[login] = "already removed"
            else:
                write = elements.add if action == "add" else elements.remove
                write(found, login, name, made.source, who)
                outcomes[login] = PAST[action]
    if json:
        from rms_tui.cli.oneshot import print_json

        print_json({str(login): outcome for login, outcome in outcomes.items()})
    else:
        for login, outcome in outcomes.items():
            print(f"{login}  {outcome}")


def stored_selection(made: Desk) -> Selection:
    """The accounts that operators added to, or removed from, this source."""
    from rms_tui.store import elements

    everything = made.settings.rms_accounts == "all"
    with database(made.settings) as found:
        return elements.selection(found, server_name(made), everything=everything)
