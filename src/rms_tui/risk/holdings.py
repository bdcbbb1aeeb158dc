"""What each account holds, as figures rules ask for: number, risk at the stop, size, age.

All from the Book, but since when positions have no stop, which is remembered. A figure is worked
out only when a rule asks for it, and again only when a column it was made from is another object
than before; all that is worked out anew of positions comes of one sweep over them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from operator import is_
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from rms_tui.book import Book, Floats, Ints, summed
from rms_tui.risk.bare import Bare, first_look
from rms_tui.risk.conversion import rates
from rms_tui.risk.ideas import Closed, Ideas, closed_trades, idea_risk
from rms_tui.risk.profile import mask_matches
from rms_tui.risk.stops import losses_at_stop, risk_at_stop
from rms_tui.risk.sweep import Block, Summing, finite, sweep, swept


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


_SUMMED = (Lots, Notional, IdeaRisk)

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


class Held(NamedTuple):
    """Each account's number of open positions and largest loss at a stop, with what they came from,
    the rows of positions `without` a stop, and the figures that were summed up along with them."""

    sources: tuple[object, ...]
    number: Floats
    risk: Floats
    without: Ints
    figures: Figures


def is_figure(key: Hashable) -> bool:
    """Whether a rule's key asks for one of these figures."""
    return isinstance(key, (Lots, Notional, IdeaRisk, Rate)) or key in (BARE_AGE, BARE_MOST)


def held(
    book: Book,
    before: Held | None,
    keys: Iterable[Hashable] = (),
    also: Iterable[Summing[Any]] = (),
) -> Held:
    """Open positions and the largest loss at a stop for each account, with what they came from.

    The loss at a stop is side·(open - stop)·lots·contract·rate - swap, at least 0, in the account's
    currency; infinite without a stop, NaN without a rate. Of `keys`, what is made of positions is
    summed up in the same sweep over them, and so is what others `also` ask.
    """
    known: Figures = {} if before is None else before.figures
    own = _number_and_risk(book, before)
    asked = {key: _summing(key, book, known.get(key)) for key in keys if isinstance(key, _SUMMED)}
    sweep(book, (own, *also, *asked.values()))  # who reads the same columns, one after the other
    made = own.made()
    if not asked and not made.figures:
        return made
    return made._replace(figures={key: one.made() for key, one in asked.items()})


def _number_and_risk(book: Book, before: Held | None) -> Summing[Held]:
    sources = _risk_sources(book)
    if before is not None and _same(sources, before.sources):
        return Summing(lambda: before)
    number, risk = np.zeros(len(book.accounts)), np.zeros(len(book.accounts))
    without = [np.zeros(0, dtype=np.int64)]

    def add(block: Block) -> None:
        number[block.rows] = np.bincount(block.account, minlength=block.accounts)
        risk[block.rows] = risk_at_stop(block)
        rows = block.once(losses_at_stop).without
        if len(rows):
            without.append(rows + block.here.start)

    return Summing(lambda: Held(sources, number, risk, np.concatenate(without), {}), add)


def figures(
    keys: Iterable[Hashable],
    book: Book,
    before: Figures,
    summed_up: Figures,
    bare: Bare | None = None,
) -> Figures:
    """Every figure that rules ask for by these keys; `summed_up` are those that `held` gave. What
    is remembered of positions without a stop is `bare`, None where all there is is this Book."""
    made: dict[Hashable, Figure] = {}
    for key in keys:
        if isinstance(key, Rate):
            made[key] = _rate(key, book, before.get(key))
        elif isinstance(key, _SUMMED):
            made[key] = summed_up.get(key) or swept(book, _summing(key, book, before.get(key)))
    if BARE_AGE in keys:
        known = first_look(book) if bare is None else bare
        made[BARE_AGE] = made[BARE_MOST] = _age(known.since, book, before.get(BARE_AGE))
        if known.earliest is not known.since:
            made[BARE_MOST] = _age(known.earliest, book, before.get(BARE_MOST))
    return made


def _summing(key: Lots | Notional | IdeaRisk, book: Book, before: Figure | None) -> Summing[Figure]:
    """The figure a rule asks for by its key, kept while its sources are the same objects."""
    match key:
        case Lots(symbols):
            return _kept(before, _terms(book), lambda: _largest(book, symbols, _lots, _lots_held))
        case Notional(symbols):
            sources = (*_terms(book), book.positions.price, book.positions.rate)
            return _kept(
                before, sources, lambda: _largest(book, symbols, _notional, _notional_held)
            )
        case IdeaRisk(seconds):
            return _of_ideas(seconds, book, before)


def _of_ideas(window: float, book: Book, before: Figure | None) -> Summing[Figure]:
    sources = (*_risk_sources(book), book.positions.opened, book.deals)
    now = book.taken_at + (book.server_offset or 0.0)
    if before is not None and _same(sources, before.sources) and now <= before.until:
        return Summing(lambda: before)
    closed = closed_trades(book, None if before is None else before.closed)
    ideas = idea_risk(book, window, closed)

    def made() -> Figure:
        found: Ideas = ideas.made()
        return Figure(sources, found.risk, closed, found.until)

    return Summing(made, ideas.add)


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


def _kept(
    before: Figure | None, sources: tuple[object, ...], begin: Callable[[], Summing[Floats]]
) -> Summing[Figure]:
    if before is not None and _same(sources, before.sources):
        return Summing(lambda: before)
    column = begin()
    return Summing(lambda: Figure(sources, column.made()), column.add)


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


def _lots(block: Block) -> Floats:
    return block.lots


def _lots_held(block: Block) -> Floats:
    return block.lots_held


def _notional(block: Block) -> Floats:
    return block.worth * block.book.positions.price[block.here]


def _notional_held(block: Block) -> Floats:
    return block.held.summed(block.once(_notional))


def _largest(
    book: Book,
    mask: str | None,
    amount: Callable[[Block], Floats],
    in_cells: Callable[[Block], Floats],
) -> Summing[Floats]:
    """The masked symbols' sum for each account, or without a mask its largest symbol's sum."""
    largest = np.zeros(len(book.accounts))
    if mask is None:

        def add(block: Block) -> None:
            largest[block.rows] = block.held.largest(in_cells(block))

        return Summing(lambda: finite(largest), add)
    wanted = np.array([mask_matches(mask, name) for name in book.symbols.name], dtype=np.bool_)

    def add_masked(block: Block) -> None:
        chosen = wanted[block.symbol]
        account, theirs = block.account[chosen], amount(block)[chosen]
        largest[block.rows] = summed(account, theirs, block.accounts)

    return Summing(lambda: finite(largest), add_masked)


def _rate(key: Rate, book: Book, before: Figure | None) -> Figure:
    symbols = book.symbols
    sources = (book.accounts.currency, symbols.bid, symbols.ask, symbols.name)
    if before is not None and _same(sources, before.sources):
        return before
    known = rates(symbols, key.currency)
    used = set(book.accounts.currency)
    if len(used) == 1:
        return Figure(sources, np.full(len(book.accounts), known.get(used.pop(), float("nan"))))
    column = np.array([known.get(own, float("nan")) for own in book.accounts.currency])
    return Figure(sources, column)
