"""What a running desk without a screen does for others: it notifies, and it is measured."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.api.scripts import environment

PATIENCE = 60.0


class Service:
    """Takes notifications as JSON over HTTP."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.came = threading.Event()
        service = self

        class Taker(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.got.append(json.loads(body))
                self.send_response(200)
                self.end_headers()
                service.came.set()

            def log_message(self, *_: Any) -> None:
                """Not on the screen of the tests."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Taker)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.server.shutdown()
    made.server.server_close()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def started(folder: Path, **environ: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rms_tui",
            *["start", "--demo", "--accounts", "60", "--seed", "7", "--log-json"],
        ],
        cwd=folder,
        env=environment(RMS_DATA_DIR=str(folder / "data"), **environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_breach_reaches_the_channel_and_the_metrics_and_no_log_names_the_channel_s_url(
    tmp_path: Path, service: Service
) -> None:
    url = f"json://user:hunter2secret@127.0.0.1:{service.port}/hook"
    (tmp_path / "rms.toml").write_text('[[notify]]\nname = "desk"\nurl_env = "HOOK"\ngather = 1\n')
    port = free_port()
    desk = started(tmp_path, HOOK=url, RMS_METRICS_PORT=str(port), RMS_LOG_LEVEL="DEBUG")
    try:
        assert service.came.wait(PATIENCE), "no notification came"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            metrics = answer.read().decode()
    finally:
        desk.send_signal(signal.SIGTERM)
        _, log = desk.communicate(timeout=15)
    assert desk.returncode == 0
    assert "BREACH" in service.got[0]["title"]
    assert "limit" in service.got[0]["message"]
    assert 'rms_feed_state{state="demo"} 1.0' in metrics
    assert "rms_accounts 60.0" in metrics
    assert all(json.loads(line)["level"] for line in log.splitlines())
    written = log + "".join(p.read_text() for p in (tmp_path / "data").glob("*.log"))
    assert "hunter2secret" not in written
    assert "position_risk: value unlimited, limit" in written


def test_a_metrics_port_that_is_taken_is_one_line_and_status_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        desk = started(tmp_path, RMS_METRICS_PORT=str(taken.getsockname()[1]))
        _, said = desk.communicate(timeout=30)
    assert desk.returncode == 2
    assert "RMS_METRICS_PORT" in said
    assert "Traceback" not in said
