"""The world both fake packages show: a JSON file named by RMS_FAKE_WORLD, or a small default.

The file is read again whenever it changes, so a test in another process can push a price, cut the
link, hang or crash a call. Its two sections, `manager` and `terminal`, are laid over the default
key by key; `default_world()` shows every key. Held to MT5's own field names.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

DAY, HOUR = 86_400, 3_600
OFFSET = 7_200

Section = dict[str, Any]

_loaded: dict[str, Any] = {"stamp": None, "world": None}


def world(section: str) -> Section:
    """The section of the world as it is now; the same object while the file did not change."""
    path = os.environ.get("RMS_FAKE_WORLD")
    stamp: object = "default"
    if path:
        status = Path(path).stat()
        stamp = (path, status.st_mtime_ns, status.st_size)
    if _loaded["stamp"] != stamp:
        _loaded["world"] = _read(Path(path)) if path else default_world()
        _loaded["stamp"] = stamp
    shown: Section = _loaded["world"][section]
    return shown


def terminal(path: str, login: int | None) -> Section:
    """What the terminal at this path shows when that account was logged in there.

    `terminals` (by path, lower case) and `accounts` (by login) are laid over the section, the
    terminal's own last: it may show an account that nobody asked for.
    """
    section = world("terminal")
    of_path = section["terminals"].get(path.lower())
    of_login = section["accounts"].get(str(login))
    if of_path is None and of_login is None:
        return section
    made = dict(section)
    for changed in (of_login or {}, of_path or {}):
        for key, value in changed.items():
            if key not in section:
                raise ValueError(f"the fakes know no {key!r} of a terminal")
            both = isinstance(value, dict) and key in ("account", "terminal")
            made[key] = {**made[key], **value} if both else value
    return made


def write(path: Path, changed: dict[str, Any]) -> None:
    """Put a world where the fakes read it, whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(changed), encoding="utf-8")
    draft.replace(path)


def _read(path: Path) -> dict[str, Any]:
    given = json.loads(path.read_text(encoding="utf-8"))
    known = default_world()
    unknown = {key for key in given if key not in known}
    for section, keys in known.items():
        unknown |= {key for key in given.get(section, {}) if key not in keys}
        keys.update(given.get(section, {}))
    if unknown:
        raise ValueError(f"{path}: the fakes know no {sorted(unknown)}")
    return known


def block(seconds: float, *, holding_the_gil: bool) -> None:
    """Take that long, as a vendor call does: with the GIL held no other thread moves."""
    if not holding_the_gil:
        time.sleep(seconds)
    elif sys.platform == "win32":
        ctypes.PyDLL("kernel32").Sleep(int(seconds * 1000))
    else:
        libc = ctypes.PyDLL(None)
        libc.sleep(int(seconds))
        libc.usleep(int(seconds % 1 * 1e6))


def misbehave(section: Section, *, holding_the_gil: bool) -> None:
    """Crash or hang, if the world says so."""
    if section["crash"]:
        os._exit(3)
    if section["hang"]:
        block(float(section["hang"]), holding_the_gil=holding_the_gil)


def midday_offset(utc: float) -> int:
    """The whole hours ahead of UTC, in seconds, of a server whose clock shows about noon then.

    A test by the computer's clock may run at any hour. No midnight of such a server comes while it
    runs, and today's deals, which are of the first minutes of its day, are in the past.
    """
    return round((DAY / 2 - utc % DAY) / HOUR) * HOUR


_MIDDAY = midday_offset(time.time())
"""Of this process; one world of several processes names its `offset`."""


def default_world(utc: float | None = None) -> dict[str, Any]:
    """Three accounts on the manager's server, one in the terminal.

    Times count from `utc` (seconds), the server being at UTC+2; or from the computer's clock, by
    which it is midday on the server.
    """
    if utc is None:
        return _sections(int(time.time()), _MIDDAY)
    return _sections(int(utc), OFFSET)


def _sections(utc: int, offset: int) -> dict[str, Any]:
    now = utc + offset
    made = {"manager": _manager(now), "terminal": _terminal(now)}
    for section in made.values():
        section["offset"] = offset
    return made


