"""The stress view: what moves, by how much, whom it reaches, and what is not known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.consoles import Bench
from tests.feeds import FakeFeed, book
from tests.tui.fleets import FleetBench, lively
from tests.tui.scenes import SAVED, with_scenarios, worked_out
from textual.pilot import Pilot

from rms_tui.risk.stress import Shock, opposite, stress
from rms_tui.tui.move import Move
from rms_tui.tui.panes.moves import moves
from rms_tui.tui.screens.details import Details
from rms_tui.tui.screens.stress import Stress, percent_of
from rms_tui.tui.shocks import Question, answered

WIDE = (200, 48)


async def opened(bench: Bench, pilot: Pilot[None], *keys: str) -> Stress:
    """The view, once everything that was asked is answered."""
    await pilot.press(*keys, "x")
    await worked_out(bench, pilot)
    screen = bench.app.screen
    assert isinstance(screen, Stress)
    return screen


def rows(bench: Bench, selector: str) -> list[list[str]]:
    shown = bench.app.screen.query_one(selector).rows  # type: ignore[attr-defined]
    return [[cell.text for cell in shown.cells(row)] for row in range(len(shown))]


def asked(bench: Bench, move: Move, percent: float, login: int | None = None) -> Question:
    frame = bench.monitor.frames.value
    assert frame is not None
    return Question(frame, move, percent, login)


async def test_it_says_what_the_same_shock_over_the_websocket_says(bench: Bench) -> None:
    frame = bench.monitor.frames.value
    assert frame is not None
    assert frame.book is not None
    assert frame.assessment is not None
    assert frame.memory is not None
    assert frame.exposure is not None
    given = (frame.book, frame.assessment, frame.memory, frame.exposure)
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        sides = rows(bench, "#stress-sides")
    for line, percent in zip(sides, (5.0, -5.0), strict=True):
        found = stress(*given, Shock("USDJPY", None, percent))
        assert line[0] == f"USDJPY {'+' if percent > 0 else '−'}5 %"
        counts = (found.breached, found.margin_call, found.stopped_out, found.negative)
        assert line[2:6] == [str(len(logins)) for logins in counts]


@pytest.mark.parametrize(
    ("keys", "move"),
    [
        ((), "USDJPY"),
        (("3", "j"), "XAUUSD"),
        (("c", "3", "j"), "XAU"),
        (("2", "j"), "DE40"),
    ],
)
async def test_it_begins_with_what_is_under_the_cursor(
    bench: Bench, keys: tuple[str, ...], move: str
) -> None:
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot, *keys)
        assert rows(bench, "#stress-sides")[0][0] == f"{move} +5 %"


async def test_steps_and_a_typed_percentage_change_both_sides_and_stay(bench: Bench) -> None:
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        await pilot.press("plus")
        await worked_out(bench, pilot)
        assert rows(bench, "#stress-sides")[1][0] == "USDJPY −7.5 %"
        await pilot.press("minus", "minus")
        await worked_out(bench, pilot)
        assert rows(bench, "#stress-sides")[0][0] == "USDJPY +3 %"
        await pilot.press("m", "1", ",", "2", "5", "%", "enter")
        await worked_out(bench, pilot)
        assert rows(bench, "#stress-sides")[0][0] == "USDJPY +1.25 %"
        await pilot.press("escape")
        await opened(bench, pilot)
        assert rows(bench, "#stress-sides")[0][0] == "USDJPY +1.25 %"


async def test_the_list_is_narrowed_by_typing_and_followed_by_the_cursor(bench: Bench) -> None:
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        await pilot.press("slash", *"gb", "enter")
        await worked_out(bench, pilot)
        assert [row[0] for row in rows(bench, "#stress-moves-table")] == ["EURGBP", "GBPUSD", "GBP"]
        assert rows(bench, "#stress-sides")[0][0] == "EURGBP +5 %"
        await pilot.press("j", "j")
        await worked_out(bench, pilot)
        assert rows(bench, "#stress-sides")[0][0] == "GBP +5 %"
        await pilot.press("escape")
        assert isinstance(bench.app.screen, Stress), "escape lifts the filter first"
        await pilot.press("escape")
        assert bench.app.screen is bench.app.desk


async def test_the_account_under_the_cursor_is_told_its_own_move(bench: Bench) -> None:
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        await pilot.press("enter", "g")
        await worked_out(bench, pilot)
        login = rows(bench, "#stress-accounts-table")[0][0]
        assert bench.text("#stress-reach").startswith(f" {login} ")
        assert "stopped out by USDJPY " in bench.text("#stress-reach")
        await pilot.press("enter")
        await pilot.pause()
        details = bench.app.screen
        assert isinstance(details, Details)
        assert str(details.login) == login


async def test_while_moves_are_looked_through_the_worst_off_are_in_sight(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 20)) as pilot:
        await pilot.press("G")
        screen = await opened(bench, pilot)
        login = bench.app.desk.login
        assert bench.text("#stress-reach").startswith(f" {login} "), "the desk's is still meant"
        await pilot.press("j")
        await worked_out(bench, pilot)
        assert screen.board.panes[1].table.cursor_row == 0
        assert bench.text("#stress-reach").startswith(f" {login} ")


async def test_the_worst_off_come_first_and_only_those_that_hold_it(bench: Bench) -> None:
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        shown = rows(bench, "#stress-accounts-table")
        made = bench.feed.newest
        assert made is not None
        held = made.positions.account[made.positions.symbol == 2]
        assert {row[0] for row in shown} == {str(made.accounts.login[at]) for at in set(held)}
        worst = ["NEGATIVE" in " ".join(row) for row in shown]
        assert worst == sorted(worst, reverse=True)


async def test_without_a_rate_there_is_no_rate_and_nobody_is_said_to_be_safe() -> None:
    made = book(shock=60.0)
    rate = made.positions.rate.copy()
    rate[made.positions.symbol == 2] = np.nan
    bench = Bench(FakeFeed(replace(made, positions=replace(made.positions, rate=rate))))
    bench.step()
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        await pilot.press("slash", *"usdjpy", "enter")
        await worked_out(bench, pilot)
        up = rows(bench, "#stress-sides")[0]
        assert up[1] == "no rate"
        assert int(up[6]) > 0
        assert {row[3] for row in rows(bench, "#stress-accounts-table")} == {"unknown"}
        await pilot.press("enter")
        await worked_out(bench, pilot)
        assert "not known" in bench.text("#stress-reach")


async def test_an_empty_book_and_a_source_that_gives_nothing_yet() -> None:
    bench = Bench(FakeFeed(book(0)))
    bench.step()
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        assert any("No open positions in the book." in line for line in bench.screen_lines())
    bench = Bench(FakeFeed(None))
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        assert any("Starting" in line for line in bench.screen_lines())


async def test_newer_figures_are_shocked_too_and_a_paused_picture_stands(bench: Bench) -> None:
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        before = rows(bench, "#stress-accounts-table")
        await pilot.press("p")
        bench.now += 1.0
        await bench.shown(pilot, book(shock=90.0, at=bench.now))
        await worked_out(bench, pilot)
        assert rows(bench, "#stress-accounts-table") == before
        await pilot.press("p")
        await worked_out(bench, pilot)
        assert rows(bench, "#stress-accounts-table") != before


async def test_over_a_fleet_breaches_are_its_workers_to_say() -> None:
    bench = FleetBench(lively())
    bench.show()
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        up = rows(bench, "#stress-sides")[0]
        assert up[:3] == ["EURUSD +5 %", "−542", "n/a"]
        assert up[6] == "1", "the silent one"


def test_an_index_is_listed_once_and_a_metal_as_what_it_is_in_pairs() -> None:
    made = book(shock=60.0)
    bases = tuple(base if name != "DE40" else name for base, name in
                  zip(made.symbols.base, made.symbols.name, strict=True))  # fmt: skip
    bench = Bench(FakeFeed(replace(made, symbols=replace(made.symbols, base=bases))))
    bench.step()
    frame = bench.monitor.frames.value
    assert frame is not None
    found = moves(frame)
    assert [move.kind for move in found if move.name == "DE40"] == ["symbol"]
    assert Move("currency", "XAU") in found


def test_what_left_the_book_meanwhile_is_said(bench: Bench) -> None:
    answer = answered(asked(bench, Move("symbol", "GONE"), 5.0), None)
    assert answer.wrong == "no symbol GONE in this book"
    assert answer.up is answer.down is answer.reach is None


def test_the_same_shock_is_not_worked_out_twice_for_another_account(bench: Bench) -> None:
    first = answered(asked(bench, Move("currency", "USD"), 5.0, 70_101), None)
    again = answered(asked(bench, Move("currency", "USD"), 5.0, 70_102), first)
    assert again.up is first.up
    assert again.reach != first.reach
    assert answered(asked(bench, Move("currency", "USD"), 6.0), again).up is not first.up


async def test_saved_scenarios_come_first_and_are_worked_out_as_saved(bench: Bench) -> None:
    with_scenarios(bench)
    frame = bench.monitor.frames.value
    assert frame is not None
    assert frame.book is not None
    assert frame.assessment is not None
    assert frame.memory is not None
    assert frame.exposure is not None
    given = (frame.book, frame.assessment, frame.memory, frame.exposure)
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        listed = rows(bench, "#stress-moves-table")
        assert [row[0] for row in listed[:5]] == [one.name for one in SAVED]
        assert [row[1] for row in listed[:6]] == ["scenario"] * 5 + ["symbol"]
        sides = rows(bench, "#stress-sides")
        assert [line[0] for line in sides] == ["Risk off", "the other way"]
        both = (Shock("EURUSD", None, -3.0), Shock(None, "JPY", 5.0))
        for line, shocks in zip(sides, (both, opposite(both)), strict=True):
            found = stress(*given, *shocks)
            counts = (found.breached, found.margin_call, found.stopped_out, found.negative)
            assert line[2:6] == [str(len(logins)) for logins in counts]
        assert bench.text("#stress-scenario").strip() == "Risk off:  EURUSD −3 %, JPY +5 %"
        await pilot.press("slash", *"kind:scenario gold", "enter")
        await worked_out(bench, pilot)
        assert rows(bench, "#stress-sides")[0][0] == "Gold alone"


async def test_names_of_a_scenario_that_do_nothing_are_said(bench: Bench) -> None:
    with_scenarios(bench)
    async with bench.app.run_test(size=(80, 24)) as pilot:
        await opened(bench, pilot)
        await pilot.press("j", "j")
        await worked_out(bench, pilot)
        assert bench.text("#stress-scenario").startswith(
            " [b]Slip of a pen[/b]:  nobody holds NOK  not in this book: USDJYP"
        )
        await pilot.press("j")
        await worked_out(bench, pilot)
        said = "no symbol or currency USDJYP in this book"
        assert any(said in line for line in bench.screen_lines())
        await pilot.press("j", "enter")
        await worked_out(bench, pilot)
        assert "nobody holds NOK" in bench.text("#stress-scenario")
        said = "No account holds anything that Nobody's moves."
        assert any(said in line for line in bench.screen_lines())


async def test_percentages_are_not_asked_for_where_a_scenario_has_its_own(bench: Bench) -> None:
    with_scenarios(bench, SAVED[:1])
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        assert "By %" not in bench.text("#keys")
        await pilot.press("plus", "m")
        await worked_out(bench, pilot)
        assert isinstance(bench.app.screen, Stress)
        assert bench.text("#stress-scenario").strip() == "Risk off:  EURUSD −3 %, JPY +5 %"
        await pilot.press("j")
        await worked_out(bench, pilot)
        assert "By %" in bench.text("#keys")
        assert not bench.app.screen.query_one("#stress-scenario").display
        assert rows(bench, "#stress-sides")[0][0] == "USDJPY +5 %"


async def test_how_much_of_a_scenario_stops_an_account_out_is_said(bench: Bench) -> None:
    with_scenarios(bench)
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        await pilot.press("enter", "g")
        await worked_out(bench, pilot)
        assert "stopped out by Risk off " in bench.text("#stress-reach")
        assert "times it" in bench.text("#stress-reach")


async def test_a_scenario_that_is_taken_out_of_the_file_is_gone_from_the_next_poll_on(
    bench: Bench,
) -> None:
    with_scenarios(bench, SAVED[:1])
    async with bench.app.run_test(size=WIDE) as pilot:
        await opened(bench, pilot)
        bench.monitor.set_plan(bench.monitor.plan.model_copy(update={"scenarios": ()}))
        bench.now += 1.0
        await bench.shown(pilot, book(shock=60.0, at=bench.now))
        await worked_out(bench, pilot)
        assert rows(bench, "#stress-moves-table")[0][1] == "symbol"
        assert rows(bench, "#stress-sides")[0][0] == "USDJPY +5 %"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0), (" 7,5 % ", 7.5), ("0", None), ("-5", None), ("100", None), ("nan", None),
        ("1_0", None), ("", None), ("[red]", None), ("５", None),
    ],
)  # fmt: skip
def test_a_percentage_is_what_a_price_can_fall_by(text: str, value: float | None) -> None:
    assert percent_of(text) == value
