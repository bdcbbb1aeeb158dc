"""Made-up Books of any size, and the same accounts as pydantic objects for the baseline."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, cast

import numpy as np

from rms_tui.book import Accounts, Book, Deals, Positions, Symbols, Table, build, empty, summed

NAMES = ("EURUSD", "GBPUSD", "AUDUSD", "NZDUSD", "EURGBP", "USDJPY", "USDCHF", "USDCAD", "XAUUSD")
PRICES = (1.15, 1.31, 0.66, 0.60, 0.86, 150.0, 0.80, 1.38, 4000.0)
NOON = 1_767_607_200.0
"""2026-01-05 10:00 UTC."""


def made(accounts: int, each: int = 5, seed: int = 1) -> Book:
    """A consistent Book: equity = balance + credit + floating to the cent."""
    random = np.random.default_rng(seed)
    count = accounts * each
    mid = np.array(PRICES)
    symbols = build(
        Symbols,
        {
            "name": NAMES,
            "base": [name[:3] for name in NAMES],
            "quote": [name[3:] for name in NAMES],
            "digits": [3 if "JPY" in name else 5 for name in NAMES],
            "contract": [100.0 if name == "XAUUSD" else 100_000.0 for name in NAMES],
            "bid": mid * 0.99995,
            "ask": mid * 1.00005,
        },
    )
    symbol = random.integers(0, len(NAMES), count)
    side = random.choice((-1, 1), count)
    entry = mid[symbol] * random.normal(1.0, 0.003, count)
    quoted = {"USD": 1.0, "GBP": 1.31, "JPY": 1 / 150, "CHF": 1.25, "CAD": 0.72}
    rate = np.array([quoted[name[3:]] for name in NAMES])[symbol]
    lots = np.round(random.gamma(1.2, 0.25, count) + 0.01, 2)
    contract = symbols.contract[symbol]
    profit = np.round(side * (mid[symbol] - entry) * lots * contract * rate, 2)
    swap = np.round(random.normal(-1, 1, count), 2)
    row = np.repeat(np.arange(accounts), each)
    floating = np.round(np.bincount(row, weights=profit + swap, minlength=accounts), 2)
    balance = np.round(random.lognormal(10.5, 1, accounts), 2)
    margin = np.round(
        np.bincount(row, weights=lots * contract * mid[symbol] * rate, minlength=accounts) / 200, 2
    )
    equity = np.round(balance + floating, 2)
    return Book(
        "benchmark",
        "benchmark",
        NOON,
        7200.0,
        True,
        build(
            Accounts,
            {
                "login": np.arange(100_000, 100_000 + accounts),
                "name": [f"Client {i}" for i in range(accounts)],
                "group": ["real\\standard"] * accounts,
                "currency": ["USD"] * accounts,
                "digits": np.full(accounts, 2),
                "leverage": np.full(accounts, 200),
                "so_mode": np.zeros(accounts),
                "so_call": np.full(accounts, 80.0),
                "so_level": np.full(accounts, 50.0),
                "balance": balance,
                "credit": np.zeros(accounts),
                "equity": equity,
                "margin": margin,
                "margin_free": equity - margin,
                "margin_level": 100 * equity / margin,
                "profit": floating,
                "floating": floating,
                "prev_balance": balance,
                "prev_equity": np.round(equity * random.normal(1, 0.02, accounts), 2),
                "trades_today": np.zeros(accounts),
                "lots_today": np.zeros(accounts),
                "profit_today": np.zeros(accounts),
                "trade_count": np.zeros(accounts),
            },
        ),
        build(
            Positions,
            {
                "ticket": np.arange(count) + 5_000_000,
                "account": row,
                "symbol": symbol,
                "side": side,
                "lots": lots,
                "price_open": entry,
                "sl": entry * (1 - 0.004 * side),
                "tp": np.full(count, np.nan),
                "opened": np.full(count, int(NOON)),
                "rate": rate,
                "price": mid[symbol],
                "profit": profit,
                "swap": swap,
            },
        ),
        symbols,
        empty(Deals),
        deals_since=int(NOON) - 86_400,
    )


def moved(book: Book, seed: int) -> Book:
    """The Book a poll later: prices, profits and account figures moved, nothing else."""
    random = np.random.default_rng(seed)
    accounts, positions, symbols = book.accounts, book.positions, book.symbols
    drift = random.normal(1.0, 1e-4, len(symbols))
    profit = np.round(positions.profit * random.normal(1.0, 0.01, len(positions)), 2)
    floating = np.round(
        summed(positions.account.astype(np.int64), profit + positions.swap, len(accounts)), 2
    )
    equity = np.round(accounts.balance + floating, 2)
    return replace(
        book,
        taken_at=book.taken_at + 1,
        symbols=replace(symbols, bid=symbols.bid * drift, ask=symbols.ask * drift),
        positions=replace(
            positions, profit=profit, price=positions.price * drift[positions.symbol]
        ),
        accounts=replace(
            accounts,
            equity=equity,
            floating=floating,
            profit=floating,
            margin_free=equity - accounts.margin,
            margin_level=100 * equity / accounts.margin,
        ),
    )


def traded(book: Book, seed: int) -> Book:
    """The Book a poll later with every column of numbers a new object: no figure can be reused.

    Who the accounts are (logins, groups, currencies) is as it was.
    """
    later = moved(book, seed)
    stops = later.positions.sl * np.random.default_rng(seed).normal(1.0, 1e-5, len(later.positions))
    return replace(
        later,
        accounts=replace(_anew(later.accounts), login=later.accounts.login),
        positions=replace(_anew(later.positions), sl=stops),
        symbols=_anew(later.symbols),
        deals=_anew(later.deals),
    )


def _anew(table: Table) -> Table:
    columns = {one.name: getattr(table, one.name) for one in fields(table)}
    numbers = {name: c.copy() for name, c in columns.items() if isinstance(c, np.ndarray)}
    return replace(table, **cast("dict[str, Any]", numbers))
