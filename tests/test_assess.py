"""A written timeline: FTMO's lesson, days and changes of clock, flows, and what is refused."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from rms_tui.assess import assess
from rms_tui.timeline import Refused, read

DAILY = {"rule": "daily_loss", "base": "balance", "percent": 5, "of": "initial",
         "boundary": "exclusive"}  # fmt: skip
EOD = {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 10_000, "lock": None}


def row(time, balance, equity=None, **more):
    return {"time": time, "balance": balance, "equity": balance if equity is None else equity,
            **more}  # fmt: skip


def document(rules, timeline, **profile):
    return {"profile": {"rules": rules, **profile}, "timeline": timeline}


def run(rules, timeline, **profile):
    return list(assess(read(json.dumps(document(rules, timeline, **profile)), "lesson.json")))


LESSON = [
    row("2026-03-02T09:00:00+01:00", 200_000),
    row("2026-03-02T23:59:00+01:00", 204_000, 191_000),
    row("2026-03-03T00:00:00+01:00", 204_000, 191_000),
    row("2026-03-03T10:00:00+01:00", 201_000, flow=-3000),
]
PRAGUE = {"zone": "Europe/Prague", "rollover": "00:00", "initial_balance": 200_000}


def test_ftmos_overnight_lesson():
    before, after = run([DAILY, EOD], LESSON, currency="USD", **PRAGUE)[1:3]
    at_2359, at_0000 = before["rules"][0], after["rules"][0]
    assert (at_2359["limit"], at_2359["used"], at_2359["state"]) == (190_000, 0.9, "caution")
    assert (at_0000["limit"], at_0000["state"], at_0000["base_origin"]) == (
        194_000, "breached", "observed",
    )  # fmt: skip
    assert after["time"] == "2026-03-03T00:00:00+01:00"


def test_a_withdrawal_moves_the_days_floor_and_not_an_end_of_day_peak():
    daily, eod = run([DAILY, EOD], LESSON, **PRAGUE)[3]["rules"]
    assert (daily["base"], daily["limit"]) == (204_000, 191_000)
    assert (eod["base"], eod["limit"]) == (204_000, 194_000)


def test_the_last_row_before_a_rollover_is_the_base_however_old():
    rows = run([DAILY], [LESSON[0], row("2026-03-05T10:00:00+01:00", 190_001)], **PRAGUE)
    assert (rows[1]["rules"][0]["base"], rows[1]["rules"][0]["state"]) == (200_000, "critical")


def test_a_base_nobody_vouches_for_is_unknown_and_its_numbers_null():
    (first,) = run([DAILY], [row("2026-03-02T09:00:00+01:00", 203_000)], **PRAGUE)
    said = first["rules"][0]
    assert (said["base"], said["limit"], said["used"], said["state"], said["reason"]) == (
        None, None, None, "unknown", "base_unknown",
    )  # fmt: skip


@pytest.mark.parametrize("base", ["balance", "equity", "max_balance_equity"])
def test_a_timeline_that_begins_with_an_open_loss_on_the_initial_balance_has_that_as_its_base(base):
    (first,) = run(
        [{**DAILY, "base": base}], [row("2026-03-02T09:00:00+01:00", 200_000, 190_000)], **PRAGUE
    )
    said = first["rules"][0]
    assert (said["base"], said["limit"], said["state"]) == (200_000, 190_000, "critical")


def test_a_peak_starts_at_the_initial_balance_with_the_timeline():
    rule = {"rule": "trailing_drawdown", "peak": "balance", "amount": 10_000}
    (first,) = run([rule], [row("2026-03-02T09:00:00+01:00", 199_000)], **PRAGUE)
    assert first["rules"][0]["limit"] == 190_000


CHANGES = [
    ("Europe/Prague", "00:00", "2026-03-29"), ("Europe/Prague", "02:30", "2026-03-29"),
    ("Europe/Prague", "00:00", "2026-10-25"), ("America/New_York", "17:00", "2026-03-08"),
    ("America/New_York", "17:00", "2026-11-01"), ("Asia/Tokyo", "00:00", "2026-03-29"),
    ("Asia/Tokyo", "00:00", "2026-10-25"),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "at", "day"), CHANGES)
def test_a_day_starts_on_the_zones_own_clock_through_its_changes(zone, at, day):
    """One second before the rollover the old base holds, at the rollover the new one."""
    from rms_tui.risk.clock import instant
    from rms_tui.risk.profile import Rollover

    assert Rollover(zone, at)
    place = ZoneInfo(zone)
    timeline, expected = [], []
    base = 100_000.0
    for step in range(-1, 3):
        when = datetime.fromisoformat(day).date() + timedelta(days=step)
        moment = instant(when, at, place)
        for seconds in (-1, 0, 3600):
            timeline.append((moment + seconds, base + 1000 * (seconds >= 0)))
            expected.append(base + 1000 * (seconds >= 0))
        base += 1000
    rows = run(
        [{**DAILY, "amount": 5000, "percent": None}],
        [row(datetime.fromtimestamp(t, place).isoformat(), b) for t, b in timeline],
        zone=zone, rollover=at, initial_balance=100_000,
    )  # fmt: skip
    bases = [one["rules"][0]["base"] for one in rows]
    assert bases == expected


def held(side="buy", lots=1.0, **more):
    return {"symbol": "EURUSD", "side": side, "lots": lots, "open": 1.1, "price": 1.1,
            "contract": 100_000, "digits": 5, "rate": 1.0, **more}  # fmt: skip


def test_positions_of_a_row_are_judged():
    rules = [
        {"rule": "position_risk", "percent": 1, "of": "initial"},
        {"rule": "position_size", "lots": 3},
        {"rule": "position_size", "percent": 150},
        {"rule": "open_positions", "count": 2},
        {"rule": "stop_loss_required", "seconds": 60},
    ]
    positions = [held(sl=1.09), held(lots=2.0)]
    rows = run(
        rules,
        [
            row("2026-03-02T09:00:00Z", 200_000, positions=positions),
            row("2026-03-02T09:00:59Z", 200_000, positions=positions),
            row("2026-03-02T09:01:00Z", 200_000, positions=positions),
        ],
        initial_balance=200_000,
    )
    risk, lots, notional, count, stop = rows[0]["rules"]
    assert (risk["state"], risk["reason"], risk["value"]) == ("breached", "no_stop_loss", None)
    assert (lots["value"], lots["state"]) == (3, "breached")
    assert (notional["value"], notional["limit"], notional["state"]) == (
        pytest.approx(330_000), 300_000, "breached",
    )  # fmt: skip
    assert (count["value"], count["state"]) == (2, "breached")
    assert [r["rules"][4]["state"] for r in rows] == ["ok", "critical", "breached"]
    assert stop["value"] == 0


def test_a_reopened_trade_is_the_same_idea():
    rule = {"rule": "position_risk", "amount": 1500, "idea": 60}
    timeline = [
        row("2026-03-02T09:00:00Z", 10_000, positions=[held(sl=1.09)]),
        row("2026-03-02T09:10:00Z", 9_400, positions=[]),
        row("2026-03-02T09:10:30Z", 9_400, positions=[held(open=1.2, sl=1.19)]),
        row("2026-03-02T09:20:00Z", 9_400, positions=[]),
        row("2026-03-02T09:30:00Z", 9_400, positions=[held(open=1.3, sl=1.29)]),
    ]
    values = [r["rules"][0]["value"] for r in run([rule], timeline)]
    assert values == [1000, 600, 1600, 600, 1000]


def test_an_idea_that_was_closed_counts_until_its_window_has_passed():
    rule = {"rule": "position_risk", "amount": 1500, "idea": 60}
    timeline = [
        row("2026-03-02T09:00:00Z", 10_000, positions=[held(sl=1.09)]),
        row("2026-03-02T09:10:00Z", 9_400, positions=[]),
        row("2026-03-02T09:11:00Z", 9_400, positions=[]),
        row("2026-03-02T09:11:01Z", 9_400, positions=[]),
    ]
    said = [r["rules"][0] for r in run([rule], timeline)]
    assert [(one["value"], one["reason"]) for one in said] == [
        (1000, "within"), (600, "within"), (600, "within"), (0, "no_positions"),
    ]  # fmt: skip


def test_lots_that_were_closed_of_a_position_count_to_its_idea():
    """As https://mubite.com/en/frequently-asked-questions/what-is-the-3-risk-per-trade-rule has
    it: 80, 120 and 150 are each below 3 % of 10 000, and together above."""
    rule = {"rule": "position_risk", "amount": 300, "idea": 60}
    timeline = [
        row(f"2026-03-02T09:{minute:02}:00Z", balance, positions=[held(sl=1.1, lots=lots)])
        for minute, balance, lots in
        ((0, 10_000, 4), (10, 9_920, 3), (20, 9_800, 2), (30, 9_650, 1))
    ]  # fmt: skip
    said = [r["rules"][0] for r in run([rule], timeline)]
    assert [one["value"] for one in said] == [0, 80, 200, 350]
    assert said[-1]["state"] == "breached"


def test_what_is_held_is_unknown_where_a_row_does_not_say_it():
    rules = [
        {"rule": "position_risk", "amount": 1500, "idea": 60},
        {"rule": "position_risk", "amount": 1500}, {"rule": "position_size", "lots": 1},
        {"rule": "stop_loss_required", "seconds": 60}, {"rule": "open_positions", "count": 1},
    ]  # fmt: skip
    (first,) = run(rules, [row("2026-03-02T09:00:00Z", 10_000, 9_999)])
    assert {(one["state"], one["value"], one["used"]) for one in first["rules"]} == {
        ("unknown", None, None)
    }


def test_figures_that_are_not_given_decide_nothing():
    rules = [{"rule": "margin_level", "warning": 150, "critical": 100},
             {"rule": "open_positions", "count": 1},
             {"rule": "profit_target", "amount": 100, "flat": True}]  # fmt: skip
    (first,) = run(rules, [row("2026-03-02T09:00:00Z", 1000, 1200)], initial_balance=1000)
    assert [one["state"] for one in first["rules"]] == ["unknown", "unknown", "ok"]


def test_a_deposit_is_no_profit():
    rule = {"rule": "profit_target", "percent": 10}
    rows = run(
        [rule],
        [row("2026-03-02T09:00:00Z", 1000), row("2026-03-02T10:00:00Z", 1600, flow=500),
         row("2026-03-02T11:00:00Z", 1600)],
        initial_balance=1000,
    )  # fmt: skip
    assert [(r["rules"][0]["limit"], r["rules"][0]["state"]) for r in rows] == [
        (1100, "ok"), (1600, "reached"), (1600, "reached"),
    ]  # fmt: skip


def test_a_profile_may_begin_with_a_preset():
    body = {"profile": {"preset": "ftmo-2step", "initial_balance": 200_000}, "timeline": LESSON}
    rules = next(assess(read(json.dumps(body), "lesson.json")))["rules"]
    assert [one["rule"] for one in rules] == ["daily_loss", "total_loss", "profit_target"]


def test_a_deposit_in_the_first_row_is_no_profit_and_a_withdrawal_lowers_its_peak():
    target = {"rule": "profit_target", "percent": 10}
    (first,) = run([target], [row("2026-03-02T09:00:00Z", 1500, flow=500)], initial_balance=1000)
    assert (first["rules"][0]["limit"], first["rules"][0]["state"]) == (1600, "ok")
    peak = {"rule": "trailing_drawdown", "peak": "balance", "amount": 100,
            "withdrawals": "lower_peak"}  # fmt: skip
    (first,) = run([peak], [row("2026-03-02T09:00:00Z", 800, flow=-200)], initial_balance=1000)
    assert (first["rules"][0]["limit"], first["rules"][0]["state"]) == (700, "ok")


def test_the_initial_balance_may_be_written_as_the_first_flow():
    rule = {"rule": "profit_target", "percent": 10}
    rows = run(
        [rule],
        [row("2026-03-02T09:00:00Z", 1000, flow=1000), row("2026-03-02T10:00:00Z", 1100)],
        initial_balance=1000,
    )
    assert [(r["rules"][0]["limit"], r["rules"][0]["state"]) for r in rows] == [
        (1100, "ok"), (1100, "reached"),
    ]  # fmt: skip


def test_an_end_of_day_peak_starts_at_the_initial_balance_too():
    """The balance the cycle's first day began with is not written; the cycle began in that day."""
    rows = run(
        [EOD], [row("2026-03-02T09:00:00+01:00", 203_000), row("2026-03-04T09:00:00+01:00", 1)],
        **PRAGUE,
    )  # fmt: skip
    assert [(r["rules"][0]["base"], r["rules"][0]["limit"]) for r in rows] == [
        (200_000, 190_000), (203_000, 193_000),
    ]  # fmt: skip


