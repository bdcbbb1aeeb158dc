"""What each account holds, as figures rules ask for: number, risk at the stop, size, age.

All from the Book, but since when positions have no stop, which is remembered. A figure is worked
out only when a rule asks for it, and again only when a column it was made from is another object
than before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from operator import is_
from typing import NamedTuple, TypeAlias

import numpy as np

from rms_tui.book import Book, Codes, Floats, summed
from rms_tui.risk.bare import Bare, first_look
from rms_tui.risk.conversion import rates
from rms_tui.risk.ideas import Closed, closed_trades, idea_risk
from rms_tui.risk.pairs import Pairs, blocks, pairs
from rms_tui.risk.profile import mask_matches
from rms_tui.risk.stops import finite, risk_at_stop


class Held(NamedTuple):
    """What the figures came from, each account's number of open positions and largest loss at a
    stop, and every position's loss there where that is wanted once more."""

    sources: tuple[object, ...]
    number: Floats
    risk: Floats
    losses: Floats | None = None


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


BARE_AGE = "bare age"
"""Seconds for which a position certainly has no stop; -inf where every open one has its own."""

BARE_MOST = "bare at most"
"""Seconds for which one may have none, NaN while that is unknown: the same column where nothing is
in doubt."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A column with the objects it was made from, and for ideas the closed trades among them and
    the server time until which it holds."""

    sources: tuple[object, ...]
    column: Floats
    closed: Closed | None = None
    until: float = float("inf")


Figures: TypeAlias = Mapping[Hashable, Figure]


def is_figure(key: Hashable) -> bool:
    """Whether a rule's key asks for one of these figures."""
    return isinstance(key, (Lots, Notional, IdeaRisk, Rate)) or key in (BARE_AGE, BARE_MOST)


def held(book: Book, before: Held | None, figures: Iterable[Hashable] = ()) -> Held:
    """Open positions and the largest loss at a stop for each account, with what they came from.

    The loss at a stop is side·(open - stop)·lots·contract·rate - swap, at least 0, in the account's
    currency; infinite without a stop, NaN without a rate. `figures` are those that will be asked
    for: ideas are made of the same losses.
    """
    sources = _risk_sources(book)
    if before is not None and _same(sources, before.sources):
        return before
    number = np.bincount(book.positions.account, minlength=len(book.accounts))
    asked = any(isinstance(key, IdeaRisk) for key in figures)
    losses = np.empty(len(book.positions)) if asked else None
    return Held(sources, number.astype(np.float64), risk_at_stop(book, losses), losses)


def figures(
    keys: Iterable[Hashable],
    book: Book,
    before: Figures,
    losses: Floats | None = None,
    bare: Bare | None = None,
) -> Figures:
    """Every figure that rules ask for by these keys; `losses` as in Held. What is remembered of
    positions without a stop is `bare`, None where all there is is this Book."""
    cells = dict[int, Pairs]()
    wanted = dict.fromkeys(key for key in keys if key not in (BARE_AGE, BARE_MOST))
    made = {key: figure(key, book, before.get(key), losses, cells) for key in wanted}
    if BARE_AGE in keys:
        known = first_look(book) if bare is None else bare
        made[BARE_AGE] = made[BARE_MOST] = _age(known.since, book, before.get(BARE_AGE))
        if known.earliest is not known.since:
            made[BARE_MOST] = _age(known.earliest, book, before.get(BARE_MOST))
    return made


def figure(
    key: Hashable,
    book: Book,
    before: Figure | None,
    losses: Floats | None,
    cells: dict[int, Pairs],
) -> Figure:
    """The figure a rule asked for by its key, kept while its sources are the same objects.

    `cells` are those of this Book's accounts and symbols, shared by the figures that need them.
    """
    match key:
        case Lots(symbols):
            return _kept(before, _terms(book), lambda: _largest(book, symbols, _lots, cells))
        case Notional(symbols):
            sources = (*_terms(book), book.positions.price, book.positions.rate)
            return _kept(before, sources, lambda: _largest(book, symbols, _notionals, cells))
        case IdeaRisk(seconds):
            sources = (*_risk_sources(book), book.positions.opened, book.deals)
            now = book.taken_at + (book.server_offset or 0.0)
            if before is not None and _same(sources, before.sources) and now <= before.until:
                return before
            closed = closed_trades(book, None if before is None else before.closed)
            ideas = idea_risk(book, seconds, closed, losses)
            return Figure(sources, ideas.risk, closed, ideas.until)
        case Rate(currency):
            symbols_now = book.symbols
            sources = (book.accounts.currency, symbols_now.bid, symbols_now.ask, symbols_now.name)
            return _kept(before, sources, lambda: _rate_column(book, currency))
    raise KeyError(key)


def _age(since: Floats, book: Book, before: Figure | None) -> Figure:
    """Seconds since those instants (UTC), -inf where there is none; it stands still where nobody
    has any."""
    if before is not None and _same(before.sources, (since,)):
        return before
    if not bool((since < np.inf).any() or np.isnan(since).any()):
        return Figure((since,), np.full(len(since), -np.inf))
    age = np.maximum(book.taken_at - since, 0.0)
    age[np.isposinf(since)] = -np.inf
    return Figure((book, since), age)


def _kept(before: Figure | None, sources: tuple[object, ...], make: Callable[[], Floats]) -> Figure:
    if before is not None and _same(sources, before.sources):
        return before
    return Figure(sources, make())


def _same(a: tuple[object, ...], b: tuple[object, ...]) -> bool:
    return len(a) == len(b) and all(map(is_, a, b))


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


def _lots(book: Book, here: slice) -> Floats:
    return finite(book.positions.lots[here])


def _notionals(book: Book, here: slice) -> Floats:
    positions = book.positions
    money = positions.lots[here] * book.symbols.contract.take(positions.symbol[here])
    money *= positions.price[here]
    money *= positions.rate[here]
    return finite(money)


def _largest(
    book: Book,
    mask: str | None,
    amount: Callable[[Book, slice], Floats],
    cells: dict[int, Pairs],
) -> Floats:
    """The masked symbols' sum for each account, or without a mask its largest symbol's sum."""
    positions, count = book.positions, len(book.accounts)
    if mask is not None:
        names = book.symbols.name
        wanted = np.array([mask_matches(mask, name) for name in names], dtype=np.bool_)
        chosen = wanted[positions.symbol]
        account = positions.account[chosen].astype(np.int64)
        return summed(account, amount(book, slice(None))[chosen], count)
    largest, kinds = np.zeros(count), len(book.symbols)
    for rows, here in blocks(positions.account, count, kinds):
        if rows.start not in cells:
            symbol = positions.symbol[here].astype(np.int64)
            own: Codes = positions.account[here] - np.int32(rows.start)
            cells[rows.start] = pairs(own, symbol, rows.stop - rows.start, kinds)
        held_pairs = cells[rows.start]
        largest[rows] = held_pairs.largest(held_pairs.summed(amount(book, here)))
    return largest


def _rate_column(book: Book, currency: str) -> Floats:
    known = rates(book.symbols, currency)
    used = set(book.accounts.currency)
    if len(used) == 1:
        return np.full(len(book.accounts), known.get(used.pop(), float("nan")))
    return np.array([known.get(own, float("nan")) for own in book.accounts.currency])
