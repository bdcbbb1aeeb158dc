"""The book's exposure: by symbol, and netted by currency (see `rms_tui.risk.netting`).

Money is converted to the report currency at market mid. Where there is no rate there is no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import is_
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rms_tui.book import Book, Flags, Floats, Ints, Symbols, least, some
from rms_tui.risk.conversion import mids, paths, rate
from rms_tui.risk.netting import ByCurrency, Legs, legs, netted
from rms_tui.risk.profile import mask_matches
from rms_tui.risk.sweep import Block, Summing, finite, swept

COVERAGE = "coverage*"
"""Groups whose accounts hold the broker's own hedges: apart from the clients, and netted."""

PIECE = 50_000
"""Positions summed at once: more of them have narrow codes, widened in the processor's cache."""


class BySymbol(NamedTuple):
    """One row a symbol with open positions; `code` is its row in Symbols.

    Lots of clients: `buy`, `sell`, `net` (buy - sell), `gross`; `coverage` is the net of the
    coverage groups and `total` = net + coverage. `notional` is net in the report currency and
    `floating` profit + swap, also there; both NaN where there is no rate. `sentiment` is the share
    of buys in the gross lots.
    """

    code: Ints
    buy: Floats
    sell: Floats
    net: Floats
    gross: Floats
    coverage: Floats
    total: Floats
    notional: Floats
    accounts: Ints
    positions: Ints
    buy_price: Floats
    sell_price: Floats
    floating: Floats
    sentiment: Floats


_EMPTY = np.zeros(0)
_NONE = np.zeros(0, dtype=np.int64)
NOTHING = BySymbol(
    _NONE, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _EMPTY, _NONE, _NONE, _EMPTY, _EMPTY,
    _EMPTY, _EMPTY,
)  # fmt: skip
"""No symbol with an open position."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """Which accounts are clients (not coverage), and in which currency each is."""

    sources: tuple[tuple[str, ...], tuple[str, ...]]
    client: Flags
    all_clients: bool
    currencies: tuple[str, ...]
    currency: Ints


class Money(NamedTuple):
    """A position column, and the clients' sum of it for each symbol and account currency."""

    source: Floats
    sums: Floats


@dataclass(frozen=True, slots=True)
class Held:
    """What does not move with prices: lots and holders of each symbol, from the positions' terms.

    Every column has a row for each symbol. `key` joins a position's symbol and its account's
    currency, so that floating profit can be summed before it is converted. `client` says which
    positions are clients' (None: all), `units` is (buy - sell)·contract, and `level` says where it
    is 0 (None: nowhere).
    """

    sources: tuple[object, ...]
    kind: Kinds
    client: Flags | None
    key: npt.NDArray[Any]
    buy: Floats
    sell: Floats
    coverage: Floats
    buy_price: Floats
    sell_price: Floats
    accounts: Ints
    positions: Ints
    units: Floats
    level: Flags | None
    shown: BySymbol


class Sums(NamedTuple):
    """What the positions of a Book come to by symbol."""

    held: Held
    swap: Money
    profit: Money


class Exposure(NamedTuple):
    """Both views, the rates they were made with, and the sums for the summary line.

    `rates` holds report-currency money for one unit of each currency. `net_notional` sums the
    absolute notionals; NaN when one of them has no rate.
    """

    report_currency: str
    by_symbol: BySymbol
    by_currency: ByCurrency
    rates: Mapping[str, float]
    net_notional: float
    sums: Sums
    legs: Legs
    chains: tuple[object, Mapping[str, tuple[tuple[int, bool], ...]]]


