"""Prices: a two-factor random walk of units, with recorded quotes where there are some.

One step moves every unit; quotes follow from the units, so EURGBP is always EURUSD over GBPUSD
within the spread. A recorded symbol with a dollar in it moves its unit, and with it every
simulated cross; a recorded cross shows its own quotes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rms_tui.book import Floats
from rms_tui.gateways.prices import Series
from rms_tui.gateways.simulator.columns import AnyInts
from rms_tui.gateways.simulator.symbols import (
    SYMBOLS,
    UNITS,
    Catalogue,
    Symbol,
    catalogue,
    step_moves,
)

_CONTRACTS = {symbol.base: symbol.contract for symbol in SYMBOLS} | {"USD": 100_000.0}

_TAILS = 5
"""Degrees of freedom of the moves: fatter tails than the normal's, as markets have."""


@dataclass(frozen=True, slots=True)
class Prices:
    """One instant of the market: quotes by symbol, worth in dollars by unit."""

    bid: Floats
    ask: Floats
    worth: Floats

    def rates(self, offer: Catalogue) -> Floats:
        """Money of each symbol's quote currency in each account currency: (symbols, currencies)."""
        rates: Floats = self.worth[offer.quote][:, None] / self.worth[offer.currency][None, :]
        return rates


class Market:
    """The walk; `step` is the only thing that changes it."""

    def __init__(
        self,
        rng: np.random.Generator,
        recorded: Mapping[str, Series] | None = None,
        recorded_clock: bool = False,
    ) -> None:
        """Start at the first recorded quotes, or at plausible ones."""
        recorded = recorded or {}
        offered = {symbol.name for symbol in SYMBOLS}
        extra = tuple(_made_up(name, recorded[name]) for name in sorted(recorded.keys() - offered))
        self.offer = catalogue(extra)
        self._rng = rng
        self._moves = step_moves(self.offer.units)
        dollar = np.array([u.dollar for u in self.offer.units])
        risk = np.array([u.risk for u in self.offer.units])
        self._loads = np.stack([dollar, risk])
        self._own = np.sqrt(1.0 - dollar**2 - risk**2)
        self._log = np.log([u.start for u in self.offer.units])
        rows = {symbol.name: row for row, symbol in enumerate(self.offer.symbols)}
        self._recorded = {rows[name]: series for name, series in sorted(recorded.items())}
        self._clock = max(recorded.values(), key=lambda s: len(s.time)) if recorded_clock else None
        self._steps = 0
        self.prices = self._quotes()

    @property
    def recorded_time(self) -> float | None:
        """Server time of the recording, None where the clock is not the recording's."""
        return self.time_in(0)

    def time_in(self, steps: int) -> float | None:
        """Server time of the recording that many steps from now; it stands still at the end."""
        if self._clock is None:
            return None
        return float(self._clock.time[min(self._steps + steps, len(self._clock.time) - 1)])

    def step(self) -> None:
        """Move every price once."""
        n = len(self._log)
        shocks = self._rng.standard_t(_TAILS, n + 2) * np.sqrt((_TAILS - 2) / _TAILS)
        self._log = self._log + self._moves * (shocks[:2] @ self._loads + self._own * shocks[2:])
        self._steps += 1
        self.prices = self._quotes()

    def _quotes(self) -> Prices:
        offer = self.offer
        quotes = {row: self._quote(series) for row, series in self._recorded.items()}
        for row, (bid, ask) in quotes.items():
            self._follow(row, (bid + ask) / 2)
        own = np.exp(self._log)
        worth = own * own[offer.home]
        mid = worth[offer.base] / worth[offer.quote]
        wide = offer.spread * self._rng.uniform(0.75, 1.35, len(mid))
        scale = 10.0**offer.digits
        low = np.rint(mid * scale - wide / 2)
        bid_ticks, ask_ticks = low, low + np.maximum(np.rint(wide), 1.0)
        bids, asks = bid_ticks / scale, ask_ticks / scale
        for row, (bid, ask) in quotes.items():
            bids[row], asks[row] = bid, ask
        return Prices(bids, asks, worth)

    def _follow(self, row: int, mid: float) -> None:
        """Let the unit of a recorded symbol be worth what the recording says."""
        base, quote = int(self.offer.base[row]), int(self.offer.quote[row])
        if self.offer.home[base] == quote:
            self._log[base] = np.log(mid)
        elif base == self.offer.home[quote]:
            self._log[quote] = -np.log(mid)
        elif quote >= len(UNITS):
            self._log[quote] = self._log[base] - np.log(mid)

    def _quote(self, series: Series) -> tuple[float, float]:
        at = _position(series, self._steps, self._clock)
        return float(series.bid[at]), float(series.ask[at])


def _position(series: Series, step: int, clock: Series | None) -> int:
    """Which quote of a recording a step shows.

    By the recording's clock: the last quote at or before it, holding the last one at the end; a
    series that has no time in common with the clock moves a quote a step and holds likewise.
    Without that clock a quote a step, forth and back, so that no gap opens where it starts again.
    """
    last = len(series.time) - 1
    if clock is None:
        there = step % (2 * last) if last else 0
        return there if there <= last else 2 * last - there
    if series.time[0] > clock.time[-1] or series.time[-1] < clock.time[0]:
        return min(step, last)
    now = clock.time[min(step, len(clock.time) - 1)]
    return max(int(np.searchsorted(series.time, now, side="right")) - 1, 0)


def _made_up(name: str, series: Series) -> Symbol:
    """A recorded symbol the broker does not offer: a pair with a unit of its own, or a CFD."""
    base, quote = name[:3], name[3:]
    if len(name) == 6 and base in _CONTRACTS:
        contract = _CONTRACTS[base]
        return Symbol(name, base, quote, series.digits, contract, 15, 0.0, (-3.0, -3.0), 3)
    base = name[:-3] if len(name) > 3 and name.endswith("USD") else name
    return Symbol(name, base, "USD", series.digits, 1, 15, 0.05, (0.0, 0.0), 3)


def gathered(prices: Prices, symbol: AnyInts, side: AnyInts) -> Floats:
    """The price each position would be closed at: bid for a buy, ask for a sell."""
    table = np.stack([prices.ask, prices.bid])
    found: Floats = table[(side > 0).astype(np.int64), symbol]
    return found
