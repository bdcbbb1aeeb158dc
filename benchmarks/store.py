"""The status writer against writing one by one, and what it takes of a core, on a real mongod."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.books import made, moved
from benchmarks.cycle import Cycle
from benchmarks.rows import Row
from rms_tui.feed import FeedStatus
from rms_tui.frame import FeedState, Frame, Health
from rms_tui.store.content import NOBODY, content, documents
from rms_tui.store.database import Rms, connect
from rms_tui.store.embedded import Embedded
from rms_tui.store.status import StatusWriter

ACCOUNTS = 10_000
ONE_BY_ONE = 500
WINDOW = 5.0
POLLS = 5

_HEALTH = Health(FeedState.LIVE, "benchmark", FeedStatus("live", "polling", 0.0), WINDOW)


def frames(accounts: int, polls: int) -> Sequence[Frame]:
    """Frames in which nearly every account's figures differ from those of the frame before."""
    cycle, book, found = Cycle(), made(accounts), []
    for seq in range(polls):
        assessed = cycle.run(book)
        found.append(Frame(seq, book.taken_at, _HEALTH, book=book, assessment=assessed))
        book = moved(book, seq)
    return found


def one_by_one(database: Rms, frame: Frame, count: int) -> float:
    """Documents a second when each is an update of its own, acknowledged by a majority."""
    assert frame.book is not None
    assert frame.assessment is not None
    new = content(frame.book, frame.assessment, frame, NOBODY, silent=False)
    rows = np.arange(count)
    began = time.perf_counter()
    for row, fields in zip(rows.tolist(), documents(new, rows), strict=True):
        where = {"login": int(new.login[row]), "server": new.server}
        stamp = {"last_ping": True, "updated_at": True}
        database.elements.update_one(where, {"$set": fields, "$currentDate": stamp})
    return count / (time.perf_counter() - began)


def _taken(work: Callable[[], int]) -> tuple[int, float, float]:
    """What the work returns, its seconds, and its thread's seconds on a core."""
    began, on_core = time.perf_counter(), time.thread_time()
    count = work()
    return count, time.perf_counter() - began, time.thread_time() - on_core


def measure() -> list[Row]:
    """Rates and shares with `ACCOUNTS` accounts, all of them changed with every frame."""
    given = frames(ACCOUNTS, POLLS + 1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        embedded = Embedded(Path(folder))
        database = connect(embedded.uri(threading.Event()), "benchmark")
        try:
            writer = StatusWriter("simulator")
            writer.write(database, given[0], given[0].at)
            runs = [
                _taken(lambda frame=frame: writer.write(database, frame, frame.at))  # type: ignore[misc]
                for frame in given[1:]
            ]
            alone = one_by_one(database, given[0], ONE_BY_ONE)
        finally:
            database.client.close()
            embedded.release()
    rate = median(count / seconds for count, seconds, _ in runs)
    share = 100 * median(on_core * ACCOUNTS / count for count, _, on_core in runs) / WINDOW
    return [
        Row(
            "status writes, 10k accounts", rate, "documents/s", alone, "one by one",
            "≥ 20× one by one", rate >= 20 * alone,
        ),
        Row(
            "writer thread, 10k changed accounts in 5 s", share, "% of a core", None, "",
            "≤ 10 % of a core", share <= 10,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    for row in measure():
        print(row)
