"""`l`: by which limits an account is judged, chosen on the screen and told truthfully."""

from __future__ import annotations

import pytest
from tests.consoles import Bench
from tests.tui.scenes import asking, changed
from textual.widgets import Input

from rms_tui.alerts.asked import Asked
from rms_tui.facts import ProfileChange
from rms_tui.tui.screens.ask import Ask
from rms_tui.tui.screens.history import AlertHistory
from rms_tui.tui.screens.limits import ChooseLimits, OwnLimits
from rms_tui.tui.view import HistoryError

LOGIN = 70_104


def facts(bench: Bench) -> list[ProfileChange]:
    return [f for f in bench.monitor.outbox.oldest(10_000) if isinstance(f, ProfileChange)]


def text_of(bench: Bench) -> str:
    return "\n".join(bench.screen_lines())


async def test_a_profile_is_chosen_by_typing_and_shown_with_where_it_comes_from(
    bench: Bench,
) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.app.go_to_account(LOGIN)
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        assert "the default" in text_of(bench)
        await pilot.press("l", *"bullrush", "enter")
        assert isinstance(bench.app.screen, Ask)
        await pilot.press(*"100000", "enter")
        await bench.shown(pilot)
        assert "this account's own" in text_of(bench)
        assert "trailing" in text_of(bench)
        (fact,) = facts(bench)
        assert (fact.login, fact.operator, fact.server) == (LOGIN, "dealer@desk-2", "Broker-Live")


async def test_a_preset_that_counts_from_an_initial_balance_asks_for_it(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.app.go_to_account(LOGIN)
        await pilot.press("l", *"ftmo-2step", "enter")
        assert isinstance(bench.app.screen, Ask)
        await pilot.press("x", "enter")
        assert isinstance(bench.app.screen, Ask)
        await pilot.press("backspace", *"50 000", "enter")
        assert facts(bench)[0].profile == {"preset": "ftmo-2step", "initial_balance": 50_000.0}


async def test_limits_of_its_own_and_back_to_the_groups(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.app.go_to_account(LOGIN)
        await pilot.press("l", *"its own", "enter")
        assert isinstance(bench.app.screen, OwnLimits)
        await pilot.press("enter", *"-5", "enter")
        assert "max_daily_loss: expected an amount above 0" in bench.text("#own-hint")
        await pilot.press("backspace", "backspace", *"500", "down", "down", *"900", "enter")
        assert bench.monitor.own_profiles == {LOGIN: {"max_daily_loss": 500, "max_profit": 900}}
        await bench.shown(pilot)
        await pilot.press("l", *"its own", "enter")
        assert bench.app.screen.query_one("#own-max_profit", Input).value == "900"
        await pilot.press("escape", "l", *"back to", "enter")
        assert bench.monitor.own_profiles == {}
        assert [fact.profile for fact in facts(bench)] == [
            {"max_daily_loss": 500, "max_profit": 900},
            None,
        ]


async def test_leaving_or_nothing_that_matches_changes_nothing(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("l", *"nothing like it", "enter")
        assert isinstance(bench.app.screen, ChooseLimits)
        assert "nothing of that name" in bench.text("#limits-hint")
        await pilot.press("escape")
        assert bench.app.screen is bench.app.desk
        assert facts(bench) == []


async def test_who_changed_what_is_read_and_read_again(bench: Bench) -> None:
    answers = ["down"]

    def ask(login: int) -> object:
        if answers:
            answers.clear()
            raise HistoryError("no audit rows now: [down]")
        return changed(login)

    bench = asking(bench, None, ask)  # type: ignore[arg-type]
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("enter")
        await bench.errand(pilot, "changes")
        await bench.errand(pilot, "history")
        await pilot.press("7", "z")
        assert "no audit rows now: [down]" in text_of(bench)
        await pilot.press("r")
        await bench.errand(pilot, "changes")
        assert "limits: [red]funded[/red]" in text_of(bench)
        assert "acknowledged daily loss: called [client]" in text_of(bench)


async def test_history_asks_the_database_for_what_was_typed(bench: Bench) -> None:
    heard: list[Asked] = []

    def ask(asked: Asked) -> list[object]:
        heard.append(asked)
        return []

    bench = asking(bench, ask)  # type: ignore[arg-type]
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("h")
        await bench.errand(pilot, "alert-history")
        await pilot.press("slash", *"login:70104 rule:daily since:2h", "enter")
        await bench.errand(pilot, "alert-history")
        assert heard[-1] == Asked(login=LOGIN, rule="daily_loss", since=bench.now - 7200)
        assert "login:70104 rule:daily since:2h" in bench.text("#heading")
        await pilot.press("slash", *" x", "enter")
        assert "expected since:" in bench.text("#asked-hint")
        await pilot.press("escape")
        assert len(heard) == 2
        bench.now += 60
        await pilot.press("r")
        await bench.errand(pilot, "alert-history")
        assert heard[-1].since == pytest.approx(bench.now - 7200)


async def test_h_in_details_asks_for_this_account_only(bench: Bench) -> None:
    heard: list[Asked] = []
    bench = asking(bench, lambda asked: heard.append(asked) or [])  # type: ignore[func-returns-value]
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.app.go_to_account(LOGIN)
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        await pilot.press("h")
        await bench.errand(pilot, "alert-history")
        assert isinstance(bench.app.screen, AlertHistory)
        assert heard == [Asked(login=LOGIN)]
