"""A stand-in for MetaTrader5 5.0.6231, as faithful as what is known of it.

What it cannot imitate it does not offer: `order_send` (its traps need a C calling convention) and
the bars and ticks. The world it shows is `fake_world.world("terminal")`.
"""

from __future__ import annotations

import time as _time
from collections.abc import Iterable as _Iterable
from datetime import datetime as _datetime
from typing import Any as _Any

import fake_world as _fake

RES_S_OK = 1
RES_E_FAIL = -1
RES_E_INVALID_PARAMS = -2
RES_E_NOT_FOUND = -4
RES_E_INVALID_VERSION = -5
RES_E_AUTH_FAILED = -6
RES_E_UNSUPPORTED = -7
RES_E_INTERNAL_FAIL_SEND = -10001
RES_E_INTERNAL_FAIL_RECEIVE = -10002
RES_E_INTERNAL_FAIL_INIT = -10003
RES_E_INTERNAL_FAIL_CONNECT = -10004
RES_E_INTERNAL_FAIL_TIMEOUT = -10005

_KEYWORDS = {
    "initialize": ("login", "password", "path", "portable", "server", "timeout"),
    "positions_get": ("group", "symbol", "ticket"),
    "symbols_get": ("group",),
    "history_deals_get": ("group", "position", "ticket"),
}
"""Keywords the binary reads; every other one is ignored without a word."""


