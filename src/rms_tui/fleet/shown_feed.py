"""The Feed of a console over a fleet: the Book of the database, or why there is none to trust."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rms_tui.book import Book, Deals
from rms_tui.feed import FeedError, FeedStatus, Known, Selection, Sought, known_of


class ShownFeed:
    """Gives the Book that was made last. See `rms_tui.feed.Feed`."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.status = FeedStatus("connecting", "connecting to MongoDB", time.time())
        self._book: Book | None = None

    def made(self, book: Book) -> None:
        """This is how it stands."""
        if self.status.phase != "live":
            self.status = FeedStatus("live", "following MongoDB", book.taken_at)
        self._book = book

    def lost(self, why: str, now: float, next_attempt: float) -> None:
        """The database does not answer."""
        since = self.status.since if self.status.phase == "down" else now
        self.status = FeedStatus(
            "down", "connecting to MongoDB", since, why, "connection", next_attempt
        )

    def start(self) -> None:
        """Whoever reads the database starts."""

    def close(self) -> None:
        """Whoever reads the database ends."""

    def select(self, selection: Selection) -> None:
        """A fleet's elements are all shown."""

    def read(self, timeout: float) -> Book:  # noqa: ARG002  (a Feed's)
        """The newest Book. Raises FeedError while the database is away."""
        if self.status.phase != "live" or self._book is None:
            raise FeedError("connection", self.status.error or self.status.doing)
        return self._book

    def known(self, sought: Sought, timeout: float) -> Known:  # noqa: ARG002
        """Which accounts are there now."""
        if self._book is None:
            return Known(frozenset(), frozenset(() if isinstance(sought, str) else sought))
        accounts = self._book.accounts
        return known_of(accounts.login, accounts.group, sought)

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:  # noqa: ARG002
        """Raises FeedError: deals stay with the terminals, MongoDB has none of them."""
        raise FeedError("configuration", "closed deals of a fleet's accounts are not in MongoDB")