def _manager(now: int) -> Section:
    today = now // DAY * DAY
    opened = {"TimeCreate": today - 3600}
    return {
        "dll_missing": False,
        "connect": None,  # [retcode, text]: Connect is refused
        "connect_seconds": 0,
        "login": 1000,
        "password": "manager-secret",
        "linked": True,
        "hang": 0,
        "crash": False,
        "clock": None,  # UTC seconds; None: the computer's
        "offset": OFFSET,  # server's clock minus UTC, seconds
        "no_rows": 13,  # retcode of a call that finds nothing: 13, 1, or 0 for an empty answer
        "let_go": [],  # kinds of records, as MTDeal, whose every getter gives None
        "refuse": {},  # method → [code, retcode, text] of LastError
        "accounts": [
            _account(1001, balance=10_000.0, profit=84.0, storage=-1.5, margin=217.0),
            _account(1002, balance=5_000.0, credit=500.0, profit=-950.0, margin=2_400.0),
            _account(1003, balance=2_500.0),
        ],
        "users": [
            _user(1001, "real\\USD", "Ada Nowak", 10_050.0, 10_020.0),
            _user(1002, "real\\EUR", "Björn Ångström", 5_000.0, 5_400.0),
            _user(1003, "demo\\USD", "Cleo [bold]Q[/]", 0.0, 0.0),
        ],
        "groups": [
            {"Group": "real\\USD", "Currency": "USD", "CurrencyDigits": 2, "MarginMode": 2,
             "MarginSOMode": 0, "MarginCall": 100.0, "MarginStopOut": 50.0},
            {"Group": "real\\EUR", "Currency": "EUR", "CurrencyDigits": 2, "MarginMode": 2,
             "MarginSOMode": 1, "MarginCall": 300.0, "MarginStopOut": 100.0},
            {"Group": "demo\\USD", "Currency": "USD", "CurrencyDigits": 2, "MarginMode": 0,
             "MarginSOMode": 0, "MarginCall": 50.0, "MarginStopOut": 30.0},
        ],
        "symbols": [
            _symbol("EURUSD", "EUR", "USD", 5, 100_000.0),
            _symbol("GBPUSD", "GBP", "USD", 5, 100_000.0),
            _symbol("USDJPY", "USD", "JPY", 3, 100_000.0),
            _symbol("XAUUSD", "XAU", "USD", 2, 100.0),
            _symbol("EURUSD.pro", "EUR", "USD", 5, 100_000.0),
        ],
        "ticks": {
            "EURUSD": [1.0850, 1.0852],
            "GBPUSD": [1.2700, 1.2703],
            "USDJPY": [150.10, 150.12],
            "XAUUSD": [2_400.10, 2_400.40],
        },
        "positions": [
            {"Position": 501, "Login": 1001, "Symbol": "EURUSD", "Action": 0, "Volume": 2_000,
             "Digits": 5, "ContractSize": 1e5, "PriceOpen": 1.0810, "PriceCurrent": 1.0852,
             "PriceSL": 1.0700, "PriceTP": 0.0, "Profit": 84.0, "Storage": -1.5,
             "RateProfit": 1.0, **opened},
            {"Position": 502, "Login": 1002, "Symbol": "XAUUSD", "Action": 1, "Volume": 10_000,
             "Digits": 2, "ContractSize": 100.0, "PriceOpen": 2_390.0, "PriceCurrent": 2_400.4,
             "PriceSL": 0.0, "PriceTP": 0.0, "Profit": -958.0, "Storage": 0.0,
             "RateProfit": 0.921, **opened},
            {"Position": 503, "Login": 1002, "Symbol": "USDJPY", "Action": 0, "Volume": 100,
             "VolumeExt": 1_000_000, "Digits": 3, "ContractSize": 1e5, "PriceOpen": 149.0,
             "PriceCurrent": 150.1, "PriceSL": 0.0, "PriceTP": 155.0, "Profit": 8.0,
             "Storage": 0.0, "RateProfit": 0.0, **opened},
        ],
        "deals": [
            _deal(1, 1001, today - 20 * DAY, 2, 0, profit=10_000.0),
            _deal(2, 1001, today - 9 * DAY, 0, 0, "EURUSD", volume=1_000, commission=-0.4),
            _deal(3, 1001, today - 8 * DAY, 1, 1, "EURUSD", volume=1_000, profit=50.0),
            _deal(4, 1001, today + 60, 0, 0, "EURUSD", volume=5_000, commission=-2.0),
            _deal(5, 1001, today + 61, 1, 1, "EURUSD", volume=5_000, profit=30.0, fee=-0.5),
            _deal(6, 1002, today + 62, 2, 0, profit=1_000.0),
            _deal(7, 1003, today - 40 * DAY, 1, 1, "EURUSD", volume=100, profit=1.0),
        ],
    }  # fmt: skip


