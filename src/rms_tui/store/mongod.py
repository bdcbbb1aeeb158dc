"""One private `mongod` process: started, made a one-node replica set, recognised, ended.

It listens on loopback only, and it is nobody's child in the eyes of the terminal: Ctrl-C and a
closed SSH session must not end it before the writer is done.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]  # no types
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from rms_tui.store.errors import StoreError

HOST = "127.0.0.1"
REPLICA_SET = "rms"
PORTS = range(27_100, 29_000)
"""Below every system's range of outgoing ports, so that a port is still free after a crash."""

LAUNCH, SHUTDOWN, PORT_PATIENCE = 30.0, 10.0, 1.0
"""Seconds: for a new mongod to recover its data, for one that is shutting down to end, for a dead
one's port to become free."""

TRANSACTION = 5
"""Seconds after which a transaction of a process that died in the midst of it lets go of the lease
of its book; a minute is more than the others may wait."""

OPLOG_MB = 512
"""By default it would grow to a twentieth of the disk; change streams here need minutes of it."""

LOG_LIMIT = 16 * 1024 * 1024

_ENVIRONMENT = ("PATH", "HOME", "LD_LIBRARY_PATH", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP")
"""What a child may inherit: never the credentials that stand in our own environment."""

if sys.platform == "win32":
    _DETACHED = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
else:
    _DETACHED = 0

_NOT_INITIATED, _NOT_A_MEMBER = 94, 93


class Misplaced(StoreError):
    """The replica set's document has its one node on another port: see `readdress`."""


def address(port: int) -> str:
    """The URI of the private server on that port. On loopback, who does not answer is not there."""
    return f"mongodb://{HOST}:{port}/?directConnection=true&serverSelectionTimeoutMS=500"


def free_port(preferred: int | None, cancelled: threading.Event) -> int:
    """The preferred port if it is free (other processes know it), else any free one.

    A killed server's threads may hold its port for a moment longer than its process seems to live.
    """
    deadline = time.monotonic() + PORT_PATIENCE
    while preferred is not None and not (free := _is_free(preferred)):
        if time.monotonic() > deadline or cancelled.wait(0.02):
            break
    if preferred is not None and free:
        return preferred
    for port in random.sample(PORTS, 20):
        if _is_free(port):
            return port
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def spawn(
    program: Path, folder: Path, port: int, *, alone: bool = False
) -> subprocess.Popen[bytes]:
    """Start mongod on the data in `folder`; returns at once. Raises StoreError.

    `alone` starts it outside its replica set, to mend what the set says of itself.
    """
    data = data_folder(folder)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    prune_logs(folder)
    command = [
        str(program), "--dbpath", str(data), "--port", str(port), "--bind_ip", HOST,
        "--wiredTigerCacheSizeGB", "0.25",
        "--logpath", str(log_file(folder)), "--quiet", "--slowms", "2000",
        "--setParameter", "diagnosticDataCollectionEnabled=false",
        "--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION}",
        "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=0",
    ]  # fmt: skip
    if sys.platform != "win32":
        command.append("--nounixsocket")
    if not alone:
        command += ["--replSet", REPLICA_SET, "--oplogSize", str(OPLOG_MB)]
    try:
        with _complaints(folder).open("wb") as complaints:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=complaints,
                cwd=folder,
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                start_new_session=True,
                creationflags=_DETACHED,
            )
    except OSError as error:
        raise StoreError(f"{program} does not start: {error}", final=True) from error


def running_on(folder: Path, pid: int | None) -> psutil.Process | None:
    """The live mongod that serves `folder`, looked for under `pid` and under mongod's own lock.

    Told by its command line, not by its number alone: numbers are used again. mongod's own lock
    file names one whose starter was killed before it could write the registry.
    """
    data = str(data_folder(folder))
    for candidate in (pid, _pid_in_lock(folder)):
        if candidate is None:
            continue
        try:
            process = psutil.Process(candidate)
            if process.status() != psutil.STATUS_ZOMBIE and data in process.cmdline():
                return process
        except psutil.Error:
            continue
    return None


def port_of(process: psutil.Process) -> int | None:
    """The port on the command line of a mongod that `spawn` started."""
    try:
        command = process.cmdline()
        return int(command[command.index("--port") + 1])
    except (psutil.Error, ValueError, IndexError):
        return None


def is_alone(process: psutil.Process) -> bool:
    """Whether it runs outside its replica set: a `readdress` whose process was killed."""
    try:
        return "--replSet" not in process.cmdline()
    except psutil.Error:
        return False


