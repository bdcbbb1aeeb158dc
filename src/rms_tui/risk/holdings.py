"""What each account holds, as figures rules ask for: number, risk at the stop, size, age.

All from the Book alone. A figure is worked out only when a rule asks for it, and again only when a
column it was made from is another object than before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from rms_tui.book import CLOSING_ENTRIES, TRADE_TYPES, Book, Flags, Floats, Ints, rows_of, summed
from rms_tui.risk.conversion import rates
from rms_tui.risk.pairs import Pairs, pairs
from rms_tui.risk.profile import mask_matches

Held: TypeAlias = tuple[tuple[object, ...], Floats, Floats]
"""What the figures came from, the open positions and the largest loss at a stop."""


@dataclass(frozen=True, slots=True)
class Lots:
    """Lots (buys + sells) of the largest symbol; with a mask, of all symbols it matches."""

    symbols: str | None


@dataclass(frozen=True, slots=True)
class Notional:
    """The same as money of the account's currency: lots·contract·price·rate."""

    symbols: str | None


@dataclass(frozen=True, slots=True)
class IdeaRisk:
    """Largest loss at the stops of one trade idea; `seconds` is the window of reopening."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Rate:
    """Money of `currency` for one unit of the account's currency, NaN without a chain."""

    currency: str


BARE_SINCE = "bare since"
"""Server time at which the oldest open position without a stop was opened; +inf where none is."""

BARE_AGE = "bare age"
"""Seconds since then; -inf where every open position has its stop."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A column with the objects it was made from."""

    sources: tuple[object, ...]
    column: Floats


Figures: TypeAlias = Mapping[Hashable, Figure]


def is_figure(key: Hashable) -> bool:
    """Whether a rule's key asks for one of these figures."""
    return isinstance(key, (Lots, Notional, IdeaRisk, Rate)) or key == BARE_AGE


def held(book: Book, before: Held | None) -> Held:
    """Open positions and the largest loss at a stop for each account, with what they came from.

    The loss at a stop is side·(open - stop)·lots·contract·rate - swap, at least 0, in the account's
    currency; infinite without a stop, NaN without a rate.
    """
    sources = _risk_sources(book)
    if before is not None and _same(sources, before[0]):
        return before
    positions = book.positions
    number = np.bincount(positions.account, minlength=len(book.accounts))
    risk = np.zeros(len(book.accounts))
    if len(positions):
        bare = np.isnan(positions.sl)
        with np.errstate(invalid="ignore"):
            np.maximum.at(risk, positions.account, losses_at_stop(book, bare))
        unknown = np.isnan(risk)
        if bool(unknown.any()):
            without_stop = np.bincount(positions.account[bare], minlength=len(risk)) > 0
            risk[unknown & without_stop] = np.inf
    return sources, number.astype(np.float64), risk


def losses_at_stop(book: Book, bare: Flags) -> Floats:
    """What each position loses if its stop is hit (a gain is negative); infinite where `bare`."""
    positions = book.positions
    loss = positions.price_open - positions.sl
    loss *= positions.side
    loss *= positions.lots
    loss *= book.symbols.contract.take(positions.symbol)
    loss *= positions.rate
    loss -= positions.swap
    if bool(bare.any()):
        loss[bare] = np.inf
    return loss


def figures(keys: Iterable[Hashable], book: Book, before: Figures) -> Figures:
    """Every figure that rules ask for by these keys."""
    wanted = dict.fromkeys(keys)
    made = {key: figure(key, book, before.get(key)) for key in wanted if key != BARE_AGE}
    if BARE_AGE in wanted:
        since = made[BARE_SINCE] = figure(BARE_SINCE, book, before.get(BARE_SINCE))
        made[BARE_AGE] = bare_age(since, book, before.get(BARE_AGE))
    return made


def figure(key: Hashable, book: Book, before: Figure | None) -> Figure:
    """The figure a rule asked for by its key, kept while its sources are the same objects."""
    match key:
        case Lots(symbols):
            return _kept(before, _terms(book), lambda: _largest(book, symbols, book.positions.lots))
        case Notional(symbols):
            sources = (*_terms(book), book.positions.price, book.positions.rate)
            return _kept(before, sources, lambda: _largest(book, symbols, _notionals(book)))
        case IdeaRisk(seconds):
            sources = (*_risk_sources(book), book.positions.opened, book.deals)
            return _kept(before, sources, lambda: _idea_risk(book, seconds))
        case Rate(currency):
            symbols_now = book.symbols
            sources = (book.accounts.currency, symbols_now.bid, symbols_now.ask, symbols_now.name)
            return _kept(before, sources, lambda: _rate_column(book, currency))
        case _ if key == BARE_SINCE:
            held_now = book.positions
            sources = (held_now.account, held_now.sl, held_now.opened, book.accounts.login)
            return _kept(before, sources, lambda: _bare_since(book))
    raise KeyError(key)


def bare_age(since: Figure, book: Book, before: Figure | None) -> Figure:
    """Age of the oldest position without a stop, from its `BARE_SINCE` and the server's clock."""
    if not bool(np.isfinite(since.column).any()):
        return _kept(before, (since.column,), lambda: np.full(len(since.column), -np.inf))
    offset = np.nan if book.server_offset is None else book.server_offset
    age = np.where(
        np.isposinf(since.column), -np.inf, np.maximum(book.taken_at + offset - since.column, 0.0)
    )
    return Figure((book,), age)


