"""An element's own profile, written by anyone, reaches the running monitor."""

from __future__ import annotations

from dataclasses import replace

import pytest
from desk import until
from tests.feeds import PLAN, FakeFeed, book

from rms_tui.facts import ProfileChange
from rms_tui.monitor import Monitor
from rms_tui.store import profiles
from rms_tui.store.database import Rms
from rms_tui.store.embedded import Remote
from rms_tui.store.writer import Writer


def test_a_profile_written_to_an_element_is_heard_within_seconds(
    server_uri: str, database: Rms
) -> None:
    import threading

    heard = threading.Event()
    own: list[object] = []
    monitor = Monitor(FakeFeed(book(3)), PLAN, clock=lambda: book(3).taken_at)

    def told(found: object) -> None:
        own.append(found)
        heard.set()

    writer = Writer(
        monitor.frames,
        monitor.outbox,
        Remote(server_uri),
        source="manager",
        database=database.name,
        on_profiles=told,
        period=0.05,
    )
    monitor.step()
    database.elements.insert_one(
        {"login": 70_101, "server": "Broker-Live", "source": "manager", "status": "ACTIVE",
         "profile": {"max_daily_loss": 500}}
    )  # fmt: skip
    writer.start()
    try:
        assert heard.wait(10)
        assert own == [{70_101: {"max_daily_loss": 500}}]
    finally:
        writer.stop()


def test_a_profile_given_in_one_process_is_judged_by_in_another(
    server_uri: str, database: Rms
) -> None:
    given, hearing = (
        Monitor(FakeFeed(book(3)), PLAN, clock=lambda: book(3).taken_at) for _ in range(2)
    )
    writers = [
        Writer(
            monitor.frames,
            monitor.outbox,
            Remote(server_uri),
            source="manager",
            database=database.name,
            on_profiles=monitor.set_own_profiles,
            period=0.05,
        )
        for monitor in (given, hearing)
    ]
    given.step()
    hearing.step()
    for writer in writers:
        writer.start()
    try:
        given.assign(70_101, {"max_daily_loss": 500}, "eva@desk")
        given.assign(70_102, "ftmo-2step", "eva@desk")
        until(lambda: len(hearing.own_profiles) == 2)
        frame = hearing.step()
        assert frame.health.error is None
        scope = frame.assessment.scope
        names = [scope.plan.profiles[at].name for at in scope.profile.tolist()]
        assert names == ["desk", "account 70101", "ftmo-2step"]
        rows = list(database.audit.find({"action": "profile"}).sort("login"))
        assert [(row["login"], row["operator"], row["profile"]) for row in rows] == [
            (70_101, "eva@desk", {"max_daily_loss": 500}),
            (70_102, "eva@desk", "ftmo-2step"),
        ]
        hearing.assign(70_101, None, "ann@desk")
        until(lambda: list(given.own_profiles) == [70_102])
        assert "profile" not in database.elements.find_one({"login": 70_101})
    finally:
        for writer in writers:
            writer.stop()


def test_a_profile_that_cannot_be_is_refused_before_anything_changes() -> None:
    monitor = Monitor(FakeFeed(book(3)), PLAN, clock=lambda: book(3).taken_at)
    with pytest.raises(ValueError, match="70101 is not watched"):
        monitor.assign(70_101, "desk", "eva@desk")
    monitor.step()
    for wrong, why in (
        ("nope", "no profile 'nope'"),
        ({}, "expected rules"),
        ({"max_profit": -1}, "amount"),
        ({"preset": "nope"}, "no preset"),
    ):
        with pytest.raises(ValueError, match=why):
            monitor.assign(70_101, wrong, "eva@desk")
    assert (monitor.own_profiles, len(monitor.outbox)) == ({}, 0)


def test_writing_a_profile_twice_is_writing_it_once(database: Rms) -> None:
    change = ProfileChange(70_101, "Broker-Live", "desk", "eva", 1_772_460_202.0)
    assert profiles.assign(database, change, "manager")
    assert not profiles.assign(database, change, "manager")
    assert database.audit.count_documents({}) == 1
    with pytest.raises(ValueError, match="name of its server"):
        profiles.assign(database, replace(change, server=None), "manager")
