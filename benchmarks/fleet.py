"""What a fleet costs its host and its MongoDB at 50, 100 and 200 elements, and how that grows.

Real: the supervisor, in a process of its own, with the shipped times; MongoDB; and every write of a
worker, through the same fenced functions (a claim taken up, the figures of an account that holds a
position each five seconds, a ping of both documents each ten). Light: the workers, entries
of one list here instead of 200 processes with a terminal each, which would measure Python's
start and not the fleet. So the figures are of the supervisor and of MongoDB, never of workers.
"""

from __future__ import annotations

import heapq
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped, unused-ignore]  # no types

from benchmarks.books import made
from benchmarks.cycle import Cycle
from benchmarks.rows import Row
from rms_tui.feed import FeedStatus
from rms_tui.fleet.launch import Child
from rms_tui.fleet.supervisor import Supervisor
from rms_tui.fleet.tempo import Tempo
from rms_tui.frame import FeedState, Frame, Health
from rms_tui.store import claims
from rms_tui.store.claims import Claim
from rms_tui.store.content import NOBODY, content, documents
from rms_tui.store.database import Rms, connect
from rms_tui.store.embedded import Embedded, Remote
from rms_tui.store.holdings import account_more, holdings

SIZES = (50, 100, 200)
HOST = "benchmark"
POLL = 5.0
"""Seconds between two writes of an element's figures: the shipped poll interval."""

WINDOW = 20.0
"""Two rounds of pings, four of figures."""

SETTLED = 5.0
MOST_CPU = 10.0
LINEAR = 1.2
"""How much more than four times that of 50 elements 200 may take."""

_HEALTH = Health(FeedState.LIVE, "benchmark", FeedStatus("live", "polling", 0.0), POLL)


@dataclass(order=True)
class _Due:
    """Something that a light worker is to write, and when (monotonic)."""

    at: float
    write: Callable[[], float] = field(compare=False)
    """Writes, and gives the seconds until it is due again."""


class LightWorkers:
    """All workers of the host in one thread: each write when it is due, as a real one's."""

    def __init__(self, database: Rms) -> None:
        self._database = database
        self._due: list[_Due] = []
        self._lock = threading.Lock()
        self.stopping = threading.Event()
        self.late = 0.0
        """Seconds that the latest write came after it was due."""
        frame = _frame()
        assert frame.book is not None
        assert frame.assessment is not None
        made_ = content(frame.book, frame.assessment, frame, NOBODY, silent=False)
        import numpy as np

        self._fields = documents(made_, np.zeros(1, dtype=np.int64))[0]
        self._fields["account"] |= account_more(frame.book.accounts, 0)
        self._holds = holdings(frame.book)

    def take_up(self, held: Claim) -> None:
        """A worker for this claim, from now on."""
        claims.begin(self._database, held, os.getpid(), psutil.Process().create_time())
        fields = {**self._fields, "status": "ACTIVE", "error": None}
        claims.write_element(
            self._database, held, fields, restated=True, positions=dict(self._holds)
        )
        rounds = iter(range(1, sys.maxsize))
        pause = Tempo().ping
        with self._lock:
            now = time.monotonic()
            heapq.heappush(self._due, _Due(now + POLL, lambda: self._figures(held, next(rounds))))
            heapq.heappush(self._due, _Due(now + pause, lambda: self._ping(held, pause)))

    def run(self) -> None:
        """Write what is due until `stopping`."""
        while not self.stopping.is_set():
            with self._lock:
                due = heapq.heappop(self._due) if self._due else None
            if due is None:
                self.stopping.wait(0.05)
                continue
            if (left := due.at - time.monotonic()) > 0:
                with self._lock:
                    heapq.heappush(self._due, due)
                self.stopping.wait(min(left, 0.05))
                continue
            self.late = max(self.late, -left)
            again = due.write()
            with self._lock:
                heapq.heappush(self._due, _Due(max(due.at + again, time.monotonic()), due.write))

    def _figures(self, held: Claim, round_: int) -> float:
        account = {**self._fields["account"], "equity": 10_000.0 + round_}
        fields = {"account": account, "risk": self._fields["risk"], "error": None}
        claims.write_element(
            self._database, held, fields, restated=False, positions=dict(self._holds)
        )
        return POLL

    def _ping(self, held: Claim, pause: float) -> float:
        claims.ping(self._database, held)
        return pause


@dataclass(frozen=True, slots=True)
class Cost:
    """What one size took: % of a core, writes a second, megabytes."""

    cpu: float
    writes: float
    supervisor: float
    mongod: float
    late: float


def _frame() -> Frame:
    book = made(1)
    return Frame(1, book.taken_at, _HEALTH, book=book, assessment=Cycle().run(book))


def measured(database: Rms, supervisor: psutil.Process, workers: LightWorkers) -> Cost:
    """Over one window."""
    workers.late = 0.0
    status = database.client.admin.command("serverStatus")
    mongod = psutil.Process(int(status["pid"]))
    wrote, cpu, began = _writes(status), sum(supervisor.cpu_times()[:2]), time.monotonic()
    workers.stopping.wait(WINDOW)
    seconds = time.monotonic() - began
    status = database.client.admin.command("serverStatus")
    return Cost(
        100.0 * (sum(supervisor.cpu_times()[:2]) - cpu) / seconds,
        (_writes(status) - wrote) / seconds,
        supervisor.memory_info().rss / 1e6,
        mongod.memory_info().rss / 1e6,
        workers.late,
    )


