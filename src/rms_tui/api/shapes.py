"""RMS's shapes as a Python program wants them: comparable, whatever is known.

In JSON a number that is not known is null. Here it is NaN, so that `level < 150` is simply False
and never an error, and the margin level of an account without margin is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rms_tui import snapshot
from rms_tui.book import Deals
from rms_tui.frame import Frame
from rms_tui.snapshot import Shape

FIGURES = ("balance", "credit", "equity", "margin", "free_margin", "margin_level", "profit")


def snapshots(frame: Frame, history: Deals, logins: Sequence[int] | None) -> dict[int, Shape]:
    """`{login: snapshot}` by whole numbers, of all accounts or of those asked for."""
    made = snapshot.accounts_snapshot(frame, history, logins)
    return {
        int(login): {**one, "account": comparable(one["account"])} for login, one in made.items()
    }


def updates(frame: Frame) -> list[Shape]:
    """A list of `{account, positions, trades_summary}`."""
    return [{**one, "account": comparable(one["account"])} for one in snapshot.updates_shape(frame)]


def comparable(account: Shape) -> Shape:
    """An account with NaN for what is not known, and an infinite level where no margin is used."""
    made = {
        name: math.nan if value is None and name in FIGURES else value
        for name, value in account.items()
    }
    if account["margin_level"] is None and account["margin"] == 0:
        made["margin_level"] = math.inf
    return made
