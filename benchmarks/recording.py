"""Recording: what a poll waits for it, what it costs the recorder, bytes an account and poll."""

from __future__ import annotations

import pickle
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

from benchmarks.books import NOON, made, moved
from benchmarks.cycle import Cycle
from benchmarks.rows import Row
from rms_tui.book import Book
from rms_tui.feed import FeedStatus, Selection
from rms_tui.frame import FeedState, Frame, Health
from rms_tui.monitor import Monitor
from rms_tui.recording.body import LEVEL
from rms_tui.recording.entries import Reading, Scribe
from rms_tui.recording.recorder import Recorder
from rms_tui.recording.replayed import Recorded

ACCOUNTS = 10_000
POLLS = 12


def frames(accounts: int, polls: int) -> list[Frame]:
    """Frames in which every price and every account's figures differ from the frame before."""
    cycle, book, found = Cycle(), made(accounts), []
    for number in range(polls):
        assessed = cycle.run(book)
        health = Health(
            FeedState.LIVE, "benchmark", FeedStatus("live", "reading", NOON), 1.0, polls=number + 1
        )
        found.append(Frame(number, book.taken_at, health, book, cycle.remembered, assessed))
        book = moved(book, number)
    return found


def measure() -> Iterator[Row]:
    """Rows for 10 000 accounts with five positions each, all prices moved each poll."""
    seen = frames(ACCOUNTS, POLLS)
    name = f"recording, {ACCOUNTS} x 5, prices moved"
    waited, cycle = _waited(seen), _cycle()
    yield Row(
        f"{name}: a poll waits for it",
        waited * 1e6,
        "µs",
        cycle * 1e6,
        "risk cycle",
        "≤ 1 % of it",
        waited <= 0.01 * cycle,
    )
    scribe = Scribe(None)
    selection = Selection()
    records, spent = [], []
    for frame in seen:
        began = time.perf_counter()
        records.append(scribe.polled(frame, selection, whole=False))
        spent.append(time.perf_counter() - began)
    pickled, pickling = _pickled([frame.book for frame in seen if frame.book is not None])
    yield Row(
        f"{name}: the recorder's thread, a poll",
        median(spent[1:]) * 1e3,
        "ms",
        pickling * 1e3,
        "whole Book pickled and zipped",
        "< baseline",
        median(spent[1:]) < pickling,
    )
    size = median(len(body) for _, body in records[1:]) / ACCOUNTS
    yield Row(
        f"{name}: bytes an account and poll",
        size,
        "B",
        pickled / ACCOUNTS,
        "whole Book pickled and zipped",
        "≤ 1/3",
        size <= pickled / ACCOUNTS / 3,
    )
    whole = len(records[0][1])
    yield Row(
        f"{name}: a whole poll with its memory",
        whole / ACCOUNTS,
        "B/account",
        pickled / ACCOUNTS,
        "Book pickled and zipped",
        "",
        True,
    )
    reading = Reading()
    read = []
    for kind, body in records:
        began = time.perf_counter()
        reading.entry(kind, NOON, body)
        read.append(time.perf_counter() - began)
    yield Row(
        f"{name}: read back, a poll",
        median(read[1:]) * 1e3,
        "ms",
        cycle * 1e3,
        "risk cycle",
        "",
        True,
    )


def _waited(seen: list[Frame]) -> float:
    """Seconds that the monitor's thread spends on handing a frame over."""
    monitor = Monitor(Recorded("benchmark", NOON), Cycle().plan, clock=lambda: NOON)
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(monitor, Path(folder) / "bench.rec")
        recorder.start()
        spent = [_seconds(lambda frame=frame: recorder.hear(frame)) for frame in seen]  # type: ignore[misc]
        recorder.stop(30)
    return median(spent)


def _cycle() -> float:
    """Seconds of a risk cycle in which only prices moved."""
    cycle, book = Cycle(), made(ACCOUNTS)
    cycle.run(book)
    books = [moved(book, seed) for seed in range(6)]
    return median(_seconds(lambda book=book: cycle.run(book)) for book in books)  # type: ignore[misc]


def _pickled(books: list[Book]) -> tuple[float, float]:
    """Bytes and seconds of writing every Book whole."""
    sizes, spent = [], []
    for book in books[:6]:
        began = time.perf_counter()
        sizes.append(len(zlib.compress(pickle.dumps(replace(book), protocol=5), LEVEL)))
        spent.append(time.perf_counter() - began)
    return median(sizes), median(spent)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
