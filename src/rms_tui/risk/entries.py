"""What operators enter by hand, where nobody better vouches: the base of a day, a peak.

An entry never replaces a better origin, and what became of it can be said for each day and peak,
before it is used and by anyone who has the memory. Entries are facts: used again after a restart,
they come to the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from rms_tui.book import rows_of
from rms_tui.risk.days import DayBase, Origin, with_base
from rms_tui.risk.memory import Memory
from rms_tui.risk.peaks import Peak, with_peak
from rms_tui.risk.profile import Rollover, Trail


@dataclass(frozen=True, slots=True)
class BaseEntry:
    """An operator entered the base of a trading day. `at` is its start, times are UTC seconds."""

    login: int
    at: float
    balance: float
    equity: float
    operator: str
    entered_at: float


@dataclass(frozen=True, slots=True)
class PeakEntry:
    """An operator entered a peak as it stood at `entered_at` (UTC seconds)."""

    login: int
    trail: Trail
    value: float
    operator: str
    entered_at: float


Entry: TypeAlias = BaseEntry | PeakEntry


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an entry comes to for one trading day or one peak, in words: used, or why not."""

    of: Rollover | Trail
    used: bool
    why: str

    @property
    def subject(self) -> str:
        """`day from 00:00 server`, `equity peak`."""
        if isinstance(self.of, Rollover):
            return f"day from {self.of.at} {self.of.zone}"
        return f"{source_words(self.of.source)} peak"

    @property
    def words(self) -> str:
        """`day from 00:00 server: not used, the server says …`."""
        said = ["used" if self.used else "not used", *filter(None, [self.why])]
        return f"{self.subject}: {', '.join(said)}"


def source_words(source: str) -> str:
    """What a peak is of, in words: `end-of-day balance`."""
    return {
        "eod_balance": "end-of-day balance",
        "max_balance_equity": "higher of balance and equity",
    }.get(source, source)


def outcomes(memory: Memory, entry: Entry) -> list[Outcome]:
    """What an entry would come to now; nothing for an account or a day that is not here."""
    row = _row(memory, entry.login)
    if row is None:
        return []
    if isinstance(entry, PeakEntry):
        peak = memory.peaks.get(entry.trail)
        return [] if peak is None else [_of_peak(memory, peak, row, entry)]
    return [
        _of_day(rollover, day, row)
        for rollover, day in memory.days.items()
        if abs(day.at - entry.at) < 1.0
    ]


def standing(
    memory: Memory, login: int, wanted: Iterable[Rollover | Trail], now: float
) -> list[Outcome]:
    """What an entry made now would come to for each of these days and peaks of an account."""
    said: list[Outcome] = []
    for of in wanted:
        if isinstance(of, Trail):
            entry: Entry = PeakEntry(login, of, -math.inf, "", now)
        else:
            day = memory.days.get(of)
            entry = BaseEntry(login, math.nan if day is None else day.at, 0.0, 0.0, "", now)
        said += [one for one in outcomes(memory, entry) if one.of == of]
    return said


def with_entries(memory: Memory, entries: Iterable[Entry]) -> Memory:
    """The memory with what operators entered, where nothing better is known.

    Bases go first: an end-of-day peak needs its day's. An entry for another day, or for an account
    that is not here, changes nothing.
    """
    days, peaks = dict(memory.days), dict(memory.peaks)
    for entry in sorted(entries, key=lambda each: isinstance(each, PeakEntry)):
        now = replace(memory, days=days, peaks=peaks)
        row = _row(memory, entry.login)
        if row is None:
            continue
        for one in outcomes(now, entry):
            if not one.used:
                continue
            if isinstance(entry, PeakEntry):
                peaks[entry.trail] = _entered(peaks[entry.trail], entry, row)
            elif isinstance(one.of, Rollover):
                day = days[one.of]
                known = Origin(int(day.origin[row])) is Origin.DEALS
                balance = float(day.balance[row]) if known else entry.balance
                days[one.of] = with_base(day, row, balance, entry.equity)
    return replace(memory, days=MappingProxyType(days), peaks=MappingProxyType(peaks))


def _row(memory: Memory, login: int) -> int | None:
    row = int(rows_of(memory.login, np.array([login], dtype=np.int64))[0])
    return None if row < 0 else row


_SAYS = {
    Origin.SERVER: "the server says",
    Origin.OBSERVED: "it was observed:",
    Origin.DEALS: "the deals say",
}


def _of_day(rollover: Rollover, day: DayBase, row: int) -> Outcome:
    balance, equity = float(day.balance[row]), float(day.equity[row])
    origin = Origin(int(day.origin[row]))
    if origin is Origin.UNKNOWN:
        return Outcome(rollover, True, "")
    if origin is Origin.MANUAL:
        figures = f"balance {_money(balance)}, equity {_money(equity)}"
        return Outcome(rollover, True, f"in place of what was entered: {figures}")
    if origin is Origin.DEALS and math.isnan(equity):
        return Outcome(rollover, True, f"for the equity; the deals say balance {_money(balance)}")
    figures = f"balance {_money(balance)}, equity {_money(equity)}"
    return Outcome(rollover, False, f"{_SAYS[origin]} {figures}")


def _of_peak(memory: Memory, peak: Peak, row: int, entry: PeakEntry) -> Outcome:
    trail, known = entry.trail, float(peak.value[row])
    day = None if trail.rollover is None else memory.days.get(trail.rollover)
    if day is not None and math.isnan(float(day.balance[row])):
        return Outcome(trail, False, "the base of its day is unknown: enter that first")
    if bool(peak.sure[row]):
        return Outcome(trail, False, f"it was watched all the way: {_money(known)}")
    if not entry.entered_at >= float(peak.since[row]):
        return Outcome(trail, False, "the account was not watched all the time since")
    if _entered_value(peak, entry, row) > entry.value:
        return Outcome(trail, True, f"but {_money(known)} was seen since: that counts")
    return Outcome(trail, True, "")


def _entered_value(peak: Peak, entry: PeakEntry, row: int) -> float:
    """The entry, or what was seen if that is higher; a peak that withdrawals lower may be too
    high where some were missed, and gives way."""
    known = float(peak.value[row])
    if entry.trail.withdrawals == "lower_peak" or math.isnan(known):
        return entry.value
    return max(known, entry.value)


def _entered(peak: Peak, entry: PeakEntry, row: int) -> Peak:
    return with_peak(peak, row, _entered_value(peak, entry, row))


def _money(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:,.2f}".replace(",", " ")
