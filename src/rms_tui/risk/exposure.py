"""The book's exposure: by symbol, and netted by currency (see `rms_tui.risk.netting`).

Money is converted to the report currency at market mid. Where there is no rate there is no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import is_
from typing import Any

import numpy as np
import numpy.typing as npt

from rms_tui.book import Book, Codes, Flags, Floats, Ints, Symbols, summed
from rms_tui.risk.conversion import mids, paths, rate
from rms_tui.risk.netting import ByCurrency, Legs, legs, netted
from rms_tui.risk.pairs import blocks
from rms_tui.risk.profile import mask_matches

COVERAGE = "coverage*"
"""Groups whose accounts hold the broker's own hedges: apart from the clients, and netted."""

PIECE = 50_000
"""Positions summed at once: more of them have narrow codes, widened in the processor's cache."""


@dataclass(frozen=True, slots=True)
class BySymbol:
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


@dataclass(frozen=True, slots=True)
class Held:
    """What does not move with prices: lots and holders of each symbol, from the positions' terms.

    Every column has a row for each symbol. `key` joins a position's symbol and its account's
    currency, so that floating profit can be summed before it is converted. `client` says which
    positions are clients' (None: all).
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
    swap: Floats
    swap_source: Floats
    shown: BySymbol


@dataclass(frozen=True, slots=True)
class Exposure:
    """Both views, the rates they were made with, and the sums for the summary line.

    `rates` holds report-currency money for one unit of each currency. `net_notional` sums the
    absolute notionals; NaN when one of them has no rate.
    """

    report_currency: str
    by_symbol: BySymbol
    by_currency: ByCurrency
    rates: Mapping[str, float]
    net_notional: float
    held: Held
    legs: Legs
    chains: tuple[object, Mapping[str, tuple[tuple[int, bool], ...]]]


def exposure(book: Book, report_currency: str, previous: Exposure | None = None) -> Exposure:
    """The exposure of a Book. `previous` saves what did not change since its Book."""
    held = _with_swap(book, _held(book, None if previous is None else previous.held))
    mid = mids(book.symbols)
    chains = _chains(book.symbols, mid, report_currency, previous)
    rates = {name: rate(path, mid) for name, path in chains[1].items()}
    by_symbol = _by_symbol(book, held, mid, rates)
    sides = legs(book.symbols, held.buy, held.sell, None if previous is None else previous.legs)
    return Exposure(
        report_currency,
        by_symbol,
        netted(sides, book.symbols, mid, rates),
        rates,
        float(np.abs(by_symbol.notional).sum()),
        held,
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
    priced = np.flatnonzero(~np.isnan(mid))
    known = (to, symbols.name, symbols.base, symbols.quote, priced.tobytes())
    if previous is not None and previous.chains[0] == known:
        return previous.chains
    return known, paths(symbols, to, priced.tolist())


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
    )


def _held(book: Book, before: Held | None) -> Held:
    sources = _terms(book)
    if before is not None and all(map(is_, sources, before.sources)):
        return before
    positions, count = book.positions, len(book.symbols)
    kind = _kinds(book, before)
    client = None if kind.all_clients else kind.client[positions.account]
    key: npt.NDArray[Any] = positions.symbol
    if len(kind.currencies) > 1:
        key = key * len(kind.currencies) + kind.currency[positions.account]
    cells = count * max(len(kind.currencies), 1)
    lots, worth, coverage = np.zeros(2 * count), np.zeros(2 * count), np.zeros(count)
    accounts, number = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for rows, here in blocks(positions.account, len(book.accounts), count):
        own, code = positions.lots[here], positions.symbol[here].astype(np.int64)
        account = positions.account[here] - np.int32(rows.start)
        if client is not None:
            theirs = client[here]
            np.add.at(coverage, code, own * ~theirs * positions.side[here])
            own, mine = own * theirs, code[theirs]
            account = account[theirs]
        else:
            mine = code
        sided = code * 2
        sided += positions.side[here] > 0
        np.add.at(lots, sided, own)
        np.add.at(worth, sided, own * positions.price_open[here])
        accounts += _holders(account, mine, rows.stop - rows.start, count)
        number += np.bincount(mine, minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        price = worth / lots
    held = Held(
        sources,
        kind,
        client,
        key.astype(np.int64 if len(key) <= PIECE else np.min_scalar_type(cells)),
        lots[1::2],
        lots[0::2],
        coverage,
        price[1::2],
        price[0::2],
        accounts,
        number,
        swap=np.zeros(0),
        swap_source=np.zeros(0),
        shown=NOTHING,
    )
    return replace(held, shown=_shown(held))


def _with_swap(book: Book, held: Held) -> Held:
    swap = book.positions.swap
    if held.swap_source is swap:
        return held
    cells = len(book.symbols) * max(len(held.kind.currencies), 1)
    return replace(held, swap=_money(swap, held, cells), swap_source=swap)


def _money(amount: Floats, held: Held, cells: int) -> Floats:
    """The clients' sum of a position column for each symbol and account currency."""
    theirs = amount if held.client is None else amount * held.client
    if len(theirs) <= PIECE:
        return summed(held.key, theirs, cells)
    sums = np.zeros(cells)
    with np.errstate(invalid="ignore", over="ignore"):  # both are answers here
        for start in range(0, len(theirs), PIECE):
            here = slice(start, start + PIECE)
            np.add.at(sums, held.key[here].astype(np.int64), theirs[here])
    return sums


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


def _holders(account: Codes, symbol: Ints, accounts: int, symbols: int) -> Ints:
    """Distinct accounts that hold each symbol."""
    cell = symbol * accounts
    cell += account
    marked = np.zeros(symbols * accounts, dtype=np.bool_)
    marked[cell] = True
    counts = map(np.count_nonzero, marked.reshape(symbols, accounts))
    return np.fromiter(counts, dtype=np.int64, count=symbols)


def _by_symbol(book: Book, held: Held, mid: Floats, rates: Mapping[str, float]) -> BySymbol:
    symbols, nan = book.symbols, float("nan")
    width = max(len(held.kind.currencies), 1)
    sums = _money(book.positions.profit, held, len(symbols) * width) + held.swap
    used = sums.reshape(-1, width)
    to_report = np.array([rates.get(currency, nan) for currency in held.kind.currencies])
    if len(to_report) == 0:
        floating = np.zeros(len(symbols))
    else:
        worth = np.where(used == 0, 0.0, used * to_report)
        floating = worth[:, 0] if width == 1 else worth.sum(axis=1)
    quote_rate = np.array([rates.get(quote, nan) for quote in symbols.quote])
    net = held.buy - held.sell
    notional = np.where(net == 0, 0.0, net * symbols.contract * mid * quote_rate)
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
