"""A stand-in for MT5Manager 5.0.6231, as faithful as what is known of it.

Read-only: it offers what a monitor may call. The world it shows is `fake_world.world("manager")`;
when its file changes, the sinks hear of it on a thread of their own during the next call.
"""

from __future__ import annotations

import copy as _copy
import enum as _enum
import fnmatch as _fnmatch
import os as _os
import threading as _threading
import time as _time
from typing import Any as _Any

import fake_world as _fake
import numpy as _np  # noqa: ICN001  # a fake shows no public names of its own

_work_path = _os.getcwd()  # noqa: PTH109  # as the package does, at import


class _Retcode(_enum.IntFlag):
    MT_RET_OK = 0
    MT_RET_OK_NONE = 1
    MT_RET_ERROR = 2
    MT_RET_ERR_PARAMS = 3
    MT_RET_ERR_NETWORK = 7
    MT_RET_ERR_PERMISSIONS = 8
    MT_RET_ERR_TIMEOUT = 9
    MT_RET_ERR_CONNECTION = 10
    MT_RET_ERR_NOTFOUND = 13
    MT_RET_AUTH_ACCOUNT_INVALID = 1001
    MT_RET_ERR_DEADLOCK = 12003


_state: dict[str, _Any] = {"error": (0, _Retcode.MT_RET_OK, "Done"), "in_sink": set()}


def _fail(code: int, retcode: int, text: str) -> bool:
    _state["error"] = (code, _Retcode(retcode), text)
    return False


def LastError() -> tuple[int, _Any, str]:
    error: tuple[int, _Any, str] = _state["error"]
    return error


if _fake.world("manager")["dll_missing"]:
    _fail(-1, 2, "Failed to initialize ManagerAPI library")


class _Record:
    """A copy of a server record; a field never given is its type's zero."""

    __slots__ = ()
    _blank: dict[str, _Any] = {}  # noqa: RUF012

    def __init__(self, manager: ManagerAPI) -> None:
        if not isinstance(manager, ManagerAPI):
            raise TypeError("a record needs the manager")
        for name, value in self._blank.items():
            setattr(self, name, value)


def _record(name: str, fields: str) -> type[_Record]:
    kinds = {"i": 0, "f": 0.0, "s": ""}
    blank = {field[:-2]: kinds[field[-1]] for field in fields.split()}
    return type(name, (_Record,), {"__slots__": tuple(blank), "_blank": blank})


MTAccount = _record("MTAccount", """
Assets:f Balance:f BlockedCommission:f BlockedProfit:f Credit:f CurrencyDigits:i Equity:f
Floating:f Liabilities:f Login:i Margin:f MarginFree:f MarginInitial:f MarginLevel:f
MarginLeverage:i MarginMaintenance:f ObsoleteValue:f Profit:f SOActivation:i SOEquity:f SOLevel:f
SOMargin:f SOTime:i Storage:f""")  # fmt: skip
MTUser = _record("MTUser", """
Account:s Address:s Agent:i Balance:f BalancePrevDay:f BalancePrevMonth:f CertSerialNumber:i City:s
ClientID:i Color:i Comment:s Company:s Country:s Credit:f EMail:s EquityPrevDay:f
EquityPrevMonth:f FirstName:s Group:s ID:s LastAccess:i LastIP:s LastName:s LastPassChange:i
Leverage:i LimitOrders:i Login:i MQID:s Name:s OTPSecret:s Phone:s PhonePassword:s Registration:i
Rights:i State:s Status:s ZIPCode:s""")  # fmt: skip
MTConGroup = _record("MTConGroup", """
Company:s Currency:s CurrencyDigits:i Group:s MarginCall:f MarginMode:i MarginSOMode:i
MarginStopOut:f ReportsMode:i ReportsSMTPPass:s Server:i TradeFlags:i""")  # fmt: skip
MTConSymbol = _record("MTConSymbol", """
CalcMode:i ContractSize:f CurrencyBase:s CurrencyMargin:s CurrencyProfit:s Description:s Digits:i
Path:s Point:f Symbol:s TickSize:f TickValue:f TradeMode:i""")  # fmt: skip
MTTickShort = _record("MTTickShort", """
ask:f bid:f datetime:i datetime_msc:i flags:i last:f volume:i volume_ext:i""")  # fmt: skip
MTDeal = _record("MTDeal", """
Action:i Comment:s Commission:f ContractSize:f Deal:i Dealer:i Digits:i DigitsCurrency:i Entry:i
ExpertID:i ExternalID:s Fee:f Flags:i Gateway:s Login:i ObsoleteValue:f Order:i PositionID:i
Price:f PricePosition:f PriceSL:f PriceTP:f Profit:f ProfitRaw:f RateMargin:f RateProfit:f
Reason:i Storage:f Symbol:s TickSize:f TickValue:f Time:i TimeMsc:i Value:f Volume:i
VolumeClosed:i VolumeClosedExt:i VolumeExt:i""")  # fmt: skip

_TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "MTPosition": (
        ("Login", "u8"), ("Symbol", "S128"), ("Action", "u4"), ("DigitsCurrency", "u4"),
        ("Digits", "u4"), ("ContractSize", "f8"), ("TimeCreate", "i8"), ("TimeUpdate", "i8"),
        ("PriceOpen", "f8"), ("PriceCurrent", "f8"), ("PriceSL", "f8"), ("PriceTP", "f8"),
        ("Volume", "u8"), ("Profit", "f8"), ("Storage", "f8"), ("RateProfit", "f8"),
        ("RateMargin", "f8"), ("Comment", "S128"), ("Position", "u8"), ("VolumeExt", "u8"),
    ),
    "MTUser": (
        ("Login", "u8"), ("Group", "S256"), ("Rights", "u8"), ("Name", "S512"),
        ("Leverage", "u4"), ("Balance", "f8"), ("Credit", "f8"), ("BalancePrevDay", "f8"),
        ("EquityPrevDay", "f8"),
    ),
}  # fmt: skip

_SINKS: dict[str, tuple[str, ...]] = {
    "Subscribe": ("OnConnect", "OnDisconnect"),
    "UserSubscribe": ("OnUserAdd", "OnUserUpdate", "OnUserDelete", "OnUserSync",
                      "OnUserChangePassword"),
    "GroupSubscribe": ("OnGroupAdd", "OnGroupUpdate", "OnGroupDelete", "OnGroupSync"),
    "SymbolSubscribe": ("OnSymbolAdd", "OnSymbolUpdate", "OnSymbolDelete", "OnSymbolSync"),
    "DealSubscribe": ("OnDealAdd", "OnDealUpdate", "OnDealDelete", "OnDealClean", "OnDealSync"),
    "PositionSubscribe": ("OnPositionAdd", "OnPositionUpdate", "OnPositionDelete",
                          "OnPositionClean", "OnPositionSync"),
}  # fmt: skip

_PUMPED = {
    "UserSubscribe": 1, "DealSubscribe": 8 | 128, "PositionSubscribe": 128, "GroupSubscribe": 256,
    "SymbolSubscribe": 512,
}  # fmt: skip
"""Pumps without which the sinks hear nothing."""

_KEYS = {"users": "Login", "groups": "Group", "symbols": "Symbol", "deals": "Deal"}
_NAMES = {"users": "User", "groups": "Group", "symbols": "Symbol", "deals": "Deal"}


def _matches(mask: str, group: str) -> bool:
    parts = [part.strip() for part in mask.split(",")]
    hit = any(_fnmatch.fnmatchcase(group, p.replace("[", "[[]")) for p in parts if p[0] != "!")
    return hit and not any(_fnmatch.fnmatchcase(group, p[1:]) for p in parts if p[0] == "!")


