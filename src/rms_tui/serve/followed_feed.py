"""The Feed of a follower: Books of the stream, and the holder's word on how its source is."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

import numpy as np

from rms_tui.book import Book, Deals, build, column_types
from rms_tui.feed import Cause, FeedError, FeedStatus, Known, Phase, Selection, Sought
from rms_tui.serve.link import Link, LinkError
from rms_tui.serve.packed import Unpackable, unpack

_TABLES = {"deals": "ticket"}


class FollowedFeed:
    """Gives the Book that was last received, or says why there is none to trust."""

    def __init__(self, address: str, now: float) -> None:
        self._address = address
        self._link: Link | None = None
        self._book: Book | None = None
        self._header: Mapping[str, Any] = {}
        self._lost: str | None = None
        self._since = now
        self._lock = threading.Lock()

    @property
    def title(self) -> str:
        """`desk-1: MT5 Manager prod-1:443`."""
        if not self._header:
            return self._address
        return f"{self._header['host']}: {self._header['source']}"

    @property
    def status(self) -> FeedStatus:
        head = self._header
        if self._lost is not None:
            return FeedStatus("down", "connecting", self._since, self._lost, "connection")
        if not head:
            return FeedStatus("connecting", f"connecting to {self._address}", self._since)
        phase = head["phase"] if head["phase"] in get_args(Phase) else "down"
        cause = head["cause"] if head["cause"] in get_args(Cause) else None
        return FeedStatus(
            cast("Phase", phase),
            str(head["doing"]),
            float(head["since"]),
            head["error"],
            cast("Cause | None", cause),
            head["next_attempt"],
            int(head["restarts"]),
        )

    def received(self, link: Link, header: Mapping[str, Any], book: Book | None) -> None:
        """What the stream says now."""
        with self._lock:
            self._link, self._lost = link, None
            self._header, self._book = dict(header), book

    def lost(self, why: str, now: float) -> None:
        """There is no connection."""
        with self._lock:
            if self._lost is None:
                self._since = now
            self._link, self._lost = None, why

    def start(self) -> None:
        """The follower connects."""

    def close(self) -> None:
        """The follower closes."""

    def select(self, selection: Selection) -> None:
        """Whom the holder watches is said by facts, not here."""

    def read(self, timeout: float) -> Book:  # noqa: ARG002  (a Feed's)
        """The newest Book. Raises FeedError as the holder's source did, or without a connection."""
        with self._lock:
            status = self.status
            if status.phase == "live" and self._book is not None:
                return self._book
        raise FeedError(status.cause or "connection", status.error or status.doing)

    def known(self, sought: Sought, timeout: float) -> Known:
        """Which of these accounts the holder's source has. Raises FeedError."""
        which = {"groups": sought} if isinstance(sought, str) else {"login_ids": list(sought)}
        answer = self._asked({"type": "find_accounts", **which}, timeout)
        return Known(frozenset(answer["found"]), frozenset(answer["absent"]))

    def history(self, logins: Sequence[int] | None, timeout: float) -> Deals:
        """Deals of the holder's history window. Raises FeedError."""
        only = {} if logins is None or len(logins) != 1 else {"login_id": int(logins[0])}
        answer = self._asked({"type": "get_deals", **only}, timeout)
        try:
            held = unpack({"deals": answer["data"]}, None, _TABLES)["deals"]
        except Unpackable as error:
            raise FeedError("refused-data", str(error)) from None
        if set(held.columns) != set(column_types(Deals)):
            raise FeedError("refused-data", "deals of another version")
        deals = Deals(**held.columns)  # type: ignore[arg-type]  # checked by name just above
        if logins is None or only:
            return deals
        wanted = np.isin(deals.login, logins)
        rows = {name: _rows(getattr(deals, name), wanted) for name in column_types(Deals)}
        return build(Deals, rows)

    def _asked(self, request: dict[str, Any], timeout: float) -> dict[str, Any]:
        link = self._link
        if link is None:
            raise FeedError("connection", self._lost or f"connecting to {self._address}")
        try:
            answer = link.ask(request, timeout)
        except LinkError as error:
            raise FeedError("connection", error.text) from None
        if answer["type"] == "error":
            raise FeedError("connection", str(answer["message"]))
        return answer


def _rows(cells: Any, wanted: Any) -> Any:
    if isinstance(cells, tuple):
        return [cell for cell, keep in zip(cells, wanted, strict=True) if keep]
    return cells[wanted]
