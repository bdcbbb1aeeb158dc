from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rms_tui.tui import figures


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (191204.11, 2, "191 204.11"),
        (-8795.89, 2, "−8 795.89"),
        (0.0, 2, "0.00"),
        (-0.004, 2, "0.00"),
        (1_164_196_512.4, 0, "1 164 196 512"),
        (math.nan, 2, "n/a"),
        (math.inf, 2, "∞"),
    ],
)
def test_money_is_grouped_and_never_a_negative_zero(value: float, digits: int, text: str) -> None:
    assert figures.money(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(84210.0, "+84 210.00"), (-0.5, "−0.50"), (0.001, "0.00"), (math.nan, "n/a")],
)
def test_a_profit_or_loss_shows_its_sign(value: float, text: str) -> None:
    assert figures.signed(value) == text


def test_a_price_has_the_digits_of_its_symbol() -> None:
    assert figures.price(1.085, 5) == "1.08500"
    assert figures.price(149.9, 3) == "149.900"
    assert figures.price(18212.5, 0) == "18212"
    assert figures.price(math.nan, 5) == "—"


def test_lots_show_as_many_digits_as_they_have() -> None:
    assert figures.lots(0.1) == "0.10"
    assert figures.lots(1.2345) == "1.2345"
    assert figures.lots(0.125) == "0.125"
    assert figures.signed_lots(3.0) == "+3.00"
    assert figures.signed_lots(-3.0) == "−3.00"
    assert figures.signed_lots(0.0) == "0.00"


def test_ages_and_spans_read_like_a_clock() -> None:
    assert figures.age(0.84) == "0.8s"
    assert figures.age(12.2) == "12 s"
    assert figures.age(200) == "3m 20s"
    assert figures.span(7500) == "2h 05m"
    assert figures.span(3 * 86400 + 4 * 3600) == "3d 04h"
    assert figures.age(math.nan) == "n/a"


def test_a_server_offset_reads_as_a_zone() -> None:
    assert figures.zone(7200) == "UTC+2"
    assert figures.zone(-12600) == "UTC−3:30"
    assert figures.zone(0) == "UTC"


def test_large_amounts_are_compact() -> None:
    assert figures.compact(20_100_000) == "20.1 M"
    assert figures.compact(-3_200_000_000) == "−3.2 B"
    assert figures.compact(999_999) == "999 999"


def test_bars_and_gauges_fill_by_their_share() -> None:
    assert figures.gauge(0.5, 4) == "▇▇▁▁"
    assert figures.gauge(3.0, 4) == "▇▇▇▇"
    assert figures.gauge(math.nan, 4) == "····"
    assert figures.bar(0.5, 4) == "██"
    assert figures.bar(math.nan, 4) == ""


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_money_reads_back_to_the_cent(value: float) -> None:
    text = figures.money(value, 2).replace(" ", "").replace(figures.MINUS, "-")
    assert math.isclose(float(text), value, abs_tol=0.00501, rel_tol=1e-12)


@given(st.floats(), st.integers(0, 8))
def test_no_figure_is_ever_python_for_nan(value: float, digits: int) -> None:
    for text in (figures.money(value, digits), figures.signed(value, digits)):
        assert "nan" not in text
        assert "inf" not in text
        assert "e" not in text
