"""Rows that give no decision, profiles over groups, and verdicts that are reused."""

from __future__ import annotations

import numpy as np
import pytest
from tests.risk.desk import Chain, book, plan, reasons, states

from rms_tui.risk.assessment import verdicts_of, worst_verdict
from rms_tui.risk.profile import Assign, Plan, RiskProfile, mask_matches
from rms_tui.risk.verdict import Reason, State

LOSS = {"rule": "max_loss", "amount": -1000}
BAD = {"balance": 5000, "equity": 1000}


def only_reason(assessed):
    return Reason(int(assessed.undecided[0]))


def test_a_stale_book_decides_nothing():
    assessed = Chain(plan(LOSS)).see(book([BAD]), stale=True)
    assert (states(assessed.verdicts[0]), only_reason(assessed)) == ([State.UNKNOWN], Reason.STALE)
    assert assessed.counts == {Reason.STALE: 1}


def test_a_source_that_lost_its_server_decides_nothing():
    assessed = Chain(plan(LOSS)).see(book([BAD], connected=False))
    assert reasons(assessed.verdicts[0]) == [Reason.DISCONNECTED]


def test_zero_equity_with_a_balance_and_positions_is_a_terminal_that_just_started():
    row = {"balance": 5000, "equity": 0}
    held = book([row], positions=[{"sl": 1.0}])
    assert only_reason(Chain(plan(LOSS)).see(held)) is Reason.ZERO_EQUITY
    assert states(Chain(plan(LOSS)).see(book([row])).verdicts[0]) == [State.BREACHED]


@pytest.mark.parametrize(
    ("gap", "decided"), [(0.0, True), (0.019, True), (0.021, False), (300, False)]
)
def test_equity_must_be_balance_plus_credit_plus_floating(gap, decided):
    row = {"balance": 5000, "credit": 10, "equity": 4000 + gap, "floating": -1010.0}
    assessed = Chain(plan(LOSS)).see(book([row]))
    assert (only_reason(assessed) is Reason.NONE) == decided
    if not decided:
        assert only_reason(assessed) is Reason.IDENTITY
        assert states(assessed.verdicts[0]) == [State.UNKNOWN]


def test_one_bad_row_leaves_the_others_decided():
    rows = [BAD, {**BAD, "floating": np.nan}, {"balance": 5000}]
    assessed = Chain(plan(LOSS)).see(book(rows))
    assert states(assessed.verdicts[0]) == [State.BREACHED, State.UNKNOWN, State.OK]
    assert [State(s) for s in assessed.state] == [State.BREACHED, State.UNKNOWN, State.OK]


def test_a_login_goes_before_a_group_mask_and_that_before_the_default():
    strict = RiskProfile.model_validate({"name": "strict", "rules": [{**LOSS, "amount": -1}]})
    wide = RiskProfile.model_validate({"name": "wide", "rules": [{**LOSS, "amount": -9999}]})
    usual = RiskProfile.model_validate({"name": "usual", "rules": [LOSS]})
    given = Plan(
        profiles=(strict, wide, usual),
        assigned=(
            Assign(profile="wide", groups="demo\\*,!demo\\contest*"),
            Assign(profile="strict", logins=(1003,)),
        ),
        default="usual",
    )
    rows = [
        {**BAD, "group": "demo\\a"},
        {**BAD, "group": "demo\\contest1"},
        {**BAD, "group": "demo\\b"},
        {"balance": 5000, "group": "real\\x"},
    ]
    assessed = Chain(given).see(book(rows))
    names = [worst_verdict(assessed, row)[0].profile for row in range(4)]
    assert names == ["wide", "usual", "strict", "usual"]
    assert [State(s) for s in assessed.state] == [
        State.OK, State.BREACHED, State.BREACHED, State.OK,
    ]  # fmt: skip
    assert len(verdicts_of(assessed, 2)) == 1


def test_an_account_without_a_profile_has_no_state():
    given = Plan(profiles=plan(LOSS).profiles, default=None)
    assessed = Chain(given).see(book([BAD]))
    assert [State(s) for s in assessed.state] == [State.OFF]
    assert np.isnan(assessed.used[0])


@pytest.mark.parametrize(
    ("masks", "group", "matches"),
    [("*", "real\\A", True), ("real\\*", "real\\A\\b", True), ("real\\*", "demo\\real\\x", False),
     ("demo\\*,!demo\\test*", "demo\\test1", False), ("demo\\*,!demo\\test*", "demo\\x", True),
     ("REAL\\*", "real\\A", True), ("real.A", "realxA", False), ("*EUR*", "real\\EURO", True),
     ("!real\\*", "demo", False)],
)  # fmt: skip
def test_group_masks_follow_mt5(masks, group, matches):
    assert mask_matches(masks, group) is matches


def test_a_verdict_is_reused_while_its_columns_are_the_same_objects():
    chain = Chain(plan(LOSS, {"rule": "open_positions", "count": 5}))
    first = chain.see(book([BAD], positions=[{"sl": 1.0}]))
    second = chain.see(book([{**BAD, "equity": 900}], positions=[{"sl": 1.0, "price": 1.2}]))
    assert second.verdicts[0] is not first.verdicts[0]
    assert second.verdicts[1] is first.verdicts[1]


def test_no_account_is_no_error():
    assessed = Chain(plan(LOSS)).see(book([]))
    assert len(assessed.state) == 0
