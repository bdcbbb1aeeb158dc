"""The clients' positions netted by currency: what they are long and short of, and its worth.

A position of N lots is +N·contract of the base and -N·contract·price of the quote currency; a
symbol that is no currency pair, such as an index, is an asset of its own name, worth its price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from operator import is_
from typing import NamedTuple

import numpy as np

from rms_tui.book import Floats, Ints, Symbols, least, summed


class ByCurrency(NamedTuple):
    """One row a currency: net units over all positions of clients, and in the report currency."""

    currency: tuple[str, ...]
    net: Floats
    reported: Floats


@dataclass(frozen=True, slots=True)
class Legs:
    """Both sides of every symbol that is held: what does not move with prices.

    `row` is the symbol's row and `units` its net units; `leg` are the indices into `currency` of
    what it is a price of and what it is priced in, in turns. `alone` are the places in `row` of
    symbols that are no currency pair.
    """

    sources: tuple[object, ...]
    currency: tuple[str, ...]
    row: Ints
    units: Floats
    leg: Ints
    alone: Ints


def legs(symbols: Symbols, buy: Floats, sell: Floats, before: Legs | None) -> Legs:
    """The legs of lots bought and sold of each symbol; those before while nothing changed."""
    sources = (symbols.name, symbols.base, symbols.quote, symbols.contract, buy, sell)
    if before is not None and all(map(is_, sources, before.sources)):
        return before
    row = np.flatnonzero(buy + sell)
    sides: list[str] = []
    alone: list[int] = []
    for place, code in enumerate(row.tolist()):
        base, quote = symbols.base[code], symbols.quote[code]
        pair = bool(base) and base != quote
        sides += [base if pair else symbols.name[code], quote]
        if not pair:
            alone.append(place)
    currency = tuple(sorted(set(sides)))
    at = {name: i for i, name in enumerate(currency)}
    return Legs(
        sources,
        currency,
        row,
        (buy - sell)[row] * symbols.contract[row],
        np.array([at[name] for name in sides], dtype=np.int64),
        np.array(alone, dtype=np.int64),
    )


def netted(held: Legs, symbols: Symbols, mid: Floats, rates: Mapping[str, float]) -> ByCurrency:
    """Net units of each currency at market mid, and their worth by the report currency's rates.

    NaN where there is no price or no rate.
    """
    nan = float("nan")
    amount = np.empty(2 * len(held.row))
    amount[0::2] = held.units
    amount[1::2] = -(held.units * mid[held.row])
    net = summed(held.leg, amount, len(held.currency))
    worth = np.array([rates.get(name, nan) for name in held.currency])
    for place in held.alone.tolist():
        code = int(held.row[place])
        worth[held.leg[2 * place]] = mid[code] * rates.get(symbols.quote[code], nan)
    reported = net * worth
    if np.isnan(least(reported)):
        reported[net == 0] = 0.0  # also where there is no rate
    return ByCurrency(held.currency, net, reported)
