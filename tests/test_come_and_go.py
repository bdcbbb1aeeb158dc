"""Accounts, positions and deals come and go from poll to poll, and no Book breaks one."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from tests.feeds import FakeFeed
from tests.risk.desk import book, plan, utc

from rms_tui.book import Book
from rms_tui.feed import FeedError
from rms_tui.monitor import Monitor
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.verdict import Reason

POLLS = 25
LOGINS = range(1, 7)
RULES: tuple[dict[str, Any], ...] = (
    {"rule": "margin_level", "warning": 150, "critical": 100},
    {"rule": "max_loss", "amount": -200},
    {"rule": "daily_loss", "base": "initial", "amount": 200},
    {"rule": "daily_loss", "base": "max_balance_equity", "percent": 5, "of": "base"},
    {"rule": "total_loss", "percent": 4},
    {"rule": "trailing_drawdown", "peak": "equity", "amount": 200},
    {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 300},
    {"rule": "position_risk", "percent": 1, "of": "balance"},
    {"rule": "max_profit", "amount": 500},
    {"rule": "open_positions", "count": 2},
)


class Broker:
    """Gives any Book at all, within what a Book may be; the same for the same chance."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.deals: list[dict[str, Any]] = []

    def book(self, at: float) -> Book:
        pick = self.chance.choice
        logins = sorted(self.chance.sample(LOGINS, pick([0, 0, 1, 2, 3, 6])))
        if pick([True, False]):
            self.deals.append(self._deal(at))
        return book(
            [self._account(login) for login in logins],
            at=at - pick([0, 0, 0, 2, 40]),
            offset=pick([0.0, 0.0, 0.0, None, 3600.0]),
            positions=[
                self._position(10 * login + number, row)
                for row, login in enumerate(logins)
                for number in range(pick([0, 0, 1, 3]))
            ],
            deals=sorted(
                (deal for deal in self.deals if deal["login"] in logins),
                key=lambda deal: (deal["time"], deal["ticket"]),
            ),
            connected=pick([True] * 14 + [False]),
            deals_known=pick([True] * 9 + [False]),
        )

    def _account(self, login: int) -> dict[str, Any]:
        pick = self.chance.choice
        balance = pick([0, 0, 5000, 4800, 5600, math.nan, -20])
        return {
            "login": login,
            "balance": balance,
            "equity": pick([0, balance, balance - 300, balance + 300, math.nan]),
            "margin": pick([0, 0, 100, 5000]),
            "prev_balance": pick([math.nan, 5000, 0]),
            "prev_equity": pick([math.nan, 5000, 5100]),
        }

    def _position(self, ticket: int, row: int) -> dict[str, Any]:
        pick = self.chance.choice
        return {
            "ticket": ticket,
            "account": row,
            "side": pick([1, -1]),
            "profit": pick([-50.0, 0.0, 20.0]),
            "sl": pick([math.nan, 1.0]),
            "rate": pick([1.0, math.nan]),
        }

    def _deal(self, at: float) -> dict[str, Any]:
        pick = self.chance.choice
        return {
            "ticket": 1000 + len(self.deals),
            "login": pick(LOGINS),
            "time": int(at) - pick([0, 3, 4000, 90_000]),
            "type": pick([0, 1, 2, 3]),
            "entry": pick([0, 1, 2, 3]),
            "symbol": "EURUSD",
            "lots": 0.1,
            "profit": pick([-500.0, 0.0, 100.0]),
            "position": pick([10, 20, 21, 60]),
        }


@pytest.mark.parametrize("seed", range(20))
def test_whoever_comes_and_goes_is_judged_and_breaks_no_poll(seed: int) -> None:
    chance = Random(seed)
    now = [utc("2026-03-02 20:00")]
    feed, broker = FakeFeed(), Broker(chance)
    rules = chance.sample(RULES, chance.randint(1, len(RULES)))
    zone = chance.choice(["UTC", "server", "Europe/Prague"])
    limits = plan(*rules, initial_balance=5000, zone=zone)
    monitor = Monitor(feed, limits, interval=5.0, clock=lambda: now[0])
    for _ in range(POLLS):
        now[0] += chance.choice([1, 5, 5, 5, 60, 3600, 6 * 3600])
        feed.error = FeedError("connection", "no answer") if chance.random() < 0.1 else None
        feed.newest = broker.book(now[0])
        frame = monitor.step()
        if feed.error is None:
            assert frame.book is feed.newest
            assert isinstance(frame.assessment, Assessment)
            assert len(frame.assessment.state) == len(feed.newest.accounts)
            figures = feed.newest.accounts
            unknown = np.isnan(figures.balance) | np.isnan(figures.equity)
            assert (frame.assessment.undecided[unknown] != Reason.NONE).all()
