"""Conversion rates between currencies at market mid, from the symbols a Book carries.

There is no rate where no chain of prices connects two currencies: NaN, never 0 and never 1.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rms_tui.book import Floats, Symbols, least

Step = tuple[int, bool]
"""A symbol's row, and whether it is divided by (True) or multiplied with."""


def mids(symbols: Symbols) -> Floats:
    """Market mid of each symbol, NaN where a side is missing or not positive."""
    mid: Floats = symbols.bid + symbols.ask
    mid *= 0.5
    lower = np.minimum(symbols.bid, symbols.ask)
    if not least(lower) > 0:  # NaN is not
        mid[~(lower > 0)] = np.nan
    return mid


def paths(symbols: Symbols, to: str, priced: Iterable[int]) -> Mapping[str, tuple[Step, ...]]:
    """The shortest chain of symbols from each currency to `to`, over the priced rows.

    Equal lengths: the symbol that stands first. Only true currency pairs connect (contract of the
    base currency quoted in the other), which gold is too and an index is not.
    """
    edges: dict[str, list[tuple[str, Step]]] = {}
    for row in priced:
        base, quote = symbols.base[row], symbols.quote[row]
        if base and quote and base != quote:
            edges.setdefault(quote, []).append((base, (row, False)))
            edges.setdefault(base, []).append((quote, (row, True)))
    found: dict[str, tuple[Step, ...]] = {to: ()}
    waiting = deque([to])
    while waiting:
        reached = waiting.popleft()
        for currency, step in edges.get(reached, ()):
            if currency not in found:
                found[currency] = (step, *found[reached])
                waiting.append(currency)
    return found


def rate(path: tuple[Step, ...] | None, mid: Sequence[float]) -> float:
    """Money of the path's first currency in its last; NaN without a path or a price."""
    if path is None:
        return float("nan")
    product = 1.0
    for row, divide in path:
        product = product / mid[row] if divide else product * mid[row]
    return product


def rates(symbols: Symbols, to: str) -> Mapping[str, float]:
    """Rate of every connected currency to `to`; a currency that is absent has no rate."""
    mid = mids(symbols)
    priced = np.flatnonzero(~np.isnan(mid)).tolist()
    price = mid.tolist()
    return {name: rate(path, price) for name, path in paths(symbols, to, priced).items()}