def _writes(status: Mapping[str, Any]) -> int:
    documents_ = status["metrics"]["document"]
    return int(documents_["updated"]) + int(documents_["inserted"])


def _all_active(database: Rms, count: int) -> float:
    """Seconds until that many elements are watched."""
    began, pause = time.monotonic(), threading.Event()
    while database.elements.count_documents({"status": "ACTIVE"}) < count:
        if time.monotonic() - began > 120:
            raise RuntimeError(f"{count} elements were not claimed within two minutes")
        pause.wait(0.05)
    return time.monotonic() - began


def measure() -> list[Row]:
    """Costs at each size with one supervisor, and how they grow."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        embedded = Embedded(Path(folder))
        uri = embedded.uri(threading.Event())
        database = connect(uri, "benchmark")
        workers = LightWorkers(database)
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.fleet"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**os.environ, "BENCHMARK_URI": uri},
        )  # fmt: skip
        taking = threading.Thread(target=_launched, args=(process, workers), daemon=True)
        writing = threading.Thread(target=workers.run, daemon=True)
        taking.start()
        writing.start()
        try:
            found, claimed, present = {}, 0.0, 0
            for size in SIZES:
                new = range(present, size)
                database.instances.insert_many(
                    {"host": HOST, "path": f"/mt5/{n}", "status": "FREE"} for n in new
                )
                database.elements.insert_many({"login": 1 + n, "server": "Broker"} for n in new)
                claimed = _all_active(database, size)
                present = size
                workers.stopping.wait(SETTLED)
                found[size] = measured(database, psutil.Process(process.pid), workers)
        finally:
            workers.stopping.set()
            process.terminate()
            process.wait(30)
            writing.join(10)
            database.client.close()
            embedded.release()
    return _rows(found, claimed)


def _rows(found: Mapping[int, Cost], claimed: float) -> list[Row]:
    rows = []
    least, most = found[SIZES[0]], found[SIZES[-1]]
    for size, cost in found.items():
        rows.append(Row(
            f"fleet, {size} elements: supervisor", cost.cpu, "% of a core", least.cpu,
            f"{SIZES[0]} elements", f"≤ {MOST_CPU:g} %", cost.cpu <= MOST_CPU,
        ))  # fmt: skip
        rows.append(Row(
            f"fleet, {size} elements: MongoDB", cost.writes, "writes/s", least.writes,
            f"{SIZES[0]} elements", "", ok=True,
        ))  # fmt: skip
        rows.append(Row(
            f"fleet, {size} elements: supervisor, resident", cost.supervisor, "MB",
            cost.mongod, "mongod", "≤ 120", cost.supervisor <= 120,
        ))  # fmt: skip
    times = SIZES[-1] / SIZES[0]
    for what, ratio in (
        ("supervisor CPU", most.cpu / least.cpu), ("MongoDB writes", most.writes / least.writes),
    ):  # fmt: skip
        rows.append(Row(
            f"fleet, growth from {SIZES[0]} to {SIZES[-1]} elements: {what}", ratio, "times",
            times, "linear", f"≤ {LINEAR * times:g}", ratio <= LINEAR * times,
        ))  # fmt: skip
    rows.append(Row(
        f"fleet, {SIZES[-1]} elements: latest write after it was due", most.late, "s", None, "",
        f"≤ {POLL:g}", most.late <= POLL,
    ))  # fmt: skip
    rows.append(Row(
        f"fleet, {SIZES[-1] - SIZES[-2]} more elements: claimed and active after", claimed, "s",
        None, "", "≤ 60", claimed <= 60,
    ))  # fmt: skip
    return rows


def _launched(process: subprocess.Popen[str], workers: LightWorkers) -> None:
    """Begin a light worker for each claim that the supervisor's process tells of."""
    assert process.stdout is not None
    from bson import ObjectId

    for line in process.stdout:
        told = json.loads(line)
        ids = {name: ObjectId(told[name]) for name in ("element", "instance")}
        workers.take_up(Claim(**{**told, **ids}))


class _Elsewhere:
    """A worker that runs in the process that measures."""

    pid = os.getppid()

    def poll(self) -> int | None:
        return None

    def order(self, word: str) -> None:
        """It ends with who measures."""

    def kill(self) -> None:
        """It ends with who measures."""


def _supervise() -> None:
    """The process that is measured: a real supervisor that tells of its claims on stdout."""
    import signal

    def launch(held: Claim) -> Child:
        told = {**asdict(held), "element": str(held.element), "instance": str(held.instance)}
        print(json.dumps(told), flush=True)
        return _Elsewhere()

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = Remote(os.environ["BENCHMARK_URI"])
    Supervisor(server, "benchmark", HOST, launch, tempo=Tempo()).run(threading.Event())


if __name__ == "__main__":
    _supervise()