def _kept(before: Figure | None, sources: tuple[object, ...], make: Callable[[], Floats]) -> Figure:
    if before is not None and _same(sources, before.sources):
        return before
    return Figure(sources, make())


def _same(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


def _terms(book: Book) -> tuple[object, ...]:
    positions, symbols = book.positions, book.symbols
    return (
        positions.account,
        positions.symbol,
        positions.lots,
        symbols.contract,
        symbols.name,
        book.accounts.login,
    )


def _risk_sources(book: Book) -> tuple[object, ...]:
    positions = book.positions
    return (
        positions.account,
        positions.symbol,
        positions.side,
        positions.lots,
        positions.price_open,
        positions.sl,
        positions.rate,
        positions.swap,
        book.symbols.contract,
        book.accounts.login,
    )


def _notionals(book: Book) -> Floats:
    positions = book.positions
    money = positions.lots * book.symbols.contract.take(positions.symbol)
    money *= positions.price
    money *= positions.rate
    return money


def _largest(book: Book, mask: str | None, amount: Floats) -> Floats:
    """The masked symbols' sum for each account, or without a mask its largest symbol's sum."""
    positions, count = book.positions, len(book.accounts)
    if mask is not None:
        names = book.symbols.name
        wanted = np.array([mask_matches(mask, name) for name in names], dtype=np.bool_)
        chosen = wanted[positions.symbol]
        account = positions.account[chosen].astype(np.int64)
        return summed(account, amount[chosen], count)
    symbol = positions.symbol.astype(np.int64)
    held_pairs = pairs(positions.account, symbol, count, len(book.symbols))
    return held_pairs.largest(held_pairs.summed(amount))


def _rate_column(book: Book, currency: str) -> Floats:
    known = rates(book.symbols, currency)
    used = set(book.accounts.currency)
    if len(used) == 1:
        return np.full(len(book.accounts), known.get(used.pop(), float("nan")))
    return np.array([known.get(own, float("nan")) for own in book.accounts.currency])


def _bare_since(book: Book) -> Floats:
    positions = book.positions
    since = np.full(len(book.accounts), np.inf)
    bare = np.isnan(positions.sl)
    np.minimum.at(since, positions.account[bare], positions.opened[bare].astype(np.float64))
    return since


def _idea_risk(book: Book, window: float) -> Floats:
    """Largest net loss of an idea: its open positions at their stops and what it closed at a loss.

    An idea is one account's symbol and direction. A closed trade belongs to it when it was closed
    after the idea began, or at most `window` seconds before: then the idea began with that trade.
    """
    positions = book.positions
    if len(positions) == 0:
        return np.zeros(len(book.accounts))
    kind = positions.symbol.astype(np.int64)
    kind *= 2
    kind += positions.side > 0
    ideas = pairs(positions.account, kind, len(book.accounts), 2 * len(book.symbols))
    bare = np.isnan(positions.sl)
    at_stop = losses_at_stop(book, bare)
    at_stop[bare] = 0.0
    loss = ideas.summed(at_stop)
    deals = book.deals
    trades = np.flatnonzero(np.isin(deals.type, TRADE_TYPES))
    closing = trades[np.isin(deals.entry[trades], CLOSING_ENTRIES)]
    if len(closing):
        loss += _closed_losses(book, ideas, trades, closing, window)
    loss[ideas.of[bare]] = np.inf
    return ideas.largest(loss)


def _closed_losses(book: Book, ideas: Pairs, trades: Ints, closing: Ints, window: float) -> Floats:
    """What each idea has lost already (gains negative): `closing` are the closing ones of `trades`.

    An idea began with its oldest open position, and with every trade of it further back.
    """
    deals = book.deals
    lost = np.zeros(ideas.cells)
    began = np.full(ideas.cells, np.inf)
    np.minimum.at(began, ideas.of, book.positions.opened.astype(np.float64))
    code = {name: i for i, name in enumerate(book.symbols.name)}
    symbol = np.array([code.get(deals.symbol[i], -1) for i in closing.tolist()], dtype=np.int64)
    row = rows_of(book.accounts.login, deals.login[closing])
    bought = deals.type[closing] == TRADE_TYPES[1]  # a sell closes what was bought
    known = (row >= 0) & (symbol >= 0)
    idea = np.where(known, ideas.find(row, symbol * 2 + bought), -1)
    opened = _opening_times(book, trades, closing)
    amount = deals.profit[closing] + deals.swap[closing] + deals.commission[closing]
    time = deals.time[closing].astype(np.float64)
    waiting = (idea >= 0) & np.isfinite(began[idea])
    while True:
        joins = waiting & (time >= began[np.maximum(idea, 0)] - window)
        if not bool(joins.any()):
            return lost
        np.subtract.at(lost, idea[joins], amount[joins])
        np.minimum.at(began, idea[joins], opened[joins])
        waiting &= ~joins


def _opening_times(book: Book, trades: Ints, closing: Ints) -> Floats:
    """When each closed trade was opened; its own time where that deal is not in the Book."""
    deals = book.deals
    opening = trades[~np.isin(deals.entry[trades], CLOSING_ENTRIES)]
    order = opening[np.argsort(deals.position[opening], kind="stable")]
    at = rows_of(deals.position[order], deals.position[closing])
    own = deals.time[closing].astype(np.float64)
    if len(order) == 0:
        return own
    return np.where(at >= 0, np.minimum(own, deals.time[order][np.maximum(at, 0)]), own)
