"""The stream behind all subscriptions: numbered, encoded once, the missed part kept for a while.

`advance` turns each Frame into one number of the stream: what changed is worked out once and
encoded once, and every client that wants the same gets the same bytes. Clients never wait here
for each other. Deltas may be skipped by taking a whole frame; alert events never are.
"""

from __future__ import annotations

import secrets
import threading
import time
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from rms_tui.alert_edges import Edges
from rms_tui.alerts import AlertEvent
from rms_tui.frame import Frame
from rms_tui.serve.columns import encoded
from rms_tui.serve.header import StoreStatus, Sums, header
from rms_tui.serve.standing import Part, Standing, View, changes, event_shape, whole

KEPT_DELTAS = 600
KEPT_BYTES = 8_000_000
KEPT_MARKS = 50_000
WANTED_FOR = 60.0
"""Seconds for which deltas go on being made after the last one who wanted them has gone."""

ALERT_PARTS = ("alerts", "desk")


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One number of the stream: the encoded changes of those parts that somebody wanted.

    `edges` counts the alert edges up to it.
    """

    seq: int
    edges: int
    timestamp: str
    made: frozenset[Part]
    changed: dict[Part, bytes]
    messages: dict[View, bytes] = field(default_factory=dict)

    def message(self, view: View) -> bytes:
        """The delta for a view; the same bytes for all who share it."""
        found = self.messages.get(view)
        if found is None:
            parts = b"".join(
                b',"%b":%b' % (part.encode(), self.changed[part])
                for part in view.parts
                if part in self.changed
            )
            found = b'{"type":"delta","seq":%d,"timestamp":"%b"%b}' % (
                self.seq, self.timestamp.encode(), parts,
            )  # fmt: skip
            self.messages[view] = found
        return found

    @property
    def size(self) -> int:
        return 200 + 2 * sum(map(len, self.changed.values()))


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where a client has got: the number, and how many alert edges it has been told."""

    seq: int
    edges: int


