"""mongod servers that a test may kill, and a replica set whose primary may step down."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from tests.faults.fleet import until

from rms_tui.store import mongod

GO = threading.Event()


class KillableServer:
    """One mongod on one port and one folder, through any number of deaths."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program = program
        self._folder = folder
        folder.mkdir()
        self.port = mongod.free_port(None, GO)
        self._child: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def uri(self) -> str:
        return mongod.address(self.port)

    def start(self) -> None:
        """Start it on its data, and wait until it takes writes."""
        self._child = mongod.spawn(self._program, self._folder, self.port)
        process = psutil.Process(self._child.pid)
        mongod.make_ready(process, self._folder, self.port, 30, GO)

    def send(self, number: int) -> None:
        """A signal to it, such as SIGSTOP."""
        assert self._child is not None
        self._child.send_signal(number)

    def kill(self) -> None:
        assert self._child is not None
        self._child.kill()
        self._child.wait()


@contextmanager
def killable(program: Path, folder: Path) -> Iterator[KillableServer]:
    made = KillableServer(program, folder)
    try:
        yield made
    finally:
        made.kill()


@contextmanager
def three_nodes(program: Path, folder: Path) -> Iterator[str]:
    """A replica set of three on loopback; its URI."""
    nodes: list[subprocess.Popen[bytes]] = []
    hosts: list[str] = []
    try:
        for number in range(3):
            data = folder / f"node-{number}"
            data.mkdir(parents=True)
            port = mongod.free_port(None, GO)
            hosts.append(f"127.0.0.1:{port}")
            nodes.append(
                subprocess.Popen(
                    [str(program), "--dbpath", str(data), "--port", str(port), "--replSet", "three",
                     "--bind_ip", "127.0.0.1", "--nounixsocket", "--oplogSize", "64",
                     "--wiredTigerCacheSizeGB", "0.25", "--logpath", str(data / "log"),
                     "--setParameter", "diagnosticDataCollectionEnabled=false"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={k: v for k, v in os.environ.items() if not k.startswith("RMS_")},
                )
            )  # fmt: skip
        _initiate(hosts)
        yield f"mongodb://{','.join(hosts)}/?replicaSet=three&serverSelectionTimeoutMS=3000"
    finally:
        for node in nodes:
            node.kill()
            node.wait()


def step_down(uri: str) -> str:
    """Have the primary step down; the address of the new one."""
    client: MongoClient[dict[str, object]] = MongoClient(uri)
    with closing(client):
        old = until(lambda: client.primary)
        client.admin.command("replSetStepDown", 20, secondaryCatchUpPeriodSecs=10)
        new = until(lambda: client.primary not in (None, old) and client.primary, 60)
        return f"{new[0]}:{new[1]}"


def _initiate(hosts: list[str]) -> None:
    first: MongoClient[dict[str, object]] = MongoClient(
        f"mongodb://{hosts[0]}/?directConnection=true"
    )
    members = [{"_id": number, "host": host} for number, host in enumerate(hosts)]
    config = {
        "_id": "three",
        "members": members,
        "settings": {"electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 500},
    }
    with closing(first):
        until(lambda: _done(first, config), 30, "the set is initiated")
        until(lambda: first.admin.command("hello").get("setName"), 60)
    whole: MongoClient[dict[str, object]] = MongoClient(
        f"mongodb://{','.join(hosts)}/?replicaSet=three"
    )
    with closing(whole):
        until(lambda: len(whole.nodes) == 3 and whole.primary, 30, "a primary")
        until(lambda: len(whole.secondaries) == 2, 30, "two secondaries")


def _done(client: MongoClient[dict[str, object]], config: dict[str, object]) -> bool:
    try:
        client.admin.command("replSetInitiate", config)
    except PyMongoError as error:
        return "already initialized" in str(error)
    return True
