"""A process with a monitor and a writer: prints its open alerts whenever they change.

Takes lines on stdin: `see -1200 0` (floating results from now on), `ack ID NOTE`, `snooze ID S`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from desk import PLAN, HandFeed, book

from rms_tui.monitor import Monitor
from rms_tui.store.embedded import Remote
from rms_tui.store.writer import Writer


class Poor(HandFeed):
    """Always fresh Books of the same figures."""

    floating: tuple[float, ...] = ()

    def read(self, timeout: float):  # noqa: ARG002
        return book(self.floating, at=time.time())


uri, name, who = sys.argv[1:4]
feed = Poor(book((0.0,)))
feed.floating = tuple(float(word) for word in sys.argv[4:])
monitor = Monitor(feed, PLAN, interval=0.05)
writer = Writer(
    monitor.frames,
    monitor.outbox,
    Remote(uri),
    source="simulator",
    database=name,
    on_alerts=monitor.restore,
    on_handled=monitor.heard,
    period=0.2,
)


def tell() -> None:
    """One line for each change of the open alerts."""
    seen, before = 0, None
    while True:
        if (got := monitor.frames.newer(seen, 1.0)) is None:
            continue
        seen, frame = got
        now = [
            {"id": a.id, "login": a.login, "stage": a.stage, "by": a.operator, "note": a.note,
             "rung_at": a.rung_at, "first_seen": a.first_seen, "severity": a.severity.word}
            for a in sorted(frame.alerts, key=lambda a: a.login)
        ]  # fmt: skip
        if now != before:
            before = now
            print(json.dumps({"at": time.time(), "alerts": now}), flush=True)


threading.Thread(target=tell, daemon=True).start()
monitor.start()
writer.start()
for line in sys.stdin:
    verb, *words = line.split(" ")
    if verb == "see":
        feed.floating = tuple(float(word) for word in words)
    elif verb == "ack":
        monitor.acknowledge(words[0], who, " ".join(words[1:]).rstrip("\n") or None)
    elif verb == "snooze":
        monitor.snooze(words[0], float(words[1]), who)
monitor.stop()
writer.stop()
