"""Open positions as columns in the broker's own units, and what they are worth at a price.

Money is whole cents of the account's currency (int64) and lots are hundredths, so that sums are
exact; `Book` gets them divided by 100.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rms_tui.book import Bytes, Codes, Floats, Ints
from rms_tui.gateways.simulator.columns import AnyInts
from rms_tui.gateways.simulator.market import Prices, gathered
from rms_tui.gateways.simulator.symbols import Catalogue


class Holdings(NamedTuple):
    """One row an open position, ordered by account, then ticket.

    `margin` is fixed when the position opens; `sl` and `tp` are NaN where none is set.
    """

    ticket: Ints
    account: Codes
    symbol: Codes
    side: Bytes
    lots: Ints
    price_open: Floats
    sl: Floats
    tp: Floats
    opened: Ints
    swap: Ints
    margin: Ints


class Worth(NamedTuple):
    """What each position can be closed at, and makes without swap (cents)."""

    price: Floats
    rate: Floats
    profit: Ints


def worth_of(held: Holdings, prices: Prices, currency: Codes, offer: Catalogue) -> Worth:
    """Price, rate and profit of each position; `currency` is the account's, by position."""
    price = gathered(prices, held.symbol, held.side)
    rate = prices.rates(offer)[held.symbol, currency]
    gain = (price - held.price_open) * offer.contract[held.symbol]
    gain *= rate
    gain *= held.lots
    gain *= held.side
    return Worth(price, rate, np.rint(gain).astype(np.int64))


def rows_among(held: Holdings, fresh: Holdings) -> Ints:
    """Where new positions will stand: after the others of their account.

    Their tickets are greater than all old ones; `fresh` is ordered by account.
    """
    after = np.searchsorted(held.account, fresh.account, side="right")
    return after + np.arange(len(after))


def margin_of(
    lots: Ints,
    symbol: AnyInts,
    currency: AnyInts,
    leverage: AnyInts,
    prices: Prices,
    offer: Catalogue,
) -> Ints:
    """Margin in cents that opening these ties up: notional by leverage, or the symbol's least."""
    notional = notional_a_lot(symbol, currency, prices, offer) * lots
    share = np.maximum(1.0 / leverage, offer.margin[symbol])
    margin: Ints = np.rint(notional * share).astype(np.int64)
    return margin


def notional_a_lot(symbol: AnyInts, currency: AnyInts, prices: Prices, offer: Catalogue) -> Floats:
    """What one lot is worth, in the account's currency."""
    worth: Floats = prices.worth[offer.base[symbol]] / prices.worth[offer.currency[currency]]
    return worth * offer.contract[symbol]


def summed(cents: Ints, account: AnyInts, accounts: int) -> Ints:
    """Sum of cents by account; exact below 2**53 cents."""
    total: Ints = np.bincount(account, weights=cents, minlength=accounts).astype(np.int64)
    return total
