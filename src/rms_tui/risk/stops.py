"""What positions lose at their stops: each of them, and the riskiest of every account."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rms_tui.book import Floats, Ints
from rms_tui.risk.sweep import Block


class Losses(NamedTuple):
    """What each position of a block loses if its stop is hit (a gain is negative), and the places
    of those that have no stop: infinite, and no other is."""

    loss: Floats
    without: Ints


_NONE: Ints = np.zeros(0, dtype=np.int64)


def losses_at_stop(block: Block) -> Losses:
    """side·(open - stop)·lots·contract·rate - swap in the account's currency; NaN where a figure
    is infinite or unknown."""
    positions, here = block.book.positions, block.here
    loss = positions.price_open[here] - positions.sl[here]
    loss *= positions.side[here]
    loss *= block.worth
    loss -= positions.swap[here]
    if np.isfinite(loss.sum()):
        return Losses(loss, _NONE)
    loss[np.isinf(loss)] = np.nan
    without = np.flatnonzero(np.isnan(positions.sl[here]))
    loss[without] = np.inf
    return Losses(loss, without)


def risk_at_stop(block: Block) -> Floats:
    """The largest loss of a position at its stop of each of the block's accounts, at least 0:
    infinite without a stop, NaN without a rate."""
    loss, without = block.once(losses_at_stop)
    risk = np.zeros(block.accounts)
    np.maximum.at(risk, block.account, loss)
    if len(without):
        risk[block.account[without]] = np.inf
    return risk