def _account(login: int, *, balance: float, credit: float = 0.0, profit: float = 0.0,
             storage: float = 0.0, margin: float = 0.0) -> Section:  # fmt: skip
    floating = profit + storage
    equity = balance + credit + floating
    return {
        "Login": login, "CurrencyDigits": 2, "Balance": balance, "Credit": credit,
        "Profit": profit, "Storage": storage, "Floating": floating, "Equity": equity,
        "Margin": margin, "MarginFree": equity - margin, "MarginLeverage": 100,
        "MarginLevel": equity / margin * 100 if margin else 0.0,
    }  # fmt: skip


def _user(login: int, group: str, name: str, balance: float, equity: float) -> Section:
    return {
        "Login": login, "Group": group, "Name": name, "Rights": 355, "Leverage": 100,
        "BalancePrevDay": balance, "EquityPrevDay": equity, "PhonePassword": "phone-secret",
        "OTPSecret": "otp-secret",
    }  # fmt: skip


def _symbol(name: str, base: str, quote: str, digits: int, contract: float) -> Section:
    return {
        "Symbol": name, "CurrencyBase": base, "CurrencyProfit": quote, "Digits": digits,
        "ContractSize": contract,
    }  # fmt: skip


def _deal(ticket: int, login: int, time_: int, action: int, entry: int, symbol: str = "", *,
          volume: int = 0, profit: float = 0.0, commission: float = 0.0,
          fee: float = 0.0) -> Section:  # fmt: skip
    return {
        "Deal": ticket, "Login": login, "Time": time_, "Action": action, "Entry": entry,
        "Symbol": symbol, "Volume": volume, "VolumeExt": volume * 10_000, "Price": 1.08,
        "Profit": profit, "Commission": commission, "Fee": fee, "PositionID": ticket,
    }  # fmt: skip


def _terminal(now: int) -> Section:
    today = now // DAY * DAY
    stamp = {"time": now, "time_msc": now * 1000}
    return {
        "path": None,  # None: any path starts the terminal
        "initialize": None,  # [code, text]: initialize fails
        "initialize_seconds": 0,
        "password": None,
        "terminals": {},  # path in lower case → keys of this section, for several terminals
        "accounts": {},  # login → keys of this section; where there are any, others are refused
        "broken_pipe": False,  # the terminal died: -10001, then -10004
        "failing": None,  # the name of a call that fails with -1, the pipe being open
        "hang": 0,
        "crash": False,
        "clock": None,
        "offset": OFFSET,
        "terminal": {"connected": True, "trade_allowed": True, "build": 5_260, "name": "MT5"},
        "account": {
            "login": 5_001, "server": "Broker-Live", "name": "Dana Rossi", "currency": "USD",
            "currency_digits": 2, "leverage": 100, "margin_so_mode": 0, "margin_so_call": 50.0,
            "margin_so_so": 30.0, "balance": 10_000.0, "credit": 0.0, "profit": 39.5,
            "equity": 10_039.5, "margin": 108.5, "margin_free": 9_931.0,
            "margin_level": 10_039.5 / 108.5 * 100, "margin_mode": 2,
        },
        "positions": [
            {"ticket": 701, "time": today - 3600, "type": 0, "volume": 0.1, "symbol": "EURUSD",
             "price_open": 1.0810, "price_current": 1.0850, "sl": 1.07, "tp": 0.0, "swap": -0.5,
             "profit": 40.0},
        ],
        "deals": [
            {"ticket": 1, "time": today - 20 * DAY, "type": 2, "entry": 0, "profit": 10_000.0},
            {"ticket": 2, "order": 2, "time": today + 60, "type": 0, "entry": 0, "volume": 0.5,
             "symbol": "EURUSD", "price": 1.08, "commission": -2.0, "position_id": 2},
            {"ticket": 3, "order": 3, "time": today + 61, "type": 1, "entry": 1, "volume": 0.5,
             "symbol": "EURUSD", "price": 1.09, "profit": 30.0, "fee": -0.5, "position_id": 2},
        ],
        "symbols": {
            "EURUSD": {"currency_base": "EUR", "currency_profit": "USD", "digits": 5,
                       "trade_contract_size": 1e5, "trade_tick_size": 1e-5,
                       "trade_tick_value": 1.0, "trade_tick_value_profit": 1.0,
                       "trade_tick_value_loss": 1.0},
        },
        "ticks": {"EURUSD": {"bid": 1.0850, "ask": 1.0852, **stamp}},
    }  # fmt: skip
