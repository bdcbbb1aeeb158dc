"""The embedded server of this host: started by the first rms-tui, shared, stopped by the last.

A registry file in the data folder names mongod's pid and port and who uses it; an OS lock guards
it. Entries of dead processes are dropped by whoever looks next, so that nothing depends on anyone
dying politely: a mongod left by a killed rms-tui is taken over by the next one.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import platformdirs
import psutil  # type: ignore[import-untyped, unused-ignore]  # no types

from rms_tui.store import mongod
from rms_tui.store.binary import mongod_program
from rms_tui.store.errors import StoreError
from rms_tui.store.guard import held

ADOPT, GUARD = 5.0, 45.0
"""Seconds: for a running mongod to answer, and for another rms-tui that is starting one."""

_PIDS, _PORTS = range(1, 2**31), range(1, 65_536)

_SAME_BIRTH = 3.0
"""Creation times within this many seconds are one process: the host's boot time is estimated."""


class Server(Protocol):
    """A MongoDB to write to, whoever runs it."""

    def uri(self, cancelled: threading.Event) -> str:
        """Where it is now; makes it run if that is ours to do. Raises StoreError or OSError."""
        ...

    def tend(self) -> None:
        """Hourly housekeeping; raises StoreError, OSError or PyMongoError."""
        ...

    def release(self, timeout: float) -> None:
        """Let go of it; raises nothing that matters after the end."""
        ...


@dataclass(frozen=True, slots=True)
class Remote:
    """A replica set that someone else runs."""

    address: str

    def uri(self, cancelled: threading.Event) -> str:  # noqa: ARG002
        return self.address

    def tend(self) -> None:
        """Nothing to do: it has its own keepers."""

    def release(self, timeout: float) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True)