class Stream:
    """All numbers of one process. `advance` is for one thread, everything else for any."""

    def __init__(
        self,
        edges: Edges,
        *,
        host: str,
        version: str,
        clock: Callable[[], float] = time.time,
        store: Callable[[], StoreStatus | None] = lambda: None,
        first: int | None = None,
        kept_deltas: int = KEPT_DELTAS,
    ) -> None:
        """`clock` gives UTC seconds; `first` is the number before the first one.

        By default it is the time in milliseconds, so that a number of an earlier process is never
        taken for one of this.
        """
        self.id = secrets.token_hex(8)
        self._edges = edges
        self._host, self._version = host, version
        self._clock, self._store = clock, store
        self._first = int(clock() * 1000) if first is None else first
        self._seq = self._first
        self._sums = Sums()
        self._standing: Standing | None = None
        self._steps: deque[Step] = deque()
        self._kept_deltas = kept_deltas
        self._bytes = 0
        self._marks: deque[tuple[int, int]] = deque(maxlen=KEPT_MARKS)
        self._wanted: dict[Part, float] = {}
        self._watching: dict[View, int] = {}
        self._whole: dict[View, tuple[int, bytes]] = {}
        self._lock = threading.Lock()

    @property
    def standing(self) -> Standing | None:
        """The newest number, None before the first."""
        return self._standing

    def watch(self, view: View) -> None:
        """Somebody subscribed: its parts are made from the next number on."""
        with self._lock:
            self._watching[view] = self._watching.get(view, 0) + 1

    def unwatch(self, view: View) -> None:
        """Somebody left; its parts are made for a while yet, in case it comes back."""
        with self._lock:
            left = self._watching.get(view, 0) - 1
            if left > 0:
                self._watching[view] = left
            else:
                self._watching.pop(view, None)
                self._whole.pop(view, None)

    def advance(self, frame: Frame) -> Step:
        """The next number of the stream, from a Frame."""
        now = self._clock()
        before = self._standing
        head = header(frame, now, self._store(), self._sums, host=self._host, version=self._version)
        standing = Standing(self._seq + 1, now, frame, head)
        parts = self._parts()
        events, complete = self._edges.between(
            frame.edges if before is None else before.frame.edges, frame.edges
        )
        if not complete:  # more at once than are kept: whoever shows alerts needs a whole frame
            parts = [part for part in parts if part not in ALERT_PARTS]
        changed: dict[Part, bytes] = {}
        if before is not None:
            for part in parts:
                found = changes(standing, before, part)
                if events and part in ALERT_PARTS:
                    found = {**_told(events, standing.seq, part), **(found or {})}
                if found is not None:
                    changed[part] = encoded(found)
        step = Step(standing.seq, frame.edges, standing.timestamp, frozenset(parts), changed)
        with self._lock:
            self._seq = standing.seq
            if not self._marks or self._marks[-1][1] != frame.edges:
                self._marks.append((standing.seq, frame.edges))
            self._keep(step)
            self._standing = standing
        return step

    def since(self, seq: int, view: View) -> Sequence[Step] | None:
        """The steps after a number, None where a whole frame is needed or is less to send."""
        with self._lock:
            if self._standing is None or seq > self._seq:
                return None
            if seq == self._seq:
                return []
            if not self._steps or self._steps[0].seq > seq + 1 or seq <= self._first:
                return None
            steps = [
                self._steps[at] for at in range(seq + 1 - self._steps[0].seq, len(self._steps))
            ]
            known = self._whole.get(view)
        if any(not step.made.issuperset(view.parts) for step in steps):
            return None
        if known is not None and len(steps) > 1:
            size = sum(len(step.message(view)) for step in steps)
            if size > len(known[1]):
                return None
        return steps

    def place_of(self, seq: int) -> Place | None:
        """What a client that comes back with a number has been told; None where nobody knows."""
        with self._lock:
            if not self._first < seq <= self._seq or not self._marks or seq < self._marks[0][0]:
                return None
            at = bisect_left(self._marks, (seq + 1, -1)) - 1
            return Place(seq, self._marks[at][1])

    def frame(self, view: View, told: int | None) -> tuple[Place, bytes] | None:
        """The whole of the newest number, and the alert events after the `told` edges.

        `told` None: a first subscription, to which no event is news. -1: it is not known.
        Returns where the client is then; None before the first number.
        """
        standing = self._standing
        if standing is None:
            return None
        with self._lock:
            known = self._whole.get(view)
        if known is None or known[0] != standing.seq:
            known = standing.seq, self._encoded(standing, view)
            with self._lock:
                self._whole[view] = known
        upto = standing.frame.edges
        events: Iterable[tuple[int, AlertEvent]] = ()
        complete = told != -1
        part = next((part for part in view.parts if part in ALERT_PARTS), None)
        if told is not None and told >= 0 and part is not None:
            found, complete = self._edges.between(told, upto)
            events = zip(range(upto - len(found) + 1, upto + 1), found, strict=True)
        shapes = [
            event_shape(event.change, event.at, event.alert, self._seq_of(number), part)
            for number, event in events
            if part is not None
        ]
        tail = b',"events":%b,"complete":%b}' % (orjson.dumps(shapes), orjson.dumps(complete))
        return Place(standing.seq, upto), known[1] + tail

    def _encoded(self, standing: Standing, view: View) -> bytes:
        head = {
            "type": "frame",
            "seq": standing.seq,
            "stream": self.id,
            "timestamp": standing.timestamp,
        }
        parts = {part: whole(standing, part) for part in view.parts}
        return encoded({**head, **parts})[:-1]

    def _seq_of(self, number: int) -> int:
        """The number of the stream with which an alert edge came."""
        with self._lock:
            at = bisect_left(self._marks, number, key=lambda mark: mark[1])
            return self._marks[at][0] if at < len(self._marks) else self._seq

    def _parts(self) -> list[Part]:
        now = time.monotonic()
        with self._lock:
            for view in self._watching:
                self._wanted.update(dict.fromkeys(view.parts, now + WANTED_FOR))
            self._wanted = {part: until for part, until in self._wanted.items() if until > now}
            return list(self._wanted)

    def _keep(self, step: Step) -> None:
        self._steps.append(step)
        self._bytes += step.size
        while len(self._steps) > self._kept_deltas or (
            self._bytes > KEPT_BYTES and len(self._steps) > 1
        ):
            self._bytes -= self._steps.popleft().size
        self._bytes = max(self._bytes, 0)


def _told(events: Sequence[AlertEvent], seq: int, part: Part) -> dict[str, Any]:
    return {
        "events": [event_shape(event.change, event.at, event.alert, seq, part) for event in events]
    }
