from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from tests.consoles import Bench, lost_feed
from tests.feeds import NOW, FakeFeed, book
from textual.binding import Binding
from textual.widgets import Input

from rms_tui.alerts import Stage
from rms_tui.feed import FeedError, FeedStatus, Selection
from rms_tui.frame import FeedState
from rms_tui.store.binary import WAYS_OUT
from rms_tui.tui.app import RmsApp
from rms_tui.tui.asked_bar import AskedBar
from rms_tui.tui.filter_bar import FilterBar
from rms_tui.tui.panes.pane import Pane
from rms_tui.tui.screens.add import AddAccounts, spans
from rms_tui.tui.screens.ask import Ask
from rms_tui.tui.screens.by_hand import EnterByHand
from rms_tui.tui.screens.confirm import Confirm
from rms_tui.tui.screens.desk import Desk
from rms_tui.tui.screens.details import Details
from rms_tui.tui.screens.help import Help
from rms_tui.tui.screens.history import AlertHistory
from rms_tui.tui.screens.limits import ChooseLimits, OwnLimits
from rms_tui.tui.screens.snooze import SnoozeMenu
from rms_tui.tui.screens.sort import SortMenu

OWNERS = (
    RmsApp, Desk, Details, FilterBar, AddAccounts, Ask, Confirm, Help, SortMenu, SnoozeMenu,
    EnterByHand, AlertHistory, AskedBar, ChooseLimits, OwnLimits,
)  # fmt: skip
"""Everything that has bindings."""


def shown_logins(pane: Pane) -> list[object]:
    rows = pane.table.rows
    return [rows.key(row) for row in range(len(rows))]


async def test_the_state_stands_before_all_numbers(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)):
        heading = bench.text("#heading")
        assert heading.split("  ")[1] == "● LIVE 0.8s"
        assert "server 16:03:22 (UTC+2)" in heading
        assert "mongo ● ok" in heading
        assert "dealer@desk-2" in heading
        assert "60 accounts" in heading
        assert heading.rstrip().endswith("9 BREACHED  1 CRITICAL  12 WARNING")


DESIGNED = [
    "STATE▼", "Login", "Name", "Group", "Balance", "Equity", "Level%", "Day P/L", "Used%",
]  # fmt: skip


@pytest.mark.parametrize(
    ("size", "titles"),
    [
        ((160, 48), DESIGNED),
        ((190, 48), [*DESIGNED[:7], "Floating", *DESIGNED[7:], "Rule"]),
        ((120, 40), [one for one in DESIGNED if one not in ("Group", "Balance")]),
        ((80, 24), [one for one in DESIGNED if one not in ("Group", "Balance")]),
    ],
)
async def test_the_columns_a_dealer_needs_are_whole_at_every_size(
    bench: Bench, size: tuple[int, int], titles: list[str]
) -> None:
    async with bench.app.run_test(size=size):
        header = next(line for line in bench.screen_lines() if "STATE▼" in line)
        own = header.split("│")[1].replace("Day P/L", "Day_P/L").split()
        assert [one.replace("_", " ") for one in own] == titles
        table = bench.app.desk.accounts_pane.table
        shown = {column.id: column for column in table.columns}
        for row in range(len(table.rows)):
            for column, cell in zip(table.columns, table.rows.cells(row), strict=True):
                assert column.align == "left" or len(cell.text) <= shown[column.id].width


async def test_a_zoomed_pane_has_the_worst_rule_and_the_floating_too(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("z")
        await pilot.pause()
        header = next(line for line in bench.screen_lines() if "STATE▼" in line)
        for title in (*DESIGNED, "Floating", "Rule"):
            assert title in header


async def test_the_worst_account_is_on_top_and_equals_stay_in_login_order(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)):
        frame = bench.monitor.frames.value
        assert frame is not None
        assert frame.book is not None
        assert frame.assessment is not None
        made = frame.assessment
        used = np.nan_to_num(np.rint(made.used * 100), nan=-1)
        expected = sorted(range(60), key=lambda row: (-int(made.state[row]), -used[row], row))
        logins = [int(frame.book.accounts.login[row]) for row in expected]
        assert shown_logins(bench.app.desk.accounts_pane) == logins


