"""What positions lose at their stops: each of them, and the riskiest of every account."""

from __future__ import annotations

import numpy as np

from rms_tui.book import Book, Floats
from rms_tui.risk.pairs import blocks


def risk_at_stop(book: Book, losses: Floats | None = None) -> Floats:
    """Each account's largest loss of a position at its stop, at least 0: infinite without a stop,
    NaN without a rate. `losses` takes those of every position."""
    positions = book.positions
    risk = np.zeros(len(book.accounts))
    with np.errstate(invalid="ignore"):
        for _, here in blocks(positions.account, len(risk)):
            account = positions.account[here].astype(np.int64)
            loss = losses_at_stop(book, here)
            np.maximum.at(risk, account, loss)
            if losses is not None:
                losses[here] = loss
    unknown = np.isnan(risk)
    if bool(unknown.any()):
        bare = positions.account[np.isnan(positions.sl)]
        without_stop = np.zeros(len(risk), dtype=np.bool_)
        without_stop[bare] = True
        risk[unknown & without_stop] = np.inf
    return risk


def finite(column: Floats) -> Floats:
    """The column with NaN for what is infinite: no figure of a position is."""
    if np.isfinite(column.sum()):
        return column
    return np.where(np.isfinite(column), column, np.nan)


def losses_at_stop(book: Book, here: slice) -> Floats:
    """What those positions lose if their stops are hit.

    side·(open - stop)·lots·contract·rate - swap in the account's currency: a gain is negative, a
    position without a stop infinite and no other, one with an infinite figure NaN.
    """
    positions = book.positions
    loss = positions.price_open[here] - positions.sl[here]
    loss *= positions.side[here]
    loss *= positions.lots[here]
    loss *= book.symbols.contract.take(positions.symbol[here])
    loss *= positions.rate[here]
    loss -= positions.swap[here]
    known = finite(loss)
    if known is not loss:  # some figure is not finite: a stop that is not there, perhaps
        known[np.isnan(positions.sl[here])] = np.inf
    return known
