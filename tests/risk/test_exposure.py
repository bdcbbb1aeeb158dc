"""Exposure by symbol and netted by currency."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.desk import book

from rms_tui.book import Symbols, build, kept
from rms_tui.risk.exposure import exposure

CROSSES = build(
    Symbols,
    {
        "name": ["GBPJPY", "USDJPY", "GBPUSD", "US500", "EURNOK"],
        "base": ["GBP", "USD", "GBP", "USD", "EUR"],
        "quote": ["JPY", "JPY", "USD", "USD", "NOK"],
        "digits": [3, 3, 5, 1, 5],
        "contract": [100_000, 100_000, 100_000, 1, 100_000],
        "bid": [134.027, 102.320, 1.30923, 5000.0, np.nan],
        "ask": [134.027, 102.320, 1.30923, 5000.0, np.nan],
    },
)


def over(positions, rows=({"balance": 1000},), symbols=CROSSES):
    return replace(book(rows, positions=positions), symbols=symbols)


def by_currency(exposed):
    rows = exposed.by_currency
    return dict(zip(rows.currency, rows.net.tolist(), strict=True))


def by_symbol(seen, exposed, column):
    rows = exposed.by_symbol
    names = [seen.symbols.name[code] for code in rows.code.tolist()]
    return dict(zip(names, getattr(rows, column).tolist(), strict=True))


def test_three_pairs_net_to_what_the_published_check_says():
    seen = over([{"symbol": 0, "side": 1}, {"symbol": 1, "side": -1}, {"symbol": 2, "side": -1}])
    net = by_currency(exposure(seen, "USD"))
    assert net == {
        "GBP": pytest.approx(0),
        "USD": pytest.approx(30_923),
        "JPY": pytest.approx(-3_170_700),
    }


def test_an_index_is_an_asset_of_its_own_name_worth_its_price():
    exposed = exposure(over([{"symbol": 3, "lots": 2.0}]), "USD")
    assert by_currency(exposed) == {"US500": 2.0, "USD": -10_000.0}
    assert exposed.by_currency.reported.sum() == pytest.approx(0)


def test_a_currency_without_a_rate_has_no_number_and_never_zero():
    seen = over([{"symbol": 4}])
    exposed = exposure(seen, "USD")
    assert np.isnan(by_symbol(seen, exposed, "notional")["EURNOK"])
    assert np.isnan(exposed.net_notional)


def test_lots_holders_and_average_prices_are_those_of_the_clients():
    held = [
        {"symbol": 2, "lots": 1.0, "price_open": 1.30, "profit": 10.0, "swap": -1.0},
        {"symbol": 2, "lots": 3.0, "price_open": 1.34, "account": 1, "profit": 5.0},
        {"symbol": 2, "lots": 0.5, "price_open": 1.20, "account": 1, "side": -1, "profit": -4.0},
    ]
    seen = over(held, rows=[{"balance": 1}, {"balance": 1, "currency": "GBP"}])
    exposed = exposure(seen, "USD")
    columns = {
        "buy": 4.0, "sell": 0.5, "net": 3.5, "gross": 4.5, "accounts": 2, "positions": 3,
        "buy_price": 1.33, "sell_price": 1.20, "sentiment": 4 / 4.5,
        "floating": 9.0 + 1.0 * 1.30923, "notional": 3.5 * 100_000 * 1.30923,
    }  # fmt: skip
    for column, value in columns.items():
        assert by_symbol(seen, exposed, column)["GBPUSD"] == pytest.approx(value), column


def test_coverage_accounts_stand_apart_and_are_netted():
    held = [{"symbol": 2, "lots": 5.0}, {"symbol": 2, "lots": 4.0, "side": -1, "account": 1}]
    rows = [{"balance": 1}, {"balance": 1, "group": "coverage\\lp1"}]
    seen = over(held, rows=rows)
    exposed = exposure(seen, "USD")
    assert by_symbol(seen, exposed, "net")["GBPUSD"] == 5.0
    assert by_symbol(seen, exposed, "coverage")["GBPUSD"] == -4.0
    assert by_symbol(seen, exposed, "total")["GBPUSD"] == 1.0
    assert by_symbol(seen, exposed, "accounts")["GBPUSD"] == 1


def test_what_is_not_known_of_a_coverage_account_leaves_the_clients_figures():
    unknown = {"symbol": 2, "lots": np.nan, "profit": np.nan, "swap": np.nan, "account": 1}
    rows = [{"balance": 1}, {"balance": 1, "group": "coverage\\lp1"}]
    seen = over([{"symbol": 2, "lots": 5.0, "profit": 7.0}, unknown], rows=rows)
    exposed = exposure(seen, "USD")
    for column, expected in {"net": 5.0, "gross": 5.0, "floating": 7.0, "accounts": 1}.items():
        assert by_symbol(seen, exposed, column)["GBPUSD"] == expected
    assert np.isnan(by_symbol(seen, exposed, "coverage")["GBPUSD"])
    moved = replace(seen, positions=replace(seen.positions, profit=seen.positions.profit + 1))
    later = exposure(moved, "USD", exposed)
    assert by_symbol(moved, later, "floating")["GBPUSD"] == 8.0


def test_no_position_is_no_exposure():
    exposed = exposure(over([]), "USD")
    assert len(exposed.by_symbol.code) == 0
    assert exposed.net_notional == 0


positions = st.lists(
    st.fixed_dictionaries(
        {
            "symbol": st.integers(0, 3),
            "account": st.integers(0, 2),
            "side": st.sampled_from([-1, 1]),
            "lots": st.integers(1, 500).map(lambda n: n / 100),
            "profit": st.floats(-1e4, 1e4),
            "swap": st.floats(-10, 0),
        }
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(first=positions, then=positions)
def test_what_is_reused_from_the_last_book_never_changes_the_result(first, then):
    rows = [{"balance": 1}, {"balance": 1, "currency": "GBP"}, {"balance": 1, "currency": "JPY"}]

    def made(held):
        return over(sorted(held, key=lambda p: p["account"]), rows=rows)

    before, after = made(first), made(then)
    after = replace(
        after,
        positions=kept(after.positions, before.positions),
        accounts=kept(after.accounts, before.accounts),
    )
    past = exposure(before, "USD")
    fresh, reused = exposure(after, "USD"), exposure(after, "USD", past)
    for column in ("code", "net", "gross", "floating", "notional", "accounts"):
        np.testing.assert_array_equal(
            getattr(reused.by_symbol, column), getattr(fresh.by_symbol, column)
        )
    assert by_currency(reused) == by_currency(fresh)
