"""What rules lack is counted by account, once for each, apart from figures that are not fit."""

from __future__ import annotations

import numpy as np
from tests.risk.desk import Chain, book, plan

from rms_tui.risk.lacking import lacking
from rms_tui.risk.verdict import Reason

DAY = {"rule": "daily_loss", "base": "equity", "percent": 5, "of": "base"}
TRAIL = {"rule": "trailing_drawdown", "peak": "equity", "amount": 2000, "of": "peak"}
LOSS = {"rule": "max_loss", "amount": -1000}


def test_an_account_counts_once_for_all_rules_that_lack_the_same():
    rows = [{"balance": 9000, "equity": 9100}, {"balance": 9500, "equity": 9500}]
    rules = (DAY, {**DAY, "percent": 4}, TRAIL, LOSS)
    assessed = Chain(plan(*rules, initial_balance=10_000)).see(book(rows))
    assert lacking(assessed) == {Reason.BASE_UNKNOWN: 2, Reason.PEAK_UNKNOWN: 2}


def test_nothing_is_lacked_where_rules_need_no_memory():
    assert lacking(Chain(plan(LOSS)).see(book([{"balance": 9000}]))) == {}


def test_a_row_that_is_not_fit_lacks_nothing_else():
    rows = [{"balance": 9000, "equity": np.nan}, {"balance": 8000, "equity": 8000}]
    assessed = Chain(plan(DAY)).see(book(rows))
    assert lacking(assessed) == {Reason.BASE_UNKNOWN: 1}


def test_no_account_lacks_nothing():
    assert lacking(Chain(plan(DAY)).see(book([]))) == {}
