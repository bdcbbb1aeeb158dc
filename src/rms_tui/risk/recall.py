"""Going on after a restart: what was remembered before, joined with what was learnt since.

The stored memory is taken through the newest Book as if it had been there all along, and then the
better knowledge wins, account by account: of bases the one that was final and else the better
origin, of peaks the one that is sure or else the higher, of periods the one that was begun earlier.
Who was watched before does not start anew, though he stands at his initial balance again.
"""

from __future__ import annotations

from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from rms_tui.book import Flags
from rms_tui.risk.days import DayBase, Origin
from rms_tui.risk.flows import NEVER, Total
from rms_tui.risk.memory import Memory
from rms_tui.risk.peaks import Peak
from rms_tui.risk.periods import COLUMNS, Period


def joined(stored: Memory, live: Memory, known: Flags) -> Memory:
    """Both memories as one. They are of the same accounts after the same Book.

    `stored` is the one read back and stepped through that Book, `live` the one learnt since start.
    Only rows that are `known` were read back: of others the stepped one has seen a single Book.
    """
    started = _started(live) & known & ~np.isnan(stored.last.at)
    days = {
        rollover: _day(stored.days[rollover], day, known, started)
        if rollover in stored.days
        else day
        for rollover, day in live.days.items()
    }
    peaks = {
        trail: _peak(stored.peaks[trail], peak, known, started) if trail in stored.peaks else peak
        for trail, peak in live.peaks.items()
    }
    periods = {
        span: _period(stored.periods[span], period, known) if span in stored.periods else period
        for span, period in live.periods.items()
    }
    return replace(
        live,
        total=_total(stored.total, live.total, known),
        days=MappingProxyType(days),
        peaks=MappingProxyType(peaks),
        periods=MappingProxyType(periods),
        quiet=None,
    )


def _started(live: Memory) -> Flags:
    """Rows that were taken for the very start of their cycle today: their base is of that Book."""
    started = np.zeros(len(live.login), dtype=np.bool_)
    for day in live.days.values():
        started |= (day.origin == Origin.OBSERVED) & (day.taken > day.at)
    return started


def _day(stored: DayBase, live: DayBase, known: Flags, started: Flags) -> DayBase:
    if stored.at != live.at:
        return live
    final = (stored.origin >= Origin.OBSERVED) | (stored.origin > live.origin)
    better = known & (final | started)
    if not bool(better.any()):
        return live
    columns = ("balance", "equity", "origin", "taken", "flow", "flow_balance", "start")
    return replace(live, counted=None, **_chosen(better, stored, live, columns))


def _peak(stored: Peak, live: Peak, known: Flags, started: Flags) -> Peak:
    live = Peak(np.where(started, np.nan, live.value), live.sure & ~started, live.since)
    better = known & ~live.sure
    value = np.where(better, np.fmax(stored.value, live.value), live.value)
    since = np.where(known, np.fmin(stored.since, live.since), live.since)
    return Peak(value, (known & stored.sure) | live.sure, since)


def _period(stored: Period, live: Period, known: Flags) -> Period:
    if stored.began != live.began and stored.began != min(stored.began, live.began):
        return live
    earlier = known & ~np.isnan(stored.at) & ~(stored.at > live.at)
    began = min(stored.began, live.began)
    return replace(live, began=began, **_chosen(earlier, stored, live, COLUMNS))


def _total(stored: Total, live: Total, known: Flags) -> Total:
    counted = known & (stored.ticket > NEVER)
    return replace(live, **_chosen(counted, stored, live, ("flow", "flow_balance", "ticket")))


def _chosen(rows: Flags, stored: Any, live: Any, names: tuple[str, ...]) -> dict[str, Any]:
    allowed = {field.name for field in fields(live)}
    return {
        name: np.where(rows, getattr(stored, name), getattr(live, name)).astype(
            getattr(live, name).dtype
        )
        for name in names
        if name in allowed
    }
