"""What happens at the broker in one step: trades that end, trades that begin, money that moves."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from rms_tui.book import Flags, Floats, Ints
from rms_tui.gateways.simulator.clients import Clients, Role
from rms_tui.gateways.simulator.columns import picked
from rms_tui.gateways.simulator.holdings import Holdings, Worth, margin_of, notional_a_lot
from rms_tui.gateways.simulator.ledger import SO_COMPENSATION, Dealt, movements
from rms_tui.gateways.simulator.market import Prices, gathered
from rms_tui.gateways.simulator.opening import MOST_POSITIONS, stops
from rms_tui.gateways.simulator.symbols import GROUPS, Catalogue

_A_STEP = 0.25
_A_CLIENT = 0.0003
"""Trades begun in a step: some whatever the size, so that a small broker looks alive too, and
what five trades a client and day come to."""

_POSITIONS_A_CLIENT = 5.0


class Standing(Protocol):
    """The figures payments look at, in cents by account."""

    @property
    def equity(self) -> Ints: ...

    @property
    def margin(self) -> Ints: ...


def due(
    held: Holdings, worth: Worth, level: Floats, stop_out: Floats, rng: np.random.Generator
) -> Flags:
    """Positions that end now: at their stop or target, by stop-out, or as a client likes."""
    up, price = held.side > 0, worth.price
    leaving = np.where(up, price <= held.sl, price >= held.sl)
    leaving |= np.where(up, price >= held.tp, price <= held.tp)
    leaving[_stopped_out(held, worth, level, stop_out)] = True
    n, m = len(level), len(price)
    begun = _A_STEP + _A_CLIENT * n
    some = rng.poisson(0.85 * begun * m / (_POSITIONS_A_CLIENT * n))
    picked = (rng.random(some) * m).astype(np.int64)
    leaving[picked] = True
    return leaving


def _stopped_out(held: Holdings, worth: Worth, level: Floats, stop_out: Floats) -> Ints:
    """The worst position of each account at or below the broker's stop-out level."""
    out = (level <= stop_out) & (level != 0)
    rows = np.flatnonzero(out[held.account])
    if not len(rows):
        return rows
    made = worth.profit[rows] + held.swap[rows]
    order = np.lexsort((made, held.account[rows]))
    _, first = np.unique(held.account[rows][order], return_index=True)
    worst: Ints = rows[order][first]
    return worst


def closed(held: Holdings, worth: Worth, leaving: Flags, now: np.int64) -> Dealt:
    """The deals that end these positions, at the price they are worth."""
    rows = np.flatnonzero(leaving)
    gone, at = picked(held, rows), picked(worth, rows)
    none = np.zeros(len(rows), dtype=np.int64)
    return Dealt(
        account=gone.account.astype(np.int64),
        time=none + now,
        type=np.where(gone.side > 0, 1, 0),
        entry=none + 1,
        symbol=gone.symbol.astype(np.int64),
        lots=gone.lots,
        price=at.price,
        profit=at.profit,
        swap=gone.swap,
        commission=none,
        position=gone.ticket,
    )


def entered(held: Holdings, commission: Ints, time: Ints) -> Dealt:
    """The deals that began these positions; `commission` is cents a hundredth lot by account."""
    none = np.zeros(len(time), dtype=np.int64)
    return Dealt(
        account=held.account.astype(np.int64),
        time=time,
        type=np.where(held.side > 0, 0, 1),
        entry=none,
        symbol=held.symbol.astype(np.int64),
        lots=held.lots,
        price=held.price_open,
        profit=none,
        swap=none,
        commission=-commission[held.account] * held.lots,
        position=held.ticket,
    )


def new_trades(
    who: Clients,
    held: Holdings,
    equity: Ints,
    margin: Ints,
    prices: Prices,
    offer: Catalogue,
    first_ticket: int,
    now: np.int64,
    rng: np.random.Generator,
) -> Holdings:
    """Positions some clients open now, ordered by account; each needs twice its margin free."""
    n = len(who)
    some = rng.poisson(_A_STEP + _A_CLIENT * n)
    account = np.sort((rng.random(some) * n).astype(np.int64))
    symbol = rng.choice(len(offer.symbols), some, p=offer.weight)
    side = rng.choice([-1, 1], some)
    carried = rng.lognormal(-0.4, 0.8, some)
    currency = who.currency[account]
    cost = notional_a_lot(symbol, currency, prices, offer)
    lots = np.clip(np.rint(carried * np.maximum(equity[account], 0) / cost), 1, 5_000)
    lots = lots.astype(np.int64)
    tied = margin_of(lots, symbol, currency, who.leverage[account], prices, offer)
    sl, tp = stops(symbol, side, gathered(prices, symbol, side), prices, offer, rng)
    many = np.bincount(held.account, minlength=n)[account]
    short = np.isin(who.role[account], (Role.LOW_MARGIN, Role.SHORT_MARGIN, Role.FLAT))
    fits = (equity - margin)[account] > 2 * tied
    once = np.diff(account, prepend=-1) > 0
    calls = np.array([group.call for group in GROUPS])[who.group[account]]
    above_call = 100.0 * equity[account] > calls * (margin[account] + tied)
    may = fits & once & above_call & ~short & (many < MOST_POSITIONS)
    rows = np.flatnonzero(may)
    opened = Holdings(
        ticket=np.zeros(some, dtype=np.int64),
        account=account.astype(np.int32),
        symbol=symbol.astype(np.int32),
        side=side.astype(np.int8),
        lots=lots,
        price_open=gathered(prices, symbol, -side),
        sl=sl,
        tp=tp,
        opened=np.full(some, now),
        swap=np.zeros(some, dtype=np.int64),
        margin=tied,
    )
    return picked(opened, rows)._replace(ticket=first_ticket + np.arange(len(rows)))


def payments(
    balance: Ints, standing: Standing, idle: Flags, now: np.int64, rng: np.random.Generator
) -> list[Dealt]:
    """Deposits and withdrawals of this step, fresh money of clients who lost all, and what the
    broker pays where a stop-out came too late and left a debt."""
    n = len(balance)
    some = rng.poisson(0.03 + 0.00002 * n)
    payer = np.unique((rng.random(some) * n).astype(np.int64))
    size, leaves = rng.lognormal(0, 0.8, len(payer)), rng.random(len(payer)) < 0.3
    into = np.clip(np.rint(0.1 * size * np.maximum(balance[payer], 50_000) / 1000), 1, 2_000) * 1000
    free = (standing.equity - standing.margin)[payer]
    out = np.floor(np.clip(0.15 * free, 0, 0.5 * balance[payer]) / 1000) * 1000
    cents = np.where(leaves, -out, into).astype(np.int64)
    owing = np.flatnonzero(idle & (balance < 0))
    poor = np.flatnonzero(idle & (balance >= 0) & (balance < 5_000))
    poor = poor[rng.random(len(poor)) < 0.02]
    moved = cents != 0
    payer, cents = payer[moved], cents[moved]
    return [
        movements(payer, np.full(len(payer), now), cents),
        movements(owing, np.full(len(owing), now), -balance[owing], SO_COMPENSATION),
        movements(poor, np.full(len(poor), now), np.full(len(poor), 100_000)),
    ]