def test_an_account_may_begin_with_nothing_and_have_its_floor_below():
    rule = {"rule": "trailing_drawdown", "peak": "eod_balance", "amount": 2000, "lock": 0}
    timeline = [
        row("2026-03-02T09:00:00Z", 0), row("2026-03-03T00:00:00Z", 500),
        row("2026-03-04T00:00:00Z", 3000), row("2026-03-04T09:00:00Z", 3000, -1),
    ]  # fmt: skip
    said = [r["rules"][0] for r in run([rule], timeline, zone="UTC", initial_balance=0)]
    assert [(one["limit"], one["state"]) for one in said] == [
        (-2000, "ok"), (-1500, "ok"), (0, "ok"), (0, "breached"),
    ]  # fmt: skip
    with pytest.raises(Refused, match=r"initial_balance: trailing_drawdown is in percent of it"):
        run([{"rule": "trailing_drawdown", "peak": "equity", "percent": 4}], timeline,
            initial_balance=0)  # fmt: skip


def test_a_daily_floor_under_the_initial_balance_is_known_from_the_first_row():
    rule = {**DAILY, "base": "initial"}
    (first,) = run([rule], [row("2026-03-02T09:00:00+01:00", 195_000)], **PRAGUE)
    assert (first["rules"][0]["limit"], first["rules"][0]["state"]) == (190_000, "ok")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-03-28T12:00:00+02:00", "2026-03-29T12:00:00+03:00"),
        ("2026-10-24T12:00:00+03:00", "2026-10-25T12:00:00+02:00"),
    ],
)
def test_the_servers_midnight_follows_its_clock_through_summer_time(before, after):
    offset = after[-6:]
    day = datetime.fromisoformat(after).date() + timedelta(days=1)
    timeline = [
        row(before, 100_000), row(after, 100_500), row(f"{day}T00:00:00{offset}", 101_000),
        row(f"{day}T09:00:00{offset}", 102_000),
    ]  # fmt: skip
    rows = run([DAILY], timeline, zone="server", initial_balance=100_000)
    bases = [one["rules"][0]["base"] for one in rows]
    assert bases == [100_000, 100_000, 101_000, 101_000]


