"""A profile's amounts are its currency's: never applied to other money as if they were its own."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from tests.risk.desk import Chain, book, plan, reasons, states

from rms_tui.book import Book
from rms_tui.risk.profile import RiskProfile
from rms_tui.risk.verdict import Reason, State

ROWS = [
    {"balance": 10_000, "equity": 9_000, "currency": "USD"},
    {"balance": 10_000, "equity": 9_000, "currency": "EUR"},
]
DAY = {"prev_balance": 10_000, "prev_equity": 10_000}


def seen() -> Book:
    return book([{**row, **DAY} for row in ROWS])


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "daily_loss", "base": "balance", "amount": 1100},
        {"rule": "daily_loss", "base": "balance", "percent": 11, "of": "initial"},
        {"rule": "daily_loss", "base": "initial", "percent": 11, "of": "base"},
        {"rule": "total_loss", "percent": 11},
        {"rule": "trailing_drawdown", "peak": "equity", "percent": 11, "of": "initial"},
        {"rule": "trailing_drawdown", "peak": "equity", "percent": 11, "lock": 10_000},
        {"rule": "profit_target", "percent": 5},
        {"rule": "max_profit", "amount": 5},
    ],
)
def test_a_rule_in_money_decides_nothing_for_another_currency(rule: dict[str, object]) -> None:
    chain = Chain(plan(rule, currency="USD", initial_balance=10_000))
    verdict = chain.see(seen()).verdicts[0]
    assert reasons(verdict)[1] is Reason.OTHER_CURRENCY
    assert states(verdict)[1] is State.UNKNOWN
    assert math.isnan(float(verdict.limit[1]))
    assert math.isnan(float(verdict.used[1]))
    assert reasons(verdict)[0] is not Reason.OTHER_CURRENCY


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "daily_loss", "base": "balance", "percent": 5, "of": "base"},
        {"rule": "margin_level", "warning": 150, "critical": 100},
        {"rule": "open_positions", "count": 5},
        {"rule": "position_risk", "percent": 5, "of": "balance"},
    ],
)
def test_a_rule_without_money_is_the_same_in_every_currency(rule: dict[str, object]) -> None:
    verdict = Chain(plan(rule, currency="USD")).see(seen()).verdicts[0]
    assert states(verdict)[0] is states(verdict)[1]


def test_floating_loss_is_converted_where_there_is_a_rate_and_said_where_there_is_none() -> None:
    rows = [{**row, **DAY} for row in ROWS] + [{**ROWS[0], **DAY, "currency": "CHF"}]
    made = plan({"rule": "max_loss", "amount": -1050}, currency="USD")
    verdict = Chain(made).see(book(rows)).verdicts[0]
    assert states(verdict) == [State.CRITICAL, State.BREACHED, State.UNKNOWN]
    assert reasons(verdict)[2] is Reason.NO_RATE
    assert [float(value) for value in verdict.value[:2]] == pytest.approx([-1000, -1100])


def test_without_a_currency_a_profile_is_in_the_accounts_own() -> None:
    verdict = Chain(plan({"rule": "max_loss", "amount": -1050})).see(seen()).verdicts[0]
    assert states(verdict) == [State.CRITICAL, State.CRITICAL]


def test_the_initial_balance_starts_no_peak_in_another_currency() -> None:
    rule = {"rule": "trailing_drawdown", "peak": "equity", "percent": 10}
    chain = Chain(plan(rule, currency="USD", initial_balance=10_000))
    rows = [{**row, "equity": 10_000} for row in ROWS]
    verdict = chain.see(book(rows)).verdicts[0]
    assert states(verdict) == [State.OK, State.UNKNOWN]
    assert reasons(verdict)[1] is Reason.PEAK_UNKNOWN


def test_an_account_that_changes_its_currency_is_judged_anew() -> None:
    chain = Chain(
        plan({"rule": "total_loss", "percent": 11}, currency="USD", initial_balance=10_000)
    )
    chain.see(seen())
    later = replace(seen(), accounts=replace(seen().accounts, currency=("USD", "USD")))
    assert states(chain.see(later).verdicts[0])[1] is not State.UNKNOWN


def test_presets_in_dollars_name_their_currency_or_none() -> None:
    from rms_tui.presets import presets

    for one in presets().values():
        profile = RiskProfile.model_validate({**one.profile, "name": one.name})
        assert profile.currency in (None, "USD")
