"""What a follower holds of the stream it follows: messages in, Book, Memory and alerts out.

Pure but for what it keeps: every column that did not change is the same object as before, so that
nothing is judged again that stayed. A message that does not fit is refused with Unpackable; the
follower then asks for a new frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from rms_tui.alerts import Alert, AlertEvent, Change, Desk, Stage
from rms_tui.book import Book
from rms_tui.risk.memory import Memory
from rms_tui.risk.profile import Plan
from rms_tui.serve.packed import Held, Unpackable, unpack
from rms_tui.serve.packed_alerts import alert_from, desk_from
from rms_tui.serve.packed_book import KEYS, book_from, memory_from

Shape = Mapping[str, Any]


class Followed:
    """A stream as it stands at `seq`. `book` and `memory` are None before the first good poll."""

    def __init__(self) -> None:
        self.seq: int | None = None
        self.stream: str | None = None
        self.header: dict[str, Any] = {}
        self.book: Book | None = None
        self.memory: Memory | None = None
        self.plan: Plan | None = None
        self.desk: Desk = desk_from((), (), ())
        self._open: dict[str, Alert] = {}
        self._recovered: dict[str, Alert] = {}
        self._pending: list[Shape] = []
        self._tables: dict[str, Held] | None = None
        self._book_fields: Shape = {}
        self._memory_fields: Shape = {}

    def take(self, message: Shape) -> list[AlertEvent]:
        """A `frame` or the `delta` that follows it; the edges of alerts that it tells of.

        Raises Unpackable.
        """
        try:
            if message["type"] == "frame":
                self._frame(message)
                return _edges(message["events"])
            return self._delta(message)
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            if isinstance(error, Unpackable):
                raise
            raise Unpackable(f"not what a holder sends: {error}") from None

    def _frame(self, message: Shape) -> None:
        self.seq, self.stream = int(message["seq"]), str(message["stream"])
        self.header = dict(message["header"])
        self._tables = None
        self._packed(message["book"])
        self._planned(message)
        alerts = message["desk"]
        self._open = {one.id: one for one in map(alert_from, alerts["open"])}
        self._recovered = {one.id: one for one in map(alert_from, alerts["recovered"])}
        self._pending = alerts["pending"]
        self._desk()

    def _delta(self, message: Shape) -> list[AlertEvent]:
        if self.seq is None or int(message["seq"]) != self.seq + 1:
            raise Unpackable(f"number {message['seq']} does not follow {self.seq}")
        self.seq += 1
        self.header.update(message.get("header") or {})
        if message.get("book"):
            self._packed(message["book"])
        self._planned(message)
        change = message.get("desk")
        told = _edges((change or {}).get("events") or ())
        if change:
            for event in told:
                self._edge(event.alert)
            self._pending = change.get("pending", self._pending)
            self._desk()
        return told

    def _packed(self, found: Shape) -> None:
        self._book_fields = found.get("book") or self._book_fields
        self._memory_fields = found.get("memory") or self._memory_fields
        tables = found.get("tables")
        if tables is not None:
            self._tables = unpack(tables, self._tables, KEYS)
        if self._tables is not None:
            self.book = book_from(self._book_fields, self._tables, self.book)
            self.memory = memory_from(self._memory_fields, self._tables["memory"])

    def _planned(self, message: Shape) -> None:
        if message.get("plan") is not None:
            self.plan = Plan.model_validate(message["plan"])

    def _edge(self, alert: Alert) -> None:
        self._open.pop(alert.id, None)
        self._recovered.pop(alert.id, None)
        if alert.is_open:
            self._open[alert.id] = alert
        elif alert.stage is Stage.RECOVERED:
            self._recovered[alert.id] = alert

    def _desk(self) -> None:
        self.desk = desk_from(self._open.values(), self._recovered.values(), self._pending)


def _edges(events: Iterable[Shape]) -> list[AlertEvent]:
    """A word of a newer version is no edge that is known here, and says how the alert stands."""
    return [
        AlertEvent(
            one["change"] if one["change"] in _KNOWN else "restated",
            alert_from(one["alert"]),
            float(one["at"]),
        )
        for one in events
    ]


_KNOWN = get_args(Change)
