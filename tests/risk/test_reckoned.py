"""Random timelines through `assess`, against the rules reckoned a second time in plain words.

The second reckoning shares nothing with the engine: no columns, no memory, and rollovers found by
walking a zone's clock minute by minute.
"""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from rms_tui.assess import assess
from rms_tui.timeline import read

INITIAL = 10_000.0
ZONES = ["Europe/Prague", "America/New_York", "UTC", "Asia/Tokyo", "Australia/Lord_Howe"]
ROLLOVERS = [(0, 0), (17, 0), (2, 30), (0, 30), (1, 59), (23, 0)]
STARTS = [(2026, 3, 6), (2026, 3, 27), (2026, 4, 3), (2026, 6, 1), (2026, 10, 23), (2026, 10, 30)]


def said(rules, rows, **profile):
    document = {"profile": {"rules": rules, **profile}, "timeline": rows}
    return [row["rules"] for row in assess(read(json.dumps(document), "random"))]


def rollover(now, zone, hours, minutes):
    """The newest rollover at or before an instant."""
    place, found = ZoneInfo(zone), []
    for back in (-2, -1, 0, 1):
        day = now.astimezone(place).date() + timedelta(days=back)
        wall = datetime(day.year, day.month, day.day, hours, minutes)
        moment = wall.replace(tzinfo=place).astimezone(UTC) - timedelta(hours=3)
        while moment.astimezone(place).replace(tzinfo=None) < wall:
            moment += timedelta(minutes=1)
        found.append(moment)
    return max(moment for moment in found if moment <= now)


def random_rows(chance, zone, hours, minutes):
    now = datetime(*chance.choice(STARTS), tzinfo=UTC) + timedelta(minutes=chance.randint(0, 1440))
    balance, credit, rows = INITIAL, 0, []
    for place in range(chance.randint(2, 16)):
        flow = chance.choice([0, 0, 0, 500, -700]) if place else 0
        if place:
            balance = round(balance + flow + chance.choice([0, chance.gauss(0, 150)]), 2)
        credit = chance.choice([credit, credit, 0, 300]) if place else 0
        floating = chance.choice([0, chance.gauss(0, 200)])
        written = now.astimezone(timezone(timedelta(minutes=chance.choice([0, 60, -300, 330]))))
        rows.append(
            {"time": written.isoformat(), "balance": balance, "flow": flow, "credit": credit,
             "equity": round(balance + credit + floating, 2)}
        )  # fmt: skip
        later = now + timedelta(seconds=chance.choice([2, 60, 3600, 20_000, 90_000, 200_000]))
        at = rollover(later, zone, hours, minutes) + timedelta(seconds=chance.choice([-1, 0, 1]))
        now = at if at > now and chance.random() < 0.3 else later
    return rows


def reckoned(rows, daily, trailing, target, zone, hours, minutes):
    """For each row the floors of both loss rules, the goal, and what the day has gained."""
    day = base = None
    before, day_flow, day_paid, all_flow, peak = None, 0.0, 0.0, 0.0, INITIAL
    for row in rows:
        now = datetime.fromisoformat(row["time"]).astimezone(UTC)
        at, paid = rollover(now, zone, hours, minutes), row["flow"]
        flow = paid + row["credit"] - (before["credit"] if before else 0)
        all_flow += flow
        if at != day:
            day, counts = at, now != at and before is not None
            day_flow, day_paid = flow * counts, paid * counts
            first = row if now == at else before
            base = (INITIAL, INITIAL) if first is None else (first["balance"], first["equity"])
        else:
            day_flow, day_paid = day_flow + flow, day_paid + paid
        start = {"balance": base[0], "equity": base[1], "max_balance_equity": max(base),
                 "initial": INITIAL}[daily["base"]]  # fmt: skip
        of = INITIAL if daily["of"] == "initial" else start
        lowers = trailing["withdrawals"] == "lower_peak"
        top = {"equity": row["equity"], "balance": row["balance"],
               "max_balance_equity": max(row["equity"], row["balance"]),
               "eod_balance": base[0] + day_paid * lowers}[trailing["peak"]]  # fmt: skip
        moved = flow if trailing["peak"] in ("equity", "max_balance_equity") else paid
        peak = max(peak + moved * lowers, top)
        under = INITIAL if trailing["of"] == "initial" else peak
        floor = peak - under * trailing["percent"] / 100
        yield (
            start - of * daily["percent"] / 100 + day_flow * (daily["flows"] == "adjust"),
            floor if trailing["lock"] is None else min(floor, trailing["lock"]),
            INITIAL + target["amount"] + all_flow,
            row["equity"] - base[1] - day_flow,
        )
        before = row


