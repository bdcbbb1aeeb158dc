"""A broker that looks alive, made up from a seed: for the demo, for load and for tests.

One read is one step of the market (five seconds of it, however long the reader waits), so figures
depend on the seed and the number of reads only. Times are the server's: the first Books of two
processes with one seed differ in nothing but times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rms_tui.book import Accounts, Book, Deals, Floats, Positions, Symbols, build
from rms_tui.feed import FeedError
from rms_tui.gateways import REPLAYED, SIMULATED, SimulatorSpec
from rms_tui.gateways.prices import read_prices
from rms_tui.gateways.simulator.broker import Broker
from rms_tui.gateways.simulator.calendar import offset_at
from rms_tui.gateways.simulator.holdings import Holdings
from rms_tui.gateways.simulator.market import Market
from rms_tui.gateways.simulator.symbols import CURRENCIES, GROUPS, SYMBOLS

MOST_ACCOUNTS = 1_000_000


def gateway(spec: SimulatorSpec) -> Simulator:
    """The simulated broker of this spec, not yet open."""
    started_at = spec.started_at
    return Simulator(spec, time.time if started_at is None else lambda: started_at)


class Simulator:
    """A `Gateway` without a source outside this process."""

    def __init__(self, spec: SimulatorSpec, clock: Callable[[], float] = time.time) -> None:
        self._spec = spec
        self._clock = clock
        self._broker: Broker | None = None
        self._begun = False
        self._still: tuple[Holdings, Positions] | None = None

    def open(self, doing: Callable[[str], None]) -> None:
        """Invent the broker. Raises FeedError for settings or recorded prices that cannot be."""
        spec = self._spec
        if not 1 <= spec.accounts <= MOST_ACCOUNTS:
            text = f"accounts must be 1 to {MOST_ACCOUNTS}, not {spec.accounts}"
            raise FeedError("configuration", text, final=True)
        if spec.seed < 0 or spec.history_days < 0:
            text = f"seed and history days cannot be negative: {spec.seed}, {spec.history_days}"
            raise FeedError("configuration", text, final=True)
        if spec.recorded_clock and spec.prices is None:
            raise FeedError("configuration", "a replay needs a folder of prices", final=True)
        recorded = {}
        if spec.prices is not None:
            doing(f"reading prices in {spec.prices}")
            recorded = read_prices(spec.prices, {s.name: s.digits for s in SYMBOLS})
        doing(f"inventing {spec.accounts} accounts")
        chance = np.random.default_rng(np.random.SeedSequence([spec.seed, 0]))
        market = Market(chance, recorded, spec.recorded_clock)
        server_time = self._server_time(market)
        self._broker = Broker(market, spec.accounts, spec.history_days, spec.seed, server_time)
        self._fixed = _fixed_columns(self._broker)

    def read(self) -> Book:
        """The next step of the simulation; the first Book is its beginning."""
        broker = self._opened()
        if self._begun:
            broker.step(self._server_time(broker.market, 1))
        self._begun = True
        recorded = broker.market.recorded_time
        taken_at = self._clock() if recorded is None else recorded - offset_at(recorded)
        return Book(
            source="simulator",
            server=SIMULATED if recorded is None else REPLAYED,
            taken_at=taken_at,
            server_offset=offset_at(taken_at if recorded is None else recorded),
            connected=True,
            accounts=_accounts(broker, self._fixed),
            positions=self._positions(broker),
            symbols=_symbols(broker),
            deals=broker.deals,
            deals_since=broker.deals_since,
        )

    def history(self, logins: Sequence[int]) -> Deals:
        """Every deal of these accounts since their initial deposit; unknown logins have none.

        The deposit may be older than the history window. Profit, swap and commission of all of
        them add up to the balance.
        """
        return self._opened().history(np.asarray(logins, dtype=np.int64))

    def close(self) -> None:
        """Forget the broker."""
        self._broker = None

    def _opened(self) -> Broker:
        if self._broker is None:
            raise FeedError("configuration", "the simulator is not open")
        return self._broker

    def _server_time(self, market: Market, ahead: int = 0) -> float:
        recorded = market.time_in(ahead)
        now = self._clock()
        return now + offset_at(now) if recorded is None else recorded

    def _positions(self, broker: Broker) -> Positions:
        held, worth = broker.held, broker.worth
        if self._still is None or self._still[0] is not held:
            self._still = held, _positions(held, len(held.ticket))
        profit = worth.profit / 100
        for column in (worth.rate, worth.price, profit):
            column.flags.writeable = False
        return replace(self._still[1], rate=worth.rate, price=worth.price, profit=profit)


def _fixed_columns(broker: Broker) -> dict[str, object]:
    """The columns of Accounts that never change."""
    who = broker.who
    return {
        "login": who.login,
        "name": who.name,
        "group": tuple(GROUPS[row].path for row in who.group.tolist()),
        "currency": tuple(CURRENCIES[row] for row in who.currency.tolist()),
        "digits": np.full(len(who), 2, dtype=np.int8),
        "leverage": who.leverage,
        "so_mode": np.zeros(len(who), dtype=np.int8),
        "so_call": np.array([g.call for g in GROUPS])[who.group],
        "so_level": np.array([g.stop_out for g in GROUPS])[who.group],
        "credit": who.credit / 100,
    }


def _accounts(broker: Broker, fixed: dict[str, object]) -> Accounts:
    figures = broker.figures
    profit = figures.floating - broker.swaps
    return build(
        Accounts,
        {
            **fixed,
            "balance": broker.balance / 100,
            "equity": figures.equity / 100,
            "margin": figures.margin / 100,
            "margin_free": (figures.equity - figures.margin) / 100,
            "margin_level": figures.level,
            "profit": profit / 100,
            "floating": figures.floating / 100,
            "prev_balance": broker.prev_balance / 100,
            "prev_equity": broker.prev_equity / 100,
            "trades_today": broker.trades_today,
            "lots_today": broker.lots_today / 100,
            "profit_today": broker.profit_today / 100,
            "trade_count": broker.trade_count,
        },
    )


def _positions(held: Holdings, count: int) -> Positions:
    """The columns that stay while nobody trades; the others are put in by every read."""
    unknown: Floats = np.full(count, np.nan)
    return build(
        Positions,
        {
            "ticket": held.ticket,
            "account": held.account,
            "symbol": held.symbol,
            "side": held.side,
            "lots": held.lots / 100,
            "price_open": held.price_open,
            "sl": held.sl,
            "tp": held.tp,
            "opened": held.opened,
            "rate": unknown,
            "price": unknown,
            "profit": unknown,
            "swap": held.swap / 100,
        },
    )


def _symbols(broker: Broker) -> Symbols:
    offer, prices = broker.offer, broker.market.prices
    return build(
        Symbols,
        {
            "name": [s.name for s in offer.symbols],
            "base": [s.base for s in offer.symbols],
            "quote": [s.quote for s in offer.symbols],
            "digits": offer.digits,
            "contract": offer.contract,
            "bid": prices.bid,
            "ask": prices.ask,
        },
    )
