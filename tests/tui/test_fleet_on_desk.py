"""A console over a fleet: whose figures are old, which server, what keys do and never show."""

from __future__ import annotations

import logging

import pytest
from tests.tui.fleets import HOSTILE, FleetBench, by_id, element, instance, lively

from rms_tui.risk.verdict import State
from rms_tui.store.fleet_view import FleetDocuments
from rms_tui.tui.screens.add_element import AddToFleet
from rms_tui.tui.screens.confirm import Confirm


def lively_bench() -> FleetBench:
    bench = FleetBench(lively())
    bench.show()
    return bench


def cells(bench: FleetBench, selector: str) -> list[list[str]]:
    rows = bench.app.screen.query_one(selector).rows  # type: ignore[attr-defined]
    return [[cell.text for cell in rows.cells(row)] for row in range(len(rows))]


async def test_a_silent_element_is_unknown_and_says_that_it_is_stale() -> None:
    bench = lively_bench()
    async with bench.app.run_test(size=(200, 48)):
        row = next(row for row in cells(bench, "#accounts-table") if "70103" in row)
    assert "UNKNOWN" in row
    assert "STALE: its worker is silent" in row
    assert "n/a" in row, "its share and day profit are not shown as of now"


async def test_the_workers_verdict_is_shown_as_it_was_written() -> None:
    bench = lively_bench()
    async with bench.app.run_test(size=(200, 48)):
        row = next(row for row in cells(bench, "#accounts-table") if "70102" in row)
    assert row[1] == "BREACHED"
    assert "120" in row
    assert "daily loss" in row


async def test_two_servers_may_have_one_login_and_each_row_says_which() -> None:
    bench = lively_bench()
    async with bench.app.run_test(size=(200, 48)):
        rows = [row for row in cells(bench, "#accounts-table") if "70101" in row]
    assert len(rows) == 2
    servers = {"Broker-Live", "Other-Demo"}
    assert sorted(cell for row in rows for cell in row if cell in servers) == sorted(servers)


async def test_key_5_is_the_instances_and_the_worst_is_first() -> None:
    bench = lively_bench()
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("5")
        rows = cells(bench, "#instances-table")
        assert bench.app.desk.board.current.id == "instances"
    assert [row[0] for row in rows] == [
        "■ ERROR", "■ FAULTY", "… PENDING", "● OCCUPIED", "● OCCUPIED", "● OCCUPIED", "○ FREE",
    ]  # fmt: skip
    assert any("STALE" in cell for row in rows for cell in row)
    assert any(HOSTILE in cell for cell in rows[0]), "text from outside stays what it is"


async def test_the_line_of_sums_counts_elements_and_terminals() -> None:
    bench = lively_bench()
    async with bench.app.run_test(size=(200, 48)):
        said = bench.text("#summary")
    for words in ("1 ERROR", "1 BREACHED", "1 PENDING", "3 ACTIVE", "1 faulty", "1 free"):
        assert words in said
    assert "3 occupied" in said


async def test_what_is_typed_after_enter_is_the_next_lines_however_fast_it_comes() -> None:
    bench = lively_bench()
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await pilot.press("a")
        typed = (*"70107", "enter", *"S", "enter", *"hunter2", "enter", *"ftmo", "enter")
        await pilot.press(*typed)
        await bench.errand(pilot, "add-element")
        assert bench.added == [(70_107, "S", "hunter2", "ftmo")]
        assert bench.app.screen.query_one("#element-password").value == ""  # type: ignore[attr-defined]
        assert "PENDING" in bench.text("#element-hint")


async def test_an_empty_password_is_none_and_a_refusal_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = lively_bench()
    bench.refuses = "account 70107 on S is there already (ACTIVE)"
    with caplog.at_level(logging.DEBUG):
        async with bench.app.run_test(size=(120, 40)) as pilot:
            await pilot.press("a", *"70107", "enter", "S", "enter", *"hunter2", "enter", "enter")
            await bench.errand(pilot, "add-element")
            assert "there already" in bench.text("#element-hint")
            bench.refuses = None
            await pilot.press("enter", "enter", "enter", "enter")
            await bench.errand(pilot, "add-element")
    assert bench.added == [(70_107, "S", None, None)]
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("login", ["", "x", "-5", "0", "9" * 30])
async def test_a_login_that_cannot_be_is_refused(login: str) -> None:
    bench = lively_bench()
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await pilot.press("a", *login, "enter", "S", "enter", "enter", "enter")
        await pilot.pause()
        assert "expected a number" in bench.text("#element-hint")
        assert isinstance(bench.app.screen, AddToFleet)
    assert bench.added == []


async def test_removing_asks_first_and_names_the_server() -> None:
    bench = lively_bench()
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await pilot.press("d")
        assert isinstance(bench.app.screen, Confirm)
        await pilot.press("n")
        assert bench.removed == []
        await pilot.press("d", "y")
        await bench.errand(pilot, "remove-element")
    assert bench.removed == [70_102], "the worst is under the cursor"


async def test_an_element_without_a_terminal_is_removed_from_the_instances_pane() -> None:
    bench = lively_bench()
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5", "d", "y")
        await bench.errand(pilot, "remove-element")
    assert bench.removed == [70_106]


async def test_a_desk_that_is_no_fleet_has_no_fifth_pane() -> None:
    from tests.consoles import Bench

    bench = Bench()
    bench.step()
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await pilot.press("5")
        assert bench.app.desk.board.current.number == 1
        assert len(bench.app.desk.board.panes) == 4


def test_nothing_is_live_while_the_database_is_away() -> None:
    bench = lively_bench()
    bench.lose()
    frame = bench.monitor.frames.value
    assert frame is not None
    assert frame.assessment is not None
    assert frame.health.state == "DISCONNECTED"
    assert set(frame.assessment.state.tolist()) == {State.UNKNOWN}


def test_a_pending_element_takes_nothing_from_the_sums() -> None:
    waiting = {"_id": "w", "login": 2, "server": "S", "status": "PENDING"}
    bench = FleetBench(FleetDocuments(by_id(element(1), waiting), {}, by_id(instance("i"))))
    bench.show()
    frame = bench.monitor.frames.value
    assert frame is not None
    assert frame.book is not None
    assert frame.book.accounts.login.tolist() == [1]
