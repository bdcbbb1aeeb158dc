"""An element's own profile, written by anyone, reaches the running monitor."""

from __future__ import annotations

from tests.feeds import PLAN, FakeFeed, book

from rms_tui.store.database import Rms
from rms_tui.store.embedded import Remote
from rms_tui.store.writer import Writer


def test_a_profile_written_to_an_element_is_heard_within_seconds(
    server_uri: str, database: Rms
) -> None:
    import threading

    from rms_tui.monitor import Monitor

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