def exposure(
    book: Book,
    report_currency: str,
    previous: Exposure | None = None,
    summed_up: Sums | None = None,
) -> Exposure:
    """The exposure of a Book. `previous` saves what did not change since its Book, `summed_up` is
    what `sums` came to in a sweep over its positions, if there was one."""
    if summed_up is None:
        summed_up = swept(book, sums(book, previous))
    held = summed_up.held
    swap = _money(book.positions.swap, held, summed_up.swap)
    profit = _money(book.positions.profit, held, summed_up.profit)
    mid = mids(book.symbols)
    chains = _chains(book.symbols, mid, report_currency, previous)
    price = mid.tolist()
    rates = {name: rate(path, price) for name, path in chains[1].items()}
    by_symbol = _by_symbol(book, held, profit.sums + swap.sums, mid, rates)
    sides = legs(book.symbols, held.buy, held.sell, None if previous is None else previous.legs)
    return Exposure(
        report_currency,
        by_symbol,
        netted(sides, book.symbols, mid, rates),
        rates,
        float(np.add.reduce(np.abs(by_symbol.notional))),
        Sums(held, swap, profit),
        sides,
        chains,
    )


def account_rates(book: Book, rates: Mapping[str, float]) -> Floats:
    """Report-currency money for one unit of each account's currency; NaN without a rate."""
    nan = float("nan")
    return np.array([rates.get(currency, nan) for currency in book.accounts.currency])


def _chains(
    symbols: Symbols, mid: Floats, to: str, previous: Exposure | None
) -> tuple[object, Mapping[str, tuple[tuple[int, bool], ...]]]:
    unpriced = np.isnan(mid)
    known = (to, symbols.name, symbols.base, symbols.quote, unpriced.tobytes())
    if previous is not None and previous.chains[0] == known:
        return previous.chains
    return known, paths(symbols, to, np.flatnonzero(~unpriced).tolist())


def _terms(book: Book) -> tuple[object, ...]:
    positions, accounts = book.positions, book.accounts
    return (
        positions.account,
        positions.symbol,
        positions.side,
        positions.lots,
        positions.price_open,
        accounts.group,
        accounts.currency,
        book.symbols.name,
        book.symbols.contract,
    )


def sums(book: Book, previous: Exposure | None) -> Summing[Sums]:
    """Lots, prices and holders of each symbol and direction, with what they earned; those before
    while no position's terms changed."""
    sources = _terms(book)
    known = None if previous is None else previous.sums
    before = None if known is None else known.held
    if known is not None and all(map(is_, sources, known.held.sources)):
        return Summing(lambda: known)
    kind = _kinds(book, before)
    count, width = len(book.symbols), max(len(kind.currencies), 1)
    lots, worth, coverage = np.zeros(2 * count), np.zeros(2 * count), np.zeros(count)
    holders, number = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    swap, profit = np.zeros(count * width), np.zeros(count * width)
    positions = book.positions
    many = len(positions) > PIECE
    key = np.empty(len(positions), np.min_scalar_type(count * width) if many else np.int64)

    def add(block: Block) -> None:
        here, of_kind, of_symbol = block.here, block.kind, block.symbol
        own, swaps, profits = block.lots, positions.swap[here], positions.profit[here]
        each, mine = None, block.lots_held
        if not kind.all_clients:
            client = kind.client[block.rows]
            theirs = client[block.account]
            np.add.at(coverage, of_symbol, np.where(theirs, 0.0, own * positions.side[here]))
            own, swaps, profits = (np.where(theirs, one, 0.0) for one in (own, swaps, profits))
            each, mine = theirs, block.held.among(mine, client)
        at = of_symbol
        if width > 1:
            at = at * width + kind.currency[block.rows][block.account]
        key[here] = at
        number[:] += np.bincount(of_symbol, each, minlength=count).astype(np.int64)
        holders[:] += block.held.holders(mine)
        np.add.at(lots, of_kind, own)
        np.add.at(worth, of_kind, own * positions.price_open[here])
        np.add.at(swap, at, swaps)
        np.add.at(profit, at, profits)

    def made() -> Sums:
        lots[:], coverage[:] = finite(lots), finite(coverage)
        with np.errstate(divide="ignore", invalid="ignore"):
            price = worth / lots
        client = None if kind.all_clients else kind.client[positions.account]
        units = (lots[count:] - lots[:count]) * book.symbols.contract
        level = units == 0
        by_side = Held(
            sources,
            kind,
            client,
            key,
            lots[count:],
            lots[:count],
            coverage,
            price[count:],
            price[:count],
            holders,
            number,
            units,
            level if some(level) else None,
            NOTHING,
        )
        return Sums(
            replace(by_side, shown=_shown(by_side)),
            Money(positions.swap, swap),
            Money(positions.profit, profit),
        )

    return Summing(made, add)


