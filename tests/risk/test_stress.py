"""A price shock: worked by hand, and against the rules themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests import feeds
from tests.risk.test_exposure import over

from rms_tui.risk import assessment, memory
from rms_tui.risk.exposure import exposure
from rms_tui.risk.profile import Plan, limits_profile
from rms_tui.risk.scenario import Scenario
from rms_tui.risk.scope import scope_of
from rms_tui.risk.stress import Shock, laid, opposite, shocked_book, stress
from rms_tui.risk.undecided import undecided_rows
from rms_tui.risk.verdict import Reason

LIMITS = limits_profile(margin_warning=150, margin_critical=100, max_loss=-1000)
PLAN = Plan(profiles=(LIMITS,), default=LIMITS.name)


def judged(book, plan=PLAN):
    scope = scope_of(plan, book.accounts)
    held = assessment.held(book, None)
    undecided = undecided_rows(book, held[1])
    remembered = memory.remember(
        None, book, undecided == Reason.NONE, scope.rollovers, interval=1.0, trails=scope.trails
    )
    return assessment.assess(book, scope, remembered, held, undecided), remembered


def shock(book, symbol=None, currency=None, percent=1.0, plan=PLAN):
    assessed, remembered = judged(book, plan)
    shown = exposure(book, "USD")
    return stress(book, assessed, remembered, shown, Shock(symbol, currency, percent))


def long_pound(lots=1.0, **row):
    """One account long GBPUSD: 1 % is 1 309.23 USD a lot."""
    position = {"symbol": 2, "side": 1, "lots": lots, "contract": 100_000, "price": 1.30923}
    return over([position], ({"balance": 10_000, **row},))


def test_one_percent_on_a_lot_of_the_pound_is_what_it_is():
    made = long_pound()
    made = replace(made, positions=replace(made.positions, price=np.array([1.30923])))
    result = shock(made, symbol="GBPUSD")
    assert result.clients == pytest.approx(1309.23)
    assert result.book == pytest.approx(-1309.23)
    assert shock(made, symbol="GBPUSD", percent=-1.0).clients == pytest.approx(-1309.23)


def test_a_fall_breaches_whom_the_rules_say_it_breaches():
    made = long_pound()
    made = replace(made, positions=replace(made.positions, price=np.array([1.30923])))
    result = shock(made, symbol="GBPUSD", percent=-1.0)
    assert result.breached.tolist() == made.accounts.login.tolist()
    assert shock(made, symbol="GBPUSD", percent=1.0).breached.tolist() == []
    assert result.negative.tolist() == []
    assert shock(made, symbol="GBPUSD", percent=-9.0).negative.tolist() == (
        made.accounts.login.tolist()
    )


def test_a_currency_moves_its_pairs_both_ways_and_its_conversions():
    rows = ({"balance": 100_000},)
    made = over([{"symbol": 1, "side": 1, "lots": 1.0}], rows)
    made = replace(
        made,
        positions=replace(
            made.positions, price=np.array([102.32]), rate=np.array([1 / 102.32]),
            profit=np.array([0.0]),
        ),
    )  # fmt: skip
    shocked, change = shocked_book(made, Shock(None, "JPY", 25.0))
    assert shocked.symbols.bid[1] == pytest.approx(102.32 / 1.25)
    assert shocked.symbols.bid[2] == made.symbols.bid[2]
    moved = (102.32 / 1.25 - 102.32) * 100_000 * 1.25 / 102.32
    assert change.tolist() == [pytest.approx(moved)]


def test_what_is_not_in_the_book_is_refused():
    made = long_pound()
    with pytest.raises(ValueError, match="no symbol XYZ"):
        shock(made, symbol="XYZ")
    with pytest.raises(ValueError, match="no currency ZZZ"):
        shock(made, currency="ZZZ")
    with pytest.raises(ValueError, match="more than -100"):
        shock(made, symbol="GBPUSD", percent=-100.0)


def test_an_account_whose_rate_is_unknown_is_counted_and_not_judged():
    made = long_pound()
    made = replace(
        made,
        positions=replace(made.positions, price=np.array([1.3]), rate=np.array([np.nan])),
    )
    result = shock(made, symbol="GBPUSD", percent=-9.0)
    assert result.undecided == 1
    assert result.breached.tolist() == result.negative.tolist() == []
    assert np.isnan(result.clients)


def test_a_symbol_nobody_holds_changes_nothing():
    result = shock(long_pound(), symbol="US500", percent=-50.0)
    assert result.clients == result.book == 0.0
    assert result.breached.tolist() == []


@settings(max_examples=30, deadline=None)
@given(
    percent=st.floats(-40, 40, allow_nan=False),
    which=st.sampled_from([("EURUSD", None), (None, "USD"), (None, "EUR"), ("XAUUSD", None)]),
)
def test_a_shocked_book_still_adds_up(percent, which):
    made = feeds.book(40)
    shocked, change = shocked_book(made, Shock(*which, percent))
    rows = shocked.accounts
    known = np.isfinite(change)
    total = rows.balance + rows.credit + rows.floating
    assert np.allclose(rows.equity[known], total[known])
    assert np.allclose(rows.equity - made.accounts.equity, change, equal_nan=True)


def test_a_shock_of_nothing_is_the_book_itself():
    made = feeds.book(40)
    result = shock(made, symbol="EURUSD", percent=0.0, plan=feeds.PLAN)
    assert result.clients == 0.0
    assert result.breached.tolist() == result.stopped_out.tolist() == []


def equal(one, other):
    """Whether two Stressed say the same of everybody, unknown money being alike."""
    money = [(getattr(one, key), getattr(other, key)) for key in ("clients", "coverage", "book")]
    assert np.allclose(*zip(*money, strict=True), equal_nan=True, atol=1e-4)
    assert np.allclose(one.change, other.change, equal_nan=True, atol=1e-6)
    for key in ("breached", "margin_call", "stopped_out", "negative", "known"):
        assert getattr(one, key).tolist() == getattr(other, key).tolist(), key
    assert one.undecided == other.undecided
    return True


def of_scenario(book, **moves):
    assessed, remembered = judged(book, feeds.PLAN)
    shocks = laid(Scenario(name="made", moves=moves), book).shocks
    given = (book, assessed, remembered, exposure(book, "USD"))
    return stress(*given, *shocks), stress(*given, *opposite(shocks))


NAMES = ("EURUSD", "USDJPY", "XAUUSD", "USD", "EUR", "JPY", "XAU")
MOVES = st.floats(-60, 60, allow_nan=False).filter(lambda percent: abs(percent) > 1e-3)


@settings(max_examples=30, deadline=None)
@given(name=st.sampled_from(NAMES), percent=MOVES)
def test_a_scenario_of_one_move_is_that_move_both_ways(name, percent):
    made = feeds.book(40, shock=60.0)
    which = {"symbol": name} if name in made.symbols.name else {"currency": name}
    forth, back = of_scenario(made, **{name: percent})
    assert equal(forth, shock(made, **which, percent=percent, plan=feeds.PLAN))
    assert equal(back, shock(made, **which, percent=-percent, plan=feeds.PLAN))


@settings(max_examples=30, deadline=None)
@given(moves=st.dictionaries(st.sampled_from(NAMES), MOVES, min_size=2, max_size=4))
def test_moves_at_once_are_one_after_the_other_in_any_order(moves):
    made = feeds.book(40)
    shocks = laid(Scenario(name="made", moves=moves), made).shocks
    one_by_one, change = made, 0.0
    for each in reversed(shocks):
        one_by_one, more = shocked_book(one_by_one, each)
        change = change + more
    at_once, together = shocked_book(made, *shocks)
    assert np.allclose(together, change, equal_nan=True)
    assert np.allclose(
        at_once.accounts.equity, one_by_one.accounts.equity, rtol=1e-9, atol=1e-6, equal_nan=True
    )
    assert np.allclose(at_once.symbols.bid, one_by_one.symbols.bid)


@settings(max_examples=30, deadline=None)
@given(
    moves=st.dictionaries(st.sampled_from(NAMES), MOVES, min_size=1, max_size=4),
    unknown=st.sets(st.integers(0, 200), min_size=1, max_size=20),
)
@example(moves={"USD": 1.0, "EUR": 1.0}, unknown={4})
def test_an_unknown_rate_stays_unknown_in_a_scenario(moves, unknown):
    made = feeds.book(40)
    rate = made.positions.rate.copy()
    blind = np.array([row % len(rate) for row in sorted(unknown)])
    rate[blind] = np.nan
    made = replace(made, positions=replace(made.positions, rate=rate))
    forth, _ = of_scenario(made, **moves)
    owners = np.unique(made.positions.account[blind])
    touched = np.zeros(len(made.accounts), dtype=bool)
    for each in laid(Scenario(name="made", moves=moves), made).shocks:
        _, alone = shocked_book(made, each)
        touched |= np.isnan(alone)
    assert set(np.flatnonzero(np.isnan(forth.change))) == set(np.flatnonzero(touched))
    assert touched[owners].any() == touched.any()
    said = {*forth.breached, *forth.margin_call, *forth.stopped_out, *forth.negative}
    assert not said & set(made.accounts.login[touched].tolist())
    assert np.isnan(forth.clients) == bool(touched.any())


def test_names_that_do_nothing_are_told_apart():
    made = long_pound()
    over = laid(Scenario(name="made", moves={"GBPUSD": -1, "US500": 5, "GBPNOK": 2}), made)
    assert [each.name for each in over.shocks] == ["GBPUSD", "US500"]
    assert (over.unheld, over.absent) == (("US500",), ("GBPNOK",))
    with pytest.raises(ValueError, match="no symbol or currency GBPNOK, ZZZ in this book"):
        laid(Scenario(name="made", moves={"GBPNOK": 2, "ZZZ": -1}), made)


def test_what_is_a_symbol_moves_as_one_though_a_currency_is_called_so_too():
    made = feeds.book(5)
    named = replace(made.symbols, base=("EURUSD", *made.symbols.base[1:]))
    over = laid(Scenario(name="made", moves={"EURUSD": 1}), replace(made, symbols=named))
    assert over.shocks == (Shock("EURUSD", None, 1.0),)
