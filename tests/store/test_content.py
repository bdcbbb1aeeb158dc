"""What element documents should say, and which of them must be written."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from bson import ObjectId
from desk import NOW, PLAN, HandFeed, book
from hypothesis import given
from hypothesis import strategies as st

from rms_tui.book import Floats
from rms_tui.feed import FeedError
from rms_tui.frame import Frame
from rms_tui.monitor import Monitor
from rms_tui.risk.assessment import worst_verdict
from rms_tui.risk.profile import MaxLoss, MaxProfit, Plan, RiskProfile
from rms_tui.store.content import (
    NOBODY,
    Content,
    Told,
    Written,
    _marked,
    content,
    documents,
    told_from,
)
from rms_tui.store.element_ids import ElementIds
from rms_tui.store.values import number


class Desk:
    """A monitor stepped by hand, and the contents of its frames."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.feed = HandFeed(book([0.0]))
        self.now = NOW
        self.monitor = Monitor(self.feed, plan, interval=1.0, clock=lambda: self.now)
        self.told: Told = NOBODY

    def polled(self, *floating: float, silent: bool = False) -> Content:
        self.feed.newest = book(floating, at=self.now)
        return self.content(self.monitor.step(), silent=silent)

    def confirmed(self, *floating: float) -> Content:
        """Two polls: the alert is raised with the second."""
        self.polled(*floating)
        self.now += 1
        return self.polled(*floating)

    def content(self, frame: Frame, *, silent: bool = False) -> Content:
        assert frame.book is not None
        assert frame.assessment is not None
        made = content(frame.book, frame.assessment, frame, self.told, silent=silent)
        self.told = made.told
        return made


def said(made: Content) -> list[tuple[str, str]]:
    every = documents(made, np.arange(len(made)))
    return [(one["status"], one["risk"]["state"]) for one in every]


def test_status_says_active_breached_or_target_reached() -> None:
    made = Desk().confirmed(0.0, -1200.0, 6000.0)
    assert said(made) == [
        ("ACTIVE", "ok"),
        ("BREACHED", "breached"),
        ("TARGET_REACHED", "reached"),
    ]


def test_a_one_poll_phantom_makes_no_breach_in_the_database() -> None:
    desk = Desk()
    statuses = []
    for floating in (0.0, -9000.0, 0.0):
        statuses += said(desk.polled(floating))
        desk.now += 1
    assert statuses == [("ACTIVE", "ok"), ("ACTIVE", "breached"), ("ACTIVE", "ok")]


def test_the_rule_named_is_the_one_that_gives_the_state() -> None:
    desk = Desk()
    made = desk.polled(0.0, -1200.0, 6000.0, -400.0)
    frame = desk.monitor.frames.value
    assert frame is not None
    assert frame.assessment is not None
    for row, one in enumerate(documents(made, np.arange(4))):
        worst = worst_verdict(frame.assessment, row)
        assert worst is not None
        verdict, at = worst
        assert one["risk"]["rule"] == verdict.rule.rule
        assert one["risk"]["value"] == number(float(verdict.value[at]), 2)
        assert one["risk"]["limit"] == number(float(verdict.limit[at]), 2)


def test_since_is_when_the_state_began_and_figures_alone_do_not_move_it() -> None:
    desk = Desk()
    desk.polled(-1200.0)
    desk.now += 60
    (one,) = documents(desk.polled(-1300.0), np.arange(1))
    assert one["risk"]["since"] == datetime.fromtimestamp(NOW, UTC)
    assert one["account"]["time"] == datetime.fromtimestamp(NOW + 60, UTC)


def test_a_gap_in_the_data_ends_no_breach_and_does_not_restart_it() -> None:
    desk = Desk()
    desk.confirmed(-1200.0)
    desk.now += 60
    assert said(desk.polled(math.nan)) == [("BREACHED", "unknown")]
    desk.now += 60
    made = desk.polled(-1200.0)
    assert said(made) == [("BREACHED", "breached")]
    assert made.told.since.tolist() == [NOW]


def test_a_source_silent_for_long_makes_its_elements_inactive_until_it_speaks() -> None:
    desk = Desk()
    desk.polled(-1200.0)
    desk.feed.error = FeedError("connection", "gone")
    desk.now += 400
    assert said(desk.content(desk.monitor.step(), silent=True)) == [("INACTIVE", "unknown")]
    desk.feed.error = None
    assert said(desk.confirmed(-1200.0)) == [("BREACHED", "breached")]


def test_a_rule_that_never_decides_does_not_keep_a_breach_of_another_rule_alive() -> None:
    rules = (MaxLoss(rule="max_loss", amount=-1000), MaxProfit(rule="max_profit", amount=5000))
    desk = Desk(plan=Plan(profiles=(RiskProfile(name="desk", rules=rules),), default="desk"))
    assert said(desk.confirmed(-1200.0)) == [("BREACHED", "breached")]
    desk.now += 60
    assert said(desk.polled(0.0)) == [("ACTIVE", "unknown")], "no initial balance is known"


