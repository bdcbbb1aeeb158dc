"""A feed of exactly one account, under the name its element has for the server.

The second wall against publishing another account's figures: a Book that is not of this login on
this server, whatever made it, is an error and never a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rms_tui.book import Book, Deals, narrowed
from rms_tui.feed import Feed, FeedError, FeedStatus, Known, Selection, Sought


class OneAccount:
    """See `rms_tui.feed.Feed`."""

    def __init__(self, feed: Feed, login: int, server: str) -> None:
        self._feed = feed
        self._login = login
        self._server = server

    @property
    def title(self) -> str:
        return self._feed.title

    @property
    def status(self) -> FeedStatus:
        return self._feed.status

    def start(self) -> None:
        """Begin connecting; returns at once."""
        self._feed.start()

    def read(self, timeout: float) -> Book:
        """A Book of the one account. Raises FeedError, also where it is of another."""
        book = self._feed.read(timeout)
        mine = book.accounts.login == self._login
        if book.server.casefold() != self._server.casefold() or int(mine.sum()) != 1:
            shown = ", ".join(str(login) for login in book.accounts.login[:3].tolist()) or "nobody"
            raise FeedError(
                "wrong-account",
                f"The terminal shows {shown}@{book.server}, expected {self._login}@{self._server}.",
            )
        own = narrowed(book, mine)
        return own if own.server == self._server else replace(own, server=self._server)

    def select(self, selection: Selection) -> None:
        """Nothing to choose."""

    def known(self, sought: Sought, timeout: float) -> Known:
        """Which of these accounts the source has. Raises FeedError."""
        return self._feed.known(sought, timeout)

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:
        """Deals of the account. Raises FeedError."""
        return self._feed.history(logins, timeout)

    def close(self) -> None:
        """End the source."""
        self._feed.close()
