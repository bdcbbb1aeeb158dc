"""`add` and `remove`: write elements, which every rms-tui on the same MongoDB follows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal

from rms_tui.cli import START
from rms_tui.cli.asking import Answer, asked
from rms_tui.cli.exits import USAGE, end
from rms_tui.cli.storing import database
from rms_tui.feed import Selection
from rms_tui.logins import parse_logins
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import Desk, desk
from rms_tui.wiring.storing import server_name

PAST = {"add": "added", "remove": "removed"}


ABSENT = "not on the server"


def change(
    shared: Given,
    action: Literal["add", "remove"],
    texts: Sequence[str],
    *,
    force: bool,
    json: bool,
) -> None:
    """Write one element and one audit row a login, and say what happened to each.

    What the source says it does not have is not written, unless with `force`; then it is not
    asked. Where it cannot be asked all are written, and that is said. Raises SettingsError.
    """
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
    write = elements.add if action == "add" else elements.remove
    with database(made.settings) as found:
        before = elements.selection(found, name, everything=everything)
        done = {login: _done(action, login, before) for login in logins}
        doubtful = [one for one in logins if done[one] is None and one not in before.added]
        answer = Answer() if force else asked(made, doubtful)
        outcomes = {
            login: said or (ABSENT if login in answer.absent else PAST[action])
            for login, said in done.items()
        }
        for login, outcome in outcomes.items():
            if outcome == PAST[action]:
                write(found, login, name, made.source, who)
    if json:
        from rms_tui.cli.oneshot import print_json

        print_json({str(login): outcome for login, outcome in outcomes.items()})
    else:
        for login, outcome in outcomes.items():
            print(f"{login}  {outcome}")
    if answer.unasked is not None:
        print(f"rms-tui: nobody checked that these accounts exist: {answer.unasked}",
              file=sys.stderr)  # fmt: skip
    if answer.absent:
        sys.stdout.flush()
        end(f"{len(answer.absent)} of {len(logins)} not {PAST[action]}: the source has no such "
            f"account; --force writes it anyway", USAGE)  # fmt: skip


def _done(action: Literal["add", "remove"], login: int, before: Selection) -> str | None:
    """Why nothing is to be written; None where something is."""
    if action == "add":
        return "already added" if login in before.added else None
    if login in before.without:
        return "already removed"
    return None if before.watches(login) else "not watched"


def stored_selection(made: Desk) -> Selection:
    """The accounts that operators added to, or removed from, this source."""
    from rms_tui.store import elements

    everything = made.settings.rms_accounts == "all"
    with database(made.settings) as found:
        return elements.selection(found, server_name(made), everything=everything)