def test_the_servers_clock_is_the_first_rows_for_a_row_written_in_another_zone():
    timeline = [
        row("2026-03-02T09:00:00+02:00", 100_000),
        row("2026-03-02T21:59:59Z", 100_500), row("2026-03-02T22:00:00Z", 101_000),
    ]  # fmt: skip
    rows = run([DAILY], timeline, zone="server", initial_balance=100_000)
    assert [one["rules"][0]["base"] for one in rows] == [100_000, 100_000, 101_000]


def test_a_stop_of_0_is_none_as_mt5_writes_it():
    rule = {"rule": "position_risk", "amount": 500}
    (first,) = run([rule], [row("2026-03-02T09:00:00Z", 10_000, positions=[held(sl=0)])])
    assert first["rules"][0]["reason"] == "no_stop_loss"


def test_a_risk_that_no_rate_tells_has_no_share_used():
    rule = {"rule": "position_risk", "amount": 500}
    (first,) = run([rule], [row("2026-03-02T09:00:00Z", 10_000, positions=[held(sl=1, rate=None)])])
    said = first["rules"][0]
    assert (said["state"], said["reason"], said["used"]) == ("unknown", "no_rate", None)


def test_a_symbols_contract_is_known_where_one_of_its_positions_says_it():
    rule = {"rule": "position_size", "percent": 150}
    positions = [held(lots=2, contract=None), held()]
    (first,) = run([rule], [row("2026-03-02T09:00:00Z", 200_000, positions=positions)])
    assert first["rules"][0]["value"] == pytest.approx(330_000)


