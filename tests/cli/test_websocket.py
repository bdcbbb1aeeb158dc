"""`rms-tui websocket` as a user runs it: a real process, clients of other libraries, its log."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websocket

PATIENCE = 60.0
OPERATOR, READER = "operator-token-0123456789", "reader-token-0123456789ab"
WORDS = ("--source", "simulator", "--accounts", "20", "--seed", "7", "-i", "0.2")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RMS_", "MT5_", "WS_"))
    }
    return {**kept, "RMS_DATA_DIR": str(folder / "data"), **more}


def run(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "rms_tui", *words],
        cwd=folder, env=environment(folder, **environ), capture_output=True, text=True,
        timeout=PATIENCE, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def serving(
    folder: Path, *words: str, port: int, **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """The verb while it runs, from when it listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rms_tui", *words],
        cwd=folder, env=environment(folder, **environ), text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stderr is not None
        for line in process.stderr:
            if f":{port}" in line:
                break
        else:
            raise AssertionError("it ended before it listened")
        yield process
    finally:
        process.terminate()  # so that it stops its mongod too
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()  # type: ignore[union-attr]  # it is a pipe
        process.stderr.close()


def until_live(port: int, **more: object) -> websocket.WebSocket:
    """A connection whose `initial` has accounts: the source has answered."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        made = websocket.create_connection(f"ws://127.0.0.1:{port}/", timeout=PATIENCE, **more)
        if json.loads(made.recv())["data"]:
            return made
        made.recv()
        made.close()
    raise AssertionError("no account came")


def test_it_serves_until_it_is_asked_to_end_and_ends_with_0(tmp_path):
    port = free_port()
    with serving(tmp_path, "websocket", *WORDS, "--port", str(port), port=port) as process:
        client = until_live(port)
        assert len(json.loads(client.recv())["data"]) == 20
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_start_serves_too_where_the_settings_say(tmp_path):
    port = free_port()
    words = ("start", "--websocket", *WORDS)
    with serving(tmp_path, *words, port=port, WS_PORT=str(port)) as process:
        until_live(port).close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_the_log_never_holds_a_token(tmp_path):
    port = free_port()
    tokens = {"RMS_WS_TOKEN": OPERATOR, "RMS_WS_TOKEN_READ": READER, "RMS_LOG_LEVEL": "DEBUG"}
    words = ("websocket", *WORDS, "--port", str(port))
    with serving(tmp_path, *words, port=port, **tokens) as process:
        client = until_live(port, header=[f"Authorization: Bearer {OPERATOR}"])
        client.send(json.dumps({"type": "remove_account", "login_id": 100000, "operator": "ann"}))
        while json.loads(client.recv())["type"] != "success":
            pass
        with pytest.raises(websocket.WebSocketBadStatusException):
            websocket.create_connection(f"ws://127.0.0.1:{port}/?token={OPERATOR}")
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=PATIENCE)
    log = (tmp_path / "data" / "rms.log").read_text("utf-8")
    assert "wrong or missing token" in log
    assert "remove_account by 'ann'" in log
    for text in (log, *said):
        assert OPERATOR not in text
        assert READER not in text


@pytest.mark.parametrize(
    ("words", "environ", "status", "said"),
    [
        (["--host", "0.0.0.0"], {}, 2, "needs a token"),
        (["--host", "0.0.0.0"], {"RMS_WS_TOKEN": OPERATOR}, 2, "without TLS"),
        (["--host", "0.0.0.0", "--insecure"], {"RMS_WS_TOKEN": "short"}, 2, "16 characters"),
        (["--cert", "no.pem"], {}, 2, "--cert and --key go together"),
        (["--cert", "no.pem", "--key", "no.key"], {}, 2, "no such file"),
        (["--origin", "desk"], {}, 2, "expected scheme://host"),
        (["--port", "99999"], {}, 2, "99999"),
        ([], {"WS_PORT": "http"}, 2, "WS_PORT"),
    ],
)
def test_what_is_not_safe_is_refused_with_the_reason(tmp_path, words, environ, status, said):
    done = run(tmp_path, "websocket", *WORDS, *words, **environ)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert OPERATOR not in done.stderr


def test_a_taken_port_is_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(tmp_path, "websocket", *WORDS, "--port", str(port))
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("rms-tui:")]
    assert len(lines) == 1
    assert f"port {port} on 127.0.0.1 is taken" in lines[0]
    assert "Traceback" not in done.stderr


def test_the_schema_is_json_schema_of_every_message(tmp_path):
    done = run(tmp_path, "websocket", "--schema")
    assert (done.returncode, done.stderr) == (0, "")
    schema = json.loads(done.stdout)
    kinds = {
        body["properties"]["type"]["const"]
        for part in ("in", "out")
        for body in schema[part]["$defs"].values()
        if "const" in body.get("properties", {}).get("type", {})
    }
    assert {"add_account", "subscribe", "stress", "initial", "update", "frame", "delta"} <= kinds


NODE = """
const socket = new WebSocket(process.argv[1]);
const replies = [];
const say = message => socket.send(JSON.stringify(message));
socket.onmessage = event => {
  const message = JSON.parse(event.data);
  replies.push(message.type);
  if (message.type === "initial") {
    const login_id = Number(Object.keys(message.data)[0]);
    for (const type of ["get_snapshot", "get_exposure", "get_stats"]) say({ type });
    say({ type: "remove_account", login_id });
    say({ type: "add_account", login_id });
    say({ type: "nonsense" });
    socket.send("{");
    say({ type: "subscribe" });
  }
  if (message.type === "delta") { console.log(JSON.stringify(replies)); process.exit(0); }
};
socket.onclose = () => process.exit(3);
setTimeout(() => process.exit(4), 30000);
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not on this machine")
def test_node_speaks_every_message_too(tmp_path):
    port = free_port()
    built_in = ["node", "--experimental-websocket"]
    if subprocess.run([*built_in, "-e", "WebSocket"], capture_output=True, check=False).returncode:
        pytest.skip("this node has no WebSocket of its own")
    with serving(tmp_path, "websocket", *WORDS, "--port", str(port), port=port):
        until_live(port).close()
        done = subprocess.run(
            [*built_in, "-e", NODE, f"ws://127.0.0.1:{port}/"],
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    replies = [kind for kind in json.loads(done.stdout) if kind != "update"]
    assert replies == [
        "initial", "snapshot", "exposure", "stats", "success", "success", "error", "error",
        "subscribed", "frame", "delta",
    ]  # fmt: skip
