"""The terminal gateway against the fake package and against real, published outputs."""

from __future__ import annotations

import math
import sys
from calendar import timegm
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr
from vendor_world import DAY, NOON, SERVER_MIDNIGHT, World, examples, silent

from rms_tui.feed import FeedError
from rms_tui.gateways import NotNow, TerminalSpec
from rms_tui.gateways.server_clock import server_offset
from rms_tui.gateways.terminal import DEALS_EVERY, UNKNOWN_EVERY, TerminalGateway

PATH = "C:\\MT5\\one\\terminal64.exe"
NAN = math.nan


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(tmp_path, monkeypatch)


def unopened(world: World, **changed: Any) -> TerminalGateway:
    given: dict[str, Any] = {"path": PATH, **changed}
    return TerminalGateway(TerminalSpec(**given), world.clock, world.elapsed)


def connected(world: World, **changed: Any) -> TerminalGateway:
    gateway = unopened(world, **changed)
    gateway.open(silent)
    return gateway


def watched(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[Any, ...]]:
    """Calls of one function of the fake: positional and keyword arguments."""
    import MetaTrader5

    calls: list[tuple[Any, ...]] = []
    real = getattr(MetaTrader5, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        calls.append((args, kwargs))
        return real(*args, **kwargs)

    monkeypatch.setattr(MetaTrader5, name, call)
    return calls


# -- the world's own numbers -----------------------------------------------------------------


def test_the_account_comes_out_with_the_terminal_s_own_numbers(world: World) -> None:
    book = connected(world, login=5001, server="Broker-Live").read()
    accounts = book.accounts
    assert accounts.login.tolist() == [5001]
    assert (accounts.name[0], accounts.group[0], accounts.currency[0]) == ("Dana Rossi", "", "USD")
    assert (accounts.balance[0], accounts.equity[0], accounts.margin[0]) == (10e3, 10_039.5, 108.5)
    assert (accounts.so_mode[0], accounts.so_call[0], accounts.so_level[0]) == (0, 50.0, 30.0)
    assert np.isnan([accounts.prev_balance[0], accounts.prev_equity[0]]).all()
    assert (book.source, book.server, book.connected) == ("terminal", "Broker-Live", True)
    assert book.taken_at == NOON


def test_the_terminal_s_profit_includes_swap_and_the_book_s_does_not(world: World) -> None:
    book = connected(world).read()
    assert book.accounts.floating[0] == 39.5
    assert book.accounts.profit[0] == 40.0
    assert (book.positions.profit[0], book.positions.swap[0]) == (40.0, -0.5)
    assert book.accounts.equity[0] == book.accounts.balance[0] + book.accounts.floating[0]


def test_positions_have_a_side_lots_and_unknown_where_nothing_is_set(world: World) -> None:
    sold = {**world.terminal["positions"][0], "ticket": 700, "type": 1, "sl": 0.0, "tp": 1.05}
    world.terminal["positions"].append(sold)
    world.push()
    positions = connected(world).read().positions
    assert positions.ticket.tolist() == [700, 701]
    assert positions.side.tolist() == [-1, 1]
    assert np.array_equal(positions.sl, [NAN, 1.07], equal_nan=True)
    assert np.array_equal(positions.tp, [1.05, NAN], equal_nan=True)
    assert positions.rate.tolist() == [1.0, 1.0]


def test_no_positions_and_no_deals_are_an_empty_answer_and_no_error(world: World) -> None:
    world.terminal.update(positions=[], deals=[])
    world.push()
    book = connected(world).read()
    assert len(book.positions) == len(book.deals) == 0
    assert book.accounts.trade_count[0] == 0
    assert book.server_offset == 7200.0


def test_the_day_s_figures_count_closings_and_every_cost(world: World) -> None:
    book = connected(world).read()
    accounts = book.accounts
    assert (accounts.trades_today[0], accounts.lots_today[0]) == (1, 0.5)
    assert accounts.profit_today[0] == 27.5
    assert accounts.trade_count[0] == 1
    assert book.deals.ticket.tolist() == [2, 3]
    assert book.deals_since == SERVER_MIDNIGHT - DAY


def test_history_is_the_account_s_own_window(world: World) -> None:
    gateway = connected(world)
    assert gateway.history([5001]).ticket.tolist() == [1, 2, 3]
    assert len(gateway.history([5002])) == 0


# -- how the package wants to be called ----------------------------------------------------------


def test_keywords_without_a_value_are_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = watched(monkeypatch, "initialize")
    connected(world)
    connected(
        world,
        login=5001,
        server="Broker-Live",
        password=SecretStr("pw"),
        portable=True,
        connect_timeout=30.0,
    )
    assert calls[0] == ((PATH,), {"timeout": 60_000})
    assert calls[1] == (
        (PATH,),
        {
            "timeout": 30_000,
            "login": 5001,
            "server": "Broker-Live",
            "password": "pw",
            "portable": True,
        },
    )


def test_dates_go_positionally_as_server_time_to_a_day_ahead(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = watched(monkeypatch, "history_deals_get")
    connected(world, history_days=3).read()
    (first, last), keywords = calls[0]
    assert keywords == {}
    assert (type(first), type(last)) == (int, int)
    assert last == int(NOON) + 7200 + DAY
    assert first == SERVER_MIDNIGHT - 3 * DAY


def test_positions_are_asked_without_positional_arguments(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = watched(monkeypatch, "positions_get")
    connected(world).read()
    assert calls == [((), {})]


def test_deals_are_read_again_only_when_something_happened_or_after_seconds(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = watched(monkeypatch, "history_deals_get")
    gateway = connected(world)
    for _ in range(3):
        gateway.read()
    assert len(calls) == 1
    world.terminal["account"]["balance"] += 1.0
    world.push()
    gateway.read()
    assert len(calls) == 2
    world.wait(6.0)
    gateway.read()
    assert len(calls) == 3


def test_a_symbol_is_described_once_and_priced_every_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    described, priced = (
        watched(monkeypatch, "symbol_info"),
        watched(monkeypatch, "symbol_info_tick"),
    )
    gateway = connected(world)
    for _ in range(3):
        gateway.read()
    assert described == [(("EURUSD",), {})]
    assert priced == [(("EURUSD",), {})] * 3


def test_a_symbol_whose_description_failed_is_asked_for_again_soon(world: World) -> None:
    world.terminal["failing"] = "symbol_info"
    world.push()
    gateway = connected(world)
    assert np.isnan(gateway.read().symbols.contract[0])
    world.terminal["failing"] = None
    world.wait(UNKNOWN_EVERY)
    book = gateway.read()
    assert (book.symbols.contract[0], book.positions.rate[0]) == (100_000.0, 1.0)


def test_a_tick_that_failed_leaves_the_price_unknown_and_nothing_else(world: World) -> None:
    world.terminal["failing"] = "symbol_info_tick"
    world.push()
    book = connected(world).read()
    assert np.isnan([book.symbols.bid[0], book.symbols.ask[0]]).all()
    assert (book.server_offset, book.positions.price[0]) == (None, 1.085)


def test_deals_that_could_not_be_read_once_are_asked_for_again(world: World) -> None:
    gateway = connected(world)
    known = gateway.read().deals
    world.terminal["failing"] = "history_deals_get"
    world.wait(DEALS_EVERY)
    with pytest.raises(NotNow, match="read deals"):
        gateway.read()
    world.terminal["failing"] = None
    world.push()
    assert gateway.read().deals.ticket.tolist() == known.ticket.tolist()


# -- conversion ---------------------------------------------------------------------------------


def held(world: World, name: str, fields: dict[str, Any]) -> None:
    world.terminal["positions"][0]["symbol"] = name
    world.terminal["symbols"] = {name: fields}
    world.terminal["ticks"] = {}
    world.push()


@pytest.mark.parametrize("at", [0, 1])
def test_the_rate_of_a_published_symbol_follows_from_its_tick_value(world: World, at: int) -> None:
    fields = dict(examples("symbol_info")[at])
    name = fields.pop("name")
    held(world, name, fields)
    book = connected(world).read()
    expected = fields["trade_tick_value"] / (fields["trade_tick_size"] * 100_000)
    assert book.positions.rate[0] == pytest.approx(expected)
    assert (book.symbols.base, book.symbols.quote) == (("EUR",), (name[3:],))
    assert np.isnan(book.symbols.bid[0])


def test_a_symbol_the_terminal_does_not_know_has_no_rate(world: World) -> None:
    held(world, "EURUSD", {})
    world.terminal["symbols"] = {}
    world.push()
    book = connected(world).read()
    assert np.isnan(book.positions.rate[0])
    assert np.isnan(book.symbols.contract[0])
    assert book.symbols.digits[0] == 5


def test_a_foreign_rate_is_read_again_after_a_minute(world: World) -> None:
    fields = {
        "currency_base": "USD",
        "currency_profit": "JPY",
        "trade_contract_size": 1e5,
        "trade_tick_size": 1e-3,
        "trade_tick_value": 0.66,
    }
    held(world, "USDJPY", fields)
    gateway = connected(world)
    assert gateway.read().positions.rate[0] == pytest.approx(0.0066)
    fields["trade_tick_value"] = 0.70
    world.push()
    assert gateway.read().positions.rate[0] == pytest.approx(0.0066)
    world.wait(61.0)
    assert gateway.read().positions.rate[0] == pytest.approx(0.0070)


# -- the right account, always ----------------------------------------------------------------


@pytest.mark.parametrize("asked", [{"login": 5002}, {"server": "Other-Live"}])
def test_another_account_than_the_one_asked_for_is_refused(
    world: World, asked: dict[str, Any]
) -> None:
    with pytest.raises(FeedError, match="logged in to 5001@Broker-Live") as refused:
        connected(world, **asked)
    assert refused.value.cause == "wrong-account"


@pytest.mark.parametrize("asked", [{}, {"login": 5001, "server": "broker-live"}])
def test_an_account_switched_under_us_gives_not_one_number(
    world: World, asked: dict[str, Any]
) -> None:
    gateway = connected(world, **asked)
    gateway.read()
    world.terminal["account"]["login"] = 5002
    world.push()
    for call in (gateway.read, lambda: gateway.history([5001])):
        with pytest.raises(FeedError, match="5002@Broker-Live, expected 5001") as refused:
            call()
        assert refused.value.cause == "wrong-account"


def test_an_account_switched_while_positions_are_read_is_noticed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    import MetaTrader5

    gateway = connected(world)
    real = MetaTrader5.positions_get

    def switching() -> Any:
        shown = real()
        world.terminal["account"]["login"] = 5002
        world.push()
        return shown

    monkeypatch.setattr(MetaTrader5, "positions_get", switching)
    with pytest.raises(FeedError, match="5002"):
        gateway.read()


def test_a_terminal_without_a_login_is_not_an_account(world: World) -> None:
    world.terminal["account"]["login"] = 0
    world.push()
    with pytest.raises(FeedError, match="not logged in") as refused:
        connected(world)
    assert refused.value.cause == "authorisation"


def test_a_terminal_that_is_not_logged_in_yet_was_refused_by_nobody(world: World) -> None:
    """The pause after a refused login, and its count, are for a broker that locks accounts out."""
    gateway = connected(world, login=5001, password=SecretStr("right"))
    world.terminal["account"]["login"] = 0
    world.push()
    with pytest.raises(FeedError, match="not logged in to any account yet") as waited:
        gateway.read()
    assert waited.value.cause == "connection"


# -- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "  "])
def test_a_terminal_without_a_path_is_never_guessed(world: World, path: str) -> None:
    with pytest.raises(FeedError, match="MT5_PATH") as refused:
        connected(world, path=path)
    assert (refused.value.cause, refused.value.final) == ("configuration", True)


def test_a_missing_package_is_one_clear_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "MetaTrader5", None)
    with pytest.raises(FeedError, match="Windows only") as refused:
        connected(world)
    assert (refused.value.cause, refused.value.final) == ("missing-package", True)
    assert "\n" not in refused.value.text


@pytest.mark.parametrize(
    ("code", "cause", "help_"),
    [
        (-6, "authorisation", "broken terminal"),
        (-7, "authorisation", "one-time passwords"),
        (-10005, "connection", "Algo Trading button"),
        (-10003, "connection", "MT5_PATH"),
        (-10004, "connection", "not running"),
        (-5, "configuration", "Update the terminal"),
    ],
)
def test_a_failed_start_says_what_to_do(world: World, code: int, cause: str, help_: str) -> None:
    world.terminal["initialize"] = [code, "IPC says no"]
    world.push()
    with pytest.raises(FeedError, match=help_) as refused:
        connected(world, password=SecretStr("hush-hush"))
    assert refused.value.cause == cause
    assert "IPC says no" in refused.value.text
    assert "hush-hush" not in refused.value.text


def test_a_wrong_password_is_an_authorisation_matter(world: World) -> None:
    world.terminal["password"] = "right"
    world.push()
    with pytest.raises(FeedError, match="Authorization failed") as refused:
        connected(world, login=5001, password=SecretStr("wrong"))
    assert refused.value.cause == "authorisation"


def test_a_terminal_that_dies_is_a_connection_matter(world: World) -> None:
    gateway = connected(world)
    gateway.read()
    world.terminal["broken_pipe"] = True
    world.push()
    for text in ("IPC send failed", "No IPC connection"):
        with pytest.raises(FeedError, match=text) as refused:
            gateway.read()
        assert refused.value.cause == "connection"


@pytest.mark.parametrize("call", ["terminal_info", "positions_get", "account_info"])
def test_a_call_that_fails_once_is_asked_again_and_one_that_fails_twice_is_over(
    world: World, call: str
) -> None:
    gateway = connected(world)
    for _ in range(2):
        gateway.read()
        world.terminal["failing"] = call
        world.push()
        with pytest.raises(NotNow, match=r"Call failed \(-1\)"):
            gateway.read()
        world.terminal["failing"] = None
        world.push()
    assert gateway.read().connected
    world.terminal["failing"] = call
    world.push()
    with pytest.raises(NotNow):
        gateway.read()
    with pytest.raises(FeedError, match="Call failed") as over:
        gateway.read()
    assert not isinstance(over.value, NotNow), "its process ends, and a new one connects"
    assert over.value.cause == "connection"


def test_numbers_of_a_terminal_without_its_broker_are_stale(world: World) -> None:
    gateway = connected(world)
    assert gateway.read().connected
    world.terminal["terminal"]["connected"] = False
    world.push()
    book = gateway.read()
    assert not book.connected
    assert book.accounts.equity[0] == 10_039.5


def test_figures_without_the_broker_are_as_old_as_the_last_ones_with_it(world: World) -> None:
    gateway = connected(world)
    world.wait(10.0)
    linked_at = gateway.read().taken_at
    world.terminal["terminal"]["connected"] = False
    for _ in range(2):
        world.wait(60.0)
        assert gateway.read().taken_at == linked_at
    world.terminal["terminal"]["connected"] = True
    world.wait(1.0)
    assert gateway.read().taken_at == world.now == linked_at + 121.0


def test_close_never_raises(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    unopened(world).close()
    gateway = connected(world)
    import MetaTrader5

    def broken() -> bool:
        raise SystemError

    monkeypatch.setattr(MetaTrader5, "shutdown", broken)
    gateway.close()
    gateway.close()


def test_hostile_text_becomes_text_every_encoder_takes(world: World) -> None:
    world.terminal["account"]["name"] = "half \ud83d of a pair [/red]"
    world.terminal["deals"][1]["symbol"] = "EUR\udc00USD"
    world.terminal["positions"][0]["symbol"] = "\ud800"
    world.push()
    book = connected(world).read()
    for text in (*book.accounts.name, *book.deals.symbol, *book.symbols.name):
        assert text.encode("utf-8")


# -- the server's clock -------------------------------------------------------------------------

SATURDAY = float(timegm((2026, 3, 14, 6, 54, 57)))
FRIDAY_CLOSE = float(timegm((2026, 3, 13, 23, 54, 57)))


@pytest.mark.parametrize("offset", [7200, 10_800, 0, -18_000, 20_700])
def test_the_newest_tick_tells_the_offset_to_the_quarter_hour(offset: int) -> None:
    assert server_offset(NOON + offset - 8.0, NOON, moved=False) == offset


def test_a_tick_of_unknown_age_tells_nothing() -> None:
    assert server_offset(0.0, NOON, moved=False) is None
    assert server_offset(NOON - 3 * DAY, NOON, moved=True) is None
    assert server_offset(NOON + 7200 - 400.0, NOON, moved=False) is None
    assert server_offset(FRIDAY_CLOSE, SATURDAY, moved=False) is None


def test_a_tick_that_moves_on_a_weekend_is_believed() -> None:
    assert server_offset(SATURDAY + 7200 - 1, SATURDAY, moved=True) == 7200


@pytest.mark.parametrize(
    ("closed", "now"),
    [
        ((2026, 12, 31, 23, 59, 58), (2026, 12, 31, 23, 59, 30)),
        ((2026, 12, 31, 23, 59, 58), (2027, 1, 1, 9, 0, 10)),
        ((2030, 12, 24, 21, 44, 57), (2030, 12, 24, 20, 0, 0)),
        ((2030, 12, 24, 23, 59, 58), (2030, 12, 25, 7, 30, 5)),
    ],
)
def test_a_holiday_is_no_trading_day(closed: tuple[int, ...], now: tuple[int, ...]) -> None:
    assert server_offset(float(timegm(closed)), float(timegm(now)), moved=False) is None
    ticking = float(timegm(now)) + 7200
    assert server_offset(ticking, float(timegm(now)), moved=True) == 7200


@pytest.mark.parametrize("before", [(12, 24, 17), (12, 26, 0), (12, 31, 17), (1, 2, 0)])
def test_the_days_around_a_holiday_are_trading_days(before: tuple[int, int, int]) -> None:
    year = 2025 if before[0] == 1 else 2024  # Thursdays and Tuesdays
    now = float(timegm((year, *before, 30, 0)))
    assert server_offset(now + 7200 - 8, now, moved=False) == 7200


def holding(world: World, symbol: str, *, stands_since: float) -> None:
    """Have one position, in a symbol whose last tick came so many seconds ago."""
    at = int(world.now + 7200 - stands_since)
    world.terminal["positions"][0]["symbol"] = symbol
    world.terminal["symbols"][symbol] = dict(world.terminal["symbols"]["EURUSD"])
    world.terminal["ticks"][symbol] = {"bid": 99.0, "ask": 99.5, "time": at, "time_msc": at * 1000}
    world.push()


@pytest.mark.parametrize("stands_since", [15 * 60.0, 3600.0, 10 * 3600.0 + 20])
def test_a_symbol_that_is_closed_does_not_tell_the_clock_where_another_does(
    world: World, stands_since: float
) -> None:
    """Ten hours without a tick would have been taken for a server at UTC-8."""
    holding(world, "US500", stands_since=stands_since)
    gateway = connected(world)
    assert gateway.read().server_offset == 7200.0
    assert gateway.read().symbols.name == ("US500",)


def test_a_clock_that_only_a_closed_symbol_could_tell_is_unknown_until_it_ticks(
    world: World,
) -> None:
    del world.terminal["ticks"]["EURUSD"]
    holding(world, "US500", stands_since=10 * 3600.0)
    gateway = connected(world)
    assert gateway.read().server_offset is None
    world.wait(5.0)
    assert gateway.read().server_offset is None
    holding(world, "US500", stands_since=0.0)
    assert gateway.read().server_offset == 7200.0


@pytest.mark.parametrize("name", ["EURUSD.pro", "GBPUSDm"])
def test_a_symbol_quoted_day_and_night_tells_the_clock_at_once_whatever_its_suffix(
    world: World, name: str
) -> None:
    del world.terminal["ticks"]["EURUSD"]
    holding(world, name, stands_since=2.0)
    assert connected(world).read().server_offset == 7200.0


def test_the_offset_stays_known_when_ticks_stop(world: World) -> None:
    gateway = connected(world)
    assert gateway.read().server_offset == 7200.0
    world.wait(3 * DAY)
    assert gateway.read().server_offset == 7200.0


def test_without_any_tick_the_offset_is_unknown(world: World) -> None:
    world.terminal["ticks"] = {}
    world.push()
    book = connected(world).read()
    assert book.server_offset is None
    assert np.isnan(book.symbols.bid).all()


# -- identity -----------------------------------------------------------------------------------


def test_a_quiet_cycle_gives_the_same_objects_and_a_moved_price_only_new_prices(
    world: World,
) -> None:
    gateway = connected(world)
    first, second = gateway.read(), gateway.read()
    for table in ("accounts", "positions", "symbols", "deals"):
        assert getattr(first, table) is getattr(second, table)
    world.terminal["ticks"]["EURUSD"]["bid"] = 1.0851
    world.push()
    third = gateway.read()
    assert third.symbols.bid is not second.symbols.bid
    assert third.symbols.contract is second.symbols.contract
    assert third.accounts is second.accounts


# -- real outputs -------------------------------------------------------------------------------


def test_the_published_accounts_come_out_right(world: World) -> None:
    for published in examples("account_info"):
        world.terminal["account"] = published
        world.terminal["positions"] = []
        world.push()
        accounts = connected(world).read().accounts
        assert accounts.login[0] == published["login"]
        assert accounts.floating[0] == published["profit"]
        assert accounts.equity[0] == published["equity"]
        total = accounts.balance[0] + accounts.credit[0] + accounts.floating[0]
        assert total == pytest.approx(published["equity"], abs=0.05)
        assert accounts.margin_level[0] == published["margin_level"]


def test_the_published_positions_come_out_right(world: World) -> None:
    sold = examples("position")[0]
    rows = [{**row, "time": 1} for row in examples("positions_table")[0]]
    world.terminal["positions"] = [sold, *rows]
    world.push()
    positions = connected(world).read().positions
    assert positions.ticket.tolist() == sorted(row["ticket"] for row in (sold, *rows))
    at = positions.ticket.tolist().index(1468454363)
    assert (positions.side[at], positions.lots[at], positions.profit[at]) == (-1, 0.01, 6.24)
    assert (positions.swap[at], positions.opened[at]) == (-0.01, 1664217233)
    assert np.isnan(positions.sl[at])
    assert positions.side.tolist().count(1) == 4


def test_the_published_deals_come_out_right(world: World) -> None:
    world.terminal["deals"] = examples("deals")[0]
    world.terminal["positions"] = []
    last = 1664217233
    world.now = float(last - 7200)
    world.terminal["clock"] = world.now
    world.terminal["ticks"] = {"EURUSD": {"bid": 0.9, "ask": 0.9, "time": last,
                                          "time_msc": last * 1000}}  # fmt: skip
    world.push()
    book = connected(world, history_days=3_000).read()
    assert book.accounts.trade_count[0] == 5
    assert book.accounts.trades_today[0] == 1
    assert book.accounts.profit_today[0] == -0.56
    deals = connected(world, history_days=3_000).history([5001])
    assert (deals.type[0], deals.profit[0], deals.symbol[0]) == (2, 10_000.0, "")
    assert len(deals) == 12


def test_the_published_terminal_state_and_tick_come_out_right(world: World) -> None:
    world.terminal["terminal"] = examples("terminal_info")[0]
    world.terminal["ticks"] = {"EURUSD": examples("tick")[0]}
    world.push()
    book = connected(world).read()
    assert book.connected
    assert (book.symbols.bid[0], book.symbols.ask[0]) == (1.17264, 1.17279)
    assert book.server_offset is None


def test_the_published_errors_become_causes(world: World) -> None:
    seen = [row for row in examples("error") if row["returned"] is False]
    assert seen
    for error in seen:
        world.terminal["initialize"] = error["last_error"]
        world.push()
        with pytest.raises(FeedError) as refused:
            connected(world)
        expected = "authorisation" if error["last_error"][0] == -6 else "connection"
        assert refused.value.cause == expected


def test_a_spec_says_nothing_of_its_password() -> None:
    spec = TerminalSpec(PATH, 5001, "Broker-Live", SecretStr("hush-hush"))
    assert "hush-hush" not in repr(SimpleNamespace(spec=spec))
