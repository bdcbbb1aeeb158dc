"""Deals from before yesterday, made up when somebody asks for an account's history.

Every number comes from a hash of seed, login and deal, so that an account's past is the same
whoever asks, whenever and together with whom; and it adds up to the sums in `Clients`. The first
deal of an account is its initial deposit, a few trading days before the history window begins.
"""

from __future__ import annotations

import numpy as np

from rms_tui.book import Floats, Ints
from rms_tui.gateways.simulator.clients import Clients, past_days, server_times
from rms_tui.gateways.simulator.columns import joined, picked
from rms_tui.gateways.simulator.ledger import Dealt, movements
from rms_tui.gateways.simulator.market import Prices
from rms_tui.gateways.simulator.symbols import Catalogue

_OLDEST_POSITION = 20
"""Trading days a position may be older than the simulation; money came in before it."""


class Chance:
    """Uniform numbers in [0, 1) by seed, login, deal and purpose (splitmix64)."""

    def __init__(self, seed: int, login: Ints, number: Ints) -> None:
        mixed = _mixed(login.astype(np.uint64) + _mixed(np.uint64(seed % 2**63)))
        self._state = _mixed(mixed + number.astype(np.uint64))

    def __call__(self, purpose: int) -> Floats:
        bits = _mixed(self._state + np.uint64(purpose))
        uniform: Floats = (bits >> np.uint64(11)).astype(np.float64) / 2.0**53
        return uniform


def _mixed(
    value: np.uint64 | np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    with np.errstate(over="ignore"):
        state = np.asarray(value, dtype=np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return state ^ (state >> np.uint64(31))


def past_tickets(who: Clients, first: int) -> Ints:
    """The ticket each client's past begins with, and after the last client the first free one."""
    many = 1 + (who.past_flow != 0) + 2 * who.past_trades
    return first + np.concatenate([[0], np.cumsum(many)])


def past_deals(
    who: Clients,
    rows: Ints,
    tickets: Ints,
    prices: Prices,
    offer: Catalogue,
    today: int,
    history_days: int,
    seed: int,
) -> tuple[Dealt, Ints]:
    """Deals of these clients from their initial deposit to the day before yesterday, with tickets.

    `tickets` is what `past_tickets` gave, `prices` those the simulation started at.
    """
    trades, moment = _trades(who, rows, tickets, prices, offer, history_days, seed)
    days = past_days(history_days)
    none = np.zeros(len(rows), dtype=np.int64)
    luck = Chance(seed, who.login[rows], none)
    deposits = movements(rows, none, who.deposit[rows])
    funded = luck(1) - max(days, _OLDEST_POSITION) - 2 - np.floor(3 * luck(2))
    flows = movements(rows, none, who.past_flow[rows])
    moved = who.past_flow[rows] != 0
    flows = picked(flows, moved)
    paid = (luck(3) - 2 - np.floor(luck(4) * max(days - 1, 1)))[moved]
    dealt = joined([deposits, flows, trades])
    moment = np.concatenate([funded, paid, moment])
    order = np.lexsort((moment, dealt.account))
    dealt, moment = picked(dealt, order), moment[order]
    starts = np.searchsorted(dealt.account, dealt.account)
    ticket = tickets[dealt.account] + np.arange(len(order)) - starts
    return dealt._replace(time=server_times(moment, today, 0.0)), ticket


def _trades(
    who: Clients,
    rows: Ints,
    tickets: Ints,
    prices: Prices,
    offer: Catalogue,
    history_days: int,
    seed: int,
) -> tuple[Dealt, Floats]:
    """Entry and exit deals, and their moments; each client's add up to its `past_result`."""
    many = who.past_trades[rows]
    account = np.repeat(rows, many)
    owner = np.repeat(np.arange(len(rows)), many)
    number = np.arange(len(account)) - np.repeat(np.cumsum(many) - many, many)
    luck = Chance(seed, who.login[account], number + 1)
    back = 2 + np.floor(luck(1) * max(past_days(history_days) - 1, 1))
    begun = luck(2)
    ended = begun + (1 - begun) * luck(3) ** 3
    symbol = np.searchsorted(np.cumsum(offer.weight), luck(4)).clip(max=len(offer.symbols) - 1)
    side = np.where(luck(5) < 0.5, -1, 1)
    deposit = who.deposit[account]
    lots = np.clip(np.rint(deposit / 1_000_000 * (2 + 28 * luck(6))), 1, 2000).astype(np.int64)
    commission = -who.commission[account] * lots
    swing = (luck(7) + luck(8) + luck(9) - 1.5) * 0.02
    profit = np.rint(deposit * swing).astype(np.int64)
    made = np.bincount(owner, weights=profit + commission, minlength=len(rows)).astype(np.int64)
    missing = who.past_result[rows] - made
    each = missing // np.maximum(many, 1)
    profit += each[owner] + np.where(number == 0, (missing - each * many)[owner], 0)
    mid = (prices.bid + prices.ask)[symbol] / 2
    away = offer.daily_move[symbol] * np.sqrt(back) * (luck(10) + luck(11) - 1.0)
    close = offer.rounded(mid * (1 + away), symbol)
    a_price = lots * offer.contract[symbol] * prices.rates(offer)[symbol, who.currency[account]]
    entered = np.clip(close - side * profit / a_price, 0.5 * close, 2 * close)
    entered = offer.rounded(entered, symbol)
    none = np.zeros(len(account), dtype=np.int64)
    kind, position = np.where(side > 0, 0, 1), tickets[account] + number
    entry = Dealt(
        account, none, kind, none, symbol, lots, entered, none, none, commission, position
    )
    out = Dealt(
        account, none, 1 - kind, none + 1, symbol, lots, close, profit, none, none, position
    )
    return joined([entry, out]), np.concatenate([begun - back, ended - back])
