"""Every column a rule may ask for, by its key: of the Book, remembered, or worked out of positions.

A column that did not change stays the same object, which is how a verdict is known to still hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import is_
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from rms_tui.book import Book, Bytes, Flags, Floats, repeated
from rms_tui.risk import holdings
from rms_tui.risk.days import DAY_COLUMNS
from rms_tui.risk.memory import Memory
from rms_tui.risk.peaks import offered
from rms_tui.risk.profile import Trail
from rms_tui.risk.rules.shape import (
    INITIAL,
    TOTAL_FLOW,
    TOTAL_FLOW_BALANCE,
    Key,
    day_column,
    sure_of,
)

Half: TypeAlias = tuple[Bytes, Floats]
"""The digits of each account's currency, and half of the last one."""

Offers: TypeAlias = Mapping[Trail, tuple[object, object, object, Flags]]
"""Where each peak may be decided on, after the three objects that follows from."""


def columns_of(
    book: Book,
    memory: Memory,
    held: holdings.Held,
    half: Half,
    figures: holdings.Figures,
    offers: Offers,
    initial: Floats,
) -> dict[Key, npt.NDArray[Any]]:
    """All columns by key."""
    accounts = book.accounts
    columns: dict[Key, npt.NDArray[Any]] = {
        "balance": accounts.balance,
        "equity": accounts.equity,
        "floating": accounts.floating,
        "margin": accounts.margin,
        "margin_free": accounts.margin_free,
        "so_mode": accounts.so_mode,
        "so_level": accounts.so_level,
        "positions": held.number,
        "risk": held.risk,
        "half": half[1],
        INITIAL: initial,
        TOTAL_FLOW: memory.total.flow,
        TOTAL_FLOW_BALANCE: memory.total.flow_balance,
    }
    for rollover, day in memory.days.items():
        for name in DAY_COLUMNS:
            columns[day_column(rollover, name)] = getattr(day, name)
    for trail, (*_, sure) in offers.items():
        columns[trail] = memory.peaks[trail].value
        columns[sure_of(trail)] = sure
    for key, made in figures.items():
        columns[key] = made.column
    return columns


def half_units(book: Book, before: Half | None) -> Half:
    """Half of the last digit of each account's currency: what money is rounded by."""
    digits = book.accounts.digits
    if before is not None and before[0] is digits:
        return before
    if len(digits) and digits.min() == digits.max():
        return digits, repeated(0.5 * 10.0 ** -float(digits[0]), len(digits))
    return digits, 0.5 * 10.0 ** -digits.astype(np.float64)


def offers_of(trails: Iterable[Trail], memory: Memory, before: Offers) -> Offers:
    """Where each trail's peak may be decided on; the flags before while nothing changed."""
    made = {}
    for trail in trails:
        peak = memory.peaks[trail]
        day = None if trail.rollover is None else memory.days.get(trail.rollover)
        sources = (peak.sure, peak.since, None if day is None else day.balance)
        known = before.get(trail)
        if known is not None and all(map(is_, known, sources)):
            made[trail] = known
        else:
            made[trail] = (*sources, offered(peak, trail, day))
    return made