@pytest.mark.parametrize("seed", range(40))
def test_random_timelines_come_to_what_is_reckoned_otherwise(seed):
    chance = random.Random(seed)
    zone, (hours, minutes) = chance.choice(ZONES), chance.choice(ROLLOVERS)
    rows = random_rows(chance, zone, hours, minutes)
    boundary, value = chance.choice(["inclusive", "exclusive"]), chance.choice(["equity", "worst"])
    daily = {
        "rule": "daily_loss", "percent": chance.choice([3, 7.5]), "boundary": boundary,
        "base": chance.choice(["balance", "equity", "max_balance_equity", "initial"]),
        "of": chance.choice(["initial", "base"]), "flows": chance.choice(["adjust", "ignore"]),
        "value": value,
    }  # fmt: skip
    trailing = {
        "rule": "trailing_drawdown", "percent": chance.choice([3, 5]), "boundary": boundary,
        "peak": chance.choice(["equity", "balance", "eod_balance", "max_balance_equity"]),
        "of": chance.choice(["peak", "initial"]), "lock": chance.choice([None, 9800, 10_300]),
        "withdrawals": chance.choice(["lower_peak", "ignore"]), "value": value,
    }  # fmt: skip
    target = {"rule": "profit_target", "amount": chance.choice([300, 750.5])}
    gained = {"rule": "max_profit", "amount": 500, "period": "day"}
    found = said(
        [daily, trailing, target, gained], rows,
        zone=zone, rollover=f"{hours:02}:{minutes:02}", initial_balance=INITIAL,
    )  # fmt: skip
    expected = reckoned(rows, daily, trailing, target, zone, hours, minutes)
    for row, got, (*limits, profit) in zip(rows, found, expected, strict=True):
        assert [one["limit"] for one in got[:3]] == pytest.approx(limits, abs=1e-4)
        assert got[3]["value"] == pytest.approx(profit, abs=1e-4)
        judged = min(row["equity"], row["balance"]) if value == "worst" else row["equity"]
        for one, floor in zip(got[:2], limits[:2], strict=True):
            left = round(judged - floor, 2)
            if abs(left - (judged - floor)) < 0.0049:  # no question of how to round
                beyond = left <= 0 if boundary == "inclusive" else left < 0
                assert (one["state"] == "breached") is beyond


def random_ideas(chance):
    """Rows of positions opened, closed and closed in part, with what every closing brought."""
    now, balance, held, closed, number = datetime(2026, 1, 5, tzinfo=UTC), 1e5, [], [], 0
    for _ in range(chance.randint(2, 20)):
        now += timedelta(seconds=chance.choice([1, 30, 59, 60, 61, 200, 1000, 4000]))
        gone = [one for one in held if chance.random() < 0.25]
        held = [one for one in held if one not in gone]
        reduced = [one for one in held if one["lots"] > 0.1 and chance.random() < 0.2]
        for one in reduced:
            one["lots"] = round(one["lots"] - 0.1, 2)
        if ended := [*gone, *reduced]:
            after = round(balance + chance.gauss(0, 300), 2)
            share, balance = (after - balance) / len(ended), after
            closed += [(one["kind"], one["opened"], now.timestamp(), share) for one in ended]
        for _ in range(chance.randint(0, 2)):
            number += 1
            held.append(
                {"kind": (chance.choice(["EURUSD", "GBPUSD"]), chance.choice(["buy", "sell"])),
                 "opened": now.timestamp(), "lots": chance.choice([0.1, 0.3]),
                 "open": round(1.1 + number / 10_000, 4), "sl": chance.choice([None, 1.05, 1.15])}
            )  # fmt: skip
        yield now, balance, [dict(one) for one in held], list(closed)


def idea_reckoned(now, held, closed, window):
    """The most that one idea loses: its positions at their stops and what it has lost already."""
    worst = 0.0
    for kind in {one["kind"] for one in held} | {kind for kind, *_ in closed}:
        mine = [one for one in held if one["kind"] == kind]
        if any(one["sl"] is None for one in mine):
            return math.inf
        side = 1 if kind[1] == "buy" else -1
        loss = sum(side * (one["open"] - one["sl"]) * one["lots"] * 100_000 for one in mine)
        began = min([one["opened"] for one in mine], default=now)
        for _, opened, at, result in sorted(
            (one for one in closed if one[0] == kind), key=lambda one: -one[2]
        ):
            if at >= began - window:
                loss, began = loss - result, min(began, opened)
        worst = max(worst, loss)
    return worst


@pytest.mark.parametrize("seed", range(40))
def test_random_ideas_come_to_what_is_reckoned_otherwise(seed):
    chance = random.Random(seed)
    window = chance.choice([60, 300, 3600])
    rows, expected = [], []
    for now, balance, held, closed in random_ideas(chance):
        positions = [
            {"symbol": one["kind"][0], "side": one["kind"][1], "lots": one["lots"],
             "open": one["open"], "sl": one["sl"], "price": 1.1, "contract": 100_000, "rate": 1}
            for one in held
        ]  # fmt: skip
        rows.append({"time": now.isoformat(), "balance": balance, "equity": balance,
                     "positions": positions})  # fmt: skip
        expected.append(idea_reckoned(now.timestamp(), held, closed, window))
    found = said([{"rule": "position_risk", "amount": 500, "idea": window}], rows)
    for (one,), risk in zip(found, expected, strict=True):
        if math.isinf(risk):
            assert (one["value"], one["reason"]) == (None, "no_stop_loss")
        else:
            assert one["value"] == pytest.approx(risk, abs=1e-3)