def test_an_equity_of_0_under_an_open_result_decides_nothing():
    (first,) = run([DAILY], [row("2026-03-02T00:00:00+01:00", 200_000, 0)], **PRAGUE)
    assert (first["rules"][0]["state"], first["rules"][0]["reason"]) == ("unknown", "zero_equity")


def test_a_row_of_a_long_timeline_keeps_no_more_than_rules_can_ask_for():
    from rms_tui.assess import Ledger

    profile = {"rules": [{"rule": "position_risk", "amount": 500, "idea": 60}]}
    timeline = []
    for hour in range(500):
        at = datetime.fromisoformat("2026-01-05T00:00:00Z") + timedelta(hours=hour)
        positions = [held(open=1.1 + hour / 1000, sl=1.0)] if hour % 2 else []
        timeline.append(row(at.isoformat(), 10_000 + hour, flow=1, positions=positions))
    written = read(json.dumps({"profile": profile, "timeline": timeline}), "long.json")
    ledger = Ledger.of(written.profile)
    for one, at in zip(written.rows, written.at, strict=True):
        ledger = ledger.after(one, at)
    assert (len(ledger.flows), len(ledger.trades)) == (72, 1)


POLLUTED = [(key, value) for key in ("amount", "caution", "critical") for value in ("1000", True)]


