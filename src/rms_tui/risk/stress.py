"""The book under a price shock: who would breach, be margin-called or stopped out, go negative.

A symbol's price, or a currency against all others, moves by a percentage and everything else
stands still: margins, spreads, swaps and stop losses too, which is what a gap does. Several shocks
at once are as one after the other, in any order. The shocked Book is judged by the very rules and
memory that judge the real one. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rms_tui.book import Book, Flags, Floats, Ints, StopOutMode, summed
from rms_tui.risk import assessment
from rms_tui.risk.assessment import Assessment
from rms_tui.risk.exposure import COVERAGE, Exposure, account_rates
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import mask_matches
from rms_tui.risk.scenario import Scenario
from rms_tui.risk.verdict import Reason, State


@dataclass(frozen=True, slots=True)
class Shock:
    """What moves, and by how many percent: exactly one of symbol and currency is set."""

    symbol: str | None
    currency: str | None
    percent: float

    @property
    def name(self) -> str:
        """Of the symbol or currency."""
        return self.symbol or self.currency or ""


@dataclass(frozen=True, slots=True)
class Laid:
    """A scenario over a book: its shocks, and which of its names do nothing there.

    `absent` are neither a symbol nor a currency of the book; `unheld` move no open position.
    """

    shocks: tuple[Shock, ...]
    absent: tuple[str, ...] = ()
    unheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stressed:
    """What shocks do. Money is in the report currency, NaN without a rate.

    `clients` is the change of the clients' floating profit, `coverage` that of the coverage
    groups, `book` = coverage - clients: what the house makes. Logins are of accounts that get
    there by these shocks; `undecided` counts those of whom nothing can be said. `change` is of each
    account's floating profit in its own currency, NaN without a rate; `known` says of whom anything
    can be said. Both in the order of the book's accounts.
    """

    shocks: tuple[Shock, ...]
    clients: float
    coverage: float
    book: float
    breached: Ints
    margin_call: Ints
    stopped_out: Ints
    negative: Ints
    undecided: int
    change: Floats
    known: Flags


def stress(
    book: Book, assessed: Assessment, memory: Memory, exposure: Exposure, *shocks: Shock
) -> Stressed:
    """What shocks would do, all at once, to a Book that was assessed with this memory.

    Raises ValueError for a symbol or currency that is not in the book and a percentage that cannot
    be.
    """
    shocked, change = shocked_book(book, *shocks)
    undecided = assessed.undecided.copy()
    undecided[(undecided == Reason.NONE) & np.isnan(change)] = Reason.NO_RATE
    known = undecided == Reason.NONE
    after = assessment.assess(
        shocked, assessed.scope, memory, assessment.held(shocked, None, assessed.scope), undecided
    )
    login = book.accounts.login
    call_before, out_before = broker_levels(book)
    call, out = broker_levels(shocked)
    breached = (after.state == State.BREACHED) & (assessed.state < State.BREACHED)
    negative = (shocked.accounts.equity < 0) & (book.accounts.equity >= 0)
    groups = {name: not mask_matches(COVERAGE, name) for name in dict.fromkeys(book.accounts.group)}
    client = np.array([groups[name] for name in book.accounts.group], dtype=np.bool_)
    worth = np.where(change == 0, 0.0, change * account_rates(book, exposure.rates))
    clients, coverage = float(worth[client].sum()), float(worth[~client].sum())
    return Stressed(
        shocks,
        clients,
        coverage,
        coverage - clients,
        login[breached & known],
        login[call & ~call_before & ~out & known],
        login[out & ~out_before & known],
        login[negative & known],
        int(len(login) - known.sum()),
        change,
        known,
    )


def laid(scenario: Scenario, book: Book) -> Laid:
    """The shocks of a scenario in this book: a name is a symbol's, else a currency's.

    Raises ValueError where none of its names is there.
    """
    symbols = frozenset(book.symbols.name)
    currencies = frozenset(book.symbols.base) | frozenset(book.symbols.quote)
    shocks, absent = [], []
    for name, percent in scenario.moves.items():
        if name in symbols:
            shocks.append(Shock(name, None, percent))
        elif name in currencies:
            shocks.append(Shock(None, name, percent))
        else:
            absent.append(name)
    if not shocks:
        raise ValueError(f"no symbol or currency {', '.join(absent)} in this book")
    unheld = [shock.name for shock in shocks if not _touched(book, shock).any()]
    return Laid(tuple(shocks), tuple(absent), tuple(unheld))


def opposite(shocks: Sequence[Shock]) -> tuple[Shock, ...]:
    """The same moves the other way."""
    return tuple(replace(shock, percent=-shock.percent) for shock in shocks)


def shocked_book(book: Book, *shocks: Shock) -> tuple[Book, Floats]:
    """The Book after shocks, and each account's change of floating profit in its own currency.

    NaN for an account with a position whose price or rate is not known, also where shocks that
    move it undo each other. Raises ValueError.
    """
    moved, rates = np.ones(len(book.symbols)), np.ones(len(book.positions))
    touched = np.zeros(len(book.positions), dtype=np.bool_)
    for shock in shocks:
        moved = moved * _factors(book, shock)
        rates = rates * _rate_factors(book, shock)
        touched |= _touched(book, shock)
    positions, symbols, accounts = book.positions, book.symbols, book.accounts
    price = positions.price * moved[positions.symbol]
    rate = positions.rate * rates
    move = (price - positions.price) * positions.side * positions.lots
    gain = move * symbols.contract[positions.symbol] * rate + positions.profit * (rates - 1.0)
    gain = np.where(touched, gain, 0.0)
    change = summed(positions.account.astype(np.int64), gain, len(accounts))
    equity = accounts.equity + change
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.where(accounts.margin > 0, 100.0 * equity / accounts.margin, 0.0)
    shocked = replace(
        book,
        symbols=replace(symbols, bid=symbols.bid * moved, ask=symbols.ask * moved),
        positions=replace(positions, price=price, rate=rate, profit=positions.profit + gain),
        accounts=replace(
            accounts,
            equity=equity,
            floating=accounts.floating + change,
            profit=accounts.profit + change,
            margin_free=accounts.margin_free + change,
            margin_level=level,
        ),
    )
    return shocked, change


def _touched(book: Book, shock: Shock) -> Flags:
    """Which positions a shock moves, by their price or by their rate."""
    priced = _factors(book, shock)[book.positions.symbol] != 1.0
    touched: Flags = priced | (_rate_factors(book, shock) != 1.0)
    return touched


def _factors(book: Book, shock: Shock) -> Floats:
    """What each symbol's price is multiplied with."""
    if not (math.isfinite(shock.percent) and -100 < shock.percent <= 1000):
        raise ValueError(f"shock of {shock.percent:g} %: expected more than -100 and at most 1000")
    factor = 1.0 + shock.percent / 100.0
    symbols = book.symbols
    if shock.symbol is not None:
        hit = np.array([name == shock.symbol for name in symbols.name], dtype=np.bool_)
        if not bool(hit.any()):
            raise ValueError(f"no symbol {shock.symbol} in this book")
        return np.where(hit, factor, 1.0)
    base = np.array([name == shock.currency for name in symbols.base], dtype=np.bool_)
    quote = np.array([name == shock.currency for name in symbols.quote], dtype=np.bool_)
    if not bool((base | quote).any()):
        raise ValueError(f"no currency {shock.currency} in this book")
    pair = np.array([b != q for b, q in zip(symbols.base, symbols.quote, strict=True)])
    up, down = np.where(base & pair, factor, 1.0), np.where(quote & pair, 1.0 / factor, 1.0)
    return up * down


