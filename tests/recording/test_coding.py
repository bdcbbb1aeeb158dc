"""Columns come back bit for bit, whatever is in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.feeds import book

from rms_tui.book import column_types, take
from rms_tui.recording.body import Columns, packed, unpacked
from rms_tui.recording.books import TABLES, book_from, book_tree
from rms_tui.recording.coding import changed, restored

MONEY = st.one_of(
    st.integers(-(10**9), 10**9).map(lambda cents: cents / 100),
    st.sampled_from([0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e300, 5e-324]),
    st.floats(width=64),
)


def back(new, last):
    columns = Columns()
    tree, found = unpacked(packed(changed(new, last, columns), columns))
    return restored(tree, found, last, "column")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 700), st.data())
def test_amounts_of_any_kind_come_back_bit_for_bit(rows, data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    draw = np.random.default_rng(seed)
    last = np.round(draw.normal(0, 1e4, rows), data.draw(st.sampled_from([0, 2, 5, 15])))
    new = np.round(last + draw.normal(0, 3, rows), data.draw(st.sampled_from([0, 2, 5, 15])))
    for at in range(min(rows, 6)):
        new[at], last[at] = data.draw(MONEY), data.draw(MONEY)
    draw.shuffle(new)
    assert back(new, last).tobytes() == new.tobytes()


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["<i8", "<i4", "|i1", "<f8"]), st.integers(0, 40), st.data())
def test_numbers_of_any_type_come_back_bit_for_bit(kind, rows, data):
    new = data.draw(arrays(np.dtype(kind), rows))
    last = data.draw(arrays(np.dtype(kind), rows))
    assert back(new, last).tobytes() == new.tobytes()


def through(now, before):
    columns = Columns()
    tree, found = unpacked(packed(book_tree(now, before, columns), columns))
    return book_from(tree, found, before)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 99), st.integers(0, 99))
def test_any_book_after_any_other_comes_back_the_same(accounts, others, seed, other_seed):
    before = through(book(others, seed=other_seed), None)
    now = book(accounts, seed=seed)
    again = through(now, before)
    for name, kind in TABLES.items():
        for column, dtype in column_types(kind).items():
            one, other = getattr(getattr(now, name), column), getattr(getattr(again, name), column)
            same = one == other if dtype is None else one.tobytes() == other.tobytes()
            assert same, f"{name}.{column}"


def test_what_did_not_change_stays_the_same_object():
    before = through(book(20), None)
    positions = before.positions
    now = replace(before, positions=replace(positions, price=positions.price + 0.5))
    again = through(now, before)
    assert again.accounts is before.accounts
    assert again.symbols is before.symbols
    assert again.positions.ticket is before.positions.ticket
    assert again.positions.price is not before.positions.price


def test_a_position_that_closed_costs_little():
    before = book(400)
    keep = np.ones(len(before.positions), dtype=bool)
    keep[300] = False
    fewer = take(before.positions, keep)
    columns = Columns()
    gone = packed(book_tree(replace(before, positions=fewer), before, columns), columns)
    assert len(gone) < len(before.positions) * 2


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("account", 99, "a position of no account"),
        ("symbol", -1, "a position of no symbol"),
        ("side", 3, "no buy and no sell"),
    ],
)
def test_a_book_whose_rows_point_nowhere_is_refused(column, value, said):
    made = book(20)
    wrong = getattr(made.positions, column).copy()
    wrong[-1] = value
    with pytest.raises(ValueError, match=said):
        through(replace(made, positions=replace(made.positions, **{column: wrong})), None)
