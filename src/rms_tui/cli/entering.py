"""`base` and `peak`: an operator enters what nobody else vouches for, and hears what became of it.

What would not be used anywhere is not written: the exit status says so too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rms_tui.cli import START
from rms_tui.cli.exits import FAILED, USAGE, end
from rms_tui.cli.oneshot import print_json
from rms_tui.cli.storing import database
from rms_tui.facts import BaseEntry, Entry, PeakEntry
from rms_tui.memory_desk import LARGEST
from rms_tui.risk.entries import Outcome, outcomes
from rms_tui.risk.memory import Memory
from rms_tui.risk.memory_rows import memory_from_rows
from rms_tui.risk.profile import Rollover
from rms_tui.wiring.given import Given
from rms_tui.wiring.operator import operator
from rms_tui.wiring.sources import Desk, desk
from rms_tui.wiring.storing import server_name

if TYPE_CHECKING:  # pymongo is imported when a verb really asks
    from rms_tui.store.database import Rms

WATCHED_S = 180.0
"""Each account's memory is written once a minute while it is watched."""


def enter_base(
    shared: Given, login: int, balance: float, equity: float, at: str, *, json: bool
) -> None:
    """Write a base and its audit row, where one is wanted; every rms-tui that watches follows."""
    made = _desk(shared)
    _money("--balance", balance)
    _money("--equity", equity)
    when = _moment(at)
    name, now = server_name(made), time.time()
    with database(made.settings) as found:
        memory = _memory(found, name, login)
        starts = {day.at for day in memory.days.values() if not math.isnan(day.at)}
        if not any(abs(start - when) < 1 for start in starts):
            known = ", ".join(sorted(_iso(start) for start in starts)) or "none is known"
            end(f"--at {at}: expected the start of a current trading day: {known}", USAGE)
        entry = BaseEntry(login, when, balance, equity, operator(), now)
        said = outcomes(memory, entry)
        _write(found, name, [entry] if any(one.used for one in said) else [])
    shape = {"login_id": login, "at": _iso(when), "balance": balance, "equity": equity}
    title = f"base of {_iso(when)}: balance {balance:.2f}, equity {equity:.2f}"
    _tell(login, title, shape, said, _last_seen(memory, now), json=json)


def enter_peak(shared: Given, login: int, peaks: Mapping[str, float | None], *, json: bool) -> None:
    """Write peaks (by their source) and their audit rows, where one is wanted."""
    made = _desk(shared)
    wanted = {source: value for source, value in peaks.items() if value is not None}
    if not wanted:
        end(f"which peak? expected one of {', '.join(map(_option, peaks))}", USAGE)
    for source, value in wanted.items():
        _money(_option(source), value)
    name, now = server_name(made), time.time()
    with database(made.settings) as found:
        memory = _memory(found, name, login)
        followed = {trail.source for trail in memory.peaks}
        for source in wanted:
            if source not in followed:
                known = ", ".join(_option(one) for one in sorted(followed)) or "none"
                end(
                    f"{_option(source)}: no rule of {login} follows that peak; followed: {known}",
                    USAGE,
                )
        entries = [
            PeakEntry(login, trail, wanted[trail.source], operator(), now)
            for trail in memory.peaks
            if trail.source in wanted
        ]
        said = [one for entry in entries for one in outcomes(memory, entry)]
        used = {one.of for one in said if one.used}
        _write(found, name, [entry for entry in entries if entry.trail in used])
    shape = {"login_id": login, "peaks": wanted}
    title = "  ".join(f"{source} peak {value:.2f}" for source, value in wanted.items())
    _tell(login, title, shape, said, _last_seen(memory, now), json=json)


def _desk(shared: Given) -> Desk:
    return desk(shared) or end(START, USAGE)


def _option(source: str) -> str:
    return f"--{source.replace('_', '-')}"


def _money(option: str, value: float) -> None:
    if not 0 <= value < LARGEST:  # NaN is not
        end(f"{option} {value:g}: expected an amount of money, 0 or more, such as 10000.50", USAGE)


def _memory(found: Rms, server: str, login: int) -> Memory:
    """What is remembered of one account; ends the verb where it was never watched."""
    document = found.memory.find_one({"_id": f"{server}/{login}"})
    if document is None or "last" not in document:
        end(f"account {login} has not been watched on {server} yet: its days are not known", USAGE)
    return memory_from_rows([document])


def _write(found: Rms, server: str, entries: Sequence[Entry]) -> None:
    from rms_tui.store import entries as written

    for entry in entries:
        written.enter(found, server, entry)


def _last_seen(memory: Memory, now: float) -> float | None:
    """When the account was last watched, if that is not now."""
    at = float(memory.last.at[0])
    return at if math.isfinite(at) and now - at > WATCHED_S else None


def _tell(
    login: int,
    title: str,
    shape: dict[str, Any],
    said: Sequence[Outcome],
    last_seen: float | None,
    *,
    json: bool,
) -> None:
    """Print what became of it; exit status 1 when nothing was used."""
    if json:
        seen = None if last_seen is None else _iso(last_seen)
        print_json({**shape, "outcomes": [_outcome(one) for one in said], "last_watched": seen})
    else:
        print(f"{login}  {title}")
        for one in said:
            print(f"  {one.words}")
        if last_seen is not None:
            print(f"  nobody watches it now (last at {_iso(last_seen)}): used when somebody does")
    if not any(one.used for one in said):
        raise SystemExit(FAILED)


def _outcome(one: Outcome) -> dict[str, Any]:
    if isinstance(one.of, Rollover):
        of: dict[str, Any] = {"zone": one.of.zone, "rollover": one.of.at}
    else:
        of = {"peak": one.of.source, "withdrawals": one.of.withdrawals}
    return {**of, "used": one.used, "why": one.why or None}


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        end(f"--at {text}: expected a time such as 2026-03-02T00:00+01:00", USAGE)
    if moment.tzinfo is None:
        end(f"--at {text}: expected a zone, such as 2026-03-02T00:00+01:00", USAGE)
    return moment.timestamp()


def _iso(when: float) -> str:
    return datetime.fromtimestamp(when, UTC).isoformat(timespec="minutes")
