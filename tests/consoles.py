"""A console over a fake feed and the real Monitor, with a clock that stands still."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from tests.feeds import NOW, PLAN, FakeFeed, book
from textual.pilot import Pilot

from rms_tui.book import Book
from rms_tui.feed import FeedError, FeedStatus, Selection
from rms_tui.frame import FeedState
from rms_tui.monitor import Monitor
from rms_tui.tui.app import RmsApp
from rms_tui.tui.messages import FrameReady


@dataclass
class Store:
    """A StoreView and the box it lies in."""

    state: str = "connected"
    text: str = "connected"
    waiting: int = 0

    @property
    def value(self) -> Store:
        return self


class Bench:
    """A feed, a monitor and a console over them; `now` is the only clock."""

    def __init__(
        self,
        feed: FakeFeed | None = None,
        *,
        live: FeedState = FeedState.LIVE,
        selection: Selection | None = None,
        theme: str = "desk-dark",
    ) -> None:
        self.now = NOW + 0.8
        self.feed = FakeFeed(book()) if feed is None else feed
        self.monitor = Monitor(
            self.feed, PLAN, live=live, selection=selection, clock=lambda: self.now
        )
        self.store = Store()
        self.app = RmsApp(
            self.monitor,
            operator="dealer@desk-2",
            store=self.store,  # type: ignore[arg-type]
            theme=theme,
            clock=lambda: self.now,
        )

    def step(self, newest: Book | None = None) -> None:
        """Poll once, of a newer Book if there is one."""
        if newest is not None:
            self.feed.newest = newest
        self.monitor.step()

    async def shown(self, pilot: Pilot[None], newest: Book | None = None) -> None:
        """Poll once and wait until the console took the frame."""
        self.step(newest)
        self.app.post_message(FrameReady())
        await pilot.pause()

    async def errand(self, pilot: Pilot[None], name: str) -> None:
        """Wait until a thread of the console brought its outcome."""
        for thread in threading.enumerate():
            if thread.name == f"rms-{name}":
                thread.join(30)
        await pilot.pause()

    def text(self, selector: str) -> str:
        """What a status line says."""
        return self.app.screen.query_one(selector).text  # type: ignore[attr-defined, no-any-return]

    def screen_lines(self) -> list[str]:
        """The terminal's lines, as text."""
        app = self.app
        width, height = app.size
        strips = app.screen._compositor.render_strips()
        del width
        return ["".join(segment.text for segment in strip) for strip in strips[:height]]


def lost_feed(next_attempt: float | None = NOW + 9) -> FakeFeed:
    """A feed that never gave a Book and says why."""
    return FakeFeed(
        None,
        error=FeedError("authorisation", "prod-1:443 refused login 1001: invalid account"),
        status=FeedStatus(
            "down",
            "waiting",
            NOW - 12,
            "prod-1:443 refused login 1001: invalid account",
            "authorisation",
            next_attempt,
        ),
    )
