"""Who the broker's clients are when the simulation starts: figures, roles and past trades.

Most are calm. A few play a role, so that a demo has something to see within seconds: without
positions, short of margin, losing much, or losing most of what a day allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from rms_tui.book import Bytes, Codes, Floats, Ints
from rms_tui.gateways.simulator.calendar import DAY, trading_day
from rms_tui.gateways.simulator.columns import joined
from rms_tui.gateways.simulator.ledger import Dealt, movements
from rms_tui.gateways.simulator.market import Prices
from rms_tui.gateways.simulator.names import names_of
from rms_tui.gateways.simulator.symbols import CURRENCIES, GROUPS, Catalogue


class Role(IntEnum):
    """What a client is there to show."""

    CALM = 0
    FLAT = 1
    """No positions."""
    LOW_MARGIN = 2
    """Margin level between 105 and 158 %."""
    SHORT_MARGIN = 3
    """Margin level below 100 %, above the broker's stop-out."""
    LOSING = 4
    """Floating below -1000, with margin to spare."""
    BAD_DAY = 5
    """Between 4.1 and 5.8 % lost since the end of yesterday."""


_SHARES = (
    (Role.LOW_MARGIN, 0.03),
    (Role.LOSING, 0.03),
    (Role.BAD_DAY, 0.03),
    (Role.SHORT_MARGIN, 0.012),
    (Role.FLAT, 0.05),
)

_DEPOSITS = np.array([1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 200_000])
_DEPOSIT_WEIGHTS = np.array([0.16, 0.18, 0.2, 0.18, 0.13, 0.08, 0.05, 0.02])

_ROLE_LEVERAGE = 30
"""Of clients short of margin: they must not be gone after a minute."""


@dataclass(frozen=True, slots=True)
class Clients:
    """One row a client. Money is cents of the client's currency.

    `past_trades` were closed before yesterday, in the history window, and made `past_result`;
    `past_flow` was paid in or out there. Their deals are made up when asked for.
    """

    login: Ints
    name: tuple[str, ...]
    role: Bytes
    group: Ints
    currency: Codes
    leverage: Codes
    deposit: Ints
    credit: Ints
    past_trades: Ints
    past_result: Ints
    past_flow: Ints

    def __len__(self) -> int:
        return len(self.login)

    @property
    def commission(self) -> Ints:
        """What a hundredth of a lot costs each client in cents, charged on the entry."""
        rates: Ints = np.array([round(group.commission) for group in GROUPS])[self.group]
        return rates


def past_days(history_days: int) -> int:
    """How many trading days back the history window reaches."""
    return history_days * 5 // 7


def clients(count: int, history_days: int, rng: np.random.Generator) -> Clients:
    """That many clients, ascending by login."""
    role = _roles(count, rng)
    group = rng.choice(len(GROUPS), count, p=[g.share for g in GROUPS])
    wide = max(len(g.leverages) for g in GROUPS)
    offered = np.array([np.resize(g.leverages, wide) for g in GROUPS])
    leverage = offered[group, rng.integers(0, wide, count)]
    tight = np.isin(role, (Role.LOW_MARGIN, Role.SHORT_MARGIN))
    currency = np.array([CURRENCIES.index(g.currency) for g in GROUPS])[group]
    deposit = 100 * rng.choice(_DEPOSITS, count, p=_DEPOSIT_WEIGHTS)
    deposit = np.where(role == Role.LOSING, np.maximum(deposit, 25_000_00), deposit)
    deposit = np.where(role == Role.BAD_DAY, np.clip(deposit, 5_000_00, 25_000_00), deposit)
    days = past_days(history_days) - 1
    trades = rng.poisson(0.9 * max(days, 0), count)
    result = np.rint(deposit * np.clip(rng.normal(0.01, 0.12, count), -0.45, 0.8))
    flow = np.rint(deposit * rng.uniform(-0.2, 0.4, count) / 1000) * 1000
    flow *= rng.random(count) < (0.25 if days > 0 else 0.0)
    credit = 5_000 * rng.integers(1, 11, count) * (rng.random(count) < 0.05)
    return Clients(
        login=100_000 + np.cumsum(rng.integers(1, 8, count)),
        name=names_of(count, rng),
        role=role.astype(np.int8),
        group=group,
        currency=currency.astype(np.int32),
        leverage=np.where(tight, _ROLE_LEVERAGE, leverage).astype(np.int32),
        deposit=deposit,
        credit=np.where(tight, 0, credit),
        past_trades=trades,
        past_result=np.where(trades > 0, result, 0).astype(np.int64),
        past_flow=flow.astype(np.int64),
    )