@np.errstate(invalid="ignore", over="ignore")  # both are answers here
def _money(amount: Floats, held: Held, before: Money) -> Money:
    """The sums of a position column that stands in the Book; those before of the very same."""
    if amount is before.source:
        return before
    theirs = amount if held.client is None else np.where(held.client, amount, 0.0)
    sums = np.zeros(len(before.sums))
    for start in range(0, len(theirs), PIECE):
        here = slice(start, start + PIECE)
        np.add.at(sums, held.key[here].astype(np.int64, copy=False), theirs[here])
    return Money(amount, sums)


def _kinds(book: Book, before: Held | None) -> Kinds:
    group, currency = book.accounts.group, book.accounts.currency
    if (
        before is not None
        and before.kind.sources[0] is group
        and before.kind.sources[1] is currency
    ):
        return before.kind
    groups, code = _coded(group)
    clients = np.array([not mask_matches(COVERAGE, name) for name in groups], dtype=np.bool_)
    currencies, currency_code = _coded(currency)
    return Kinds((group, currency), clients[code], bool(clients.all()), currencies, currency_code)


def _coded(texts: tuple[str, ...]) -> tuple[tuple[str, ...], Ints]:
    """The distinct texts, sorted, and each text's index among them."""
    names = tuple(sorted(set(texts)))
    index = {name: i for i, name in enumerate(names)}
    return names, np.fromiter(map(index.__getitem__, texts), dtype=np.int64, count=len(texts))


def _by_symbol(
    book: Book, held: Held, floating: Floats, mid: Floats, rates: Mapping[str, float]
) -> BySymbol:
    """`floating` is profit + swap for each symbol and account currency, in that currency."""
    symbols, nan = book.symbols, float("nan")
    width = max(len(held.kind.currencies), 1)
    used = floating.reshape(-1, width)
    to_report = np.array([rates.get(currency, nan) for currency in held.kind.currencies])
    if len(to_report) == 0:
        floating = np.zeros(len(symbols))
    elif least(to_report) > 0:  # NaN is not
        floating = used @ to_report
    else:
        floating = np.where(used == 0, 0.0, used * to_report).sum(axis=1)
    quote_rate = np.array([rates.get(quote, nan) for quote in symbols.quote])
    notional = held.units * mid * quote_rate
    if held.level is not None:
        notional[held.level] = 0.0  # also where there is no rate
    shown = held.shown
    return BySymbol(
        shown.code,
        shown.buy,
        shown.sell,
        shown.net,
        shown.gross,
        shown.coverage,
        shown.total,
        notional[shown.code],
        shown.accounts,
        shown.positions,
        shown.buy_price,
        shown.sell_price,
        floating[shown.code],
        shown.sentiment,
    )


def _shown(held: Held) -> BySymbol:
    """The rows to show with all that does not move with prices; the rest is put in each time."""
    net, gross = held.buy - held.sell, held.buy + held.sell
    code = np.flatnonzero((gross > 0) | (held.coverage != 0))
    unknown = np.full(len(code), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        sentiment = held.buy / gross
    return BySymbol(
        code,
        held.buy[code],
        held.sell[code],
        net[code],
        gross[code],
        held.coverage[code],
        (net + held.coverage)[code],
        unknown,
        held.accounts[code],
        held.positions[code],
        held.buy_price[code],
        held.sell_price[code],
        unknown,
        sentiment[code],
    )