@pytest.mark.parametrize(("key", "value"), POLLUTED)
def test_text_and_truth_values_are_no_numbers_of_a_rule(key, value):
    rule = {"rule": "daily_loss", "base": "balance", "amount": 1000, key: value}
    with pytest.raises(Refused, match=rf"profile\.rules\.0\.daily_loss\.{key}: expected"):
        read(json.dumps(document([rule], LESSON)), "lesson.json")


def test_what_is_no_timeline_is_refused_with_its_reason():
    twice = json.dumps(document([DAILY], LESSON)).replace('"flow": -3000', '"flow": 1, "flow": 2')
    held_twice = json.dumps(document([], [row("2026-03-02T09:00:00Z", 1, positions=[held()])]))
    for text, named in (
        ('{"profile": {}, "profile": {}}', "json: key 'profile' is written twice"),
        (
            '{"profile": {"rules": [{"rule": "x", "rule": "y"}]}}',
            r"json: profile\.rules\.0: key 'rule' is written twice",
        ),
        (twice, "json: row 4: key 'flow' is written twice"),
        (
            held_twice.replace('"lots"', '"side": "buy", "lots"'),
            r"row 1: positions\.0: key 'side' is written twice",
        ),
        ("[" * 100_000, "nested too deeply"),
    ):
        with pytest.raises(Refused, match=named):
            read(text, "lesson.json")


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_that_nothing_holds_is_refused_with_row_and_field(digits):
    text = json.dumps(document([DAILY], LESSON)).replace("191000", "9" * digits)
    with pytest.raises(Refused, match="row 2: equity: expected a finite number"):
        read(text, "lesson.json")


