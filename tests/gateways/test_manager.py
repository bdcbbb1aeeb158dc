"""The manager gateway against the fake package and against real, published outputs."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from vendor_world import DAY, SERVER_MIDNIGHT, World, examples, silent

from rms_tui.book import Book
from rms_tui.feed import FeedError
from rms_tui.gateways import ManagerSpec, NotNow
from rms_tui.gateways.manager import (
    DEALS_AGAIN,
    DEALS_EVERY,
    HARD_STALL,
    USERS_EVERY,
    ManagerGateway,
)
from rms_tui.gateways.manager.columns import POSITION_FIELDS, PositionTable, figures_of
from rms_tui.gateways.manager.connection import MASK_LIMIT, masks_of
from rms_tui.gateways.manager.directory import group_row
from rms_tui.gateways.manager.sinks import Sinks, UserSink, deal_row, user_row
from rms_tui.gateways.manager.symbols import Codebook, SymbolBoard

PASSWORD = "manager-secret"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def spec(**changed: Any) -> ManagerSpec:
    given: dict[str, Any] = {"login": 1000, "password": SecretStr(PASSWORD), **changed}
    return ManagerSpec("mt5.example", 443, **given)


def connected(world: World, **changed: Any) -> ManagerGateway:
    gateway = ManagerGateway(spec(**changed), world.clock, world.elapsed)
    gateway.open(silent)
    return gateway


def same(values: Any, expected: Any) -> bool:
    return np.array_equal(np.asarray(values, float), np.asarray(expected, float), equal_nan=True)


NAN = math.nan
FIGURES = ("Balance", "Credit", "Equity", "Margin", "MarginFree", "MarginLevel", "Profit",
           "Floating")  # fmt: skip


# -- the world's own numbers ----------------------------------------------------------------


def test_accounts_come_out_with_the_server_s_own_numbers(world: World) -> None:
    accounts = connected(world).read().accounts
    assert accounts.login.tolist() == [1001, 1002, 1003]
    assert accounts.name == ("Ada Nowak", "Björn Ångström", "Cleo [bold]Q[/]")
    assert accounts.group == ("real\\USD", "real\\EUR", "demo\\USD")
    assert accounts.currency == ("USD", "EUR", "USD")
    assert accounts.so_mode.tolist() == [0, 1, 0]
    assert accounts.so_call.tolist() == [100.0, 300.0, 50.0]
    assert accounts.so_level.tolist() == [50.0, 100.0, 30.0]
    assert accounts.profit.tolist() == [84.0, -950.0, 0.0]
    assert accounts.floating.tolist() == [82.5, -950.0, 0.0]
    assert same(accounts.equity, accounts.balance + accounts.credit + accounts.floating)
    assert accounts.margin_level[2] == 0.0


def test_positions_come_out_in_lots_with_unset_values_unknown(world: World) -> None:
    book = connected(world).read()
    positions = book.positions
    assert positions.ticket.tolist() == [501, 502, 503]
    assert positions.account.tolist() == [0, 1, 1]
    assert [book.symbols.name[code] for code in positions.symbol] == ["EURUSD", "XAUUSD", "USDJPY"]
    assert positions.side.tolist() == [1, -1, 1]
    assert positions.lots.tolist() == [0.2, 1.0, 0.01]
    assert same(positions.sl, [1.07, NAN, NAN])
    assert same(positions.tp, [NAN, NAN, 155.0])
    assert same(positions.rate, [1.0, 0.921, NAN])
    assert positions.swap.tolist() == [-1.5, 0.0, 0.0]


def test_volume_is_used_where_the_extended_one_is_not_given(world: World) -> None:
    world.manager["positions"][0].update(Volume=10_500, VolumeExt=0)
    world.push()
    assert connected(world).read().positions.lots[0] == 1.05


def test_symbols_hold_what_is_held_and_what_converts_it(world: World) -> None:
    symbols = connected(world).read().symbols
    assert set(symbols.name) == {"EURUSD", "USDJPY", "XAUUSD", "GBPUSD"}
    gold = symbols.name.index("XAUUSD")
    assert (symbols.base[gold], symbols.quote[gold], symbols.contract[gold]) == ("XAU", "USD", 100)
    assert (symbols.bid[gold], symbols.ask[gold]) == (2400.1, 2400.4)


def test_a_symbol_has_its_price_also_after_its_last_position_closed(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.manager["positions"] = []
    world.push()
    symbols = gateway.read().symbols
    gold, euro = symbols.name.index("XAUUSD"), symbols.name.index("EURUSD")
    assert (symbols.bid[gold], symbols.bid[euro]) == (2400.1, 1.0850)


def test_a_symbol_without_a_price_has_none(world: World) -> None:
    world.manager["ticks"] = {"EURUSD": [0.0, 0.0]}
    world.push()
    symbols = connected(world).read().symbols
    assert np.isnan(symbols.bid).all()
    assert np.isnan(symbols.ask).all()


def test_a_symbol_the_server_does_not_list_takes_what_the_position_says(world: World) -> None:
    world.manager["symbols"] = []
    world.push()
    symbols = connected(world).read().symbols
    gold = symbols.name.index("XAUUSD")
    assert (symbols.base[gold], symbols.digits[gold], symbols.contract[gold]) == ("", 2, 100.0)


def test_the_day_s_figures_count_closings_and_every_cost(world: World) -> None:
    book = connected(world).read()
    assert book.accounts.trades_today.tolist() == [1, 0, 0]
    assert book.accounts.lots_today.tolist() == [0.5, 0.0, 0.0]
    assert book.accounts.profit_today.tolist() == [27.5, 0.0, 0.0]
    assert book.accounts.trade_count.tolist() == [2, 0, 0]
    assert book.deals.ticket.tolist() == [4, 5, 6]
    assert book.deals.commission.tolist() == [-2.0, -0.5, 0.0]
    assert book.deals_since == SERVER_MIDNIGHT - DAY


def test_history_asks_by_logins_and_covers_the_window(world: World) -> None:
    gateway = connected(world)
    assert gateway.history([1001]).ticket.tolist() == [1, 2, 3, 4, 5]
    assert gateway.history([1003]).ticket.tolist() == []
    assert len(gateway.history([])) == 0
    assert gateway.history(np.array([1002])).ticket.tolist() == [6]  # type: ignore[arg-type]


def test_the_server_s_offset_is_known_to_the_quarter_hour(world: World) -> None:
    world.manager["offset"] = 3 * 3600 + 41
    world.push()
    assert connected(world).read().server_offset == 3 * 3600


# -- what cannot be known ---------------------------------------------------------------------


def test_a_previous_day_of_zero_with_money_is_unknown(world: World) -> None:
    world.manager["accounts"][2]["Balance"] = 0.0
    world.push()
    gateway = connected(world)
    accounts = gateway.read().accounts
    assert same(accounts.prev_equity, [10_020.0, 5_400.0, 0.0])
    world.manager["accounts"][2]["Balance"] = 100.0
    world.push()
    accounts = gateway.read().accounts
    assert same(accounts.prev_balance, [10_050.0, 5_000.0, NAN])
    assert same(accounts.prev_equity, [10_020.0, 5_400.0, NAN])


def test_an_account_without_user_record_or_group_is_shown_with_what_is_known(world: World) -> None:
    world.manager["accounts"].append(
        {"Login": 900, "Balance": 7.0, "MarginLeverage": 30, "CurrencyDigits": 3}
    )
    world.manager["groups"] = world.manager["groups"][1:]
    world.push()
    accounts = connected(world).read().accounts
    assert accounts.login.tolist() == [900, 1001, 1002, 1003]
    assert (accounts.name[0], accounts.group[0], accounts.currency[0]) == ("", "", "")
    assert (accounts.leverage[0], accounts.digits[0]) == (30, 3)
    assert (accounts.group[1], accounts.currency[1]) == ("real\\USD", "")
    assert same(accounts.so_level[:3], [NAN, NAN, 100.0])
    assert same(accounts.prev_equity[:1], [NAN])


def test_a_figure_that_is_not_a_number_passes_as_such(world: World) -> None:
    world.manager["accounts"][0]["Equity"] = NAN
    world.push()
    assert same(connected(world).read().accounts.equity, [NAN, 4_550.0, 2_500.0])


def test_a_record_that_died_between_two_calls_gives_no_numbers() -> None:
    fields = ("Login", *FIGURES)
    alive = SimpleNamespace(**dict.fromkeys(fields, 1.0))
    half = SimpleNamespace(**{**vars(alive), "Login": 7, "Equity": None})
    dead = SimpleNamespace(**dict.fromkeys(fields))
    logins, figures = figures_of([alive, half, dead])
    assert logins.tolist() == [1, 7]
    assert same(figures[:, 2], [1.0, NAN])


@pytest.mark.parametrize("kind", ["MTDeal", "MTConGroup", "MTConSymbol"])
def test_records_that_the_package_let_go_of_are_asked_for_again(world: World, kind: str) -> None:
    world.manager["let_go"] = [kind]
    world.push()
    with pytest.raises(NotNow, match="let go of them"):
        connected(world)
    world.manager["let_go"] = []
    world.push()
    assert len(connected(world).read().accounts) == 3


def test_groups_that_cannot_be_read_whole_leave_those_that_are_known(world: World) -> None:
    gateway = connected(world)
    before = gateway.read()
    world.manager["let_go"] = ["MTConGroup"]
    world.wait(USERS_EVERY)
    with pytest.raises(NotNow, match="read groups"):
        gateway.read()
    world.manager["let_go"] = []
    world.wait(5.0)
    after = gateway.read()
    assert after.connected
    assert after.accounts.currency == before.accounts.currency == ("USD", "EUR", "USD")


def test_deals_that_cannot_be_read_whole_are_asked_for_again_soon(world: World) -> None:
    gateway = connected(world)
    before = gateway.read().deals.ticket.tolist()
    gateway._connection.api._heard["DealSubscribe"].clear()
    now = int(world.now) + 7_200
    world.manager["deals"].append({"Deal": 90, "Login": 1001, "Time": now, "Profit": 5.0})
    world.manager["let_go"] = ["MTDeal"]
    world.wait(DEALS_EVERY)
    assert gateway.read().deals.ticket.tolist() == before
    world.manager["let_go"] = []
    world.wait(DEALS_AGAIN)
    assert gateway.read().deals.ticket.tolist() == [*before, 90]


def test_the_history_of_an_account_is_whole_or_asked_for_again(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.manager["let_go"] = ["MTDeal"]
    world.push()
    with pytest.raises(NotNow, match="let go of them"):
        gateway.history([1001])


def test_a_login_beyond_a_float_s_reach_stays_exact() -> None:
    account = SimpleNamespace(Login=2**60 + 1, **dict.fromkeys(FIGURES, 1.0))
    assert figures_of([account])[0].tolist() == [2**60 + 1]


def test_a_position_of_an_account_not_yet_shown_waits(world: World) -> None:
    world.manager["positions"].insert(0, {**world.manager["positions"][0],
                                          "Login": 4_444, "Position": 9})  # fmt: skip
    world.push()
    positions = connected(world).read().positions
    assert positions.ticket.tolist() == [501, 502, 503]
    assert positions.account.tolist() == [0, 1, 1]


def test_positions_in_any_order_come_by_account_then_ticket(world: World) -> None:
    gateway = connected(world)
    before = gateway.read().positions
    world.manager["positions"].reverse()
    world.push()
    assert gateway.read().positions is before


@pytest.mark.parametrize("name", ["lone \ud83d half", "\udc00", "a\x1b[31mred", "[/red]", "名前"])
def test_hostile_names_become_text_every_encoder_takes(world: World, name: str) -> None:
    world.manager["users"][0]["Name"] = name
    world.push()
    gateway = connected(world)
    shown = gateway.read().accounts.name[0]
    assert shown.encode("utf-8")
    world.manager["users"][0].update(Name=name + "!")
    world.push()
    gateway.read()
    assert gateway.read().accounts.name[0].encode("utf-8").endswith(b"!")
    if name.isprintable() and name.isalpha():
        assert shown == name


# -- False -----------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [13, 1, 0])
def test_an_empty_server_is_an_empty_book(world: World, code: int) -> None:
    world.manager["no_rows"] = code
    for table in ("accounts", "users", "groups", "symbols", "positions", "deals"):
        world.manager[table] = []
    world.push()
    gateway = connected(world)
    for _ in range(2):
        book = gateway.read()
        assert [len(t) for t in (book.accounts, book.positions, book.symbols, book.deals)] == [
            0
        ] * 4


def test_the_last_position_closing_leaves_none(world: World) -> None:
    gateway = connected(world)
    assert len(gateway.read().positions) == 3
    world.manager["positions"] = []
    world.push()
    assert len(gateway.read().positions) == 0


@pytest.mark.parametrize("code", [7, 9, 10, 11, 12, 15, 2])
def test_a_call_that_fails_is_a_connection_error_and_never_no_rows(world: World, code: int) -> None:
    gateway = connected(world)
    world.manager["refuse"] = {"PositionGetByGroupNumPy": [-1, code, "Some error"]}
    world.push()
    with pytest.raises(FeedError, match="read positions: Some error") as refused:
        gateway.read()
    assert refused.value.cause == "connection"


def test_bad_arguments_are_not_taken_for_no_rows(world: World) -> None:
    world.manager["refuse"] = {"UserGetByGroupNumPy": [-2, 2, "Can not find field Name"]}
    world.push()
    with pytest.raises(FeedError, match="Can not find field Name") as refused:
        connected(world)
    assert refused.value.cause == "configuration"


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1012, 1024, 1026, 1034, 8])
def test_a_refused_login_says_so_and_never_says_the_password(world: World, code: int) -> None:
    world.manager["connect"] = [code, "Refused"]
    world.push()
    with pytest.raises(FeedError, match="as 1000: Refused") as refused:
        connected(world)
    assert refused.value.cause == "authorisation"
    assert PASSWORD not in refused.value.text


def test_a_wrong_password_is_an_authorisation_matter(world: World) -> None:
    with pytest.raises(FeedError, match="Invalid account") as refused:
        connected(world, password=SecretStr("wrong"))
    assert refused.value.cause == "authorisation"


@pytest.mark.parametrize(("code", "text"), [(7, "Network error"), (9, "Operation timeout"),
                                            (10, "No connection")])  # fmt: skip
def test_a_server_out_of_reach_is_a_connection_matter(world: World, code: int, text: str) -> None:
    world.manager["connect"] = [code, text]
    world.push()
    with pytest.raises(FeedError, match=text) as refused:
        connected(world)
    assert refused.value.cause == "connection"
    assert not refused.value.final


# -- the package -----------------------------------------------------------------------------


def test_a_missing_package_is_one_clear_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "MT5Manager", None)
    with pytest.raises(FeedError, match="Windows only") as refused:
        connected(world)
    assert (refused.value.cause, refused.value.final) == ("missing-package", True)
    assert "\n" not in refused.value.text


def test_a_missing_library_is_noticed_at_import_and_again_later(world: World) -> None:
    world.manager["dll_missing"] = True
    world.push()
    for _ in range(2):
        with pytest.raises(FeedError, match=r"MT5APIManager64\.dll") as refused:
            connected(world)
        assert (refused.value.cause, refused.value.final) == ("missing-package", True)


def test_the_package_is_imported_from_a_private_folder_that_goes_again(world: World) -> None:
    here = Path.cwd()
    gateway = connected(world)
    folder = Path(sys.modules["MT5Manager"]._work_path)
    assert folder not in (here, *here.parents)
    assert folder.stat().st_mode & 0o077 == 0
    assert Path.cwd() == here
    gateway.close()
    assert not folder.exists()


def test_sinks_are_heard_before_connect_which_gets_mask_and_timeout(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import MT5Manager

    calls: list[tuple[Any, ...]] = []
    connect = MT5Manager.ManagerAPI.Connect

    def watched(api: Any, *arguments: Any) -> Any:
        calls.append((set(api._heard), arguments))
        return connect(api, *arguments)

    monkeypatch.setattr(MT5Manager.ManagerAPI, "Connect", watched)
    connected(world, connect_timeout=90.0)
    heard, arguments = calls[0]
    assert {"Subscribe", "UserSubscribe", "DealSubscribe"} <= heard
    assert arguments == ("mt5.example:443", 1000, PASSWORD, 0x1389, 90_000)


def test_no_sink_can_receive_a_password() -> None:
    assert not {"OnUserChangePassword", "OnUserAddExt"} & set(dir(UserSink))


def test_a_sink_never_raises_into_the_server_s_thread() -> None:
    sinks = Sinks()
    sinks.deals.OnDealAdd(object())
    sinks.users.OnUserUpdate(None)
    assert sinks.drain() == []


def test_close_never_raises_and_may_come_twice_or_before_open(world: World) -> None:
    ManagerGateway(spec()).close()
    gateway = connected(world)
    gateway.close()
    gateway.close()


# -- disconnect, reconnect, events ---------------------------------------------------------------


def test_a_lost_link_shows_the_last_book_as_not_connected(world: World) -> None:
    gateway = connected(world)
    last = gateway.read()
    world.manager["linked"] = False
    world.manager["accounts"][0]["Equity"] = 1.0
    world.push()
    for _ in range(2):
        book = gateway.read()
        assert not book.connected
        assert book.accounts is last.accounts
        assert book.taken_at == last.taken_at


def test_positions_still_filling_after_a_reconnect_are_not_shown_as_live(world: World) -> None:
    gateway = connected(world)
    last = gateway.read()
    world.manager["linked"] = False
    world.push()
    gateway.read()
    gateway._connection.api._heard["PositionSubscribe"].clear()
    world.manager.update(linked=True, positions=[])
    world.push()
    book = gateway.read()
    assert not book.connected
    assert book.positions is last.positions
    gateway._sinks.positions.OnPositionSync()
    assert gateway.read().connected


def test_a_sync_that_is_never_told_is_waited_for_some_seconds_only(world: World) -> None:
    gateway = connected(world)
    gateway._connection.api._heard["PositionSubscribe"].clear()
    for linked in (False, True):
        world.manager["linked"] = linked
        world.push()
        gateway.read()
    world.wait(6.0)
    book = gateway.read()
    assert book.connected
    assert book.deals_since is not None


def test_tables_that_fill_slowly_after_a_reconnect_are_not_shown_before_they_stop_growing(
    world: World,
) -> None:
    gateway = connected(world)
    last = gateway.read()
    gateway._connection.api._heard["PositionSubscribe"].clear()
    everybody, held = world.manager["accounts"], world.manager["positions"]
    world.manager["linked"] = False
    world.push()
    gateway.read()
    world.manager.update(linked=True, accounts=[], positions=[])
    world.wait(1.0)
    assert not gateway.read().connected
    for accounts, positions in ((everybody[:2], []), (everybody, held[:1]), (everybody, held)):
        world.manager.update(accounts=accounts, positions=positions)
        world.wait(10.0)
        book = gateway.read()
        assert not book.connected
        assert book.accounts is last.accounts
        assert book.positions is last.positions
    world.wait(5.0)
    assert gateway.read().connected


@pytest.mark.parametrize("code", [7, 9, 10, 11, 12, 15])
@pytest.mark.parametrize("call", ["UserAccountGetByGroup", "PositionGetByGroupNumPy"])
def test_a_call_that_fails_for_want_of_a_connection_is_asked_again_without_a_new_connect(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    gateway = connected(world)
    gateway.read()
    import MT5Manager

    def connect(*_: Any) -> Any:
        raise AssertionError("connected again")

    monkeypatch.setattr(MT5Manager.ManagerAPI, "Connect", connect)
    world.manager["refuse"] = {call: [-1, code, "some trouble"]}
    world.push()
    for _ in range(2):
        with pytest.raises(NotNow, match=rf"some trouble \({code}\)"):
            gateway.read()
    world.manager["refuse"] = {}
    world.push()
    assert gateway.read().connected


def test_symbols_that_could_not_be_read_after_their_event_are_read_later(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.manager["symbols"][0]["ContractSize"] = 10_000.0
    world.manager["refuse"] = {"SymbolGetArray": [-1, 10, "No connection"]}
    world.push()
    with pytest.raises(NotNow):
        gateway.read()
    world.manager["refuse"] = {}
    world.push()
    symbols = gateway.read().symbols
    assert symbols.contract[symbols.name.index("EURUSD")] == 10_000.0


@pytest.mark.parametrize(
    ("code", "cause"), [(8, "authorisation"), (1002, "authorisation"), (2, "connection")]
)
def test_a_refusal_that_does_not_pass_by_itself_ends_the_connection(
    world: World, code: int, cause: str
) -> None:
    gateway = connected(world)
    gateway.read()
    world.manager["refuse"] = {"UserAccountGetByGroup": [-1, code, "some trouble"]}
    world.push()
    with pytest.raises(FeedError) as caught:
        gateway.read()
    assert not isinstance(caught.value, NotNow)
    assert caught.value.cause == cause


def test_a_source_that_fails_before_its_first_book_says_why_at_once(world: World) -> None:
    gateway = connected(world)
    world.manager["refuse"] = {"UserAccountGetByGroup": [-1, 9, "Operation timeout"]}
    world.push()
    with pytest.raises(FeedError, match="Operation timeout") as caught:
        gateway.read()
    assert not isinstance(caught.value, NotNow)


def test_a_link_that_never_comes_back_ends_the_connection_for_a_new_one(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.manager["linked"] = False
    world.wait(1.0)
    assert not gateway.read().connected
    world.wait(HARD_STALL - 2.0)
    assert not gateway.read().connected
    world.wait(2.0)
    with pytest.raises(FeedError, match="hidden") as caught:
        gateway.read()
    assert caught.value.cause == "connection"
    assert not isinstance(caught.value, NotNow)


def test_calls_that_fail_for_long_end_the_connection_and_say_why(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.manager["refuse"] = {"UserAccountGetByGroup": [-1, 9, "Operation timeout"]}
    world.wait(HARD_STALL + 1.0)
    with pytest.raises(FeedError, match="Operation timeout") as caught:
        gateway.read()
    assert not isinstance(caught.value, NotNow)


def test_deals_refused_as_too_frequent_at_the_start_are_asked_for_again(world: World) -> None:
    world.manager["refuse"] = {"DealRequestByGroup": [-1, 12, "Too frequent requests"]}
    world.push()
    paused: list[float] = []

    def pause(seconds: float) -> None:
        paused.append(seconds)
        world.manager["refuse"] = {}
        world.push()

    gateway = ManagerGateway(spec(), world.clock, world.elapsed, pause)
    gateway.open(silent)
    assert paused == [1.0]
    assert gateway.read().accounts.trade_count[0] == 2


@pytest.mark.parametrize(
    ("group", "account", "shown"), [(2, 2, 2), (0, 2, 2), (2, 0, 2), (0, 0, 0)]
)
def test_the_finer_of_two_digits_of_a_currency_counts(
    world: World, group: int, account: int, shown: int
) -> None:
    world.manager["groups"][0]["CurrencyDigits"] = group
    world.manager["accounts"][0]["CurrencyDigits"] = account
    world.push()
    assert connected(world).read().accounts.digits[0] == shown


def test_a_server_s_clock_days_away_has_no_offset_and_its_own_days(world: World) -> None:
    away = 100 * DAY
    world.manager["offset"] -= away
    for deal in world.manager["deals"]:
        deal["Time"] -= away
    world.push()
    book = connected(world).read()
    assert book.server_offset is None
    assert book.deals_since == SERVER_MIDNIGHT - away - DAY
    assert book.accounts.trades_today.tolist() == [1, 0, 0]


def test_a_leverage_beyond_the_column_is_its_largest(world: World) -> None:
    world.manager["users"][0]["Leverage"] = 2**32 - 1
    world.push()
    assert connected(world).read().accounts.leverage[0] == 2**31 - 1


def test_everything_is_read_anew_after_a_reconnect(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.manager["linked"] = False
    world.push()
    assert not gateway.read().connected
    heard = gateway._connection.api._heard
    for subscribed in heard.keys() - {
        "Subscribe",
        "PositionSubscribe",
    }:  # what changed while the link was down, no
        heard[subscribed].clear()  # event tells
    manager = world.manager
    manager["linked"] = True
    manager["users"][0]["Name"] = "Ada Kowalska"
    manager["groups"][0]["MarginStopOut"] = 20.0
    manager["symbols"][0]["ContractSize"] = 10_000.0
    manager["deals"] = [deal for deal in manager["deals"] if deal["Deal"] != 6]
    manager["deals"][4]["Action"] = 14
    manager["deals"].append({**manager["deals"][3], "Deal": 99})
    world.push()
    book = gateway.read()
    assert book.connected
    assert book.accounts.name[0] == "Ada Kowalska"
    assert book.accounts.so_level[0] == 20.0
    assert book.symbols.contract[book.symbols.name.index("EURUSD")] == 10_000.0
    assert book.deals.ticket.tolist() == [4, 99, 5]
    assert book.accounts.trades_today[0] == 0


def test_deals_not_yet_read_after_a_reconnect_are_said_to_be_incomplete(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.manager["linked"] = False
    world.push()
    gateway.read()
    world.manager.update(
        linked=True, refuse={"DealRequestByGroup": [-1, 12, "Too frequent requests"]}
    )
    world.push()
    book = gateway.read()
    assert book.connected
    assert book.deals_since is None
    world.manager["refuse"] = {}
    world.wait(6.0)
    assert gateway.read().deals_since == SERVER_MIDNIGHT - DAY


def test_a_live_deal_counts_at_once_and_a_cancelled_one_no_more(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    deal = {**world.manager["deals"][4], "Deal": 50, "Login": 1002, "Profit": 7.0, "Fee": 0.0}
    world.manager["deals"].append(deal)
    world.push()
    accounts = gateway.read().accounts
    assert accounts.trades_today.tolist() == [1, 1, 0]
    assert accounts.profit_today.tolist() == [27.5, 7.0, 0.0]
    deal["Action"] = 14
    world.push()
    book = gateway.read()
    assert book.accounts.trades_today.tolist() == [1, 0, 0]
    assert 14 in book.deals.type
    world.manager["deals"].remove(deal)
    world.push()
    assert 50 not in gateway.read().deals.ticket


def test_an_old_deal_cancelled_today_leaves_the_count(world: World) -> None:
    gateway = connected(world)
    assert gateway.read().accounts.trade_count[0] == 2
    world.manager["deals"][2]["Action"] = 14
    world.push()
    book = gateway.read()
    assert book.accounts.trade_count[0] == 1
    assert 3 not in book.deals.ticket


def test_deals_no_event_told_are_caught_up_once(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    gateway._connection.api._heard["DealSubscribe"].clear()
    world.manager["deals"].append({**world.manager["deals"][5], "Deal": 77})
    world.push()
    assert 77 not in gateway.read().deals.ticket
    world.wait(200.0)
    assert gateway.read().deals.ticket.tolist() == [4, 5, 6, 77]


def test_a_user_moved_to_another_group_changes_currency_at_once(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.manager["users"][2]["Group"] = "real\\EUR"
    world.push()
    gateway.read()
    accounts = gateway.read().accounts
    assert (accounts.group[2], accounts.currency[2]) == ("real\\EUR", "EUR")


def test_a_new_server_day_moves_today_s_trades_into_yesterday(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.wait(10 * 3600)
    book = gateway.read()
    assert book.accounts.trades_today.tolist() == [0, 0, 0]
    assert book.accounts.trade_count.tolist() == [2, 0, 0]
    assert book.deals.ticket.tolist() == [4, 5, 6]
    world.wait(DAY)
    book = gateway.read()
    assert book.deals.ticket.tolist() == []
    assert book.accounts.trade_count.tolist() == [2, 0, 0]
    world.wait(25 * DAY)
    assert gateway.read().accounts.trade_count.tolist() == [1, 0, 0]


# -- identity -----------------------------------------------------------------------------------


def moved(before: Any, after: Any) -> set[str]:
    return {
        name for name in type(before).__slots__ if getattr(before, name) is not getattr(after, name)
    }


def tables(book: Book) -> tuple[Any, ...]:
    return book.accounts, book.positions, book.symbols, book.deals


def test_a_quiet_cycle_gives_the_same_objects(world: World) -> None:
    gateway = connected(world)
    for before, after in zip(tables(gateway.read()), tables(gateway.read()), strict=True):
        assert before is after


def test_only_columns_that_moved_are_new(world: World) -> None:
    gateway = connected(world)
    before = gateway.read()
    world.manager["accounts"][0]["Equity"] += 1.0
    world.manager["positions"][0]["PriceCurrent"] = 1.0853
    world.push()
    after = gateway.read()
    assert moved(before.accounts, after.accounts) == {"equity"}
    assert moved(before.positions, after.positions) == {"price"}


def test_a_new_account_keeps_symbols_and_reorders_rows(world: World) -> None:
    gateway = connected(world)
    before = gateway.read()
    world.manager["accounts"].insert(0, {**world.manager["accounts"][2], "Login": 7})
    world.push()
    after = gateway.read()
    assert after.accounts.login.tolist() == [7, 1001, 1002, 1003]
    assert after.positions.account.tolist() == [1, 2, 2]
    assert after.positions.symbol is before.positions.symbol


# -- masks --------------------------------------------------------------------------------------


def test_masks_are_joined_where_they_fit() -> None:
    assert masks_of(("demo\\*", "!demo\\test*")) == ["demo\\*,!demo\\test*"]
    assert masks_of(("!demo\\*",)) == ["*,!demo\\*"]
    assert masks_of(()) == ["*"]


def test_long_masks_become_several_calls_that_keep_every_exclusion() -> None:
    groups = tuple(f"real\\desk-{number:03}\\*" for number in range(40))
    calls = masks_of((*groups, "!real\\test*"))
    assert len(calls) > 1
    assert all(len(call) <= MASK_LIMIT and call.endswith(",!real\\test*") for call in calls)
    assert [part for call in calls for part in call.split(",")[:-1]] == list(groups)


def test_a_mask_too_long_for_the_server_is_a_matter_of_configuration() -> None:
    with pytest.raises(FeedError, match="RMS_GROUPS") as refused:
        ManagerGateway(spec(groups=("x" * 200,)))
    assert (refused.value.cause, refused.value.final) == ("configuration", True)


def test_accounts_and_positions_found_by_two_masks_come_once(world: World) -> None:
    long = tuple(f"desk{number}-{'x' * 30}\\*" for number in range(8))
    gateway = connected(world, groups=("real\\*", *long, "real\\USD", "demo\\*"))
    assert len(gateway._masks) > 1
    book = gateway.read()
    assert book.accounts.login.tolist() == [1001, 1002, 1003]
    assert book.positions.ticket.tolist() == [501, 502, 503]


def test_only_the_groups_asked_for_are_shown(world: World) -> None:
    book = connected(world, groups=("real\\*", "!*EUR")).read()
    assert book.accounts.login.tolist() == [1001]
    assert book.positions.ticket.tolist() == [501]
    assert set(book.deals.login.tolist()) == {1001}


# -- symbols as codes ----------------------------------------------------------------------------


texts = st.binary(min_size=0, max_size=24).map(lambda raw: raw.replace(b"\0", b"x"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(texts, min_size=1, max_size=30), min_size=1, max_size=4))
def test_codes_are_one_to_one_with_names(batches: list[list[bytes]]) -> None:
    book = Codebook()
    code_of: dict[bytes, int] = {}
    for batch in batches:
        words = np.array(batch, dtype="S128").view(np.uint64).reshape(-1, 16)
        codes, fresh = book.codes(words)
        for text in fresh:
            code_of[text] = len(code_of)
        assert codes.tolist() == [code_of[text] for text in batch]


def test_symbol_bytes_of_any_width_and_place_are_read() -> None:
    for width in (5, 12, 31, 128):
        kind = np.dtype([("Digits", "u4"), ("Symbol", f"S{width}"), ("ContractSize", "f8")])
        table = np.zeros(3, kind)
        table["Symbol"] = [b"GER40", b"ABC", b"GER40"]
        board = SymbolBoard()
        codes = board.codes(table[::1])
        assert [board.names[code] for code in codes] == ["GER40", "ABC", "GER40"]


def test_names_that_share_their_first_words_are_kept_apart() -> None:
    board = SymbolBoard()
    kind = np.dtype([("Symbol", "S128"), ("Digits", "u4"), ("ContractSize", "f8")])
    names = [b"EURUSD", b"EURUSD.pro.ecn.one", b"EURUSD.pro.ecn.two", b"EURUSD.p"]
    for count in (1, 4, 2):
        table = np.zeros(count, kind)
        table["Symbol"] = names[:count]
        codes = board.codes(table)
        assert [board.names[code].encode() for code in codes] == names[:count]


# -- real outputs -----------------------------------------------------------------------------


def test_the_published_account_and_group_and_user_convert() -> None:
    logins, figures = figures_of([SimpleNamespace(**row) for row in examples("manager_account")])
    assert logins.tolist() == [1036]
    assert figures.tolist() == [[0.0] * 8]
    group = SimpleNamespace(**examples("manager_group")[0])
    assert group_row(group) == ("managers\\administrators", ("USD", 2, 0, 50.0, 30.0))
    user = SimpleNamespace(**examples("manager_user")[0])
    assert user_row(user) == (1037, "demo\\NL\\ECNPRO\\USD", "debug", 100, 0.0, 0.0)


def test_the_published_position_is_one_hundredth_of_a_lot_sold() -> None:
    row = examples("manager_position")[0]
    types = {"Symbol": "S128", "Position": "u8", "Login": "u8", "Action": "u4", "Digits": "u4",
             "TimeCreate": "i8", "Volume": "u8", "VolumeExt": "u8"}  # fmt: skip
    table = np.zeros(1, [(field, types.get(field, "f8")) for field in POSITION_FIELDS])
    for field in POSITION_FIELDS:
        table[field] = row[field].encode() if field == "Symbol" else row[field]
    positions = PositionTable(SymbolBoard()).read(table, np.array([1014]))
    assert positions.lots.tolist() == [0.01]
    assert positions.side.tolist() == [-1]
    assert (positions.profit[0], positions.swap[0], positions.rate[0]) == (1.95, 0.34, 1.0)
    assert np.isnan(positions.sl[0])
    moved_by = (positions.price - positions.price_open) * positions.side * positions.lots * 1e5
    assert round(float(moved_by[0]), 2) == positions.profit[0]


def test_the_published_deposit_is_a_deposit() -> None:
    deposit = deal_row(SimpleNamespace(**examples("manager_deal")[0]))
    assert deposit == (3, 1011, 1771859202, 2, 0, "", 0.0, 0.0, 10_000.0, 0.0, 0.0, 0)


def test_the_published_tick_converts() -> None:
    board = SymbolBoard()
    board.set_server([("EURUSD", ("EUR", "USD", 5, 1e5))])
    board.include_conversions(["USD"])
    symbols = board.symbols([SimpleNamespace(**examples("manager_tick")[0])])
    assert (symbols.bid[0], symbols.ask[0]) == (1.15549, 1.15551)


def test_the_published_no_open_orders_means_no_rows(world: World) -> None:
    error = examples("manager_error")[0]["LastError"]
    world.manager["refuse"] = {"PositionGetByGroupNumPy": error}
    world.push()
    assert len(connected(world).read().positions) == 0
    world.manager["refuse"] = {"PositionGetByGroupNumPy": examples("manager_error")[1]["LastError"]}
    world.push()
    with pytest.raises(FeedError, match="Invalid number of arguments"):
        connected(world)._read_book()


def test_no_secret_of_a_user_is_kept_anywhere(world: World) -> None:
    gateway = connected(world)
    world.manager["users"][0]["Name"] = "Other"
    world.push()
    gateway.read()
    gateway.read()
    kept = json.dumps(gateway._directory._users, default=str)
    assert "phone-secret" not in kept
    assert "otp-secret" not in kept
