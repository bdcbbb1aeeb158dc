"""The fleet's verbs in real processes: a prompt on a terminal, `--watch`, Ctrl-C."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from desk import until

from rms_tui.store import rotation
from rms_tui.store.database import Rms, connect
from rms_tui.store.secrets import open_vault

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="terminals and signals are POSIX")

RMS = [sys.executable, "-m", "rms_tui"]
PASSWORD = "typed-hunter2"


@pytest.fixture
def environment(server_uri: str, database: Rms, tmp_path: Path) -> dict[str, str]:
    for _said in rotation.init(database, tmp_path / "data" / "master.key"):
        continue
    return {
        **os.environ,
        "RMS_MONGODB_URI": server_uri,
        "RMS_MONGODB_DATABASE": database.name,
        "RMS_DATA_DIR": str(tmp_path / "data"),
    }


class Output:
    """What a process wrote so far, read by a thread."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.text = ""
        self._stream = process.stdout
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._stream is not None
        while piece := os.read(self._stream.fileno(), 65_536):
            self.text += piece.decode()


@pytest.fixture
def watching(
    environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[subprocess.Popen[bytes], Output]]:
    process = subprocess.Popen(
        [*RMS, *request.param], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment,
        cwd=tmp_path,
    )  # fmt: skip
    yield process, Output(process)
    if process.poll() is None:
        process.kill()
    process.wait(10)


def typed_into(
    words: list[str], answers: list[tuple[str, str]], environment: dict[str, str], cwd: Path
) -> tuple[int, str]:
    """Run on a terminal of its own, answer each prompt when it shows; status and all shown."""
    import pty

    pid, terminal = pty.fork()
    if pid == 0:  # the child: nothing of pytest may run here
        os.chdir(cwd)
        os.execve(sys.executable, [*RMS, *words], environment)
    shown, seen, waiting = "", 0, list(answers)
    try:
        while select.select([terminal], [], [], 20)[0]:
            try:
                piece = os.read(terminal, 65_536)
            except OSError:  # the other end is closed
                break
            shown += piece.decode()
            if waiting and waiting[0][0] in shown[seen:]:
                seen = len(shown)
                os.write(terminal, waiting.pop(0)[1].encode() + b"\n")
        else:
            os.kill(pid, signal.SIGKILL)
    finally:
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown


def test_a_password_typed_on_a_terminal_is_asked_for_twice_and_not_shown(
    environment: dict[str, str], database: Rms, tmp_path: Path
) -> None:
    status, shown = typed_into(
        ["element", "add", "5001", "Broker-Live"],
        [("Password of 5001 on Broker-Live: ", PASSWORD), ("confirmation: ", PASSWORD)],
        environment,
        tmp_path,
    )
    assert status == 0, shown
    assert PASSWORD not in shown
    vault = open_vault(database, tmp_path / "data" / "master.key")
    (element,) = database.elements.find()
    assert vault.decrypt(element["password"]).get_secret_value() == PASSWORD
    vault.close()


@pytest.mark.parametrize("watching", [["element", "list", "--watch"]], indirect=True)
def test_watch_prints_again_on_a_change_only_and_ctrl_c_ends_it_with_0(
    watching: tuple[subprocess.Popen[bytes], Output], database: Rms
) -> None:
    process, output = watching
    until(lambda: "no elements" in output.text, 20)
    id_ = database.elements.insert_one(
        {"login": 5001, "server": "Broker-Live", "source": "terminal", "status": "PENDING"}
    ).inserted_id
    until(lambda: "PENDING" in output.text)
    database.elements.update_one({"_id": id_}, {"$currentDate": {"last_ping": True}})
    until(lambda: "< 1 min" in output.text)
    for balance in range(20):
        database.elements.update_one(
            {"_id": id_},
            {"$set": {"account": {"balance": float(balance)}}, "$currentDate": {"last_ping": True}},
        )
    database.elements.update_one({"_id": id_}, {"$set": {"status": "ACTIVE"}})
    until(lambda: "ACTIVE" in output.text)
    assert output.text.count("Element ") == 3, output.text
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert process.stderr is not None
    assert process.stderr.read() == b""


@pytest.mark.parametrize("watching", [["instance", "list", "--watch", "--json"]], indirect=True)
def test_watch_in_json_is_a_line_for_each_state(
    watching: tuple[subprocess.Popen[bytes], Output], database: Rms
) -> None:
    import json

    process, output = watching
    until(lambda: output.text.count("\n") == 1, 20)
    database.instances.insert_one({"host": "h", "path": "/p", "status": "FREE"})
    until(lambda: output.text.count("\n") == 2)
    first, second = (json.loads(line) for line in output.text.splitlines())
    assert first == []
    assert [one["path"] for one in second] == ["/p"]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_watch_waits_for_a_database_that_goes_away_and_goes_on(
    mongod_path: Path, tmp_path: Path
) -> None:
    from tests.faults.servers import killable

    with killable(mongod_path, tmp_path / "mongod") as server:
        environment = {**os.environ, "RMS_MONGODB_URI": server.uri, "RMS_DATA_DIR": str(tmp_path)}
        process = subprocess.Popen(
            [*RMS, "element", "list", "--watch"], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=environment, cwd=tmp_path,
        )  # fmt: skip
        try:
            output = Output(process)
            until(lambda: "no elements" in output.text, 30)
            server.kill()
            until(lambda: "MongoDB does not answer" in output.text, 30)
            server.start()
            database = connect(server.uri, "rms")
            database.elements.insert_one({"login": 5001, "server": "S"})
            database.client.close()
            until(lambda: "5001" in output.text, 30)
            assert output.text.count("does not answer") == 1
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.wait(10)