def _rate_factors(book: Book, shock: Shock) -> Floats:
    """What each position's rate into its account's currency is multiplied with.

    A currency that moves takes its conversions along; a symbol that moves is taken alone.
    """
    count = len(book.positions)
    if shock.currency is None:
        return np.ones(count)
    factor = 1.0 + shock.percent / 100.0
    paid = np.array([name == shock.currency for name in book.symbols.quote], dtype=np.bool_)
    home = np.array([name == shock.currency for name in book.accounts.currency], dtype=np.bool_)
    profit: Flags = paid[book.positions.symbol]
    account: Flags = home[book.positions.account]
    return np.where(profit == account, 1.0, np.where(profit, factor, 1.0 / factor))


def broker_levels(book: Book) -> tuple[Flags, Flags]:
    """Who is at or below the broker's margin-call and stop-out levels; nobody without margin."""
    accounts = book.accounts
    with np.errstate(divide="ignore", invalid="ignore"):
        level = 100.0 * accounts.equity / accounts.margin
    figure = np.where(accounts.so_mode == StopOutMode.MONEY, accounts.margin_free, level)
    used = accounts.margin > 0
    call = used & (accounts.so_call > 0) & (figure <= accounts.so_call)
    out = used & (accounts.so_level > 0) & (figure <= accounts.so_level)
    return call, out
