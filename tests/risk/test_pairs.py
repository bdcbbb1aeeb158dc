"""Sums over pairs of account and symbol are the same with a table of all pairs and without."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rms_tui.risk.pairs import pairs

ACCOUNTS, KINDS = 5, 4

positions = st.lists(
    st.tuples(
        st.integers(0, ACCOUNTS - 1),
        st.integers(0, KINDS - 1),
        st.one_of(st.floats(-1e6, 1e6), st.just(np.nan), st.just(np.inf)),
    ),
    max_size=30,
).map(sorted)


@given(positions)
def test_both_ways_of_laying_out_pairs_give_the_same_largest_sums(held):
    account = np.array([one[0] for one in held], dtype=np.int64)
    kind = np.array([one[1] for one in held], dtype=np.int64)
    amount = np.array([one[2] for one in held], dtype=np.float64)
    dense = pairs(account, kind, ACCOUNTS, KINDS)
    sparse = pairs(account, kind, ACCOUNTS, KINDS, dense=0)
    assert (dense.held is None, sparse.held is None) == (True, False)
    expected = np.zeros(ACCOUNTS)
    for row, symbol in {(one[0], one[1]) for one in held}:
        own = [one[2] for one in held if one[:2] == (row, symbol)]
        expected[row] = np.maximum(expected[row], np.array(own).cumsum()[-1])
    for way in (dense, sparse):
        assert np.array_equal(way.largest(way.summed(amount)), expected, equal_nan=True)


@given(positions, st.lists(st.booleans(), min_size=ACCOUNTS, max_size=ACCOUNTS))
def test_both_ways_count_the_same_holders_of_the_accounts_that_count(held, clients):
    account = np.array([one[0] for one in held], dtype=np.int64)
    kind = np.array([one[1] for one in held], dtype=np.int64)
    client = np.array(clients)
    expected = [
        len({one[0] for one in held if one[1] == symbol and clients[one[0]]})
        for symbol in range(KINDS)
    ]
    for dense in (100, 0):
        laid = pairs(account, kind, ACCOUNTS, KINDS, dense)
        lots = laid.summed(np.full(len(held), 0.1))
        assert laid.holders(laid.among(lots, client)).tolist() == expected


@given(positions)
def test_a_pair_is_found_where_its_positions_are(held):
    account = np.array([one[0] for one in held], dtype=np.int64)
    kind = np.array([one[1] for one in held], dtype=np.int64)
    for dense in (100, 0):
        laid = pairs(account, kind, ACCOUNTS, KINDS, dense)
        assert np.array_equal(laid.find(account, kind), laid.of)


def test_a_pair_nobody_holds_has_no_cell_where_only_held_ones_have():
    laid = pairs(np.array([1], dtype=np.int64), np.array([2]), ACCOUNTS, KINDS, dense=0)
    assert laid.find(np.array([0, 1]), np.array([2, 2])).tolist() == [-1, 0]