class ManagerAPI:
    """The manager's side of a server. Methods return False for every failure."""

    def __new__(cls) -> ManagerAPI:
        if _fake.world("manager")["dll_missing"]:
            raise SystemError(f"{cls!r} returned NULL without setting an exception")
        return super().__new__(cls)

    def __init__(self) -> None:
        self._pump = 0
        self._selected: set[str] = set()
        self._shown: _Any = None
        self._stored: _Any = None
        self._heard: dict[str, list[tuple[_Any, dict[str, _Any]]]] = {}

    # -- connection -------------------------------------------------------------------------

    def Connect(
        self,
        server: _Any,
        login: _Any,
        password: _Any,
        pump_mode: _Any = 2**64 - 1,
        timeout: _Any = 2**32 - 1,
        /,
    ) -> bool:
        shown = _fake.world("manager")
        kinds = ((server, str), (login, int), (password, str), (pump_mode, int), (timeout, int))
        if not all(isinstance(value, kind) for value, kind in kinds):
            return _fail(-2, 2, "Invalid arguments")
        _fake.misbehave(shown, holding_the_gil=False)
        _fake.block(min(shown["connect_seconds"], timeout / 1000), holding_the_gil=False)
        if shown["connect_seconds"] * 1000 > timeout:
            return _fail(-1, 9, "Operation timeout")
        if shown["connect"]:
            retcode, text = shown["connect"]
            return _fail(-1, retcode, text)
        if (login, password) != (shown["login"], shown["password"]):
            return _fail(-1, 1001, "Invalid account")
        self._pump = pump_mode
        self._shown, self._stored = shown, _copy.deepcopy(shown)
        self._tell([("Subscribe", "OnConnect", ()), ("PositionSubscribe", "OnPositionSync", ())])
        return True

    def Disconnect(self) -> bool:
        self._shown = None
        return True

    def _subscribe(self, what: str, sink: _Any) -> bool:
        found = {name: getattr(sink, name) for name in _SINKS[what] if hasattr(sink, name)}
        if not found:
            return _fail(-2, 2, "No valid method for subscribtion")
        self._heard.setdefault(what, []).append((sink, found))
        return True

    def _unsubscribe(self, what: str, sink: _Any) -> bool:
        known = self._heard.get(what, [])
        left = [entry for entry in known if entry[0] is not sink]
        self._heard[what] = left
        return len(left) < len(known) or _fail(-1, 13, "Not found")

    def Subscribe(self, sink: _Any, /) -> bool:
        return self._subscribe("Subscribe", sink)

    def Unsubscribe(self, sink: _Any, /) -> bool:
        return self._unsubscribe("Subscribe", sink)

    def UserSubscribe(self, sink: _Any, /) -> bool:
        return self._subscribe("UserSubscribe", sink)

    def UserUnsubscribe(self, sink: _Any, /) -> bool:
        return self._unsubscribe("UserSubscribe", sink)

    def GroupSubscribe(self, sink: _Any, /) -> bool:
        return self._subscribe("GroupSubscribe", sink)

    def GroupUnsubscribe(self, sink: _Any, /) -> bool:
        return self._unsubscribe("GroupSubscribe", sink)

    def SymbolSubscribe(self, sink: _Any, /) -> bool:
        return self._subscribe("SymbolSubscribe", sink)

    def SymbolUnsubscribe(self, sink: _Any, /) -> bool:
        return self._unsubscribe("SymbolSubscribe", sink)

    def DealSubscribe(self, sink: _Any, /) -> bool:
        return self._subscribe("DealSubscribe", sink)

    def DealUnsubscribe(self, sink: _Any, /) -> bool:
        return self._unsubscribe("DealSubscribe", sink)

    def PositionSubscribe(self, sink: _Any, /) -> bool:
        return self._subscribe("PositionSubscribe", sink)

    def PositionUnsubscribe(self, sink: _Any, /) -> bool:
        return self._unsubscribe("PositionSubscribe", sink)

    # -- what the world became, told on a thread of MT5's own --------------------------------

    def _tell(self, events: list[tuple[str, str, tuple[_Any, ...]]]) -> None:
        def run() -> None:
            _state["in_sink"].add(_threading.get_ident())
            for what, name, arguments in events:
                if self._pump & _PUMPED.get(what, 0) != _PUMPED.get(what, 0):
                    continue
                for _, methods in self._heard.get(what, []):
                    if name in methods:
                        self._call(name, methods[name], arguments)
            _state["in_sink"].discard(_threading.get_ident())

        thread = _threading.Thread(target=run, name="MT5-API")
        thread.start()
        thread.join()

    @staticmethod
    def _call(name: str, method: _Any, arguments: tuple[_Any, ...]) -> None:
        try:
            method(*arguments)
        except Exception:  # noqa: BLE001  # swallowed, as the package does
            _fail(-9, 2, f'Problem with method "{name}" call')

    def _world(self, method: str, *, network: bool = False, pump: int = 0) -> _Any:
        """The world for one call, or None with LastError set. Hears of changes first."""
        if self._shown is None:
            _fail(-1, 10, "No connection")
            return None
        new = _fake.world("manager")
        _fake.misbehave(new, holding_the_gil=False)
        old = self._shown
        if new is not old:
            if new["linked"]:
                before, self._stored = self._stored, _copy.deepcopy(new)
                events = self._changes(before, new)
            else:
                events = []
            self._shown = new
            if old["linked"] != new["linked"]:
                link = "OnConnect" if new["linked"] else "OnDisconnect"
                events.insert(0, ("Subscribe", link, ()))
                if new["linked"]:
                    events.append(("PositionSubscribe", "OnPositionSync", ()))
            self._tell(events)
        if method in new["refuse"]:
            _fail(*new["refuse"][method])
            return None
        if network and _threading.get_ident() in _state["in_sink"]:
            _fail(-1, 12003, "Operation canceled due possible deadlock")
            return None
        if network and not new["linked"]:
            _fail(-1, 10, "No connection")
            return None
        if self._pump & pump != pump:
            _fail(-1, 13, "Not found")
            return None
        return self._stored  # while the link is down: what was pumped before

    def _changes(self, old: _Any, new: _Any) -> list[tuple[str, str, tuple[_Any, ...]]]:
        kinds = {"users": MTUser, "groups": MTConGroup, "symbols": MTConSymbol, "deals": MTDeal}
        events = []
        for table, kind in kinds.items():
            before = {row[_KEYS[table]]: row for row in old[table]}
            after = {row[_KEYS[table]]: row for row in new[table]}
            what, on = f"{_NAMES[table]}Subscribe", f"On{_NAMES[table]}"
            for key, row in after.items():
                if key not in before:
                    events.append((what, f"{on}Add", (self._made(kind, row),)))
                elif row != before[key]:
                    events.append((what, f"{on}Update", (self._made(kind, row),)))
            for key in before.keys() - after.keys():
                events.append((what, f"{on}Delete", (self._made(kind, before[key]),)))
        return events

    def _made(self, kind: type[_Record], row: dict[str, _Any]) -> _Record:
        record = kind(self)
        for name, value in row.items():
            setattr(record, name, value)
        if self._shown is not None and kind.__name__ in self._shown["let_go"]:
            for name in kind._blank:
                setattr(record, name, None)
        return record

    def _in(self, shown: _Any, mask: str) -> set[int]:
        return {user["Login"] for user in shown["users"] if _matches(mask, user["Group"])}

    @staticmethod
    def _mask(group: _Any) -> bool:
        return isinstance(group, str) and 0 < len(group) <= 255

    def _found(self, records: list[_Record]) -> _Any:
        return records or self._nothing([])

    def _nothing(self, rows: _Any) -> _Any:
        """The answer without rows: False and why, or the rows where the world has no code."""
        retcode = self._shown["no_rows"]
        return _fail(-1, retcode, "Not found" if retcode == 13 else "OK/None") if retcode else rows

    # -- pumped tables ------------------------------------------------------------------------

    def UserAccountGetByGroup(self, group: _Any, /) -> _Any:
        shown = self._world("UserAccountGetByGroup", pump=1 | 8 | 128)
        if shown is None:
            return False
        if not self._mask(group):
            return _fail(-2, 2, "Invalid arguments")
        logins = self._in(shown, group)
        known = {user["Login"] for user in shown["users"]}
        rows = [
            row
            for row in shown["accounts"]
            if row["Login"] in logins or (row["Login"] not in known and group == "*")
        ]
        return self._found([self._made(MTAccount, row) for row in rows])

    def _table(self, name: str, fields: _Any, rows: list[dict[str, _Any]]) -> _Any:
        types = dict(_TABLES[name])
        wanted = fields.split(",") if fields else list(types)
        for field in wanted:
            if field not in types:
                return _fail(-2, 2, f"Can not find field {field}")
        table = _np.zeros(len(rows), dtype=[(field, types[field]) for field in wanted])
        if not rows:
            return self._nothing(table)
        for field in wanted:
            text = types[field][0] == "S"
            values = [row.get(field, "" if text else 0) for row in rows]
            if text:
                values = [value.encode("utf-8", "surrogatepass") for value in values]
            table[field] = values
        return table

    def PositionGetByGroupNumPy(self, group: _Any, fields: _Any = "", /) -> _Any:
        shown = self._world("PositionGetByGroupNumPy", pump=128)
        if shown is None:
            return False
        if not self._mask(group):
            return _fail(-2, 2, "Invalid arguments")
        logins = self._in(shown, group)
        known = {user["Login"] for user in shown["users"]}
        rows = [
            {"VolumeExt": row["Volume"] * 10_000, **row}
            for row in shown["positions"]
            if row["Login"] in logins or (row["Login"] not in known and group == "*")
        ]
        return self._table("MTPosition", fields, rows)

    def UserGetByGroupNumPy(self, group: _Any, fields: _Any = "", /) -> _Any:
        shown = self._world("UserGetByGroupNumPy", pump=1)
        if shown is None:
            return False
        if not self._mask(group):
            return _fail(-2, 2, "Invalid arguments")
        rows = [user for user in shown["users"] if _matches(group, user["Group"])]
        return self._table("MTUser", fields, rows)

    def GroupTotal(self) -> _Any:
        shown = self._world("GroupTotal", pump=256)
        return False if shown is None else len(shown["groups"])

    def GroupNext(self, pos: _Any, /) -> _Any:
        shown = self._world("GroupNext", pump=256)
        if shown is None:
            return False
        if not 0 <= pos < len(shown["groups"]):
            return _fail(-1, 13, "Not found")
        return self._made(MTConGroup, shown["groups"][pos])

    def SymbolGetArray(self) -> _Any:
        shown = self._world("SymbolGetArray", pump=512)
        if shown is None:
            return False
        return self._found([self._made(MTConSymbol, row) for row in shown["symbols"]])

    def SelectedAdd(self, symbol: _Any, /) -> bool:
        shown = self._world("SelectedAdd", pump=512)
        if shown is None:
            return False
        if symbol not in {row["Symbol"] for row in shown["symbols"]}:
            return _fail(-1, 13, "Not found")
        self._selected.add(symbol)
        return True

    def TickLast(self, symbol: _Any, /) -> _Any:
        shown = self._world("TickLast", pump=512)
        if shown is None:
            return False
        selected = self._selected | {row["Symbol"] for row in shown["positions"]}
        if symbol not in shown["ticks"] or symbol not in selected:
            return _fail(-1, 13, "Not found")
        bid, ask = shown["ticks"][symbol]
        now = self._utc(shown) + shown["offset"]
        stamp = {"datetime": int(now), "datetime_msc": int(now * 1000)}
        return self._made(MTTickShort, {"bid": bid, "ask": ask, **stamp})

    def TimeServer(self) -> _Any:
        shown = self._world("TimeServer", pump=4096)
        return False if shown is None else int(self._utc(shown) + shown["offset"])

    @staticmethod
    def _utc(shown: _Any) -> float:
        return float(shown["clock"] if shown["clock"] is not None else _time.time())

    # -- requests -----------------------------------------------------------------------------

    def DealRequestByGroup(self, group: _Any, from_date: _Any, to_date: _Any, /) -> _Any:
        shown = self._world("DealRequestByGroup", network=True)
        if shown is None:
            return False
        if not self._mask(group) or len(group) > 127:
            return _fail(-1, 3, "Invalid parameters")
        return self._deals(shown, self._in(shown, group), from_date, to_date)

    def DealRequestByLogins(self, login_list: _Any, from_date: _Any, to_date: _Any, /) -> _Any:
        shown = self._world("DealRequestByLogins", network=True)
        if shown is None:
            return False
        if type(login_list) is not list or not login_list:
            return _fail(-2, 2, "Invalid arguments")
        return self._deals(shown, set(login_list), from_date, to_date)

    def _deals(self, shown: _Any, logins: set[int], first: _Any, last: _Any) -> _Any:
        if type(first) is not int or type(last) is not int:
            return _fail(-2, 2, "Invalid arguments")
        rows = [
            row for row in shown["deals"] if row["Login"] in logins and first <= row["Time"] <= last
        ]
        return self._found([self._made(MTDeal, row) for row in rows])