class User:
    """One user of the shared mongod: a process, and which of its users it is."""

    pid: int
    created: float
    token: str

    def lives(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            born, status = process.create_time(), process.status()
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True
        return bool(abs(born - self.created) < _SAME_BIRTH and status != psutil.STATUS_ZOMBIE)


@dataclass(slots=True)
class Registry:
    """The shared file, as read: a missing or unreadable one is an empty one."""

    pid: int | None = None
    port: int | None = None
    stopping: bool = False
    users: list[User] = field(default_factory=list)

    @classmethod
    def read(cls, file: Path) -> Registry:
        try:
            found: Any = json.loads(file.read_text("utf-8"))
            users = [
                User(_within(one["pid"], _PIDS), float(one["created"]), str(one["token"]))
                for one in found["users"]
            ]
            pid, port = found["pid"], found["port"]
            return cls(
                None if pid is None else _within(pid, _PIDS),
                None if port is None else _within(port, _PORTS),
                bool(found["stopping"]),
                users,
            )
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            return cls()

    def write(self, file: Path) -> None:
        part = file.with_name(f"{file.name}.{os.getpid()}")
        part.write_text(json.dumps(asdict(self), indent=1), "utf-8")
        part.replace(file)


class Embedded:
    """This process's hold on the host's mongod. Methods may be called from any thread."""

    def __init__(self, data: Path | None = None, program: str | None = None) -> None:
        """`data` is RMS_DATA_DIR, `program` is RMS_MONGOD, as values; None where unset."""
        root = platformdirs.user_data_path("rms-tui", appauthor=False) if data is None else data
        self.folder = (root / "mongodb").absolute()
        self._program = program
        self._me = User(os.getpid(), psutil.Process().create_time(), uuid.uuid4().hex[:8])
        self._file = self.folder / "shared.json"
        self._guard = self.folder / "shared.lock"
        self._port: int | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._released = False
        self._once = threading.Lock()

    def uri(self, cancelled: threading.Event) -> str:
        """Register as a user, start mongod unless it runs, and say where it is.

        Called again after a lost connection: a mongod that died is started again on the same data
        and, where it can be, on the same port. Raises StoreError.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with held(self._guard, GUARD, cancelled):
                if self._released:
                    raise StoreError("the embedded mongod was released")
                return self._running(cancelled)
        except OSError as error:
            raise StoreError(
                f"the embedded MongoDB cannot write to {self.folder}: {error.strerror}; "
                "set RMS_DATA_DIR to another folder, or RMS_MONGODB_URI to a replica set"
            ) from error

    def _running(self, cancelled: threading.Event) -> str:
        registry = self._others()
        process = mongod.running_on(self.folder, registry.pid)
        if process is not None and (registry.stopping or mongod.is_alone(process)):
            self._end(process, registry.port, cancelled)
            process = None
        if process is not None:
            port = _port_of(process)
            try:
                return self._use(registry, process, port, ADOPT, cancelled)
            except mongod.Misplaced:
                self._end(process, port, cancelled)
                return self._started(registry, cancelled, misplaced=True)
            except StoreError:
                if mongod.running_on(self.folder, process.pid) is not None:
                    raise  # it lives and does not answer; a dead one is started again
        try:
            return self._started(registry, cancelled)
        except mongod.Misplaced:
            return self._started(registry, cancelled, misplaced=True)

    def tend(self) -> None:
        """Keep mongod's log small."""
        if self._port is not None:
            mongod.trim_log(self.folder, self._port)

    def release(self, timeout: float = 0.5) -> None:
        """Strike this user off; the last one has mongod shut down. Does not wait for that end.

        When the registry stays locked for `timeout` nothing is done: the next rms-tui finds this
        user dead and cleans up.
        """
        with self._once:
            if self._released or not self.folder.exists():
                return
            self._released = True
        try:
            with held(self._guard, timeout, threading.Event()):
                registry = self._others()
                process = mongod.running_on(self.folder, registry.pid)
                if process is not None and not registry.users:
                    registry.stopping = True
                    mongod.end(process, registry.port)
                registry.write(self._file)
        except (StoreError, OSError):
            return

    def _others(self) -> Registry:
        registry = Registry.read(self._file)
        registry.users = [user for user in registry.users if user.lives() and user != self._me]
        return registry

    def _use(
        self,
        registry: Registry,
        process: psutil.Process,
        port: int,
        patience: float,
        cancelled: threading.Event,
    ) -> str:
        """Register, then wait until it takes writes."""
        users = [*registry.users, self._me]
        Registry(process.pid, port, False, users).write(self._file)
        mongod.make_ready(process, self.folder, port, patience, cancelled)
        self._port = port
        return mongod.address(port)

    def _started(
        self, registry: Registry, cancelled: threading.Event, *, misplaced: bool = False
    ) -> str:
        """Start mongod and use it. `misplaced` says that its set is known to have another port."""
        if self._child is not None:
            self._child.poll()  # or our dead child stays as a zombie
        program = mongod_program(self._program, self.folder)
        port = mongod.free_port(registry.port, cancelled)
        if (misplaced or port != registry.port) and mongod.data_folder(self.folder).exists():
            mongod.readdress(program, self.folder, port, cancelled)
        self._child = mongod.spawn(program, self.folder, port)
        process = psutil.Process(self._child.pid)
        try:
            return self._use(registry, process, port, mongod.LAUNCH, cancelled)
        except mongod.Misplaced:
            self._end(process, port, cancelled)
            raise

    def _end(self, process: psutil.Process, port: int | None, cancelled: threading.Event) -> None:
        mongod.end(process, port)
        self._await_end(process, cancelled)

    def _await_end(self, process: psutil.Process, cancelled: threading.Event) -> None:
        deadline = time.monotonic() + mongod.SHUTDOWN
        while mongod.running_on(self.folder, process.pid) is not None:
            if time.monotonic() > deadline:
                process.kill()
            if cancelled.wait(0.05):
                raise StoreError("stopped while the former embedded mongod was ending")


def _within(number: object, allowed: range) -> int:
    """That number of a file that anyone may have written. Raises ValueError."""
    if not isinstance(number, int) or number not in allowed:
        raise ValueError(f"{number!r}: expected {allowed.start} to {allowed.stop - 1}")
    return number


def _port_of(process: psutil.Process) -> int:
    port = mongod.port_of(process)
    if port is None:
        raise StoreError(f"mongod {process.pid} was not started by rms-tui: its port is unknown")
    return port