def test_after_a_restart_a_breach_goes_on_since_it_began() -> None:
    began = datetime.fromtimestamp(NOW - 3600, UTC)
    desk = Desk()
    desk.told = told_from(
        [
            {"login": 1002, "status": "BREACHED", "risk": {"state": "unknown", "since": began}},
            {"login": 1001, "status": "BREACHED", "risk": {"state": "breached", "since": began}},
            {"login": 9, "status": "PENDING"},
        ]
    )
    made = desk.polled(-1200.0, math.nan)
    assert said(made) == [("BREACHED", "breached"), ("BREACHED", "unknown")]
    assert made.told.since.tolist() == [NOW - 3600, NOW - 3600]


def test_unknown_numbers_are_null_and_never_zero() -> None:
    (one,) = documents(Desk().polled(math.nan), np.arange(1))
    assert one["account"]["equity"] is one["account"]["profit"] is None
    assert one["account"]["margin_level"] is None, "no margin used: there is no level"
    assert one["account"]["balance"] == 10_000.0
    assert one["risk"]["reason"] == "not_a_number"


def test_only_accounts_that_changed_are_written_and_only_once() -> None:
    desk, written = Desk(), Written()
    first = desk.polled(1.0, 2.0, 3.0)
    assert written.differing(first).tolist() == [0, 1, 2]
    written.note(first, np.array([0, 1]))
    assert written.differing(first).tolist() == [2], "what failed is still to be written"
    written.note(first, np.array([2]))
    desk.now += 1
    assert written.differing(desk.polled(1.0, 2.5, 3.0)).tolist() == [1]
    assert written.differing(desk.polled(1.001, 2.0, 3.0)).tolist() == [], "below the last digit"
    written.forget([1003])
    assert written.differing(desk.polled(1.0, 2.0, 3.0)).tolist() == [2]


def test_accounts_that_join_are_written_and_the_others_are_not_again() -> None:
    desk, written = Desk(), Written()
    first = desk.polled(1.0, 2.0)
    written.note(first, written.differing(first))
    assert written.differing(desk.polled(1.0, 2.0, 3.0)).tolist() == [2]


def test_a_changed_name_is_a_change() -> None:
    desk, written = Desk(), Written()
    first = desk.polled(1.0, 2.0)
    written.note(first, written.differing(first))
    named = book([1.0, 2.0], names=["Client 0", "[/red]$\ud800"])
    desk.feed.newest = replace(named, taken_at=desk.now)
    made = desk.content(desk.monitor.step())
    assert written.differing(made).tolist() == [1]
    (one,) = documents(made, np.array([1]))
    assert one["account"]["name"] == "[/red]$\ufffd"


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20))
def test_figures_are_stored_at_their_currency_s_digits(figures: list[float]) -> None:
    money: Floats = np.array(figures)
    every = documents(Desk().polled(*figures), np.arange(len(figures)))
    for one, exact in zip(every, money.tolist(), strict=True):
        stored = one["account"]["floating"]
        assert abs(stored - exact) <= 0.00501
        assert stored == round(stored, 2)
        assert str(stored) != "-0.0"


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=12), st.data())
def test_one_thing_that_changed_always_shows_in_the_mark(
    row: list[int], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(row) - 1))
    other = data.draw(st.integers(-(2**63), 2**63 - 1).filter(lambda value: value != row[at]))
    changed = [*row[:at], other, *row[at + 1 :]]
    before, after = (_marked(*(np.array([v]) for v in values)) for values in (row, changed))
    assert before[0] != after[0]


class Element(dict[str, Any]):
    """A document that can be asked whether it is still there."""


def test_elements_of_a_whole_book_are_read_one_document_at_a_time() -> None:
    ids = ElementIds()
    read: list[weakref.ref[Element]] = []

    def found() -> Iterator[Element]:
        for login in (1003, 1001, 1002):
            element = Element(_id=ObjectId(), login=login, status="ACTIVE")
            read.append(weakref.ref(element))
            yield element
            del element
            assert sum(one() is not None for one in read) <= 2, "the last one may be a loop's"

    told = told_from(ids.noted(found()))
    assert told.login.tolist() == [1001, 1002, 1003]
    assert [one() for one in read] == [None] * 3


@given(
    st.dictionaries(
        st.integers(1, 2**40), st.one_of(st.binary(min_size=12, max_size=12), st.text())
    )
)
def test_every_account_has_the_id_its_element_has(known: dict[int, bytes | str]) -> None:
    ids = ElementIds()
    meant = {
        login: ObjectId(id_) if isinstance(id_, bytes) else id_ for login, id_ in known.items()
    }
    half = len(meant) // 2
    pairs = [{"login": login, "_id": id_} for login, id_ in meant.items()]
    for part in (pairs[:half], pairs[half:]):
        assert list(ids.noted(part)) == part
    logins = np.array(list(meant), dtype=np.int64)
    assert ids.of(logins) == list(meant.values())
    assert ids.unknown(np.append(logins, 0)).tolist() == [0]