async def test_the_cursor_stays_on_its_account_when_the_order_changes(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("j", "j", "j")
        table = bench.app.desk.accounts_pane.table
        key, row = table.cursor_key, table.cursor_row
        await bench.shown(pilot, book(shock=-300.0))
        assert table.cursor_key == key
        assert table.cursor_row != row


async def test_an_account_that_became_worse_is_marked_until_the_cursor_was_on_it(
    bench: Bench,
) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        desk = bench.app.desk
        before = set(shown_logins(desk.accounts_pane))
        assert not [login for login in before if desk.standing.is_marked(int(str(login)))]
        await bench.shown(pilot, book(shock=400.0))
        marked = [login for login in before if desk.standing.is_marked(int(str(login)))]
        assert marked
        assert any("▲" in line for line in bench.screen_lines()[4:20])
        desk.find_account(int(str(marked[0])))
        await pilot.pause()
        assert not desk.standing.is_marked(int(str(marked[0])))


async def test_stale_figures_keep_the_order_and_say_how_old_they_are(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        pane = bench.app.desk.accounts_pane
        order = shown_logins(pane)
        bench.now = NOW + 60
        bench.feed.error = FeedError("connection", "prod-1:443 does not answer")
        await bench.shown(pilot)
        assert "▲ STALE 1m 00s" in bench.text("#heading")
        assert "60 UNKNOWN" in bench.text("#heading")
        assert "Old figures of 16:03:22, not judged" in bench.text("#notice")
        assert "prod-1:443 does not answer" in bench.text("#notice")
        assert shown_logins(pane) == order


async def test_a_source_that_lost_its_server_is_disconnected_and_says_so(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await bench.shown(pilot, replace(book(), connected=False))
        assert "■ DISCONNECTED" in bench.text("#heading")
        assert "source has lost its server" in bench.text("#notice")


async def test_a_lost_source_says_when_it_tries_again(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.feed.error = FeedError("connection", "no route to prod-1")
        bench.feed.status = FeedStatus("down", "", NOW, None, "connection", NOW + 9)
        await bench.shown(pilot)
        assert "■ DISCONNECTED 0.8s  next attempt in 9 s" in bench.text("#heading")


async def test_a_first_connection_says_what_it_does() -> None:
    bench = Bench(FakeFeed(None))
    bench.step()
    async with bench.app.run_test(size=(160, 48)):
        assert "○ STARTING  syncing accounts" in bench.text("#heading")
        assert "still syncing" in "\n".join(bench.screen_lines())


async def test_a_refused_login_shows_the_error_and_the_next_attempt() -> None:
    bench = Bench(lost_feed())
    bench.step()
    async with bench.app.run_test(size=(160, 48)):
        text = "\n".join(bench.screen_lines())
        assert "The server refused the login." in text
        assert "prod-1:443 refused login 1001: invalid account" in text
        assert "Next attempt in 9 s" in text


async def test_a_final_refusal_promises_no_further_attempt() -> None:
    bench = Bench(lost_feed(next_attempt=None))
    bench.step()
    async with bench.app.run_test(size=(160, 48)):
        assert "No further attempt until" in "\n".join(bench.screen_lines())


async def test_without_accounts_it_says_which_key_adds_them() -> None:
    bench = Bench(FakeFeed(book(0)), selection=Selection(everything=False))
    bench.step()
    async with bench.app.run_test(size=(160, 48)):
        assert "Press a to add accounts." in "\n".join(bench.screen_lines())


async def test_the_demo_says_so() -> None:
    bench = Bench(live=FeedState.DEMO)
    bench.step()
    async with bench.app.run_test(size=(80, 24)):
        assert "◆ DEMO 0.8s" in bench.text("#heading")


async def test_mongodb_down_is_a_word_and_a_count(bench: Bench) -> None:
    bench.store.state, bench.store.waiting = "down", 12
    async with bench.app.run_test(size=(160, 48)):
        assert "mongo ■ DOWN, 12 waiting" in bench.text("#heading")


async def test_why_mongodb_is_down_stands_on_the_screen_until_it_is_back(bench: Bench) -> None:
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await bench.shown(pilot)
        assert bench.text("#notice").strip() == ""
        bench.store.state, bench.store.text = "down", WAYS_OUT
        await bench.shown(pilot)
        assert bench.text("#notice").strip() == f"MongoDB down:  {WAYS_OUT}"
        bench.store.state, bench.store.text = "connected", "connected"
        await bench.shown(pilot)
        assert bench.text("#notice").strip() == ""


async def test_old_figures_go_before_a_mongodb_that_is_down(bench: Bench) -> None:
    bench.store.state, bench.store.text = "down", WAYS_OUT
    bench.feed.error = FeedError("connection", "prod-1:443 does not answer")
    bench.now = NOW + 60
    bench.step()
    async with bench.app.run_test(size=(120, 40)):
        said = bench.text("#notice")
        assert "prod-1:443 does not answer" in said
        assert "MongoDB" not in said


@pytest.mark.parametrize("keys", [(), ("enter",), ("h",)])
async def test_a_frame_that_comes_while_a_screen_is_taken_down_is_no_error(
    bench: Bench, keys: tuple[str, ...]
) -> None:
    async with bench.app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*keys)
        for line in bench.app.screen.query("StatusLine"):
            await line.remove()
        bench.now += 1
        await bench.shown(pilot, book(at=bench.now))


async def test_an_unknown_server_time_is_not_guessed() -> None:
    bench = Bench(FakeFeed(replace(book(), server_offset=None)))
    bench.step()
    async with bench.app.run_test(size=(160, 48)):
        assert "server time unknown" in bench.text("#heading")


async def test_sums_are_in_the_report_currency(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)):
        frame = bench.monitor.frames.value
        assert frame is not None
        assert frame.book is not None
        assert frame.exposure is not None
        accounts, rates = frame.book.accounts, frame.exposure.rates
        total = sum(
            equity * rates[currency]
            for equity, currency in zip(accounts.equity.tolist(), accounts.currency, strict=True)
        )
        assert f"Equity {total:,.0f} USD".replace(",", " ") in bench.text("#summary")


async def test_a_currency_without_a_rate_is_named_and_nothing_is_summed() -> None:
    made = book()
    currencies = ("CHF", *made.accounts.currency[1:])
    bench = Bench(FakeFeed(replace(made, accounts=replace(made.accounts, currency=currencies))))
    bench.step()
    async with bench.app.run_test(size=(160, 48)):
        assert "Equity no rate CHF USD" in bench.text("#summary")


async def test_positions_follow_the_cursor_and_o_shows_all(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        desk = bench.app.desk
        assert desk.positions.login == desk.accounts_pane.table.cursor_key
        await pilot.press("j")
        assert desk.positions.login == desk.accounts_pane.table.cursor_key
        own = len(desk.positions_pane.table.rows)
        await pilot.press("o")
        frame = bench.monitor.frames.value
        assert frame is not None
        assert frame.book is not None
        assert len(desk.positions_pane.table.rows) == len(frame.book.positions) > own


async def test_c_turns_exposure_to_currencies_and_back(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        pane = bench.app.desk.exposure_pane
        assert "EURUSD" in shown_logins(pane)
        await pilot.press("c")
        assert {"USD", "JPY", "XAU"} <= set(shown_logins(pane))
        await pilot.press("c")
        assert "EURUSD" in shown_logins(pane)


async def test_a_filter_is_applied_while_typed_and_errors_leave_the_rows(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        pane = bench.app.desk.accounts_pane
        await pilot.press("slash", *"level")
        assert len(pane.table.rows) == 60
        assert "expected : ~ = < or > after level" in bench.text("#filter-hint")
        await pilot.press(*"<600")
        assert 0 < len(pane.table.rows) < 60
        await pilot.press("q")
        assert "expected a number after level<" in bench.text("#filter-hint")
        assert 0 < len(pane.table.rows) < 60
        await pilot.press("backspace", "enter")
        assert pane.table.has_focus
        assert pane.filter_text == "level<600"
        await pilot.press("escape")
        assert len(pane.table.rows) == 60


async def test_a_filter_without_a_match_says_how_to_clear_it(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("slash", *"login:99", "enter")
        assert "escape clears the filter" in "\n".join(bench.screen_lines())


async def test_s_sorts_and_s_again_turns_it_around(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        pane = bench.app.desk.accounts_pane
        await pilot.press("s", "down", "enter")
        assert pane.sort == ("login", True)
        assert shown_logins(pane) == sorted(shown_logins(pane), key=str, reverse=True)
        await pilot.press("s", "s")
        assert pane.sort == ("login", False)


async def test_z_zooms_and_numbers_choose_panes(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        desk = bench.app.desk
        await pilot.press("4", "z")
        assert [pane.display for pane in desk.board.panes] == [False, False, False, True]
        await pilot.press("2")
        assert [pane.display for pane in desk.board.panes] == [False, True, False, False]
        await pilot.press("z")
        assert all(pane.display for pane in desk.board.panes)


async def test_a_small_terminal_shows_one_pane_and_tabs(bench: Bench) -> None:
    async with bench.app.run_test(size=(80, 24)) as pilot:
        assert "1 Accounts" in bench.text("#tabs")
        await pilot.press("tab")
        assert bench.app.desk.board.current is bench.app.desk.positions_pane
        await pilot.resize_terminal(160, 48)
        await pilot.pause()
        assert all(pane.display for pane in bench.app.desk.board.panes)


async def test_p_holds_the_picture_while_polling_goes_on(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("p")
        held = bench.app.desk.accounts_pane.table.rows
        bench.now += 30
        await bench.shown(pilot, book(at=NOW + 30, shock=500.0))
        assert "PAUSED 30 s" in bench.text("#heading")
        assert bench.app.desk.accounts_pane.table.rows is held
        await pilot.press("p")
        assert "PAUSED" not in bench.text("#heading")
        assert bench.app.desk.accounts_pane.table.rows is not held


async def test_space_acknowledges_under_the_operators_name(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("4")
        alert_id = bench.app.desk.alerts_pane.table.cursor_key
        await pilot.press("space")
        await bench.shown(pilot)
        frame = bench.monitor.frames.value
        assert frame is not None
        handled = next(alert for alert in frame.alerts if alert.id == alert_id)
        assert handled.stage is Stage.ACKNOWLEDGED
        assert handled.operator == "dealer@desk-2"


async def test_a_note_can_be_given_with_an_acknowledgement(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        login = bench.app.desk.login
        bench.app.desk.action_acknowledge(with_note=True)
        await pilot.pause()
        await pilot.press(*"called", "enter")
        await bench.shown(pilot)
        frame = bench.monitor.frames.value
        assert frame is not None
        assert {a.note for a in frame.alerts if a.login == login} == {"called"}


async def test_the_bell_and_a_toast_come_once_for_each_edge(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[int] = []
    monkeypatch.setattr(bench.app, "bell", lambda: rung.append(1))
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await bench.shown(pilot)
        first = len(rung)
        await bench.shown(pilot)
        assert len(rung) == first == 1
        await bench.shown(pilot, book(shock=500.0))
        await bench.shown(pilot)
        assert len(rung) == 2


async def test_adding_says_what_happened_to_each_login(bench: Bench) -> None:
    bench.feed.on_server = frozenset(range(70_100, 70_170))
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.monitor.remove([70_101], "x")
        await pilot.press("a", *"70101, 70102 70168-70171")
        assert "enter adds 6 accounts" in bench.text("#add-hint")
        await pilot.press("enter")
        await bench.errand(pilot, "add")
        text = "\n".join(bench.screen_lines())
        assert "added (1): 70101" in text
        assert "already watched (3): 70102 70168-70169" in text
        assert "not on the server (2): 70170-70171" in text


async def test_a_group_mask_adds_who_is_in_such_a_group(bench: Bench) -> None:
    made = bench.feed.newest
    assert made is not None
    pairs = zip(made.accounts.login.tolist(), made.accounts.group, strict=True)
    members = [login for login, group in pairs if group in ("real\\A", "real\\VIP")]
    bench.feed.on_server = frozenset(made.accounts.login.tolist())
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.monitor.remove(members[:2], "x")
        await pilot.press("a", *"real\\*,!real\\B 70100")
        said = "enter adds 1 account and the accounts in real\\*,!real\\B"
        assert said in bench.text("#add-hint")
        await pilot.press("enter")
        await bench.errand(pilot, "add")
        text = "\n".join(bench.screen_lines())
        assert "added (2): " in text
        assert f"already watched ({len(members) - 2}): " in text
        await pilot.press(*"none\\*", "enter")
        await bench.errand(pilot, "add")
        assert "no account is in that group" in bench.text("#add-hint")


def test_of_very_many_logins_the_first_are_named_and_the_rest_counted() -> None:
    assert spans(range(7000, 9000)) == "7000-8999"
    text = spans(range(7000, 7100, 2))
    assert text.startswith("7000 7002 7004 ")
    assert text.endswith(" 7058 and 20 more")


async def test_adding_refuses_what_is_no_login_while_it_is_typed(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("a", *"70x")
        assert "expected a login such as 70123" in bench.text("#add-hint")


async def test_a_silent_source_says_so_in_the_dialog(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.feed.error = FeedError("hung", "no answer within 10 s")
        await pilot.press("a", *"70101", "enter")
        await bench.errand(pilot, "add")
        assert "no answer within 10 s" in "\n".join(bench.screen_lines())


async def test_removing_asks_first_and_names_the_account(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        login = bench.app.desk.login
        assert login is not None
        await pilot.press("d")
        assert f"Stop watching {login} " in "\n".join(bench.screen_lines())
        await pilot.press("n")
        assert bench.monitor.selection.watches(login)
        await pilot.press("d", "y")
        assert not bench.monitor.selection.watches(login)


async def test_details_show_rules_positions_deals_and_alerts(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        text = "\n".join(bench.screen_lines())
        for words in ("daily loss", "Margin level", "2026-03-02", "XAU[USD]", "BREACH", "server"):
            assert words in text
        await pilot.press("escape")
        assert bench.app.screen is bench.app.desk


async def test_details_say_why_deals_cannot_be_read_and_r_tries_again(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        bench.feed.error = FeedError("connection", "the history is [locked]")
        await pilot.press("enter")
        await bench.errand(pilot, "history")
        assert "the history is [locked]" in "\n".join(bench.screen_lines())
        bench.feed.error = None
        await pilot.press("r")
        await bench.errand(pilot, "history")
        assert "XAU[USD]" in "\n".join(bench.screen_lines())


async def test_the_palette_jumps_to_a_login_that_a_filter_hides(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("slash", *"state:breached", "enter")
        bench.app.go_to_account(70_105)
        await pilot.pause()
        assert bench.app.desk.accounts_pane.table.cursor_key == 70_105


async def test_enter_on_a_symbol_shows_who_holds_it(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("3", "enter")
        assert bench.app.desk.accounts_pane.filter_text.startswith('symbol="')
        assert len(bench.app.desk.accounts_pane.table.rows) < 60


async def test_help_lists_the_keys_of_this_pane(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("3", "question_mark")
        text = "\n".join(bench.screen_lines())
        assert "Keys of Exposure" in text
        assert "Exposure by symbol or by currency" in text


async def test_a_theme_key_goes_round(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        seen = [bench.app.theme]
        for _ in range(4):
            await pilot.press("t")
            seen.append(bench.app.theme)
        assert seen[0] == seen[-1]
        assert len(set(seen)) == 4


async def test_the_poll_interval_is_checked_and_set(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("i", *"0", "enter")
        assert "expected seconds, 0.05 to 3600" in bench.text("#answer-hint")
        bench.app.screen.query_one(Input).value = "2.5"
        await pilot.press("enter")
        assert bench.monitor.interval == 2.5


async def test_q_leaves_with_status_0(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await pilot.press("q")
    assert bench.app.return_code == 0


@pytest.mark.skipif(os.name == "nt", reason="no POSIX signals on Windows")
async def test_sigterm_leaves_with_status_0(bench: Bench) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0)
        await pilot.pause()
    assert bench.app.return_code == 0


def test_every_binding_has_an_id_of_its_own() -> None:
    ids: list[str] = []
    for owner in OWNERS:
        for binding in owner.BINDINGS:
            assert isinstance(binding, Binding)
            assert binding.id, binding
            ids.append(binding.id)
    assert len(ids) == len(set(ids))


async def test_an_equal_frame_repaints_no_line_of_the_desk(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with bench.app.run_test(size=(160, 48)) as pilot:
        await bench.shown(pilot)
        await pilot.pause()
        painted: list[object] = []
        display = bench.app._display

        def spy(screen: object, renderable: object) -> None:
            painted.append(renderable)
            display(screen, renderable)  # type: ignore[arg-type]

        monkeypatch.setattr(bench.app, "_display", spy)
        await bench.shown(pilot)
        await pilot.pause()
        assert not painted


async def test_a_storm_of_alerts_is_told_in_one_round_of_toasts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(bench.app, "notify", lambda text, **_: told.append(text))
    monkeypatch.setattr(bench.app._announcer, "_elapsed", lambda: 100.0)
    async with bench.app.run_test(size=(160, 48)) as pilot:
        for shock in (200.0, 300.0, 400.0, 500.0):
            await bench.shown(pilot, book(shock=shock))
            await bench.shown(pilot)
        assert len(told) == 2
        assert told[1] == "and 28 more alerts"
