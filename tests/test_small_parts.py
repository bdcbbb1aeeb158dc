"""Logins as people write them, clocks, the one-slot mailbox, and the outbox."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms_tui.book import clock_offset, least, most, repeated
from rms_tui.latest import Latest
from rms_tui.logins import Named, parse_logins, parse_named
from rms_tui.outbox import Outbox


@pytest.mark.parametrize(
    ("text", "logins"),
    [("7001", [7001]), ("7001, 7002;7003 7004", [7001, 7002, 7003, 7004]),
     ("7000-7003", [7000, 7001, 7002, 7003]), ("7000 - 7001", [7000, 7001]),
     ("7000..7002 7001", [7000, 7001, 7002]), (" 5\n6\t", [5, 6])],
)  # fmt: skip
def test_logins_are_read_as_written(text, logins):
    assert parse_logins(text) == logins


@pytest.mark.parametrize("text", ["", "bob", "7000-", "7010-7000", "0", "-5", "1-99999999", "7,x"])
def test_what_is_no_login_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"login|range"):
        parse_logins(text)


@given(st.text(max_size=30))
def test_any_text_is_logins_or_a_clear_refusal(text):
    refusal = ""
    try:
        assert all(login > 0 for login in parse_logins(text))
    except ValueError as error:
        refusal = str(error)
    assert refusal == "" or "expected" in refusal or "more than" in refusal


def test_a_slow_reader_gets_the_newest_value_and_no_queue():
    box: Latest[int] = Latest()
    for value in range(5):
        box.put(value)
    assert box.newer(0, timeout=0) == (5, 4)
    assert box.newer(5, timeout=0) is None


def test_facts_stay_until_they_are_dropped():
    box: Outbox[int] = Outbox()
    for value in range(5):
        box.put(value)
    assert list(box.oldest(2)) == [0, 1]
    assert list(box.oldest(2)) == [0, 1]
    box.drop(2)
    assert list(box.oldest(9)) == [2, 3, 4]
    assert box.came.is_set()
    box.drop(3)
    assert not box.came.is_set()


def test_a_full_outbox_refuses_and_counts():
    box: Outbox[int] = Outbox(limit=1)
    assert (box.put(1), box.put(2), box.refused) == (True, False, 1)


@pytest.mark.parametrize(
    ("seconds", "offset"),
    [(7200.0, 7200.0), (-43_200.0, -43_200.0), (86_400.0, None), (-1e18, None),
     (float("nan"), None), (float("inf"), None)],
)  # fmt: skip
def test_a_clock_a_day_or_more_away_is_no_server_s(seconds, offset):
    assert clock_offset(seconds) == offset


def test_group_masks_stand_beside_logins() -> None:
    assert parse_named("7-8 real\\*,!real\\test* 70123") == Named(
        (7, 8, 70123), "real\\*,!real\\test*"
    )
    assert parse_named("demo\\forex") == Named((), "demo\\forex")
    assert parse_named("1, 1;1") == Named((1,), "")


@pytest.mark.parametrize("text", ["!real\\*", "70x real\\*", "", "1-999999999 real\\*", "real"])
def test_masks_that_name_nobody_and_what_is_no_mask_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|more than"):
        parse_named(text)


def test_the_least_and_the_most_of_a_column_are_unknown_where_one_number_is():
    column = np.array([3.0, -2.0, 7.0])
    assert (least(column), most(column)) == (-2.0, 7.0)
    column[1] = np.nan
    assert math.isnan(least(column))
    assert math.isnan(most(column))


@pytest.mark.parametrize("value", [5.0, -math.inf, math.nan])
def test_a_column_of_one_number_has_it_as_its_least_and_its_most(value):
    for found in (least(repeated(value, 9)), most(repeated(value, 9))):
        assert found == value or (math.isnan(found) and math.isnan(value))


def test_of_no_numbers_none_is_the_least_or_the_most():
    for nothing in (np.zeros(0), repeated(1.0, 0)):
        assert (least(nothing), most(nothing)) == (math.inf, -math.inf)