def readdress(program: Path, folder: Path, port: int, cancelled: threading.Event) -> None:
    """Tell the replica set of `folder` that its one node is on another port now.

    A node that does not find itself in its own set refuses every write, and one that looks for
    itself on a port which a silent stranger took waits for ever. So this is done beforehand, by
    MongoDB's own procedure: start alone, change the set's document, stop. Raises StoreError.
    """
    child = spawn(program, folder, port, alone=True)
    process = psutil.Process(child.pid)
    try:
        make_ready(process, folder, port, LAUNCH, cancelled)
        client: MongoClient[dict[str, object]] = MongoClient(address(port))
        with closing(client):
            here = {"$set": {"members.0.host": f"{HOST}:{port}"}}
            client.local["system.replset"].update_one({"_id": REPLICA_SET}, here)
    except PyMongoError as error:
        raise StoreError(f"the embedded mongod cannot move to port {port}: {error}") from error
    finally:
        end(process, port)
        try:
            child.wait(SHUTDOWN)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def make_ready(
    process: psutil.Process, folder: Path, port: int, timeout: float, cancelled: threading.Event
) -> None:
    """Wait until the server accepts writes, as a replica set of one. Raises StoreError."""
    deadline = time.monotonic() + timeout
    client: MongoClient[dict[str, object]] = MongoClient(
        address(port), connectTimeoutMS=500, socketTimeoutMS=2000
    )
    with closing(client):
        while True:
            try:
                if _writable(client, port):
                    return
                why = "it is not yet primary"
            except PyMongoError as error:
                if isinstance(error, OperationFailure) and error.code == _NOT_A_MEMBER:
                    raise Misplaced(f"the embedded mongod is not on port {port}") from error
                why = str(error).partition(", Timeout:")[0]
            if not _alive(process):
                raise StoreError(f"the embedded mongod ended: {_last_words(folder)}")
            if time.monotonic() > deadline:
                raise StoreError(f"the embedded mongod gave no answer in {timeout:g} s: {why}")
            if cancelled.wait(0.03):
                raise StoreError("stopped while the embedded mongod was starting")


def end(process: psutil.Process, port: int | None) -> None:
    """Ask mongod to shut down tidily; returns without waiting for it."""
    if sys.platform == "win32" and port is not None:
        _ask_to_shut_down(port)  # no SIGTERM there
        return
    try:
        process.terminate()
    except psutil.NoSuchProcess:
        return


def trim_log(folder: Path, port: int) -> None:
    """Have mongod begin a new log once its log is large; one older log is kept.

    Raises PyMongoError when the server does not answer.
    """
    log = log_file(folder)
    if not log.exists() or log.stat().st_size < LOG_LIMIT:
        return
    client: MongoClient[dict[str, object]] = MongoClient(address(port), socketTimeoutMS=2000)
    with closing(client):
        client.admin.command("logRotate")
    prune_logs(folder)


def prune_logs(folder: Path) -> None:
    """Delete all rotated logs but the newest."""
    log = log_file(folder)
    for old in sorted(folder.glob(f"{log.name}.*"))[:-1]:
        old.unlink(missing_ok=True)


def data_folder(folder: Path) -> Path:
    return folder / "db"


def log_file(folder: Path) -> Path:
    return folder / "mongod.log"


def _complaints(folder: Path) -> Path:
    return folder / "mongod.err"


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        if sys.platform != "win32":  # there it would mean: take it from its owner
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _pid_in_lock(folder: Path) -> int | None:
    try:
        return int((data_folder(folder) / "mongod.lock").read_text("ascii"))
    except (OSError, ValueError):
        return None


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _writable(client: MongoClient[dict[str, object]], port: int) -> bool:
    here = f"{HOST}:{port}"
    hello = client.admin.command("hello")
    if hello.get("isWritablePrimary"):
        return True
    try:
        client.admin.command("replSetGetStatus")
    except OperationFailure as failure:
        if failure.code != _NOT_INITIATED:
            raise
        config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": here}]}
        client.admin.command("replSetInitiate", config)
    return False


def _ask_to_shut_down(port: int) -> None:
    client: MongoClient[dict[str, object]] = MongoClient(address(port), socketTimeoutMS=300)
    with closing(client):
        try:
            client.admin.command("shutdown", force=True, timeoutSecs=0)
        except PyMongoError:
            return  # the connection closes with the server


def _last_words(folder: Path) -> str:
    """What mongod said before it ended, for a person who has to find out why."""
    for file in (_complaints(folder), log_file(folder)):
        try:
            lines = file.read_text("utf-8", "replace").splitlines()
        except OSError:
            continue
        errors = [line for line in lines if '"s":"E"' in line or '"s":"F"' in line]
        said = errors or ([] if file == log_file(folder) else lines)
        if said:
            return f"{said[0][:300]} (see {log_file(folder)})"
    return f"see {log_file(folder)}"
