"""What a recording tells, entry by entry, and how each is written into a record's body.

A poll is written as what differs from the poll before it, so writing and reading go in order and
each keeps the newest Book. A whole poll stands alone: its Book, its memory and its desk are all
there, and reading may begin with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from rms_tui.alerts import Times
from rms_tui.book import Book, Deals
from rms_tui.feed import FeedStatus, Selection
from rms_tui.frame import FeedState, Frame
from rms_tui.recording.body import Array, Columns, Tree, packed, unpacked
from rms_tui.recording.books import book_from, book_tree, same_objects, table_from, table_tree
from rms_tui.recording.desks import DeskChange, desk_change, desk_from, desk_tree
from rms_tui.recording.disk import Kind
from rms_tui.recording.shapes import even, tree_of, value_of
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Plan


@dataclass(frozen=True, slots=True)
class Session:
    """Who recorded what, from when on (UTC seconds). It is said again before each whole poll."""

    id: str
    at: float
    program: str
    source: str
    live: FeedState
    report_currency: str
    times: Times


@dataclass(frozen=True, slots=True)
class PlanSet:
    """The limits in force from the next poll on."""

    at: float
    plan: Plan


@dataclass(frozen=True, slots=True)
class Polled:
    """One poll as the monitor saw it, at its own clock (UTC seconds).

    `book` is None when the source gave none, and `error` then says why. `memory` and `desk` are
    what the poll came to; with `outside`, or where nothing is before it, they cannot be computed
    from the entries before it.
    """

    at: float
    interval: float
    status: FeedStatus
    error: str | None
    failed: bool
    outside: bool
    polls: int
    errors: int
    selection: Selection
    book: Book | None = None
    memory: Memory | None = None
    desk: DeskChange | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Handled:
    """Alerts were handled, here or elsewhere, since the poll before."""

    at: float
    desk: DeskChange


@dataclass(frozen=True, slots=True)
class Gap:
    """Polls that were not recorded, and why; the next poll with a Book is a whole one."""

    at: float
    since: float
    polls: int
    why: str


@dataclass(frozen=True, slots=True)
class Dealt:
    """Deals of the history window that were read for these accounts (None: all watched)."""

    at: float
    logins: tuple[int, ...] | None
    deals: Deals


Entry: TypeAlias = Session | PlanSet | Polled | Handled | Gap | Dealt


class Scribe:
    """Writes frames that come in order; knows the newest one and what of it was written."""

    def __init__(self, before: Frame | None) -> None:
        """`before` is the newest frame that is not to be written."""
        self._before = before
        self._book: Book | None = None
        self._followed = False

    def skip(self, frame: Frame) -> None:
        """This frame is not written: the next poll with a Book is a whole one."""
        self._before, self._book, self._followed = frame, None, False

    def begin(self) -> None:
        """The next poll with a Book is a whole one: a new file begins."""
        self._book, self._followed = None, False

    def is_poll(self, frame: Frame) -> bool:
        """Whether the frame is of a poll of its own, not one whose alerts were handled."""
        return self._before is None or frame.health is not self._before.health

    def is_good(self, frame: Frame) -> bool:
        """Whether the frame is of a poll that gave a Book."""
        before = self._before
        return self.is_poll(frame) and frame.health.polls != (
            0 if before is None else before.health.polls
        )

    def polled(self, frame: Frame, selection: Selection, *, whole: bool) -> tuple[Kind, bytes]:
        """The record of a frame that is of a poll of its own; a whole one where that can be."""
        before, health, book = self._before, frame.health, frame.book
        failed = not self.is_good(frame)
        whole = (whole or not self._followed) and not failed
        outside = before is not None and frame.outside != before.outside
        columns = Columns()
        tree: dict[str, Tree] = {
            "interval": health.interval,
            "status": tree_of(health.feed, columns),
            "error": tree_of(health.error, columns),
            "failed": failed,
            "outside": outside,
            "polls": health.polls,
            "errors": health.errors,
            "selection": tree_of(selection, columns),
        }
        if not failed and book is not None:
            tree["book"] = book_tree(book, None if whole else self._book, columns)
            self._book, self._followed = book, True
        if whole or (outside and self._followed):
            known = None if whole or before is None else before.desk
            tree["memory"] = tree_of(frame.memory, columns)
            tree["desk"] = desk_tree(desk_change(frame.desk, known), columns)
        self._before = frame
        return (Kind.WHOLE if whole else Kind.POLL), packed(tree, columns)

    def handled(self, frame: Frame) -> tuple[Kind, bytes]:
        """The record of a frame that differs from the one before by its desk."""
        columns = Columns()
        known = None if self._before is None else self._before.desk
        tree = {"desk": desk_tree(desk_change(frame.desk, known), columns)}
        self._before = frame
        return Kind.DESK, packed(tree, columns)


def session_record(session: Session) -> tuple[Kind, bytes]:
    """The record of a session."""
    columns = Columns()
    return Kind.SESSION, packed(tree_of(session, columns), columns)


def plan_record(plan: Plan) -> tuple[Kind, bytes]:
    """The record of a plan."""
    return Kind.PLAN, packed({"plan": plan.model_dump(mode="json")}, Columns())


def gap_record(since: float, polls: int, why: str) -> tuple[Kind, bytes]:
    """The record of a gap."""
    columns = Columns()
    tree = {"since": since, "polls": polls, "why": tree_of(why, columns)}
    return Kind.GAP, packed(tree, columns)


def deals_record(logins: tuple[int, ...] | None, deals: Deals) -> tuple[Kind, bytes]:
    """The record of deals that were read."""
    columns = Columns()
    tree = {"logins": tree_of(logins, columns), "deals": table_tree(deals, None, columns)}
    return Kind.DEALS, packed(tree, columns)


class Reading:
    """Makes entries of records that come in order; knows the newest Book it made."""

    def __init__(self) -> None:
        self._book: Book | None = None
        self._whole = False

    def entry(self, kind: Kind, at: float, body: bytes) -> Entry | None:
        """The entry of a record; None for one that tells nothing by itself.

        Raises ValueError for a body that cannot be.
        """
        read = _READERS.get(kind)
        if read is None:
            return None
        tree, arrays = unpacked(body)
        if not isinstance(tree, dict):
            raise ValueError("not an entry")
        return read(self, at, tree, arrays)

    def _session(self, _: float, tree: dict[str, Tree], arrays: list[Array]) -> Session:
        self._whole = False
        found: Session = value_of(Session, tree, arrays, "session")
        return found

    def _plan(self, at: float, tree: dict[str, Tree], _: list[Array]) -> PlanSet:
        return PlanSet(at, Plan.model_validate(tree.get("plan")))

    def _poll(self, at: float, tree: dict[str, Tree], arrays: list[Array]) -> Polled | None:
        return self._polled(at, tree, arrays, whole=False)

    def _whole_poll(self, at: float, tree: dict[str, Tree], arrays: list[Array]) -> Polled | None:
        return self._polled(at, tree, arrays, whole=True)

    def _polled(
        self, at: float, tree: dict[str, Tree], arrays: list[Array], *, whole: bool
    ) -> Polled | None:
        known = {name: tree.get(name) for name in _META}
        meta = {name: value_of(kind, known[name], arrays, name) for name, kind in _META.items()}
        if not 0.05 <= meta["interval"] <= 3600:
            raise ValueError(f"a poll interval of {meta['interval']!r} s")
        book, memory, desk = None, None, None
        if not self._whole and not whole and not meta["failed"]:
            return None
        if "book" in tree:
            book = book_from(tree["book"], arrays, None if whole else self._book)
            book = same_objects(book, self._book) if whole else book
            self._book, self._whole = book, True
        if book is None and not meta["failed"]:
            raise ValueError("a poll without a Book")
        if self._book is not None and self._whole and "desk" in tree:
            memory = _memory(tree.get("memory"), arrays, self._book)
            desk = desk_from(tree["desk"], arrays)
        if whole and (book is None or desk is None or not desk.whole):
            raise ValueError("a whole poll without Book, memory and desk")
        return Polled(at, **meta, book=book, memory=memory, desk=desk, whole=whole)

    def _desk(self, at: float, tree: dict[str, Tree], arrays: list[Array]) -> Handled | None:
        change = desk_from(tree.get("desk"), arrays)
        return Handled(at, change) if self._whole else None

    def _gap(self, at: float, tree: dict[str, Tree], arrays: list[Array]) -> Gap:
        self._whole = False
        since = value_of(float, tree.get("since"), arrays, "since")
        if not math.isfinite(since):
            raise ValueError("a gap since no time")
        polls = value_of(int, tree.get("polls"), arrays, "polls")
        return Gap(at, since, polls, value_of(str, tree.get("why"), arrays, "why"))

    def _deals(self, at: float, tree: dict[str, Tree], arrays: list[Array]) -> Dealt:
        logins = value_of(tuple[int, ...] | None, tree.get("logins"), arrays, "logins")
        deals = table_from(Deals, tree.get("deals"), arrays, None, "deals")
        return Dealt(at, logins, deals)


_Read: TypeAlias = Callable[[Reading, float, dict[str, Any], list[Array]], Entry | None]

_READERS: dict[Kind, _Read] = {
    Kind.SESSION: Reading._session,
    Kind.PLAN: Reading._plan,
    Kind.WHOLE: Reading._whole_poll,
    Kind.POLL: Reading._poll,
    Kind.DESK: Reading._desk,
    Kind.GAP: Reading._gap,
    Kind.DEALS: Reading._deals,
}

_META: dict[str, Any] = {
    "interval": float,
    "status": FeedStatus,
    "error": str | None,
    "failed": bool,
    "outside": bool,
    "polls": int,
    "errors": int,
    "selection": Selection,
}


def _memory(tree: Tree, arrays: list[Array], book: Book) -> Memory:
    memory: Memory = value_of(Memory, tree, arrays, "memory")
    bare = memory.bare
    without = None if bare is None else bare.without
    if bare is not None and without is not None:
        even(without, len(without.ticket), "memory.bare.without")
        bare = replace(bare, without=None)
    even(replace(memory, bare=bare), len(book.accounts), "memory")
    if not np.array_equal(memory.login, book.accounts.login):
        raise ValueError("memory of other accounts")
    return memory
