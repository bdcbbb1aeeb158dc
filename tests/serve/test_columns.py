"""What changed between two tables, applied to the one before, is the table after."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serve.held import _apply, _rows

from rms_tui.serve.columns import Column, Table, change, encoded, made, rounded, texts

WORDS = ("ok", "bad", None, "ok")

row = st.tuples(
    st.sampled_from([1.5, -2.0, 0.0, float("nan"), float("inf")]),
    st.integers(-3, 3),
    st.sampled_from(["a", "b", "[red]", "\ud800"]),
    st.integers(0, 3),
)
contents = st.dictionaries(st.integers(1, 9), row, max_size=7)


def table(rows: dict[int, tuple], words: tuple, *, named: bool, order: list[int]) -> Table:
    keys = sorted(rows, key=lambda key: order.index(key))
    listed = [rows[key] for key in keys]
    number = np.array([one[0] for one in listed], dtype=np.float64)
    shown = tuple(f"k{key}" for key in keys)
    ids = np.array(keys, dtype=np.int64)
    return Table(
        "key",
        {
            "key": texts((object(),), shown) if named else Column((object(),), ids),
            "amount": Column((object(),), rounded(number, 2)),
            "count": Column((object(),), np.array([one[1] for one in listed], dtype=np.int32)),
            "name": texts((object(),), tuple(one[2] for one in listed)),
            "word": Column((object(),), np.array([one[3] for one in listed], dtype=np.int8), words),
        },
    )


def seen(shown: Table) -> dict:
    return _rows(orjson.loads(encoded(shown.shape())), "key")


@given(
    before=contents,
    after=contents,
    words=st.tuples(st.permutations(WORDS), st.permutations(WORDS)),
    named=st.booleans(),
    orders=st.tuples(st.permutations(range(1, 10)), st.permutations(range(1, 10))),
)
def test_a_change_brings_the_table_before_to_the_table_after(before, after, words, named, orders):
    old = table(before, tuple(words[0]), named=named, order=list(orders[0]))
    new = table(after, tuple(words[1]), named=named, order=list(orders[1]))
    held = seen(old)
    found = change(new, old)
    if found is not None:
        _apply(held, orjson.loads(encoded(found)), "key")
    assert held == seen(new)


def test_a_table_that_says_the_same_changed_nothing():
    rows = {1: (1.5, 1, "a", 0), 2: (float("nan"), 2, "b", 1)}
    order = list(range(1, 10))
    old = table(rows, WORDS, named=True, order=order)
    assert change(old, old) is None
    assert change(table(rows, WORDS, named=True, order=order), old) is None


def test_a_column_is_made_again_only_when_what_it_was_made_of_changed():
    built = []

    def build() -> Column:
        built.append(1)
        return Column(sources, np.array([1.0, np.nan]))

    sources = (object(),)
    first = made(None, sources, build)
    assert made(first, sources, build) is first
    sources = (object(),)
    again = made(first, sources, build)
    assert again.values is first.values
    assert len(built) == 2


@pytest.mark.parametrize("digits", [2, np.array([2, 2, 2, 2, 2], dtype=np.int8),
                                    np.array([2, 0, 2, 3, 2], dtype=np.int8)])  # fmt: skip
def test_money_is_rounded_and_what_is_not_a_number_stays_unknown(digits):
    found = rounded(np.array([0.1 + 0.2, -0.001, np.nan, np.inf, -np.inf]), digits)
    assert orjson.loads(encoded(found))[0] == 0.3
    assert np.isnan(found[2:]).all()
    assert not np.signbit(found[1]) or found[1] != 0
