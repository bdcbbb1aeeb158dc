"""`base`: an operator enters the base of a trading day that nobody else vouches for."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime
from typing import Any

from rms_tui.cli import START
from rms_tui.cli.exits import USAGE, end
from rms_tui.cli.oneshot import print_json
from rms_tui.cli.storing import database
from rms_tui.facts import BaseEntry
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import desk
from rms_tui.wiring.storing import server_name


def enter_base(
    shared: Given, login: int, balance: float, equity: float, at: str, *, json: bool
) -> None:
    """Write the base and its audit row; every rms-tui that watches the account follows."""
    made = desk(shared)
    if made is None:
        end(START, USAGE)
    if not (math.isfinite(balance) and math.isfinite(equity)):
        end(f"--balance {balance} --equity {equity}: expected two amounts of money", USAGE)
    when = _moment(at)
    from rms_tui.store import entries

    name = server_name(made)
    with database(made.settings) as found:
        document = found.memory.find_one({"_id": f"{name}/{login}"}, {"days": 1})
        starts = _starts(document)
        if not starts:
            end(
                f"account {login} was not watched on {name} yet: its trading days are not known",
                USAGE,
            )
        if not any(abs(start - when) < 1 for start in starts):
            known = ", ".join(sorted(_iso(start) for start in starts))
            end(f"--at {at}: expected the start of a present trading day: {known}", USAGE)
        entry = BaseEntry(login, when, balance, equity, operator(), time.time())
        entries.enter(found, name, entry)
    if json:
        print_json({"login_id": login, "at": _iso(when), "balance": balance, "equity": equity})
    else:
        print(f"{login}  base of {_iso(when)}: balance {balance:.2f}, equity {equity:.2f}")


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        end(f"--at {text}: expected a time such as 2026-03-02T00:00+01:00", USAGE)
    if moment.tzinfo is None:
        end(f"--at {text}: expected a zone, such as 2026-03-02T00:00+01:00", USAGE)
    return moment.timestamp()


def _starts(document: dict[str, Any] | None) -> set[float]:
    days = [] if document is None else document.get("days") or []
    return {float(day["at"]) for day in days if not math.isnan(float(day["at"]))}


def _iso(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="minutes")
