"""A fleet for tests: real supervisors, workers and gateway processes, real MongoDB, fake terminals.

Only the vendor's package is a fake; a world file drives it from outside. Times are short, so that a
test of what takes minutes takes seconds.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from pymongo import ASCENDING
from tests.fakes.fake_world import midday_offset

from rms_tui.store.database import Document, Rms

FAKES = Path(__file__).parents[1] / "fakes"
SERVER = "Broker-Live"
FIRST = 70_001

QUICK: dict[str, str] = {
    "RMS_UPDATE_INTERVAL": "0.2",
    "RMS_FLEET_PING": "0.2",
    "RMS_FLEET_SILENT": "6",
    "RMS_FLEET_LAUNCHES": "2",
    "RMS_FLEET_SWEEP": "0.5",
    "RMS_FLEET_RETRY": "0.2",
    "RMS_FLEET_RETRY_LONGEST": "1",
    "RMS_FLEET_RETRY_REFUSED": "0.3",
    "RMS_FLEET_STOP": "4",
    "RMS_FLEET_TERMINAL_SILENCE": "1.5",
    "RMS_FLEET_TERMINAL_START": "4",
}

TOTALS: Counter[str] = Counter()
"""What happened in all tests of this folder, printed at the end of the run."""


def until(condition: Callable[[], Any], seconds: float = 60.0, what: str = "") -> Any:
    """Wait for a condition that processes bring about, and give it back; fails after `seconds`."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what or condition}")
        pause.wait(0.02)


IDLE = 0.5
"""Seconds that a small idle machine takes to start Python with the two largest imports."""


def slowness() -> float:
    """How much slower this machine is now than an idle one, at least 1."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-P", "-c", "import numpy, pymongo"], check=True)
    return max(1.0, (time.monotonic() - began) / IDLE)


Worker = subprocess.Popen[str]


class World:
    """What all fake terminals show; change it, then `push()`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "world.json"
        moving = {"EURUSD": {"bid": 1.0850, "ask": 1.0852}}  # a tick that stands tells no clock
        self.terminal: Document = {
            "positions": [], "deals": [], "accounts": {}, "terminals": {}, "ticks": moving,
            "offset": midday_offset(time.time()),
        }  # fmt: skip
        self.push()

    def account(self, login: int, **figures: Any) -> None:
        """An account of the broker, 10 000.00 flat unless said otherwise."""
        self.terminal["accounts"][str(login)] = {
            "account": {
                "login": login, "server": SERVER, "balance": 10_000.0, "equity": 10_000.0,
                "profit": 0.0, "margin": 0.0, "margin_free": 10_000.0, "margin_level": 0.0,
                **figures,
            }
        }  # fmt: skip

    def equity(self, login: int, equity: float) -> None:
        """Push an account's equity: its floating result moves with it."""
        shown = self.terminal["accounts"][str(login)]["account"]
        profit = equity - shown["balance"]
        shown.update(equity=equity, profit=profit, margin_free=equity)
        self.push()

    def push(self) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps({"terminal": self.terminal}), encoding="utf-8")
        draft.replace(self.path)


