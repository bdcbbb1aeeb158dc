"""The simulated trade server: clients, their positions and their deals, moved a step at a time.

Chance comes from the seed alone and never from the clock, so the same number of steps gives the
same figures. Only the end of the server's day comes from the clock: it charges swaps, closes the
day's figures and uses no chance.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rms_tui.book import Deals, Flags, Floats, Ints, rows_of
from rms_tui.gateways.simulator.calendar import DAY, day_start, nights_charged, trading_day
from rms_tui.gateways.simulator.clients import Role, clients, recent, server_times
from rms_tui.gateways.simulator.columns import joined, picked, woven
from rms_tui.gateways.simulator.holdings import Holdings, Worth, rows_among, summed, worth_of
from rms_tui.gateways.simulator.ledger import (
    Dealt,
    Ledger,
    Naming,
    as_deals,
)
from rms_tui.gateways.simulator.market import Market
from rms_tui.gateways.simulator.opening import opening
from rms_tui.gateways.simulator.past import past_deals, past_tickets
from rms_tui.gateways.simulator.symbols import GROUPS
from rms_tui.gateways.simulator.trading import closed, due, entered, new_trades, payments

_FIRST_TICKET = 10_000_001
_MOST_NIGHTS = 10


class Figures(NamedTuple):
    """What follows from balances and positions, by account; cents, and the level in percent."""

    floating: Ints
    equity: Ints
    margin: Ints
    level: Floats


class Broker:
    """Everything the simulated server knows. `step` moves it; the columns are read by Book makers.

    Arrays are replaced, never written to: Books that were given away keep theirs.
    """

    def __init__(
        self, market: Market, accounts: int, history_days: int, seed: int, server_time: float
    ) -> None:
        people, early, start, self._rng = (
            np.random.default_rng(s) for s in np.random.SeedSequence([seed, 1]).spawn(4)
        )
        self.market = market
        self.offer = market.offer
        self._seed = seed
        self._history_days = history_days
        self._first_prices = market.prices
        self.who = clients(accounts, history_days, people)
        self.today = self._first_day = day_start(server_time)
        self._made: list[Dealt] = []
        self._begin(early, start, max(server_time - self.today, 0.0))
        self._find_figures()

    def _begin(
        self, early: np.random.Generator, start: np.random.Generator, elapsed: float
    ) -> None:
        """Positions, recent deals and balances that agree with each other."""
        who, n, prices, offer = self.who, len(self.who), self.market.prices, self.offer
        done = recent(who, prices, offer, early)
        result = done.dealt.profit + done.dealt.commission
        balance = who.deposit + who.past_flow + who.past_result
        balance = balance + summed(result, done.dealt.account, n)
        held, moment = opening(who, balance, prices, offer, start)
        self._past_tickets = past_tickets(who, _FIRST_TICKET)
        first = int(self._past_tickets[-1])
        ages = np.argsort(np.argsort(np.concatenate([moment, done.opened]), kind="stable"))
        tickets = first + ages
        self._next_position = first + len(ages)
        held = held._replace(
            ticket=tickets[: len(moment)], opened=server_times(moment, self.today, elapsed)
        )
        entries = entered(held, who.commission, held.opened)
        balance = balance + summed(entries.commission, held.account, n)
        of_closed = np.append(tickets[len(moment) :], 0)  # the last for deals that are no trade
        position = of_closed[np.where(done.dealt.symbol >= 0, done.dealt.position, -1)]
        at = server_times(done.moment, self.today, elapsed)
        every = joined([done.dealt._replace(time=at, position=position), entries])
        moments = np.concatenate([done.moment, moment])
        order = np.argsort(moments, kind="stable")
        every, moments = picked(every, order), moments[order]
        old = moments < -1
        self._older = picked(every, old)
        self._older_tickets = first + np.arange(int(old.sum()))
        naming = Naming(who.login, tuple(s.name for s in offer.symbols))
        self._naming = naming
        self.ledger = Ledger(naming, first + int(old.sum()), picked(every, ~old))
        self.held, self.balance = held, balance
        self._count_day(every, moments)
        self.worth = self._worth(held)
        floating = summed(self.worth.profit + held.swap, held.account, n)
        self._close_yesterday(every, moments, floating, start)

    def _count_day(self, every: Dealt, moments: Floats) -> None:
        n, account = len(self.who), every.account
        out = (every.entry == 1) & (moments >= 0)
        self.trades_today = np.bincount(account[out], minlength=n)
        self.lots_today = summed(every.lots[out], account[out], n)
        trade = (every.symbol >= 0) & (moments >= 0)
        result = (every.profit + every.swap + every.commission)[trade]
        self.profit_today = summed(result, account[trade], n)
        recent_out = every.entry == 1
        self.trade_count = self.who.past_trades + np.bincount(account[recent_out], minlength=n)

    def _close_yesterday(
        self, every: Dealt, moments: Floats, floating: Ints, rng: np.random.Generator
    ) -> None:
        """Balance and equity at the last end of day; unknown for one account in a hundred."""
        n, role = len(self.who), self.who.role
        moved = (every.symbol < 0) & (moments >= 0)
        flows = summed(every.profit[moved], every.account[moved], n)
        balance = self.balance - flows - self.profit_today
        then = rng.uniform(0.9, 1.0, n) * floating + rng.normal(0, 0.003, n) * balance
        then = np.where(role == Role.BAD_DAY, rng.normal(0, 0.001, n) * balance, then)
        then = np.where(np.bincount(self.held.account, minlength=n) == 0, 0, then)
        new = (rng.random(n) < 0.01) & (role == Role.CALM)
        self.prev_balance = np.where(new, np.nan, balance.astype(np.float64))
        equity = balance + self.who.credit + np.rint(then)
        self.prev_equity = np.where(new, np.nan, equity)

    @property
    def deals(self) -> Deals:
        """Deals since the start of the previous trading day."""
        return self.ledger.recent

    @property
    def deals_since(self) -> int:
        """Server time from which `deals` is complete."""
        return int(trading_day(self.today, 1))

    def step(self, server_time: float) -> None:
        """One step of the market and of everybody's trading; `server_time` dates the deals."""
        if day_start(server_time) > self.today:
            self._end_day(day_start(server_time))
        self.market.step()
        now = np.int64(max(int(server_time), self.ledger.last_time))
        self.worth = self._worth(self.held)
        self._find_figures()
        leaving = due(self.held, self.worth, self.figures.level, self._stop_outs, self._rng)
        self._settle(closed(self.held, self.worth, leaving, now), leaving)
        self._open(now)
        idle = np.bincount(self.held.account, minlength=len(self.who)) == 0
        for paid in payments(self.balance, self.figures, idle, now, self._rng):
            self._write(paid)
        self._find_figures()
        self.ledger.add(joined(self._made))
        self._made.clear()

    @property
    def swaps(self) -> Ints:
        """Sum of the open positions' swap by account, in cents."""
        return summed(self.held.swap, self.held.account, len(self.who))

    @property
    def _stop_outs(self) -> Floats:
        return np.array([group.stop_out for group in GROUPS])[self.who.group]

    def _worth(self, held: Holdings) -> Worth:
        currency = self.who.currency[held.account]
        return worth_of(held, self.market.prices, currency, self.offer)

    def _find_figures(self) -> None:
        n, held = len(self.who), self.held
        floating = summed(self.worth.profit + held.swap, held.account, n)
        equity = self.balance + self.who.credit + floating
        margin = summed(held.margin, held.account, n)
        level = np.divide(100.0 * equity, margin, out=np.zeros(n), where=margin > 0)
        self.figures = Figures(floating, equity, margin, np.round(level, 2))

    def _settle(self, dealt: Dealt, leaving: Flags) -> None:
        if not len(dealt.time):
            return
        n, account = len(self.who), dealt.account
        self.held, self.worth = picked(self.held, ~leaving), picked(self.worth, ~leaving)
        self.trades_today = self.trades_today + np.bincount(account, minlength=n)
        self.trade_count = self.trade_count + np.bincount(account, minlength=n)
        self.lots_today = self.lots_today + summed(dealt.lots, account, n)
        self._write(dealt)

    def _open(self, now: np.int64) -> None:
        fresh = new_trades(
            self.who, self.held, self.figures.equity, self.figures.margin, self.market.prices,
            self.offer, self._next_position, now, self._rng,
        )  # fmt: skip
        if not len(fresh.ticket):
            return
        self._next_position += len(fresh.ticket)
        self._write(entered(fresh, self.who.commission, fresh.opened))
        worth = self._worth(fresh)
        rows = rows_among(self.held, fresh)
        self.held, self.worth = woven(self.held, fresh, rows), woven(self.worth, worth, rows)

    def _write(self, dealt: Dealt) -> None:
        """Enter deals into the ledger, the balances and, for trades, the day's result."""
        n, account = len(self.who), dealt.account
        result = dealt.profit + dealt.swap + dealt.commission
        self.balance = self.balance + summed(result, account, n)
        trades = dealt.symbol >= 0
        self.profit_today = self.profit_today + summed(result * trades, account, n)
        self._made.append(dealt)

    def _end_day(self, today: int) -> None:
        """Charge the nights up to `today`, and begin its figures."""
        days = range(self.today + DAY, today + 1, DAY)
        nights = sum(nights_charged(day) for day in days[-_MOST_NIGHTS:])
        held = self.held
        currency = self.who.currency[held.account]
        rate = self.market.prices.rates(self.offer)[held.symbol, currency]
        nightly = self.offer.nightly[(held.side < 0).astype(np.int64), held.symbol]
        swap = np.rint(nightly * held.lots * rate * nights).astype(np.int64)
        self.held = held._replace(swap=held.swap + swap)
        self._find_figures()
        self.prev_balance = self.balance.astype(np.float64)
        self.prev_equity = self.figures.equity.astype(np.float64)
        none = np.zeros(len(self.who), dtype=np.int64)
        self.trades_today, self.lots_today, self.profit_today = none, none, none
        self.today = today
        self.ledger.forget(self.deals_since)

    def history(self, logins: Ints) -> Deals:
        """Every deal of these accounts since their initial deposit, by time, then ticket."""
        found = rows_of(self.who.login, np.unique(logins))
        rows = found[found >= 0]
        past, past_ticket = past_deals(
            self.who, rows, self._past_tickets, self._first_prices, self.offer, self._first_day,
            self._history_days, self._seed,
        )  # fmt: skip
        theirs = np.isin(self._older.account, rows)
        older = picked(self._older, theirs)
        live, live_ticket = self.ledger.of(rows)
        dealt = joined([past, older, live])
        ticket = np.concatenate([past_ticket, self._older_tickets[theirs], live_ticket])
        order = np.lexsort((ticket, dealt.time))
        return as_deals(picked(dealt, order), ticket[order], self._naming)
