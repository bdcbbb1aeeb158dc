"""Deals as a table, and the day's figures that come from them: shared by both MT5 gateways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import TypeAlias

import numpy as np

from rms_tui.book import (
    CLOSING_ENTRIES,
    TRADE_TYPES,
    Codes,
    Deals,
    Flags,
    Floats,
    Ints,
    build,
    empty,
    take,
)

DAY = 86_400

DealRow: TypeAlias = tuple[int, int, int, int, int, str, float, float, float, float, float, int]
"""ticket, login, time, type, entry, symbol, lots, price, profit, swap, commission, position."""

_COLUMNS = tuple(column.name for column in fields(Deals))


def day_start(server_time: float) -> int:
    """The server's own midnight before this server time, both as server wall clock seconds."""
    return int(server_time // DAY) * DAY


def deals_table(rows: Iterable[DealRow]) -> Deals:
    """A table of deals from rows in any order; the last of two rows with one ticket stays."""
    unique = {row[0]: row for row in rows}
    if not unique:
        return empty(Deals)
    ordered = sorted(unique.values(), key=lambda row: (row[2], row[0]))
    return build(Deals, dict(zip(_COLUMNS, zip(*ordered, strict=True), strict=True)))


def merged(table: Deals, rows: Sequence[DealRow], gone: Iterable[int] = ()) -> Deals:
    """The table with these deals added, or replaced where the ticket is known, less `gone`."""
    dropped = [row[0] for row in rows]
    dropped.extend(gone)
    stays = ~np.isin(table.ticket, dropped)
    left = table if bool(stays.all()) else take(table, stays)
    fresh = deals_table(rows)
    if not len(fresh):
        return left
    if not len(left):
        return fresh
    joined = build(
        Deals,
        {
            name: getattr(left, name) + getattr(fresh, name)
            if name == "symbol"
            else np.concatenate((getattr(left, name), getattr(fresh, name)))
            for name in _COLUMNS
        },
    )
    in_order = (left.time[-1], left.ticket[-1]) < (fresh.time[0], fresh.ticket[0])
    return joined if in_order else take(joined, np.lexsort((joined.ticket, joined.time)))


def trades(deals: Deals) -> Flags:
    """Which deals are trades (buy or sell) and not movements of money."""
    found: Flags = np.isin(deals.type, TRADE_TYPES)
    return found


def closings(deals: Deals) -> Flags:
    """Which deals are trades that close volume: entry OUT, INOUT or OUT_BY."""
    found: Flags = trades(deals) & np.isin(deals.entry, CLOSING_ENTRIES)
    return found


def counted(rows: Ints, accounts: int) -> Ints:
    """How often each account row (of `accounts`) is in `rows`; -1 is nobody's."""
    return np.bincount(rows[rows >= 0], minlength=accounts).astype(np.int64)


def day_figures(
    deals: Deals, rows: Ints, accounts: int, start: int
) -> tuple[Codes, Floats, Floats]:
    """Closing deals, their lots, and the result of all trades since `start`, for each account.

    `rows` is the account row of each deal, -1 for an account not shown. The result is profit +
    swap + commission and fee of every trade deal, entries included: brokers book the commission
    on the entry.
    """
    today = (rows >= 0) & (deals.time >= start) & trades(deals)
    closed = today & closings(deals)
    result = (deals.profit + deals.swap + deals.commission)[today]
    count = np.bincount(rows[closed], minlength=accounts).astype(np.int32)
    lots = np.bincount(rows[closed], weights=deals.lots[closed], minlength=accounts)
    money = np.bincount(rows[today], weights=result, minlength=accounts)
    return count, lots.astype(np.float64), money.astype(np.float64)