@dataclass
class Supervisor:
    """One `rms-tui supervise` process, and what it said."""

    process: subprocess.Popen[bytes]
    said: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def events(self) -> list[Document]:
        lines = self.said.read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def kill(self) -> None:
        """As a power cut does: nothing is written any more."""
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """By SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@dataclass
class Fleet:
    """Hosts on one machine, by name."""

    folder: Path
    uri: str
    database: Rms
    world: World
    settings: dict[str, str] = field(default_factory=dict)
    supervisors: list[Supervisor] = field(default_factory=list)
    hands: list[Worker] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RMS_", "MT5_"))},
            "PYTHONPATH": os.pathsep.join([str(FAKES), os.environ.get("PYTHONPATH", "")]),
            "RMS_FAKE_WORLD": str(self.world.path),
            "RMS_DATA_DIR": str(self.folder / "data"),
            "RMS_MONGODB_URI": self.uri,
            "RMS_MONGODB_DATABASE": self.database.name,
            **QUICK,
            **self.settings,
            **more,
        }

    def supervise(self, host: str = "one", **more: str) -> Supervisor:
        """Start a supervisor of a host."""
        said = self.folder / f"supervisor-{len(self.supervisors)}.jsonl"
        with said.open("wb") as out, (self.folder / "stderr.txt").open("ab") as err:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "rms_tui", "supervise", "--host", host, "--json"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env=self.environment(**more),
            )
        made = Supervisor(process, said)
        self.supervisors.append(made)
        return made

    def work(self, element: Any, path: str, instance: str, *more: str, **settings: str) -> Worker:
        """Start a worker by hand, as a person does."""
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rms_tui", "worker", "--element-id", str(element),
             "--pathway", path, "--instance", instance, *more],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment(RMS_FLEET_HOST="one", **settings),
        )  # fmt: skip
        self.hands.append(process)
        return process

    def instances(self, count: int, host: str = "one") -> None:
        first = self.database.instances.count_documents({})
        self.database.instances.insert_many(
            {"_id": f"{host}-{number}", "host": host, "path": f"C:\\MT5\\{host}\\{number}",
             "status": "FREE"}
            for number in range(first, first + count)
        )  # fmt: skip

    def element(self, login: int = FIRST, **fields: Any) -> Any:
        """Insert an element as a person does, by plain pymongo, of an account that exists."""
        if str(login) not in self.world.terminal["accounts"]:
            self.world.account(login)
            self.world.push()
        made = self.database.elements.insert_one({"login": login, "server": SERVER, **fields})
        return made.inserted_id

    def read(self, login: int = FIRST) -> Document:
        found = self.database.elements.find_one({"login": login})
        assert found is not None
        return found

    def active(self, *logins: int, seconds: float = 60.0) -> None:
        """Wait until these elements are watched, with figures."""
        for login in logins:
            until(
                lambda at=login: (
                    (found := self.read(at)).get("status") in _WATCHED and found.get("account")
                ),
                seconds,
                f"{login} is watched",
            )

    def worker_of(self, login: int = FIRST) -> psutil.Process:
        """The worker's process, once it has taken up its claim."""

        def running() -> psutil.Process | None:
            instance = self.database.instances.find_one({"element": self.read(login)["_id"]})
            pid = None if instance is None else instance.get("pid")
            return psutil.Process(pid) if pid and psutil.pid_exists(pid) else None

        found: psutil.Process = until(running, what=f"a worker of {login}")
        return found

    def log(self) -> list[Document]:
        return list(self.database.claims.find().sort([("at", ASCENDING), ("term", ASCENDING)]))

    def stop(self) -> None:
        """Stop all supervisors at one time, in order: each says that all went well."""
        for supervisor in self.supervisors:
            supervisor.process.send_signal(signal.SIGTERM)
        statuses = [supervisor.process.wait(60) for supervisor in self.supervisors]
        assert statuses == [0] * len(statuses)

    def end(self) -> None:
        """Stop what is left of this fleet's processes."""
        for hand in self.hands:
            if hand.poll() is None:
                hand.kill()
            hand.wait(10)
        for supervisor in self.supervisors:
            if supervisor.process.poll() is None:
                supervisor.process.send_signal(signal.SIGTERM)
        for supervisor in self.supervisors:
            try:
                supervisor.process.wait(30)
            except subprocess.TimeoutExpired:
                supervisor.kill()
        self.count()

    def count(self) -> None:
        """Add what happened to the totals."""
        for row in self.log():
            TOTALS[f"claims {row['event']}" + (f": {row['why']}" if row.get("why") else "")] += 1
        for supervisor in self.supervisors:
            for event in supervisor.events():
                if event["event"] == "ended":
                    TOTALS[f"workers: {event['exit']}"] += 1
                    TOTALS["restarts"] += event["exit"] not in ("released", "fenced")
                    TOTALS["fenced writes"] += event["exit"] == "fenced"
        TOTALS["supervisors"] += len(self.supervisors)


_WATCHED = ("ACTIVE", "BREACHED", "TARGET_REACHED")


def assert_never_two(database: Rms) -> None:
    """By the append-only log: claims of one element, and of one instance, follow each other.

    Each claim has a higher term than the one before, and it began only after that one had ended.
    """
    for of in ("element", "instance"):
        by: dict[Any, list[Document]] = defaultdict(list)
        for row in database.claims.find().sort([("term", ASCENDING), ("at", ASCENDING)]):
            by[repr(row[of])].append(row)
        for key, rows in by.items():
            held: Document | None = None
            for row in sorted(rows, key=lambda row: (row["term"], row["event"] == "ended")):
                if row["event"] == "claimed":
                    assert held is None, f"{of} {key}: {row} while {held}"
                    held = row
                else:
                    assert held is not None, f"{of} {key}: {row} without a claim"
                    assert row["term"] == held["term"], f"{of} {key}: {row} ends {held}"
                    assert row["at"] >= held["at"]
                    held = None


def assert_consistent(database: Rms) -> None:
    """Elements and instances name each other with one term, and nobody else does."""
    instances = {one["_id"]: one for one in database.instances.find()}
    for element in database.elements.find():
        if element.get("instance") is not None:
            other = instances[element["instance"]]
            assert other["element"] == element["_id"]
            assert (other["status"], other["term"]) == ("OCCUPIED", element["term"])
    held = [one["element"] for one in instances.values() if one["status"] == "OCCUPIED"]
    assert len(held) == len({repr(one) for one in held})


@contextmanager
def stopped(process: psutil.Process) -> Iterator[None]:
    """A process that stands still meanwhile."""
    process.suspend()
    try:
        yield
    finally:
        process.resume()
