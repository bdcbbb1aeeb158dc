"""What a dealer does about alerts, and what the desk says of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.consoles import Bench
from tests.feeds import book

from rms_tui.alerts import Alert, Severity, Stage
from rms_tui.tui.edges import Edges
from rms_tui.tui.screens.snooze import CHOICES, SnoozeMenu


def alerts_of(bench: Bench) -> tuple[Alert, ...]:
    frame = bench.monitor.frames.value
    assert frame is not None
    return frame.alerts


@pytest.mark.parametrize("number", [1, 2, 3, 4])
async def test_n_snoozes_the_alert_under_the_cursor_for_the_chosen_time(
    bench: Bench, number: int
) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("4")
        alert_id = bench.app.desk.alerts_pane.table.cursor_key
        await pilot.press("n")
        assert isinstance(bench.app.screen, SnoozeMenu)
        await pilot.press(str(number))
        await bench.shown(pilot)
        snoozed = [alert for alert in alerts_of(bench) if alert.stage is Stage.SNOOZED]
        assert [alert.id for alert in snoozed] == [alert_id]
        assert snoozed[0].snoozed_by == "dealer@desk-2"
        assert snoozed[0].snoozed_until == pytest.approx(bench.now + CHOICES[number - 1][1])


async def test_n_on_an_account_snoozes_its_open_alerts_and_says_until_when(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        login = bench.app.desk.login
        await pilot.press("n", "down", "enter")
        await bench.shown(pilot)
        own = [alert for alert in alerts_of(bench) if alert.login == login]
        assert own
        assert {alert.stage for alert in own} == {Stage.SNOOZED}
        await pilot.press("4", "z")
        assert "snoozed until 16:33" in "\n".join(bench.screen_lines())


async def test_escape_snoozes_nothing(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("n", "escape")
        assert all(alert.stage is Stage.RAISED for alert in alerts_of(bench))


async def test_an_escalated_alert_says_so_and_rings_once_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(bench.app, "bell", lambda: rung.append(1))
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await bench.shown(pilot)
        assert len(rung) == 1
        bench.now += 301
        await bench.shown(pilot, book(shock=60.0, at=bench.now))
        await bench.shown(pilot, book(shock=60.0, at=bench.now))
        assert len(rung) == 2
        await pilot.press("4", "z")
        assert "ESCALATED" in "\n".join(bench.screen_lines())


async def test_a_woken_alert_rings_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[int] = []
    monkeypatch.setattr(bench.app, "bell", lambda: rung.append(1))
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await bench.shown(pilot)
        warned = next(a for a in alerts_of(bench) if a.severity is Severity.WARNING)
        bench.monitor.snooze(warned.id, 60, "me")
        await bench.shown(pilot)
        assert len(rung) == 1
        bench.now += 61
        await bench.shown(pilot, book(shock=60.0, at=bench.now))
        assert len(rung) == 2


async def test_a_pending_state_is_a_row_below_the_alerts_and_is_not_acknowledged(
    bench: Bench,
) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await bench.shown(pilot, book(shock=300.0))
        await pilot.press("4", "z")
        text = "\n".join(bench.screen_lines())
        assert "pending" in str(bench.app.desk.alerts_pane.border_title)
        assert "PENDING" in text
        assert "1 of 2" in text
        await pilot.press("G")
        table = bench.app.desk.alerts_pane.table
        assert isinstance(table.cursor_key, tuple)
        assert bench.app.desk.login == table.cursor_key[0]
        await pilot.press("space", "n")
        assert bench.app.screen is bench.app.desk
        assert all(alert.stage is Stage.RAISED for alert in alerts_of(bench))


def test_what_was_read_back_from_the_database_is_no_news(bench: Bench) -> None:
    frame = bench.monitor.frames.value
    assert frame is not None
    assert Edges(bench.now).news(frame) == list(frame.alerts)
    assert Edges(bench.now + 1).news(frame) == []


def test_an_alert_that_takes_over_a_stored_identity_rings_once(bench: Bench) -> None:
    frame = bench.monitor.frames.value
    assert frame is not None
    edges = Edges()
    edges.news(frame)
    first = frame.alerts[0]
    stored = replace(first, id="stored", rung_at=(first.rung_at or 0.0) - 20)
    assert edges.news(replace(frame, alerts=(stored, *frame.alerts[1:]))) == []


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
async def test_an_alert_says_when_it_was_raised_also_where_it_became_worse_since(
    bench: Bench, size: tuple[int, int]
) -> None:
    bench.now += 45 * 60
    for _ in range(2):
        bench.step(book(shock=300.0, at=bench.now))
    risen = next(alert for alert in alerts_of(bench) if alert.raised_at < alert.changed_at)
    assert risen.severity is Severity.BREACH
    async with bench.app.run_test(size=size) as pilot:
        await pilot.press("4", "slash", *f"{risen.login}", "enter")
        await pilot.pause()
        line = f"BREACH 16:03 {risen.login} {risen.rule.replace('_', ' ')}"
        assert any(line in " ".join(shown.split()) for shown in bench.screen_lines())


async def test_severities_are_short_beside_the_accounts_and_whole_where_there_is_room(
    bench: Bench,
) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await bench.shown(pilot, book(shock=300.0))
        table = bench.app.desk.alerts_pane.table
        words = {table.rows.cells(row)[0].text for row in range(len(table.rows))}
        assert words == {"BREACH", "CRIT", "WARN", "PEND"}
        await pilot.press("4", "z")
        words = {table.rows.cells(row)[0].text for row in range(len(table.rows))}
        assert words == {"BREACH", "CRITICAL", "WARNING", "PENDING"}


@pytest.mark.parametrize("size", [(160, 48), (120, 40), (80, 24)])
async def test_an_escalated_alert_says_so_in_a_whole_word_at_every_size(
    bench: Bench, size: tuple[int, int]
) -> None:
    bench.now += 301
    bench.step(book(shock=60.0, at=bench.now))
    async with bench.app.run_test(size=size) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert any("ESCALATED" in line for line in bench.screen_lines()[3:])
        assert not any("ESCALAT…" in line for line in bench.screen_lines())


@pytest.mark.parametrize("size", [(160, 48), (120, 40), (80, 24)])
async def test_who_handled_an_alert_is_on_the_screen_at_every_size(
    bench: Bench, size: tuple[int, int]
) -> None:
    first, second = (alert.id for alert in alerts_of(bench)[:2])
    bench.monitor.acknowledge(first, "jane@desk-1", None)
    bench.monitor.snooze(second, 1800, "eva@desk-9")
    bench.step()
    async with bench.app.run_test(size=size) as pilot:
        await pilot.press("4", "G")
        await pilot.pause()
        text = "\n".join(bench.screen_lines())
        assert "ack jane" in text
        assert any(form in text for form in ("16:33 eva", "snz eva"))
