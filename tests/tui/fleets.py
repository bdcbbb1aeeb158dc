"""A console over a fleet that stands still: documents in memory, no database, one clock."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import SecretStr
from tests.consoles import Bench
from tests.feeds import NOW, PLAN

from rms_tui.account_keys import AccountKeys
from rms_tui.fleet.shown_feed import ShownFeed
from rms_tui.fleet_state import FleetState
from rms_tui.latest import Latest
from rms_tui.monitor import Monitor
from rms_tui.store.fleet_book import fleet_desk, fleet_rows, fleet_state
from rms_tui.store.fleet_view import FleetDocuments
from rms_tui.tui.app import RmsApp
from rms_tui.tui.fleet_side import FleetSide
from rms_tui.tui.view import HistoryError

HOSTILE = "[red]Bob[/red]\x1b[31m\u202e"

Added = tuple[int, str, str | None, str | None]


def at(seconds_ago: float = 0.0) -> dt.datetime:
    return dt.datetime.fromtimestamp(NOW - seconds_ago, dt.UTC)


def rule(state: str, value: float, used: float) -> dict[str, Any]:
    """What a worker says of a daily loss of 500."""
    return {
        "profile": "own", "state": state, "reason": "within", "value": value, "limit": 9_500.0,
        "used": used, "distance": value - 9_500.0,
        "rule": {"rule": "daily_loss", "amount": 500.0, "base": "equity"},
    }  # fmt: skip


def element(login: int, server: str = "Broker-Live", **more: Any) -> dict[str, Any]:
    """An element that is watched, 10 000.00 less a little."""
    equity = more.pop("equity", 9_900.0)
    state, used = more.pop("state", "ok"), more.pop("used", 0.2)
    return {
        "_id": f"{login}@{server}", "login": login, "server": server, "status": "ACTIVE",
        "last_ping": at(2.0), "instance": f"i-{login}",
        "account": {
            "name": more.pop("name", f"Client {login}"), "currency": "USD", "balance": 10_000.0,
            "credit": 0.0, "equity": equity, "margin": 100.0, "free_margin": equity - 100.0,
            "margin_level": equity, "profit": equity - 10_000.0, "floating": equity - 10_000.0,
            "day_profit": equity - 10_000.0, "digits": 2, "leverage": 100, "trades_today": 1,
            "time": at(2.0),
        },
        "risk": {
            "state": state, "rule": "daily_loss", "value": equity, "limit": 9_500.0, "used": used,
            "rules": [rule(state, equity, used)],
        },
        **more,
    }  # fmt: skip


def position(ticket: int, lots: float = 0.1) -> dict[str, Any]:
    return {
        "ticket": ticket, "symbol": "EURUSD", "side": 1, "lots": lots, "price_open": 1.085,
        "sl": 1.08, "tp": None, "opened": int(NOW) - 3_600, "rate": 1.0, "price": 1.084,
        "profit": -100.0, "swap": 0.0,
    }  # fmt: skip


def holding(*held: dict[str, Any], offset: float = 7_200.0) -> dict[str, Any]:
    symbol = {"name": "EURUSD", "base": "EUR", "quote": "USD", "digits": 5, "contract": 1e5,
              "bid": 1.084, "ask": 1.0841}  # fmt: skip
    return {"positions": list(held), "symbols": [symbol], "time": at(), "server_offset": offset}


def instance(id_: str, status: str = "OCCUPIED", **more: Any) -> dict[str, Any]:
    return {"_id": id_, "host": "trading-1", "path": f"C:\\MT5\\{id_}\\terminal64.exe",
            "status": status, "last_ping": at(2.0), **more}  # fmt: skip


def by_id(*documents: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    return {one["_id"]: one for one in documents}


def lively() -> FleetDocuments:
    """Watched, breached, silent, waiting and refused elements; two servers with one login."""
    silent = element(70_103, last_ping=at(95.0), equity=9_800.0, used=0.4)
    breached = element(70_102, status="BREACHED", state="breached", equity=9_400.0, used=1.2)
    waiting = {"_id": "w", "login": 70_105, "server": "Broker-Live", "status": "PENDING"}
    refused = {"_id": "r", "login": 70_106, "server": HOSTILE, "status": "ERROR",
               "error": f"Authorization failed {HOSTILE}"}  # fmt: skip
    elements = by_id(
        element(70_101, name=HOSTILE), breached, silent, element(70_101, "Other-Demo"),
        waiting, refused,
    )  # fmt: skip
    instances = by_id(
        instance("i-70101", element="70101@Broker-Live", restarts=2),
        instance("i-70102", element="70102@Broker-Live"),
        instance("i-70103", element="70103@Broker-Live", last_ping=at(95.0)),
        instance("i-5", "FREE", last_ping=None),
        instance("i-6", "FAULTY", host=HOSTILE, error=f"does not start {HOSTILE}", restarts=3),
    )
    return FleetDocuments(elements, {"70102@Broker-Live": holding(position(1))}, instances)


class FleetBench(Bench):
    """A console over documents; `show()` publishes them."""

    def __init__(self, known: FleetDocuments | None = None) -> None:
        self.now = NOW + 0.8
        self.known = FleetDocuments() if known is None else known
        self.keys = AccountKeys()
        self.shown = ShownFeed("Fleet rms")
        self.shown.status = self.shown.status.__class__("connecting", "connecting to MongoDB", NOW)
        self.monitor = Monitor(self.shown, PLAN, clock=lambda: self.now)
        self.state: Latest[FleetState] = Latest()
        self.added: list[Added] = []
        self.removed: list[int] = []
        self.refuses: str | None = None
        self.app = RmsApp(
            self.monitor,
            operator="dealer@desk-2",
            theme="desk-dark",
            clock=lambda: self.now,
            fleet=FleetSide(self.state, self._add, self._remove),
        )

    def show(self) -> None:
        """As the fleet's desk does after a change."""
        frame = self.monitor.frames.value
        before = None if frame is None else frame.book
        rows = fleet_rows(self.known, self.keys, NOW, 30.0, before)
        self.monitor.set_own_profiles(rows.own)
        self.monitor.lay_over(rows.laid_over)
        self.monitor.go_on_from(None, fleet_desk(self.known, self.keys))
        self.shown.made(rows.book)
        self.state.put(fleet_state(self.known, self.keys, 30.0))
        self.monitor.step(0.0)

    def lose(self, why: str = "no MongoDB answers at db1.firm.example:27017") -> None:
        """As the fleet's desk does when the database is gone."""
        import dataclasses

        self.shown.lost(why, NOW, NOW + 3.0)
        frame = self.monitor.frames.value
        self.monitor.go_on_from(None, None if frame is None else frame.desk)
        self.monitor.step(0.0)
        old = self.state.value or FleetState()
        self.state.put(dataclasses.replace(old, problem=why))

    def _add(self, login: int, server: str, password: SecretStr | None, profile: str | None) -> str:
        if self.refuses is not None:
            raise HistoryError(self.refuses)
        plain = None if password is None else password.get_secret_value()
        self.added.append((login, server, plain, profile))
        return f"{login} on {server} added: PENDING until a terminal takes it"

    def _remove(self, key: int) -> str:
        self.removed.append(key)
        return "removed"
