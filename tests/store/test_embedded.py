"""The embedded mongod: shared by all rms-tui of a host, and nobody has to die politely."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from desk import until
from pymongo import MongoClient

from rms_tui.store import binary, embedded, guard, mongod
from rms_tui.store.binary import mongod_program
from rms_tui.store.embedded import Embedded
from rms_tui.store.errors import StoreError

GO = threading.Event()
USER = Path(__file__).with_name("embedded_user.py")
pytestmark = pytest.mark.usefixtures("mongod_path")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder whose mongod, if any is left, is ended after the test."""
    yield tmp_path
    left = server_of(tmp_path)
    if left is not None:
        left.kill()


class User:
    """Another rms-tui process on this host."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(USER), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.uri = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("leave\n", timeout=10)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=10)


def server_of(folder: Path) -> psutil.Process | None:
    return mongod.running_on((folder / "mongodb").absolute(), None)


def registry_of(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "mongodb" / "shared.json").read_text("utf-8"))
    return found


def marked(uri: str) -> MongoClient[dict[str, object]]:
    client: MongoClient[dict[str, object]] = MongoClient(uri, serverSelectionTimeoutMS=3000)
    client.test.marks.insert_one({"_id": 1})
    return client


def test_two_processes_share_one_mongod_and_the_last_one_stops_it(folder: Path) -> None:
    first, second = User(folder), User(folder)
    assert first.uri == second.uri
    assert first.uri.startswith("mongodb://127.0.0.1:")
    server = server_of(folder)
    assert server is not None
    assert registry_of(folder)["pid"] == server.pid
    first.leave()
    assert server_of(folder) == server
    second.leave()
    until(lambda: server_of(folder) is None)


@pytest.mark.parametrize("registry", ["whole", "half-written"])
def test_a_mongod_left_by_a_killed_rms_tui_is_taken_over_and_then_stopped(
    folder: Path, registry: str
) -> None:
    killed = User(folder)
    killed.kill()
    left = server_of(folder)
    assert left is not None, "kill -9 of its user must not end it"
    mine = Embedded(folder)
    if registry == "half-written":
        (folder / "mongodb" / "shared.json").write_text('{"half": ')
    assert mine.uri(GO) == killed.uri
    assert server_of(folder) == left
    users = registry_of(folder)["users"]
    assert [user["pid"] for user in users] == [os.getpid()]  # type: ignore[attr-defined]
    mine.release()
    until(lambda: server_of(folder) is None)


def test_a_killed_mongod_comes_back_on_the_same_port_with_its_documents(folder: Path) -> None:
    mine = Embedded(folder)
    uri = mine.uri(GO)
    marked(uri).close()
    server = server_of(folder)
    assert server is not None
    server.kill()
    assert mine.uri(GO) == uri
    with MongoClient(uri) as client:
        assert client.test.marks.count_documents({}) == 1
    mine.release()


def test_when_its_port_was_taken_meanwhile_it_moves_and_is_still_primary(folder: Path) -> None:
    mine = Embedded(folder)
    uri = mine.uri(GO)
    marked(uri).close()
    server = server_of(folder)
    assert server is not None
    server.kill()
    server.wait(5)
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", int(uri.split(":")[2].split("/")[0])))
        squatter.listen()
        moved = mine.uri(GO)
        assert moved != uri
        with MongoClient(moved, serverSelectionTimeoutMS=3000) as client:
            client.test.marks.insert_one({"_id": 2})
            assert client.test.marks.count_documents({}) == 2
    mine.release()


def test_a_start_right_after_the_last_release_waits_for_the_shutdown(folder: Path) -> None:
    first = Embedded(folder)
    first.uri(GO)
    before = server_of(folder)
    first.release()
    second = Embedded(folder)
    second.uri(GO)
    after = server_of(folder)
    assert before is not None
    assert after is not None
    assert before.pid != after.pid
    second.release()


def test_it_is_out_of_the_terminal_s_reach_knows_no_credentials_and_listens_on_loopback_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MT5_MANAGER_PASS", "hunter2")
    mine = Embedded(folder)
    mine.uri(GO)
    server = server_of(folder)
    assert server is not None
    assert "hunter2" not in str(server.environ())
    listening = {c.laddr.ip for c in server.net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    if sys.platform != "win32":
        assert os.getsid(server.pid) != os.getsid(0), "Ctrl-C and a hang-up would end it"
    mine.release()


def test_stopping_while_it_starts_returns_at_once_and_leaves_nothing(folder: Path) -> None:
    mine, stopped = Embedded(folder), threading.Event()
    stopped.set()
    with pytest.raises(StoreError, match="stopped"):
        mine.uri(stopped)
    mine.release()
    until(lambda: server_of(folder) is None)
    with pytest.raises(StoreError, match="released"):
        mine.uri(GO)


def test_a_program_that_cannot_run_is_refused_with_its_own_words(tmp_path: Path) -> None:
    broken = tmp_path / "mongod"
    broken.write_text(
        "#!/bin/sh\necho 'libcrypto.so.3: cannot open shared object file' >&2\nexit 127\n"
    )
    broken.chmod(0o755)
    mine = Embedded(tmp_path, str(broken))
    with pytest.raises(StoreError, match=r"libcrypto\.so\.3: cannot open"):
        mine.uri(GO)
    mine.release()


def test_a_registry_held_too_long_is_an_error_that_names_it(tmp_path: Path) -> None:
    lock = tmp_path / "shared.lock"
    with (
        guard.held(lock, 1, GO),
        pytest.raises(StoreError, match=r"another process has held .*shared\.lock"),
        guard.held(lock, 0.05, GO),
    ):
        pytest.fail("two holders")
    with guard.held(lock, 0.05, GO):
        pass


def test_a_user_whose_number_was_used_again_is_dead() -> None:
    me = psutil.Process()
    assert embedded.User(me.pid, me.create_time(), "a").lives()
    assert not embedded.User(me.pid, me.create_time() - 60, "a").lives()


def test_only_one_rotated_log_is_kept(tmp_path: Path) -> None:
    for day in ("01", "02", "03"):
        (tmp_path / f"mongod.log.2026-03-{day}").touch()
    mongod.prune_logs(tmp_path)
    assert [log.name for log in tmp_path.iterdir()] == ["mongod.log.2026-03-03"]


def test_the_program_is_taken_as_configured_then_from_the_path_then_from_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("configured", "on_path", "packaged"):
        (tmp_path / name).mkdir()
        (tmp_path / name / binary.PROGRAM).write_text("x")
        (tmp_path / name / binary.PROGRAM).chmod(0o755)
    packaged = tmp_path / "packaged" / binary.PROGRAM
    monkeypatch.setattr(binary, "packaged_program", lambda: packaged)
    monkeypatch.setenv("PATH", str(tmp_path / "on_path"))
    configured = str(tmp_path / "configured" / binary.PROGRAM)
    assert mongod_program(configured, tmp_path) == Path(configured)
    assert mongod_program(None, tmp_path) == tmp_path / "on_path" / binary.PROGRAM
    monkeypatch.setenv("PATH", "")
    assert mongod_program(None, tmp_path) == packaged
    packaged.chmod(0o644)
    copy = mongod_program(None, tmp_path)
    assert copy.parent == tmp_path
    assert os.access(copy, os.X_OK)
    monkeypatch.setattr(binary, "packaged_program", lambda: None)
    with pytest.raises(StoreError, match=r"RMS_MONGOD.*PATH.*rms-tui\[embedded\].*RMS_MONGODB_URI"):
        mongod_program(None, tmp_path)
    with pytest.raises(StoreError, match="RMS_MONGOD is '/no/such'"):
        mongod_program("/no/such", tmp_path)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "null",
        '{"pid": "x", "port": null, "stopping": 0, "users": []}',
        '{"pid": null, "port": 99999, "stopping": false, "users": []}',
        '{"pid": -1, "port": 27200, "stopping": false, "users": []}',
        '{"pid": 1, "port": 27200, "stopping": false, "users": [{"pid": "a", "created": 1, '
        '"token": "t"}]}',
        '{"pid": 1, "port": 27200, "stopping": false, "users": [{"pid": 1, "created": 1, '
        '"token": "t", "more": 1}]}',
    ],
)
def test_a_registry_that_cannot_be_is_read_as_far_as_it_can_and_never_ends_a_start(
    tmp_path: Path, written: str
) -> None:
    file = tmp_path / "shared.json"
    file.write_text(written)
    found = embedded.Registry.read(file)
    assert all(not user.lives() for user in found.users)
    assert found.port in (None, 27_200)
    assert found.pid in (None, 1)


def test_a_mongod_whose_set_is_on_another_port_than_the_registry_says_is_mended(
    folder: Path,
) -> None:
    """As a `kill -9` leaves it between moving the set and writing the registry."""
    first = Embedded(folder)
    marked(first.uri(GO)).close()
    first.release()
    until(lambda: server_of(folder) is None)
    registry = registry_of(folder)
    other = mongod.free_port(None, GO)
    registry["port"] = other
    (folder / "mongodb" / "shared.json").write_text(json.dumps(registry))
    second = Embedded(folder)
    with MongoClient(second.uri(GO)) as client:
        client.test.marks.insert_one({"_id": 2})
        assert client.test.marks.count_documents({}) == 2
    second.release()


def test_a_registry_and_a_lock_of_a_process_that_is_no_mongod_are_nobody_s(folder: Path) -> None:
    first = Embedded(folder)
    uri = first.uri(GO)
    first.release()
    until(lambda: server_of(folder) is None)
    registry = registry_of(folder)
    reused = {"pid": os.getpid(), "created": 1.0, "token": "t"}
    text = json.dumps({**registry, "pid": os.getpid(), "stopping": False, "users": [reused]})
    (folder / "mongodb" / "shared.json").write_text(text)
    (folder / "mongodb" / "db" / "mongod.lock").write_text(f"{os.getpid()}\n")
    second = Embedded(folder)
    assert second.uri(GO) == uri
    assert registry_of(folder)["pid"] != os.getpid()
    second.release()
    until(lambda: server_of(folder) is None)


def test_two_that_start_at_the_same_moment_have_one_mongod(folder: Path) -> None:
    several = [Embedded(folder) for _ in range(4)]
    uris: list[str] = []
    starts = [
        threading.Thread(target=lambda one=one: uris.append(one.uri(GO)))  # type: ignore[misc]
        for one in several
    ]
    for start in starts:
        start.start()
    for start in starts:
        start.join(30)
    assert len(uris) == 4
    assert len(set(uris)) == 1
    for one in several:
        one.release(5.0)
    until(lambda: server_of(folder) is None)


def test_a_folder_with_spaces_and_accents_will_do_and_one_that_takes_nothing_is_named(
    tmp_path: Path,
) -> None:
    home = tmp_path / "the desk's données"
    mine = Embedded(home)
    marked(mine.uri(GO)).close()
    mine.release()
    until(lambda: server_of(home) is None)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write to .*file/mongodb.*RMS_DATA_DIR"):
        Embedded(tmp_path / "file").uri(GO)
