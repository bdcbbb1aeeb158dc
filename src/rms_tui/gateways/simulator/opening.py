"""The positions clients hold when the simulation starts, sized and priced to suit their roles."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rms_tui.book import Floats, Ints
from rms_tui.gateways.simulator.clients import Clients, Role
from rms_tui.gateways.simulator.columns import AnyInts, picked
from rms_tui.gateways.simulator.holdings import (
    Holdings,
    margin_of,
    notional_a_lot,
    summed,
)
from rms_tui.gateways.simulator.market import Prices, gathered
from rms_tui.gateways.simulator.symbols import Catalogue

MOST_POSITIONS = 15

_MOST_LOTS = 5_000
"""Fifty lots, in hundredths."""


class Choice(NamedTuple):
    """Who opens what, before it has a size."""

    account: Ints
    symbol: Ints
    side: Ints
    share: Floats


def opening(
    who: Clients, balance: Ints, prices: Prices, offer: Catalogue, rng: np.random.Generator
) -> tuple[Holdings, Floats]:
    """The positions (tickets and opening times 0), and each one's moment as in `Recent`.

    Ordered by account, then by moment. `balance` is cents before the commission of these.
    """
    choice = _choice(who, offer, rng)
    account, symbol = choice.account, choice.symbol
    m = len(account)
    back = np.minimum(rng.geometric(0.2, m) - 1, 20)
    moment = rng.random(m) - back
    order = np.lexsort((moment, account))
    choice, moment, back = picked(choice, order), moment[order], back[order]
    account, symbol, side = choice.account, choice.symbol, choice.side
    currency, leverage = who.currency[account], who.leverage[account]
    lots = _sized(who, balance, choice, prices, offer, rng)
    margin = margin_of(lots, symbol, currency, leverage, prices, offer)
    nights = back + 2 * (back // 5)
    rates = prices.rates(offer)[symbol, currency]
    nightly = offer.nightly[(side < 0).astype(np.int64), symbol]
    swap = np.rint(nightly * lots * rates * nights).astype(np.int64)
    balance = balance - summed(who.commission[account] * lots, account, len(who))
    wanted = _floating(who, balance, summed(margin, account, len(who)), rng)
    profit = _split(wanted, balance, choice, rng) - swap
    now = gathered(prices, symbol, side)
    entered = now - side * profit / (lots * offer.contract[symbol] * rates)
    entered = offer.rounded(np.clip(entered, 0.4 * now, 1.8 * now), symbol)
    calm = np.isin(who.role, (Role.CALM, Role.FLAT))[account]
    sl, tp = stops(symbol, side, now, prices, offer, rng)
    held = Holdings(
        ticket=np.zeros(m, dtype=np.int64),
        account=account.astype(np.int32),
        symbol=symbol.astype(np.int32),
        side=side.astype(np.int8),
        lots=lots,
        price_open=entered,
        sl=np.where(calm, sl, np.nan),
        tp=tp,
        opened=np.zeros(m, dtype=np.int64),
        swap=swap,
        margin=margin,
    )
    return held, moment


def stops(
    symbol: AnyInts,
    side: AnyInts,
    now: Floats,
    prices: Prices,
    offer: Catalogue,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Stop loss and take profit around the present price, NaN for those who set none."""
    m = len(symbol)
    day = offer.daily_move[symbol] * now
    spread = (prices.ask - prices.bid)[symbol]
    near = np.where(rng.random(m) < 0.08, 0.06, 1.0)
    below = np.maximum(day * rng.uniform(0.35, 2.2, m) * near, 3 * spread)
    above = np.maximum(day * rng.uniform(0.35, 3.0, m) * near, 3 * spread)
    sl = np.where(rng.random(m) < 0.97, offer.rounded(now - side * below, symbol), np.nan)
    tp = np.where(rng.random(m) < 0.60, offer.rounded(now + side * above, symbol), np.nan)
    return sl, tp


def _choice(who: Clients, offer: Catalogue, rng: np.random.Generator) -> Choice:
    n = len(who)
    many = np.where(who.role == Role.FLAT, 0, np.minimum(1 + rng.poisson(4.2, n), MOST_POSITIONS))
    account = np.repeat(np.arange(n), many)
    m = len(account)
    weight = rng.uniform(0.3, 1.0, m)
    return Choice(
        account,
        rng.choice(len(offer.symbols), m, p=offer.weight),
        rng.choice([-1, 1], m),
        weight / np.bincount(account, weights=weight, minlength=n)[account],
    )


def _sized(
    who: Clients,
    balance: Ints,
    choice: Choice,
    prices: Prices,
    offer: Catalogue,
    rng: np.random.Generator,
) -> Ints:
    """Lots in hundredths: a share of the balance as margin where margin is the point, else as a
    notional that a client of that kind would carry."""
    n = len(who)
    role, leverage = who.role, who.leverage
    carried = np.clip(rng.lognormal(0.9, 0.8, n), 0.3, 12.0)
    carried = np.minimum(carried, 0.4 * leverage)
    tied = np.where(
        role == Role.SHORT_MARGIN, rng.uniform(0.72, 0.92, n), rng.uniform(0.42, 0.6, n)
    )
    short = np.isin(role, (Role.LOW_MARGIN, Role.SHORT_MARGIN))
    budget = balance * np.where(short, tied, carried)
    account, symbol = choice.account, choice.symbol
    cost = notional_a_lot(symbol, who.currency[account], prices, offer)
    least = np.maximum(1.0 / leverage[account], offer.margin[symbol])
    cost = np.where(short[account], cost * least, cost)
    lots = np.rint(budget[account] * choice.share / cost)
    return np.clip(lots, 1, _MOST_LOTS).astype(np.int64)


def _floating(who: Clients, balance: Ints, margin: Ints, rng: np.random.Generator) -> Floats:
    """Cents each client's positions should make now."""
    n, role = len(who), who.role
    calm = np.maximum(rng.normal(0.0005, 0.007, n) * balance, -850_00)
    low = rng.uniform(1.06, 1.57, n) * margin - balance
    short = rng.uniform(0.62, 0.97, n) * margin - balance
    losing = -np.minimum(rng.uniform(1_100_00, 9_000_00, n), 0.4 * balance)
    bad = -rng.uniform(0.041, 0.058, n) * balance
    return np.select(
        [
            role == Role.LOW_MARGIN,
            role == Role.SHORT_MARGIN,
            role == Role.LOSING,
            role == Role.BAD_DAY,
        ],
        [low, short, losing, bad],
        calm,
    )


def _split(wanted: Floats, balance: Ints, choice: Choice, rng: np.random.Generator) -> Floats:
    """The floating of each account over its positions: winners and losers that add up to it."""
    account, n = choice.account, len(wanted)
    swing = rng.normal(0, 1, len(account)) * (0.3 * np.abs(wanted) + 0.002 * balance)[account]
    many = np.maximum(np.bincount(account, minlength=n), 1)
    swing -= (np.bincount(account, weights=swing, minlength=n) / many)[account]
    return wanted[account] * choice.share + swing
