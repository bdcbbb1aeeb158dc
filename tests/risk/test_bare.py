"""Since when a position has no stop: from the first poll without, and never by a guess."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.risk.desk import Chain, book, plan, reasons, states, utc

from rms_tui.assess import assess
from rms_tui.recording.body import Columns
from rms_tui.recording.shapes import tree_of, value_of
from rms_tui.risk.memory import Memory
from rms_tui.risk.verdict import Reason, State
from rms_tui.serve.packed_book import memory_from, memory_scalars, tables
from rms_tui.timeline import read

START = utc("2026-03-02 09:00")
OLD = {"ticket": 7, "opened": int(START) - 3600}
"""A position that was opened an hour before anybody looked."""


class Desk:
    """One account, polled every 5 seconds, whose positions need a stop within a minute."""

    def __init__(self, at=START, **chain):
        rule = {"rule": "stop_loss_required", "seconds": 60}
        self.chain, self.at = Chain(plan(rule), interval=5.0, **chain), at - 5

    def see(self, *positions, after=5.0, row=None, offset=0.0, stale=False):
        """The verdict of a Book so many seconds after the one before."""
        self.at += after
        rows = [{"balance": 1000.0, **(row or {})}]
        seen = book(rows, at=self.at, offset=offset, positions=positions)
        return self.chain.see(seen, stale=stale).verdicts[0]

    def wait(self, seconds, *positions, **how):
        """The verdict after polls every 5 seconds."""
        for _ in range(int(seconds / 5)):
            verdict = self.see(*positions, **how)
        return verdict


def said(verdict):
    return states(verdict)[0], float(verdict.value[0])


def test_a_stop_that_is_taken_away_after_an_hour_leaves_a_minute():
    desk = Desk()
    assert said(desk.wait(10, {**OLD, "sl": 1.0})) == (State.OK, 0.0)
    assert said(desk.see(OLD)) == (State.OK, 0.0)
    assert said(desk.wait(55, OLD)) == (State.CAUTION, 55.0)
    breached = desk.see(OLD)
    assert said(breached) == (State.BREACHED, 60.0)
    assert reasons(breached) == [Reason.NO_STOP_LOSS]


def test_a_stop_that_was_set_again_starts_the_minute_anew():
    desk = Desk()
    desk.see({**OLD, "sl": 1.0})
    desk.wait(40, OLD)
    desk.see({**OLD, "sl": 1.0})
    assert said(desk.see(OLD)) == (State.OK, 0.0)


def test_a_position_opened_while_watched_counts_from_its_opening():
    desk = Desk()
    desk.see()
    new = {"ticket": 8, "opened": int(START) + 2}
    assert said(desk.see(new)) == (State.OK, 3.0)
    assert said(desk.wait(60, new)) == (State.BREACHED, 63.0)


def test_a_clock_that_runs_ahead_of_the_server_breaches_nothing_that_was_just_opened():
    desk = Desk()
    desk.see()
    assert said(desk.see({"ticket": 8, "opened": int(START) - 300})) == (State.OK, 5.0)


def test_at_first_sight_it_is_unknown_since_when_until_it_is_certain():
    desk = Desk()
    first = desk.see(OLD)
    assert (said(first), reasons(first)) == ((State.UNKNOWN, 0.0), [Reason.STOPS_UNKNOWN])
    assert np.isnan(first.used[0])
    assert said(desk.wait(55, OLD)) == (State.UNKNOWN, 55.0)
    assert said(desk.see(OLD)) == (State.BREACHED, 60.0)


def test_what_comes_to_the_same_either_way_is_decided_at_first_sight():
    assert said(Desk().see({"ticket": 8, "opened": int(START) - 30})) == (State.OK, 0.0)


def test_a_restart_is_a_first_sight():
    before = Desk()
    before.see({**OLD, "sl": 1.0})
    assert said(before.wait(65, OLD)) == (State.BREACHED, 60.0)
    after = Desk(at=before.at + 5)
    assert said(after.see(OLD)) == (State.UNKNOWN, 0.0)


def test_a_gap_without_a_look_makes_nothing_certain():
    desk = Desk()
    desk.see({**OLD, "sl": 1.0})
    assert said(desk.wait(65, OLD)) == (State.BREACHED, 60.0)
    assert said(desk.see(OLD, after=15.0)) == (State.BREACHED, 75.0)
    assert said(desk.see(OLD, after=15.1)) == (State.UNKNOWN, 0.0)


def test_a_position_that_vanished_from_a_row_nobody_believed_is_not_a_new_one():
    desk = Desk()
    desk.see({**OLD, "sl": 1.0})
    desk.see(OLD)
    desk.see(row={"equity": float("nan")})
    assert said(desk.see(OLD)) == (State.OK, 10.0)
    assert said(desk.see(OLD, after=1.0)) == (State.OK, 11.0)


def test_a_position_that_comes_back_beside_believed_rows_is_not_a_new_one_either():
    chain = Chain(plan({"rule": "stop_loss_required", "seconds": 60}), interval=5.0)
    good, bad = {"balance": 1.0}, {"balance": 1.0, "equity": float("nan")}
    chain.see(book([good, good], at=START, positions=[{**OLD, "sl": 1.0}]))
    chain.see(book([bad, good], at=START + 5))
    back = chain.see(book([good, good], at=START + 10, positions=[OLD])).verdicts[0]
    assert states(back) == [State.UNKNOWN, State.OK]


def test_stale_polls_do_not_count_as_a_look():
    desk = Desk()
    desk.see({**OLD, "sl": 1.0})
    desk.wait(20, {**OLD, "sl": 1.0}, stale=True)
    assert said(desk.see(OLD)) == (State.UNKNOWN, 0.0)


def test_the_same_ticket_of_another_account_is_another_position():
    chain = Chain(plan({"rule": "stop_loss_required", "seconds": 60}), interval=5.0)
    rows = [{"balance": 1.0}, {"balance": 1.0}]
    mine, his = {"ticket": 7, "account": 0, "opened": 5}, {"ticket": 7, "account": 1, "opened": 5}
    chain.see(book(rows, at=START, positions=[mine, {**his, "sl": 1.0}]))
    seen = chain.see(book(rows, at=START + 5, positions=[{**mine, "sl": 1.0}, his])).verdicts[0]
    assert (states(seen), list(seen.value)) == ([State.OK, State.OK], [0.0, 0.0])


def test_accounts_that_join_and_leave_take_no_clock_from_the_others():
    chain = Chain(plan({"rule": "stop_loss_required", "seconds": 60}), interval=5.0)
    stay, join = {"balance": 1.0, "login": 500}, {"balance": 1.0, "login": 400}
    chain.see(book([stay], at=START, positions=[{**OLD, "sl": 1.0}]))
    chain.see(book([stay], at=START + 5, positions=[OLD]))
    his = {"ticket": 3, "account": 0, "opened": 5}
    both = chain.see(book([join, stay], at=START + 10, positions=[his, {**OLD, "account": 1}]))
    assert states(both.verdicts[0]) == [State.UNKNOWN, State.OK]
    assert list(both.verdicts[0].value) == [0.0, 5.0]
    alone = chain.see(book([stay], at=START + 15, positions=[OLD]))
    assert said(alone.verdicts[0]) == (State.OK, 10.0)


def test_without_the_servers_clock_only_what_was_seen_counts():
    desk = Desk()
    first = desk.see(OLD, offset=None)
    assert (states(first), reasons(first)) == ([State.UNKNOWN], [Reason.CLOCK_UNKNOWN])
    assert reasons(desk.see(OLD)) == [Reason.STOPS_UNKNOWN]
    assert said(desk.wait(55, OLD)) == (State.BREACHED, 60.0)


def test_a_servers_clock_put_forward_ages_no_position():
    desk = Desk()
    desk.see()
    new = {"ticket": 8, "opened": int(START) + 2}
    desk.see(new)
    assert said(desk.see(new, offset=3600.0)) == (State.OK, 8.0)


def test_nothing_is_worked_out_again_while_no_stop_and_no_ticket_changed():
    desk = Desk()
    desk.see({**OLD, "sl": 1.0})
    desk.see(OLD)
    before = desk.chain.memory.bare
    desk.see(OLD)
    after = desk.chain.memory.bare
    assert after.since is before.since
    assert after.earliest is before.earliest is before.since
    assert after.without is before.without


def test_a_recorded_memory_goes_on_counting():
    desk = Desk()
    desk.see({**OLD, "sl": 1.0})
    desk.wait(10, OLD)
    columns = Columns()
    tree = tree_of(desk.chain.memory, columns)
    desk.chain.memory = value_of(Memory, tree, columns.arrays)
    assert said(desk.see(OLD)) == (State.OK, 10.0)


def test_a_console_that_follows_counts_as_its_holder_does():
    desk = Desk()
    desk.see({**OLD, "sl": 1.0})
    desk.wait(10, OLD)
    known = desk.chain.memory
    followed = memory_from(memory_scalars(known), tables(desk.chain.book, known)["memory"])
    assert followed.bare.earliest is followed.bare.since
    np.testing.assert_array_equal(followed.bare.since, known.bare.since)


def positions(sl=None):
    return [{"symbol": "EURUSD", "side": "buy", "lots": 1, "open": 1.08, "sl": sl}]


@pytest.mark.parametrize(
    ("stops", "ages"),
    [([None, None, None], [0, 50, 100]), ([1.07, None, None], [0, 0, 50]),
     ([None, 1.07, None], [0, 0, 0]), ([1.07, 1.07, None], [0, 0, 0]), ([1.07, 0, 0], [0, 0, 50])],
)  # fmt: skip
def test_a_timeline_counts_from_the_first_row_without_a_stop(stops, ages):
    rows = [
        {"time": f"2026-03-02T09:{minute}+01:00", "balance": 1, "equity": 1,
         "positions": positions(sl)}
        for minute, sl in zip(("00:00", "00:50", "01:40"), stops, strict=True)
    ]  # fmt: skip
    rule = {"rule": "stop_loss_required", "seconds": 60}
    text = json.dumps({"profile": {"rules": [rule]}, "timeline": rows})
    found = [row["rules"][0] for row in assess(read(text, "stops"))]
    assert [one["value"] for one in found] == ages
    assert [one["state"] == "breached" for one in found] == [age >= 60 for age in ages]
