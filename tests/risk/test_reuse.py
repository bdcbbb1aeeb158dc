"""What is kept from poll to poll never changes an answer: it equals the same worked out anew."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.risk.desk import book, utc

from rms_tui.book import Book, kept
from rms_tui.risk import assessment, exposure, memory
from rms_tui.risk.memory_rows import memory_rows
from rms_tui.risk.profile import Assign, Plan, RiskProfile
from rms_tui.risk.scope import scope_of
from rms_tui.risk.undecided import undecided_rows

START = utc("2026-03-02 20:00")

RULES = [
    {"rule": "margin_level", "warning": 150, "critical": 100},
    {"rule": "max_loss", "amount": -300},
    {"rule": "max_loss", "amount": -300, "currency": "EUR"},
    {"rule": "daily_loss", "base": "balance", "percent": 5, "of": "base"},
    {"rule": "daily_loss", "base": "max_balance_equity", "amount": 400, "value": "worst",
     "zone": "Europe/Prague"},
    {"rule": "total_loss", "percent": 10},
    {"rule": "trailing_drawdown", "peak": "equity", "percent": 8},
    {"rule": "trailing_drawdown", "peak": "balance", "amount": 500, "lock": 10_000},
    {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 500},
    {"rule": "trailing_drawdown", "peak": "max_balance_equity", "percent": 8,
     "withdrawals": "lower_peak"},
    {"rule": "profit_target", "percent": 5, "flat": True},
    {"rule": "max_profit", "amount": 300, "period": "day"},
    {"rule": "position_risk", "percent": 10, "of": "equity"},
    {"rule": "position_risk", "percent": 10, "idea": 600},
    {"rule": "position_size", "lots": 2},
    {"rule": "position_size", "lots": 2, "symbols": "*USD"},
    {"rule": "position_size", "percent": 3000},
    {"rule": "position_size", "percent": 3000, "symbols": "EUR*,XAU*"},
    {"rule": "open_positions", "count": 3},
    {"rule": "stop_loss_required", "seconds": 60},
]  # fmt: skip
PROFILES = (
    RiskProfile.model_validate({"name": "all", "initial_balance": 10_000, "rules": RULES}),
    RiskProfile.model_validate({"name": "few", "rules": [RULES[i] for i in (3, 1, 12, 16, 7)]}),
)
PLAN = Plan(
    profiles=PROFILES, assigned=(Assign(profile="few", groups="vip*"),), default="all"
)  # fmt: skip

CHANGES = ("prices", "prices", "prices", "open", "close", "trade", "deposit", "credit", "stop",
           "swap", "bad", "margin", "group", "join", "leave", "nothing")  # fmt: skip

steps = st.lists(
    st.tuples(
        st.sampled_from(CHANGES),
        st.sampled_from([1.0, 1.0, 5.0, 90.0, 4_000.0, 40_000.0, 86_400.0]),
        st.integers(0, 2**32),
    ),
    min_size=1,
    max_size=12,
)


@dataclass
class World:
    """A trading server of a few accounts that changes one thing a step."""

    rows: list[dict[str, Any]]
    positions: list[dict[str, Any]]
    deals: list[dict[str, Any]] = field(default_factory=list)
    at: float = START
    drift: float = 1.0
    connected: bool = True
    bad: int | None = None

    def change(self, what: str, seconds: float, seed: int) -> None:
        random = np.random.default_rng(seed)
        self.at += seconds
        self.bad, self.connected = None, bool(random.random() > 0.05)
        row = int(random.integers(len(self.rows)))
        some = self.positions[int(random.integers(len(self.positions)))] if self.positions else {}
        match what:
            case "prices":
                self.drift = float(random.normal(1, 0.01))
                for one in self.positions:
                    one["profit"] = round(float(random.normal(0, 150)), 2)
            case "open":
                self.positions.append(self._position(row, random))
            case "close" if some:
                self.positions.remove(some)
                self._deal(some["account"], 1, some["profit"], 1)
            case "trade":
                self._deal(row, 0, round(float(random.normal(0, 200)), 2), 1)
                self.rows[row]["trades_today"] = self.rows[row].get("trades_today", 0) + 1
            case "deposit":
                self._deal(row, 2, float(random.choice([500.0, -400.0])), 0)
            case "credit":
                self._deal(row, 3, 200.0, 0)
            case "stop":
                some["sl"] = float(random.choice([np.nan, 1.09, 1.0999]))
            case "swap":
                some["swap"] = some.get("swap", 0.0) - 1.5
            case "bad":
                self.bad = row
            case "margin":
                self.rows[row]["margin"] = float(random.choice([0.0, 4_000.0, 9_000.0]))
            case "group":
                self.rows[row]["group"] = str(random.choice(["vip", "real", "coverage"]))
            case "join":
                self.rows.append({"balance": 10_000.0, "login": self.rows[-1]["login"] + 1})
            case "leave" if len(self.rows) > 1:
                self._leave(row)

    def seen(self) -> Book:
        rows = []
        for at, row in enumerate(self.rows):
            mine = [one for one in self.positions if one["account"] == at]
            floating = round(sum(one["profit"] + one.get("swap", 0.0) for one in mine), 2)
            equity = round(row["balance"] + row.get("credit", 0.0) + floating, 2)
            rows.append({**row, "equity": equity, "floating": floating})
            if at == self.bad:
                rows[-1]["equity"] = np.nan
        self.positions.sort(key=lambda one: (one["account"], one["ticket"]))
        seen = book(
            rows, at=self.at, positions=self.positions, deals=self.deals, connected=self.connected
        )
        moved = seen.symbols.bid * self.drift
        return replace(seen, symbols=replace(seen.symbols, bid=moved, ask=moved * 1.0001))

    def _position(self, row: int, random: np.random.Generator) -> dict[str, Any]:
        return {
            "ticket": int(random.integers(1, 2**40)), "account": row,
            "symbol": int(random.integers(3)), "side": int(random.choice([-1, 1])),
            "lots": float(random.choice([0.1, 1.0, 1.5])), "profit": 0.0, "opened": int(self.at),
            "sl": float(random.choice([np.nan, 1.05])), "rate": float(random.choice([1, np.nan])),
        }  # fmt: skip

    def _deal(self, row: int, kind: int, money: float, entry: int) -> None:
        account = self.rows[row]
        self.deals.append({
            "ticket": len(self.deals) + 1, "login": account["login"], "time": int(self.at) - 1,
            "type": kind, "entry": entry, "symbol": "EURUSD" if entry else "", "profit": money,
        })  # fmt: skip
        into = "credit" if kind == 3 else "balance"
        account[into] = round(account.get(into, 0.0) + money, 2)

    def _leave(self, row: int) -> None:
        del self.rows[row]
        self.positions = [one for one in self.positions if one["account"] != row]
        for one in self.positions:
            one["account"] -= one["account"] > row


@dataclass
class Desk:
    """What the monitor does with each Book; with `reuse` from what it did with the one before."""

    reuse: bool
    book: Book | None = None
    memory: memory.Memory | None = None
    assessed: assessment.Assessment | None = None
    exposed: exposure.Exposure | None = None

    def see(self, seen: Book) -> None:
        before = self.book
        if before is None or not self.reuse:
            tables = {name: _copied(getattr(seen, name)) for name in TABLES}
        else:
            tables = {name: kept(getattr(seen, name), getattr(before, name)) for name in TABLES}
        self.book = seen = replace(seen, **tables)
        past = self.assessed if self.reuse else None
        scoped = scope_of(PLAN, seen.accounts, past and past.scope)
        exposing = exposure.sums(seen, self.exposed if self.reuse else None)
        if self.reuse:  # everything in one sweep over the positions, or each in its own
            aggregates = assessment.held(seen, past, scoped, (exposing,))
        else:
            aggregates = assessment.held(seen, past)
        undecided = undecided_rows(seen, aggregates[1])
        self.memory = memory.remember(
            self.memory, seen, undecided == 0, scoped.rollovers, interval=5.0,
            trails=scoped.trails, initial=scoped.initial,
            without=aggregates.without,
        )  # fmt: skip
        self.assessed = assessment.assess(seen, scoped, self.memory, aggregates, undecided, past)
        summed_up = exposing.made() if self.reuse else None
        known = self.exposed if self.reuse else None
        self.exposed = exposure.exposure(seen, "USD", known, summed_up)


TABLES = ("accounts", "positions", "symbols", "deals")


def _copied(table: Any) -> Any:
    return replace(
        table,
        **{
            column.name: np.array(value)
            for column in fields(table)
            if isinstance(value := getattr(table, column.name), np.ndarray)
        },
    )


def _same(a: Any, b: Any) -> bool:
    if is_dataclass(a):
        return all(_same(getattr(a, one.name), getattr(b, one.name)) for one in fields(a))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b) or (a != a and b != b)


@settings(max_examples=150, deadline=None)
@given(steps)
def test_what_is_reused_equals_what_is_worked_out_anew(changes):
    world = World([{"balance": 10_000.0, "login": 1001 + i} for i in range(4)], [])
    for row in range(4):
        world.change("open", 0.0, row)
    quick, anew = Desk(reuse=True), Desk(reuse=False)
    for change in [("nothing", 0.0, 0), *changes]:
        world.change(*change)
        quick.see(world.seen())
        anew.see(world.seen())
        for name in ("undecided", "verdicts", "state", "used", "day_profit", "counts", "overnight"):
            assert _same(getattr(quick.assessed, name), getattr(anew.assessed, name)), name
        for name in ("by_symbol", "by_currency", "net_notional"):
            assert _same(getattr(quick.exposed, name), getattr(anew.exposed, name)), name
        rows = np.arange(len(world.rows))
        assert repr(memory_rows(quick.memory, rows)) == repr(memory_rows(anew.memory, rows))


def test_a_bad_row_does_not_make_the_others_rules_be_worked_out_again():
    world = World([{"balance": 10_000.0, "login": 1001 + i} for i in range(3)], [])
    desk = Desk(reuse=True)
    verdicts = []
    for seed in range(3):
        world.change("bad", 1.0, 7)
        world.connected, world.drift = True, 1.0 + seed / 1000
        desk.see(world.seen())
        verdicts.append(desk.assessed.verdicts[18])
    assert verdicts[0].rule.rule == "open_positions"
    assert verdicts[2] is verdicts[1] is verdicts[0]
    assert list(verdicts[0].reason).count(12) == 1
