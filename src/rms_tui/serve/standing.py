"""Everything a subscription may show, as it stands at one number of the stream.

Made of one Frame; each part is worked out the first time somebody wants it and kept for the next,
so that what nobody looks at costs nothing. Never changed, and safe from any thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from rms_tui import snapshot
from rms_tui.alerts import Alert, Pending
from rms_tui.frame import Frame
from rms_tui.serve import header, packed_alerts, packed_book, rows
from rms_tui.serve.columns import Table, change
from rms_tui.serve.packed import Held, pack
from rms_tui.serve.wire import SECTIONS, Subscribe

Part: TypeAlias = str
Shape = dict[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """What one subscription asked for; equal ones share every byte."""

    detail: str
    parts: tuple[Part, ...]

    @property
    def sections(self) -> list[str]:
        return [part for part in self.parts if part != "header"]


BOOK_VIEW = View("book", ("header", "desk", "book", "plan"))


def view_of(asked: Subscribe) -> View:
    """The view a request asks for."""
    if asked.detail == "book":
        return BOOK_VIEW
    chosen = SECTIONS if asked.sections is None else asked.sections
    return View("rows", ("header", *(section for section in SECTIONS if section in chosen)))


class Standing:
    """One number of the stream."""

    def __init__(self, seq: int, at: float, frame: Frame, head: Shape) -> None:
        self.seq = seq
        self.at = at
        self.timestamp = snapshot.utc(at)
        self.frame = frame
        self.header = head
        self._tables: dict[str, Table] = {}
        self._packed: Mapping[str, Held] | None = None
        self._pending: tuple[Pending, ...] | None = None
        self._lock = threading.RLock()

    def table(self, name: str, before: Standing | None = None) -> Table:
        """One table; of `before` only what is already there is used."""
        with self._lock:
            found = self._tables.get(name)
            if found is None:
                old = None if before is None else before.table(name)
                found = self._tables[name] = rows.TABLES[name](self.frame, old)
            return found

    def packed(self) -> Mapping[str, Held] | None:
        """Book and Memory as tables, None before the first good Book."""
        with self._lock:
            frame = self.frame
            if self._packed is None and frame.book is not None and frame.memory is not None:
                self._packed = packed_book.tables(frame.book, frame.memory)
            return self._packed

    def pending(self) -> tuple[Pending, ...]:
        """States on their way to an alert."""
        with self._lock:
            if self._pending is None:
                self._pending = self.frame.pending
            return self._pending


def whole(now: Standing, part: Part) -> Any:
    """A part as a frame has it."""
    return _WHOLE[part](now)


def changes(now: Standing, before: Standing, part: Part) -> Any:
    """What changed of a part since the standing before; None where nothing did.

    The alerts' events are not among it: they are not states.
    """
    return _CHANGES[part](now, before)


def event_shape(change: str, at: float, alert: Alert, seq: int, part: Part) -> Shape:
    """One edge, for `alerts` (as programs get it) or `desk` (exactly)."""
    shape = packed_alerts.alert_exactly if part == "desk" else snapshot.alert_shape
    return {"seq": seq, "change": change, "at": at, "alert": shape(alert)}


def pending_shape(one: Pending) -> Shape:
    """A state on its way to an alert: seen `polls` times of the `confirm_polls` it takes."""
    return {
        "login_id": one.login,
        "rule": one.rule,
        "severity": one.severity.word,
        "polls": one.polls,
        "confirm_polls": one.confirm.polls,
        "confirm_seconds": one.confirm.seconds,
        "first_seen": snapshot.utc(one.first_seen),
    }


def _alerts(now: Standing) -> Shape:
    return {
        "open": [snapshot.alert_shape(alert) for alert in now.frame.alerts],
        "recovered": [snapshot.alert_shape(alert) for alert in now.frame.recovered],
        "pending": [pending_shape(one) for one in now.pending()],
    }


def _desk(now: Standing) -> Shape:
    return {
        "open": [packed_alerts.alert_exactly(alert) for alert in now.frame.alerts],
        "recovered": [packed_alerts.alert_exactly(alert) for alert in now.frame.recovered],
        "pending": [packed_alerts.pending_exactly(one) for one in now.pending()],
    }


def _pending_changed(shape: Callable[[Pending], Shape]) -> Callable[[Standing, Standing], Any]:
    def changed(now: Standing, before: Standing) -> Any:
        if now.frame.desk is before.frame.desk or now.pending() == before.pending():
            return None
        return {"pending": [shape(one) for one in now.pending()]}

    return changed


def _exposure(now: Standing) -> Shape:
    return {
        "symbols": now.table("exposure.symbols").shape(),
        "currencies": now.table("exposure.currencies").shape(),
    }


def _exposure_changed(now: Standing, before: Standing) -> Any:
    found = {
        name: change(now.table(f"exposure.{name}", before), before.table(f"exposure.{name}"))
        for name in ("symbols", "currencies")
    }
    return {name: one for name, one in found.items() if one is not None} or None


def _book(now: Standing) -> Shape:
    book, memory, tables = now.frame.book, now.frame.memory, now.packed()
    if book is None or memory is None or tables is None:
        return {"book": None, "memory": None, "tables": None}
    return {
        "book": packed_book.book_scalars(book),
        "memory": packed_book.memory_scalars(memory),
        "tables": pack(tables, None),
    }


def _book_changed(now: Standing, before: Standing) -> Any:
    if now.frame.book is before.frame.book and now.frame.memory is before.frame.memory:
        return None
    if before.packed() is None:
        return _book(now)
    tables = now.packed()
    assert tables is not None
    book, memory = now.frame.book, now.frame.memory
    old_book, old_memory = before.frame.book, before.frame.memory
    assert book is not None
    assert memory is not None
    assert old_book is not None
    assert old_memory is not None
    found: Shape = {}
    scalars = packed_book.book_scalars(book)
    if scalars != packed_book.book_scalars(old_book):
        found["book"] = scalars
    keys = packed_book.memory_scalars(memory)
    if keys != packed_book.memory_scalars(old_memory):
        found["memory"] = keys
    changed = pack(tables, before.packed())
    if changed:
        found["tables"] = changed
    return found or None


def _plan(now: Standing) -> Any:
    assessed = now.frame.assessment
    return None if assessed is None else assessed.scope.plan.model_dump(mode="json")


def _plan_changed(now: Standing, before: Standing) -> Any:
    ours, theirs = now.frame.assessment, before.frame.assessment
    if ours is theirs or (ours and theirs and ours.scope.plan is theirs.scope.plan):
        return None
    return _plan(now)


def _rows_whole(name: str) -> Callable[[Standing], Any]:
    return lambda now: now.table(name).shape()


def _rows_changed(name: str) -> Callable[[Standing, Standing], Any]:
    return lambda now, before: change(now.table(name, before), before.table(name))


_WHOLE: Mapping[Part, Callable[[Standing], Any]] = {
    "header": lambda now: now.header,
    "accounts": _rows_whole("accounts"),
    "positions": _rows_whole("positions"),
    "symbols": _rows_whole("symbols"),
    "exposure": _exposure,
    "alerts": _alerts,
    "desk": _desk,
    "book": _book,
    "plan": _plan,
}

_CHANGES: Mapping[Part, Callable[[Standing, Standing], Any]] = {
    "header": lambda now, before: header.changed(now.header, before.header) or None,
    "accounts": _rows_changed("accounts"),
    "positions": _rows_changed("positions"),
    "symbols": _rows_changed("symbols"),
    "exposure": _exposure_changed,
    "alerts": _pending_changed(pending_shape),
    "desk": _pending_changed(packed_alerts.pending_exactly),
    "book": _book_changed,
    "plan": _plan_changed,
}