class _Struct(tuple):  # type: ignore[type-arg]
    """A PyStructSequence: tuple, read-only attributes, `_asdict`; no `_fields`, no pickle."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def _asdict(self) -> dict[str, _Any]:
        return dict(zip(self.__match_args__, self, strict=True))


def _struct(name: str, fields: str) -> tuple[type[_Struct], dict[str, _Any]]:
    kinds = {"i": 0, "f": 0.0, "b": False, "s": ""}
    blank = {field[:-2]: kinds[field[-1]] for field in fields.split()}
    members: dict[str, _Any] = {
        field: property(lambda self, at=at: self[at]) for at, field in enumerate(blank)
    }
    members |= {"__slots__": (), "__match_args__": tuple(blank), "__module__": "builtins"}
    return type(name, (_Struct,), members), blank


def _made(kind: tuple[type[_Struct], dict[str, _Any]], given: dict[str, _Any]) -> _Struct:
    cls, blank = kind
    wrong = given.keys() - blank.keys()
    if wrong:
        raise ValueError(f"{cls.__name__} has no {sorted(wrong)}")
    return cls(type(blank[name])(given.get(name, blank[name])) for name in blank)


_ACCOUNT = _struct("AccountInfo", """
login:i trade_mode:i leverage:i limit_orders:i margin_so_mode:i trade_allowed:b trade_expert:b
margin_mode:i currency_digits:i fifo_close:b balance:f credit:f profit:f equity:f margin:f
margin_free:f margin_level:f margin_so_call:f margin_so_so:f margin_initial:f
margin_maintenance:f assets:f liabilities:f commission_blocked:f name:s server:s currency:s
company:s""")  # fmt: skip
_TERMINAL = _struct("TerminalInfo", """
community_account:b community_connection:b connected:b dlls_allowed:b trade_allowed:b
tradeapi_disabled:b email_enabled:b ftp_enabled:b notifications_enabled:b mqid:b build:i
maxbars:i codepage:i ping_last:i community_balance:f retransmission:f company:s name:s
language:s path:s data_path:s commondata_path:s""")  # fmt: skip
_POSITION = _struct("TradePosition", """
ticket:i time:i time_msc:i time_update:i time_update_msc:i type:i magic:i identifier:i reason:i
volume:f price_open:f sl:f tp:f price_current:f swap:f profit:f symbol:s comment:s
external_id:s""")  # fmt: skip
_DEAL = _struct("TradeDeal", """
ticket:i order:i time:i time_msc:i type:i entry:i magic:i position_id:i reason:i volume:f price:f
commission:f swap:f profit:f fee:f symbol:s comment:s external_id:s""")  # fmt: skip
_SYMBOL = _struct("SymbolInfo", """
custom:b chart_mode:i select:b visible:b session_deals:i session_buy_orders:i
session_sell_orders:i volume:i volumehigh:i volumelow:i time:i digits:i spread:i spread_float:b
ticks_bookdepth:i trade_calc_mode:i trade_mode:i start_time:i expiration_time:i
trade_stops_level:i trade_freeze_level:i trade_exemode:i swap_mode:i swap_rollover3days:i
margin_hedged_use_leg:b expiration_mode:i filling_mode:i order_mode:i order_gtc_mode:i
option_mode:i option_right:i bid:f bidhigh:f bidlow:f ask:f askhigh:f asklow:f last:f lasthigh:f
lastlow:f volume_real:f volumehigh_real:f volumelow_real:f option_strike:f point:f
trade_tick_value:f trade_tick_value_profit:f trade_tick_value_loss:f trade_tick_size:f
trade_contract_size:f trade_accrued_interest:f trade_face_value:f trade_liquidity_rate:f
volume_min:f volume_max:f volume_step:f volume_limit:f swap_long:f swap_short:f margin_initial:f
margin_maintenance:f session_volume:f session_turnover:f session_interest:f
session_buy_orders_volume:f session_sell_orders_volume:f session_open:f session_close:f
session_aw:f session_price_settlement:f session_price_limit_min:f session_price_limit_max:f
margin_hedged:f price_change:f price_volatility:f price_theoretical:f price_greeks_delta:f
price_greeks_theta:f price_greeks_gamma:f price_greeks_vega:f price_greeks_rho:f
price_greeks_omega:f price_sensitivity:f basis:s category:s currency_base:s currency_profit:s
currency_margin:s bank:s description:s exchange:s formula:s isin:s name:s page:s
path:s""")  # fmt: skip
_TICK = _struct("Tick", """
time:i bid:f ask:f last:f volume:i time_msc:i flags:i volume_real:f""")  # fmt: skip

AccountInfo, TerminalInfo, TradePosition = _ACCOUNT[0], _TERMINAL[0], _POSITION[0]
TradeDeal, SymbolInfo, Tick = _DEAL[0], _SYMBOL[0], _TICK[0]

_state: dict[str, _Any] = {"open": False, "error": (0, ""), "path": "", "login": None}
_NO_CONNECTION = (-10004, "No IPC connection")
_OLD = (-5, "Terminal: Incompatible versions, please install the latest version of Terminal"
        " and Python module")  # fmt: skip


def _set(code: int, text: str) -> None:
    _state["error"] = (code, text)


def _answering(call: str) -> dict[str, _Any] | None:
    """The world, unless it says that this call fails."""
    shown = _world()
    if shown is not None and shown["failing"] == call:
        _set(RES_E_FAIL, "Terminal: Call failed")
        return None
    return shown


def _world(lost: tuple[int, str] = _NO_CONNECTION) -> dict[str, _Any] | None:
    """The world if the pipe is open, with the error set either way."""
    if not _state["open"]:
        _set(*lost)
        return None
    shown = _fake.terminal(_state["path"], _state["login"])
    _fake.misbehave(shown, holding_the_gil=True)
    if shown["broken_pipe"]:
        _state["open"] = False
        _set(-10001, "IPC send failed")
        return None
    _set(1, "Success")
    return shown


def _utc(shown: dict[str, _Any]) -> float:
    return float(shown["clock"] if shown["clock"] is not None else _time.time())


def last_error() -> tuple[int, str]:
    error: tuple[int, str] = _state["error"]
    return error


def initialize(*args: _Any, **kwargs: _Any) -> bool:
    known = {name: kwargs[name] for name in _KEYWORDS["initialize"] if name in kwargs}
    if len(args) > 1:
        _set(-2, "Invalid arguments")
        return False
    types = {"login": int, "timeout": int, "password": str, "server": str, "path": str}
    for name, kind in types.items():
        if name in known and not isinstance(known[name], kind):
            _set(-2, f'Invalid "{name}" argument')
            return False
    path = args[0] if args else known.get("path")
    login = known.get("login")
    shown = _fake.terminal(path or "", login)
    if shown["crash"]:
        _fake.misbehave(shown, holding_the_gil=True)
    if shown["initialize_seconds"]:
        _fake.block(shown["initialize_seconds"], holding_the_gil=True)
    if shown["initialize"]:
        _set(*shown["initialize"])
        return False
    if path is None and shown["path"] is not None:
        _set(-10003, "IPC initialize failed, MetaTrader 5 x64 not found")
        return False
    if shown["path"] is not None and path.lower() != shown["path"].lower():
        _set(-10003, f"IPC initialize failed, Process create failed '{path}'")
        return False
    strange = shown["accounts"] and login is not None and str(login) not in shown["accounts"]
    if strange or (
        shown["password"] is not None
        and known.get("password", shown["password"]) != shown["password"]
    ):
        _set(-6, "Terminal: Authorization failed")
        return False
    _state.update(open=True, path=path or "", login=login)
    _set(1, "Success")
    return True


def shutdown() -> bool:
    _state["open"] = False
    _set(1, "Success")
    return True


def version() -> tuple[int, int, str]:
    shown = _world()
    return (0, 0, "") if shown is None else (500, shown["terminal"]["build"], "1 Nov 2026")


def terminal_info() -> _Any:
    shown = _answering("terminal_info")
    return None if shown is None else _made(_TERMINAL, shown["terminal"])


def account_info() -> _Any:
    shown = _answering("account_info")
    return None if shown is None else _made(_ACCOUNT, shown["account"])


def _all(kind: _Any, rows: _Iterable[dict[str, _Any]]) -> tuple[_Struct, ...]:
    return tuple(_made(kind, row) for row in rows)


def positions_total() -> _Any:
    shown = _world()
    return None if shown is None else len(shown["positions"])


def positions_get(*args: _Any, **kwargs: _Any) -> _Any:
    if args:
        _set(-2, "Unnamed arguments not allowed")
        return None
    shown = _answering("positions_get")
    if shown is None:
        return None
    rows = [
        row
        for row in shown["positions"]
        if kwargs.get("symbol", row["symbol"]) == row["symbol"]
        and kwargs.get("ticket", row["ticket"]) == row["ticket"]
    ]
    return _all(_POSITION, rows)


def _date(value: _Any) -> float | None:
    """Server seconds of a date argument, None where the binary rejects its type."""
    if type(value) is int and value >= 2**31:
        raise SystemError("<built-in function> returned a result with an exception set")
    if type(value) in (int, float):
        return float(value)
    return value.timestamp() if isinstance(value, _datetime) else None


def history_deals_get(*args: _Any, **kwargs: _Any) -> _Any:
    dates = [_date(value) for value in args]
    by_id = [name for name in ("ticket", "position") if name in kwargs]
    if None in dates or len(dates) not in (0, 2) or (not dates and len(by_id) != 1):
        _set(-2, "Invalid arguments")
        return None
    shown = _answering("history_deals_get")
    if shown is None:
        return None
    rows = shown["deals"]
    if dates:
        first, last = dates
        assert first is not None
        assert last is not None
        return _all(_DEAL, (row for row in rows if first <= row["time"] <= last))
    field = "order" if by_id == ["ticket"] else "position_id"
    return _all(_DEAL, (row for row in rows if row.get(field, 0) == kwargs[by_id[0]]))


def history_deals_total(date_from: _Any, date_to: _Any, /) -> _Any:
    found = history_deals_get(date_from, date_to)
    return None if found is None else len(found)


def symbols_total() -> _Any:
    shown = _world(_OLD)
    return None if shown is None else len(shown["symbols"])


def symbols_get(*args: _Any, **_kwargs: _Any) -> _Any:
    if args:
        _set(-2, "Unnamed arguments not allowed")
        return None
    shown = _world(_OLD)
    if shown is None:
        return None
    return _all(_SYMBOL, ({"name": name, **row} for name, row in shown["symbols"].items()))


def _named(call: str, symbol: _Any) -> dict[str, _Any] | None:
    if not isinstance(symbol, str) or len(symbol) > 29:
        _set(-2, "Invalid arguments")
        return None
    shown = _answering(call)
    if shown is not None and symbol not in shown["symbols"]:
        _set(-4, "Terminal: Not found")
        return None
    return shown


def symbol_info(symbol: _Any, /) -> _Any:
    shown = _named("symbol_info", symbol)
    if shown is None:
        return None
    return _made(_SYMBOL, {"name": symbol, **shown["symbols"][symbol]})


def symbol_info_tick(symbol: _Any, /) -> _Any:
    shown = _named("symbol_info_tick", symbol)
    if shown is None:
        return None
    if symbol not in shown["ticks"]:
        _set(-4, "Terminal: Not found")
        return None
    tick = shown["ticks"][symbol]
    if "time_msc" not in tick:
        now = _utc(shown) + shown["offset"]
        tick = {**tick, "time": int(now), "time_msc": int(now * 1000)}
    return _made(_TICK, tick)


def symbol_select(symbol: _Any, enable: bool = True, /) -> bool:
    del enable
    return _named("symbol_select", symbol) is not None
