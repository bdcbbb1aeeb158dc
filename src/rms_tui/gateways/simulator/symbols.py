"""What the simulated broker offers: symbols, the units they are made of, and groups of accounts.

A unit is what can be bought (a currency, gold, an index, a coin). Its worth is kept in dollars, or
in its home currency; every quote is the worth of one unit in another, so crosses always agree with
their majors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rms_tui.book import Floats, Ints

STEP_SECONDS = 5.0
"""How much market time passes from one read to the next."""

_YEAR_SECONDS = 252 * 86_400


class Unit(NamedTuple):
    """A thing with a worth: where it starts, how much it moves a year, and with what.

    `dollar` and `risk` are its correlations with the two common factors.
    """

    name: str
    home: str
    start: float
    volatility: float
    dollar: float
    risk: float


UNITS = (
    Unit("USD", "USD", 1.0, 0.0, 0.0, 0.0),
    Unit("EUR", "USD", 1.0842, 0.075, 0.78, 0.15),
    Unit("GBP", "USD", 1.2705, 0.085, 0.66, 0.26),
    Unit("JPY", "USD", 1 / 149.62, 0.100, 0.55, -0.45),
    Unit("CHF", "USD", 1 / 0.8817, 0.080, 0.74, -0.20),
    Unit("AUD", "USD", 0.6581, 0.105, 0.55, 0.52),
    Unit("CAD", "USD", 1 / 1.3544, 0.065, 0.52, 0.42),
    Unit("NZD", "USD", 0.6072, 0.110, 0.55, 0.50),
    Unit("XAU", "USD", 2361.40, 0.150, 0.45, -0.12),
    Unit("US500", "USD", 5218.3, 0.160, 0.02, 0.88),
    Unit("GER40", "EUR", 18175.0, 0.170, 0.0, 0.78),
    Unit("BTC", "USD", 67250.0, 0.520, 0.12, 0.40),
)

CURRENCIES = ("USD", "EUR", "GBP")
"""Currencies of accounts."""


class Symbol(NamedTuple):
    """A symbol as MT5 describes it.

    `spread` is in points (10^-digits); `margin` the least share of the notional a position ties up,
    whatever the leverage; `swaps` the points a lot gets each night, long and short; `weight` how
    often clients trade it.
    """

    name: str
    base: str
    quote: str
    digits: int
    contract: float
    spread: float
    margin: float
    swaps: tuple[float, float]
    weight: float


SYMBOLS = (
    Symbol("EURUSD", "EUR", "USD", 5, 100_000, 9, 0.0, (-7.1, 2.8), 20),
    Symbol("GBPUSD", "GBP", "USD", 5, 100_000, 12, 0.0, (-3.4, -1.9), 12),
    Symbol("USDJPY", "USD", "JPY", 3, 100_000, 11, 0.0, (9.8, -19.6), 12),
    Symbol("USDCHF", "USD", "CHF", 5, 100_000, 14, 0.0, (5.1, -11.3), 5),
    Symbol("AUDUSD", "AUD", "USD", 5, 100_000, 11, 0.0, (-3.2, -0.7), 6),
    Symbol("USDCAD", "USD", "CAD", 5, 100_000, 14, 0.0, (0.4, -5.6), 6),
    Symbol("NZDUSD", "NZD", "USD", 5, 100_000, 15, 0.0, (-2.3, -1.1), 4),
    Symbol("EURGBP", "EUR", "GBP", 5, 100_000, 12, 0.0, (-5.2, 1.0), 4),
    Symbol("EURJPY", "EUR", "JPY", 3, 100_000, 16, 0.0, (6.1, -14.2), 6),
    Symbol("GBPJPY", "GBP", "JPY", 3, 100_000, 22, 0.0, (11.7, -24.0), 7),
    Symbol("XAUUSD", "XAU", "USD", 2, 100, 22, 0.01, (-38.0, 19.5), 18),
    Symbol("US500", "US500", "USD", 1, 10, 5, 0.02, (-8.0, 1.5), 7),
    Symbol("GER40", "GER40", "EUR", 1, 10, 12, 0.02, (-22.0, 3.0), 6),
    Symbol("BTCUSD", "BTC", "USD", 2, 1, 2400, 0.10, (-3100.0, -900.0), 4),
)


class Group(NamedTuple):
    """A group of accounts, with the broker's margin call and stop-out in percent.

    `commission` is money a lot and round turn, in the account's currency.
    """

    path: str
    currency: str
    leverages: tuple[int, ...]
    call: float
    stop_out: float
    commission: float
    share: float


GROUPS = (
    Group("real\\standard-usd", "USD", (100, 200, 500), 100.0, 50.0, 0.0, 0.45),
    Group("real\\pro-eur", "EUR", (30, 50, 100), 100.0, 50.0, 0.0, 0.25),
    Group("real\\raw-gbp", "GBP", (30, 100, 200), 80.0, 40.0, 5.0, 0.15),
    Group("demo\\contest-usd", "USD", (100, 200), 60.0, 30.0, 0.0, 0.15),
)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Symbols and units as columns, for arithmetic on all of them at once.

    `base` and `quote` are rows of units, `home` each unit's own. `nightly` is the money (in the
    quote currency) a lot gets each night, rows long and short.
    """

    symbols: tuple[Symbol, ...]
    units: tuple[Unit, ...]
    base: Ints
    quote: Ints
    home: Ints
    digits: Ints
    contract: Floats
    point: Floats
    spread: Floats
    margin: Floats
    weight: Floats
    daily_move: Floats
    nightly: Floats
    currency: Ints

    def rounded(self, price: Floats, symbol: Ints) -> Floats:
        """Prices as the symbols' digits can write them, exactly as such a text would parse."""
        scale = 10.0 ** self.digits[symbol]
        rounded: Floats = np.rint(price * scale) / scale
        return rounded


def catalogue(extra: tuple[Symbol, ...] = ()) -> Catalogue:
    """The broker's symbols, with more of them whose units are added where unknown."""
    symbols = SYMBOLS + extra
    known = {unit.name for unit in UNITS}
    added = {name for symbol in extra for name in (symbol.base, symbol.quote)} - known
    units = UNITS + tuple(Unit(name, "USD", 1.0, 0.15, 0.0, 0.5) for name in sorted(added))
    row = {unit.name: i for i, unit in enumerate(units)}
    base = np.array([row[s.base] for s in symbols])
    quote = np.array([row[s.quote] for s in symbols])
    volatility = np.array([unit.volatility for unit in units])
    contract = np.array([s.contract for s in symbols])
    point = np.array([float(f"1e-{s.digits}") for s in symbols])
    swaps = np.array([s.swaps for s in symbols]).T
    return Catalogue(
        symbols=symbols,
        units=units,
        base=base,
        quote=quote,
        home=np.array([row[unit.home] for unit in units]),
        digits=np.array([s.digits for s in symbols]),
        contract=contract,
        point=point,
        spread=np.array([s.spread for s in symbols]),
        margin=np.array([s.margin for s in symbols]),
        weight=np.array([s.weight for s in symbols]) / sum(s.weight for s in symbols),
        daily_move=np.hypot(volatility[base], volatility[quote]) / np.sqrt(252),
        nightly=swaps * point * contract,
        currency=np.array([row[name] for name in CURRENCIES]),
    )


def step_moves(units: tuple[Unit, ...]) -> Floats:
    """Standard deviation of each unit's log return over one step."""
    moves: Floats = np.array([u.volatility for u in units]) * np.sqrt(STEP_SECONDS / _YEAR_SECONDS)
    return moves