def test_what_came_is_shown_in_one_line_however_long_and_odd_it_is():
    for body, named in (
        (document([DAILY], ["x" * 100_000]), "row 1: expected an object, got 'xxx"),
        (document([DAILY], LESSON, zone="A" * 100_000), "no time zone 'AAA"),
        (document([DAILY], [row("2026-03-02T09:00:00Z", 1, **{"\n\x1b[2J": 1})]),
         r"row 1: '\\n\\x1b\[2J': unknown key"),
        ({"profile": {"rules": {}}, "timeline": LESSON}, "profile.rules: expected a list"),
        (document(["daily_loss"], LESSON), "rules.0: expected an object with keys, got 'da"),
    ):  # fmt: skip
        with pytest.raises(Refused, match=named) as refusal:
            read(json.dumps(body), "lesson.json")
        assert len(str(refusal.value)) < 300
        assert str(refusal.value).isprintable()


def one_position(**more):
    return document([DAILY], [row("2026-03-02T09:00:00Z", 1, positions=[held(), held(**more)])])


REFUSED = [
    (one_position(contract=100), "row 1: positions.1.contract: expected 100000, as of the"),
    (one_position(contract=0), "row 1: positions.1.contract: expected greater than 0, got 0"),
    (one_position(rate=-1), "row 1: positions.1.rate: expected greater than 0, got -1"),
    (document([DAILY], [row("2026-03-02T09:00:00Z", 1, margin=-5)]), "row 1: margin: expected"),
    (document([DAILY], LESSON, rollover="0\u0663:00"), "profile.rollover: rollover '0\u0663:00'"),
    (document([DAILY], LESSON, currency=""), "profile.currency: expected at least 1 character"),
    (document([{"rule": "dayly_loss"}], LESSON), "rules.0.rule: no rule 'dayly_loss'; expected"),
    (document([{"base": "balance"}], LESSON), "rules.0.rule: missing key"),
    (document([DAILY], [row("9999-12-31T23:59:59-12:00", 1)]), "row 1: time: expected a year"),
    (document([DAILY], [row("0001-01-01T00:00:00+12:00", 1)]), "row 1: time: expected a year"),
    (document([DAILY], [{"time": "2026-03-02T09:00:00Z", "equity": 1}]), "row 1: balance: missing"),
    ({"profile": {"rules": []}, "timeline": []}, "timeline"),
    ({"profile": {"rules": []}, "timelin": [row("2026-03-02T09:00:00Z", 1)]}, "timelin"),
    (document([{**DAILY, "percnt": 5}], LESSON), "percnt"),
    (document([DAILY], LESSON, zone="Europe/Pragu"), "zone"),
    (document([DAILY], LESSON, rollover="24:00"), "rollover"),
    (document([DAILY], [LESSON[1], LESSON[0]], **PRAGUE), "row 2: time"),
    (document([DAILY], [row("2026-03-02T09:00:00", 1)]), "row 1: time"),
    (document([DAILY], [row("2026-03-02T09:00:00Z", float("nan"))]), "row 1: balance"),
    (document([DAILY], [row("2026-03-02T09:00:00Z", True)]), "row 1: balance"),
    (document([DAILY], [row("2026-03-02T09:00:00Z", 1, floating=3)]), "row 1: floating"),
    (document([DAILY], [row("2026-03-02T09:00:00Z", 1, positions=[{"symbol": "X"}])]),
     "row 1: positions.0.side"),
    ({"profile": {"preset": "ftmo-3step"}, "timeline": [row("2026-03-02T09:00:00Z", 1)]},
     "profile.preset: no preset 'ftmo-3step'"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "named"), REFUSED)
def test_what_cannot_be_assessed_is_refused_with_file_row_and_field(body, named):
    with pytest.raises(Refused) as refusal:
        read(json.dumps(body), "lesson.json")
    assert "lesson.json" in str(refusal.value)
    assert named in str(refusal.value)
