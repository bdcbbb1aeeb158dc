"""The day's curve: bounded, truthful about what is not known, and readable without colour."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.consoles import Bench
from tests.feeds import NOW, book

from rms_tui.tui.curves import FINEST, KEPT, MOST_CURVES, MOST_POINTS, Curve, Curves, grown
from rms_tui.tui.day_chart import (
    BALANCE,
    EQUITY,
    FLOOR,
    KNOWN,
    SWING,
    UNKNOWN,
    Day,
    chart,
    out_of_sight,
    steps_back,
)

START = 1_772_409_600.0


def curve(*figures: tuple[float, float, float]) -> Curve:
    made = Curve()
    for at, balance, equity in figures:
        made = grown(made, START + at, balance, equity)
    return made


NOTHING = Curve()


def day(made: Curve = NOTHING, **more: object) -> Day:
    given: dict[str, object] = {
        "began": START, "now": START + 3600, "base": math.nan, "steps": (), "floors": (), **more,
    }  # fmt: skip
    return Day(curve=made, **given)  # type: ignore[arg-type]


@given(
    st.lists(st.tuples(st.floats(0.1, 900), st.floats(-1e6, 1e6)), min_size=1, max_size=600),
)
def test_a_curve_is_bounded_in_order_and_keeps_its_extremes(
    samples: list[tuple[float, float]],
) -> None:
    made, at = Curve(), START
    seen = []
    for wait, equity in samples:
        at += wait
        made = grown(made, at, 1000.0, equity)
        seen.append((at, equity))
    assert len(made.points) <= MOST_POINTS
    times = [point.at for point in made.points]
    assert times == sorted(set(times))
    kept = [equity for when, equity in seen if when >= at - KEPT + 2 * made.width]
    assert min(kept) >= min(point.low for point in made.points)
    assert min(point.low for point in made.points) in [equity for _, equity in seen]
    assert made.points[-1].equity == seen[-1][1]


def test_a_figure_that_is_not_known_makes_no_point() -> None:
    assert curve((0, math.nan, 1.0), (1, 1.0, math.inf)).points == ()


def test_a_dip_between_two_points_is_never_lost() -> None:
    made = Curve()
    for second in range(0, 20_000, 5):
        made = grown(made, START + second, 1000, 500.0 if second == 7_000 else 1000.0)
    assert made.width > FINEST
    assert min(point.low for point in made.points) == 500.0


def test_the_chart_shows_equity_balance_and_floor_each_by_its_own_sign() -> None:
    made = curve(*((at, 10_000, 9_900 - at / 60) for at in range(0, 3600, 30)))
    lines = chart(day(made, floors=[("daily loss", 9_500.0), ("total loss", 5_000.0)]), 60, 12)
    assert len(lines) == 12
    drawn = "\n".join(line.drawn for line in lines)
    assert all(sign in drawn for sign in (EQUITY, BALANCE))
    floor = next(line for line in lines if "daily loss" in line.names)
    assert floor.drawn == FLOOR * 60
    assert floor.level == "9 500.00"
    assert lines[-1].drawn == KNOWN * 60
    shown = day(made, floors=[("daily loss", 9_500.0), ("total loss", 5_000.0)])
    assert out_of_sight(shown, lines) == [("total loss", 5_000.0)]
    assert any("equity" in line.names for line in lines)


def test_what_is_not_known_is_blank_and_dotted() -> None:
    made = curve(*((at, 10_000, 9_900) for at in range(1800, 3600, 5)))
    lines = chart(day(made), 40, 8)
    assert lines[-1].drawn == UNKNOWN * 20 + KNOWN * 20
    assert lines[-1].names == "· not known"
    assert all(line.drawn[:20].strip() == "" for line in lines[:-1])


def test_a_swing_within_a_column_is_drawn_from_top_to_bottom() -> None:
    made = curve((0, 10_000, 10_500), (1, 10_000, 9_500), (2, 10_000, 10_000))
    lines = chart(day(made, now=START + 3), 8, 10)
    assert all(SWING in line.drawn for line in lines[:-1])


def test_nothing_known_draws_nothing_and_a_small_pane_draws_nothing() -> None:
    assert chart(day(), 60, 12) == []
    assert chart(day(base=10_000.0), 60, 3) == []
    assert chart(day(base=10_000.0), 60, 5)[-1].drawn == KNOWN + UNKNOWN * 59


def test_the_balance_is_counted_back_deal_by_deal() -> None:
    moved = [(START - 10, 99.0), (START + 10, 50.0), (START + 20, -30.0), (START + 99, 7.0)]
    steps = steps_back(START, START + 60, 1_020.0, moved)
    assert steps == [(START, 1_000.0), (START + 10, 1_050.0), (START + 20, 1_020.0)]


@given(st.integers(1, 200), st.integers(1, 40), st.lists(st.floats(-1e12, 1e12), max_size=30))
def test_a_chart_fits_its_place_whatever_the_figures(
    width: int, height: int, equities: list[float]
) -> None:
    made = curve(*((at * 100.0, value, -value) for at, value in enumerate(equities)))
    shown = day(made, base=1.0, floors=[("floor", 0.0), ("odd", math.nan)])
    lines = chart(shown, width, height)
    assert len(lines) in (0, height)
    assert all(len(line.drawn) == width for line in lines)


def test_only_opened_accounts_and_those_near_a_limit_are_sampled() -> None:
    bench = Bench()
    curves = Curves()
    curves.open(70_159)
    for second in range(3):
        bench.step(book(at=NOW + second * FINEST))
        frame = bench.monitor.frames.value
        assert frame is not None
        curves.follow(frame)
    assert len(curves.of(70_159).points) == 3
    assert len(curves) <= 33
    assert curves.of(1).points == ()
    for login in range(500):
        curves.open(login)
    curves.follow(frame)
    assert len(curves) <= MOST_CURVES


def test_a_row_without_a_decision_is_not_sampled() -> None:
    bench = Bench()
    curves = Curves()
    curves.open(70_101)
    made = book()
    equity = made.accounts.equity.copy()
    equity[1] += 1000.0
    bench.step(replace(made, accounts=replace(made.accounts, equity=equity)))
    frame = bench.monitor.frames.value
    assert frame is not None
    curves.follow(frame)
    assert curves.of(70_101).points == ()