def _roles(count: int, rng: np.random.Generator) -> Ints:
    roles = np.zeros(count, dtype=np.int64)
    order = rng.permutation(count)
    at = 0
    for role, share in _SHARES:
        some = min(max(1, round(share * count)), max(count - 1 - at, 0))
        roles[order[at : at + some]] = role
        at += some
    return roles


@dataclass(frozen=True, slots=True)
class Recent:
    """Trades closed yesterday and today, and money moved then, before the simulation starts.

    `moment` says when each deal was, in days since today began (yesterday is below 0): the order
    of deals must not hang on the hour of the day the simulation starts at. Positions in it are
    numbered from 0 and get their tickets later; `opened` are their moments.
    """

    dealt: Dealt
    moment: Floats
    opened: Floats


def server_times(moment: Floats, today: int, elapsed: float) -> Ints:
    """Server time of moments: a share of the elapsed part of today, or of an earlier day."""
    back = -np.floor(moment).astype(np.int64)
    share = moment + back
    span = np.where(back == 0, elapsed, DAY - 1)
    times: Ints = trading_day(today, back) + (share * span).astype(np.int64)
    return times


def recent(who: Clients, prices: Prices, offer: Catalogue, rng: np.random.Generator) -> Recent:
    """What clients did since yesterday; the times of the deals are 0 until they are placed."""
    n = len(who)
    quiet = who.role == Role.BAD_DAY
    many = np.stack([np.where(quiet, 0, rng.poisson(0.35, n)), rng.poisson(0.45, n)])
    account = np.concatenate([np.repeat(np.arange(n), many[day]) for day in (0, 1)])
    back = np.repeat([0, 1], many.sum(axis=1))
    m = len(account)
    begun = rng.random(m)
    ended = begun + (1 - begun) * rng.beta(1, 4, m)
    symbol = rng.choice(len(offer.symbols), m, p=offer.weight)
    side = rng.choice([-1, 1], m)
    lots = np.rint(who.deposit[account] / 1_000_000 * rng.uniform(2, 30, m))
    lots = np.clip(lots, 1, 2000).astype(np.int64)
    profit = np.rint(who.deposit[account] * rng.standard_t(4, m) * 0.0025).astype(np.int64)
    mid = (prices.bid + prices.ask)[symbol] / 2
    close = offer.rounded(mid * (1 + offer.daily_move[symbol] * rng.normal(0, 0.4, m)), symbol)
    a_price = lots * offer.contract[symbol] * prices.rates(offer)[symbol, who.currency[account]]
    opened = np.clip(close - side * profit / a_price, 0.5 * close, 2 * close)
    opened = offer.rounded(opened, symbol)
    none, number = np.zeros(m, dtype=np.int64), np.arange(m)
    kind = np.where(side > 0, 0, 1)
    paid = -who.commission[account] * lots
    entry = Dealt(account, none, kind, none, symbol, lots, opened, none, none, paid, number)
    out = Dealt(account, none, 1 - kind, none + 1, symbol, lots, close, profit, none, none, number)
    payer = np.flatnonzero((rng.random(n) < 0.05) & (who.role == Role.CALM))
    cents = np.rint(who.deposit[payer] * rng.uniform(-0.15, 0.35, len(payer)) / 1000) * 1000
    when = rng.random(len(payer)) - rng.integers(0, 2, len(payer))
    some = cents != 0
    flows = movements(payer[some], np.zeros(some.sum(), np.int64), cents[some].astype(np.int64))
    moment = np.concatenate([begun - back, ended - back, when[some]])
    return Recent(joined([entry, out, flows]), moment, begun - back)
