"""One sweep over positions comes to the same however the accounts are cut into blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.desk import book

from rms_tui.risk import exposure, holdings, sweep
from rms_tui.risk.holdings import IdeaRisk, Lots, Notional
from rms_tui.risk.sweep import blocks, finite

KEYS = (Lots(None), Lots("EUR*"), Notional(None), Notional("*USD"), IdeaRisk(60.0))

ROWS = [{"balance": 1}, {"balance": 1, "currency": "GBP"}, {"balance": 1}, {"balance": 1},
        {"balance": 1, "group": "coverage\\lp"}]  # fmt: skip

numbers = st.one_of(st.integers(1, 500).map(lambda n: n / 100), st.sampled_from([np.nan, np.inf]))
held_positions = st.lists(
    st.fixed_dictionaries(
        {
            "account": st.integers(0, len(ROWS) - 1),
            "symbol": st.integers(0, 2),
            "side": st.sampled_from([-1, 1]),
            "lots": numbers,
            "rate": st.sampled_from([1.0, 1.25, np.nan]),
            "sl": st.sampled_from([0.9, 1.1, np.nan]),
            "profit": st.integers(-500, 500),
        }
    ),
    max_size=14,
).map(lambda held: sorted(held, key=lambda one: one["account"]))


@settings(max_examples=60)
@given(held_positions, st.integers(1, 3), st.sampled_from([1, 10, 100_000]))
def test_the_size_of_the_blocks_changes_no_sum(held, size, cells):
    seen = book(ROWS, positions=held)
    whole = all_of_it(seen)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sweep, "BLOCK", size)
        patched.setattr(sweep, "DENSE_CELLS", cells)
        patched.setattr("rms_tui.risk.pairs.pairs.__defaults__", (cells,))
        cut = all_of_it(seen)
    for name, column in whole.items():
        np.testing.assert_allclose(cut[name], column, rtol=1e-12, err_msg=name)


def all_of_it(seen):
    exposing = exposure.sums(seen, None)
    made = holdings.held(seen, None, KEYS, (exposing,))
    by_symbol = exposure.exposure(seen, "USD", None, exposing.made()).by_symbol
    return {
        "number": made.number,
        "risk": made.risk,
        **{str(key): one.column for key, one in made.figures.items()},
        **{name: getattr(by_symbol, name) for name in by_symbol.__slots__},
    }


def test_a_block_has_the_positions_of_its_own_accounts_alone(monkeypatch):
    monkeypatch.setattr(sweep, "BLOCK", 2)
    held = [{"account": account} for account in (0, 1, 1, 4)]
    seen = book(ROWS, positions=held)
    assert [(b.rows, b.here, b.account.tolist()) for b in blocks(seen)] == [
        (slice(0, 2), slice(0, 3), [0, 1, 1]),
        (slice(4, 5), slice(3, 4), [0]),
    ]


def test_what_is_worked_out_of_a_block_is_worked_out_once():
    (block,) = blocks(book(ROWS, positions=[{"account": 0}]))
    asked: list[sweep.Block] = []

    def ask(one: sweep.Block) -> int:
        asked.append(one)
        return len(asked)

    assert (block.once(ask), block.once(ask), asked) == (1, 1, [block])


def test_what_is_infinite_becomes_unknown_and_other_figures_stay():
    made = finite(np.array([1.0, np.inf, -np.inf, np.nan]))
    assert np.array_equal(made, [1.0, np.nan, np.nan, np.nan], equal_nan=True)
    column = np.array([1.0, 2.0])
    assert finite(column) is column
