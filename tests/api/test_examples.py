"""The scripts of older RMS users, run as they are: against the manager's fake and the demo."""

from __future__ import annotations

import ast
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.api.scripts import DEMO, MANAGER, ROOT, environment, midday_zone, ran, world

EXAMPLES = ROOT / "docs" / "examples"
SOURCES = pytest.mark.parametrize("environ", [MANAGER, DEMO], ids=["manager", "demo"])


def logins(tmp_path: Path, environ: Mapping[str, str]) -> list[str]:
    code = (
        "from rms_tui import Monitor; monitor = Monitor()\n"
        "print(*list(monitor.snapshots())[:3]); monitor.stop()"
    )
    return ran(code, folder=tmp_path, environ=environ).stdout.split()


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_an_example_imports_rms_tui_by_its_public_names_only(path: Path) -> None:
    imported = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rms_tui")
        for alias in node.names
        if node.module == "rms_tui"
    }
    import rms_tui

    assert imported
    assert imported <= set(rms_tui.__all__)
    assert "rms_tui." not in path.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent the POSIX way")
def test_several_accounts_are_monitored_and_a_flat_one_is_no_alarm(tmp_path: Path) -> None:
    environ = environment(**MANAGER, RMS_FAKE_WORLD=str(world(tmp_path)))
    with subprocess.Popen(
        [sys.executable, str(EXAMPLES / "monitor_accounts.py")], cwd=tmp_path, env=environ,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        try:
            assert running.stdout is not None
            first, second = running.stdout.readline(), running.stdout.readline()
            running.send_signal(signal.SIGINT)
            rest, said = running.communicate(timeout=60)
        finally:
            running.kill()
    assert first == second == "Warning: 1002 is at 126.4 %\n"
    assert set(rest.splitlines(keepends=True)) <= {first}
    assert (running.returncode, said) == (0, "")


@SOURCES
def test_a_daily_report_is_written_without_a_start(tmp_path: Path, environ: dict[str, str]) -> None:
    clock = {"TZ": midday_zone()}
    done = ran(EXAMPLES / "daily_report.py", folder=tmp_path, environ={**environ, **clock})
    assert (done.returncode, done.stderr) == (0, "")
    [path] = tmp_path.glob("daily_report_*.json")
    assert done.stdout == f"written: {path.name}\n"
    report = json.loads(path.read_text())
    assert report.keys() == {"timestamp", "stats", "accounts", "exposure"}
    assert len(report["accounts"]) == (3 if environ is MANAGER else 250)
    levels = {one["account"]["margin_level"] for one in report["accounts"].values()}
    assert None in levels
    again = ran(EXAMPLES / "daily_report.py", folder=tmp_path, environ={**environ, **clock})
    assert again.stdout == done.stdout


def test_risk_alerts_name_who_is_close(tmp_path: Path) -> None:
    environ = {
        **MANAGER,
        "RMS_FAKE_WORLD": str(world(tmp_path)),
        "MAX_LOSS_THRESHOLD": "-900",
    }
    done = ran(EXAMPLES / "risk_alerts.py", folder=tmp_path, environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "1002 warning True",
        "WARNING: account 1002 Björn Ångström: margin level 126.39 % (limit 150 %), "
        "floating loss -950.00 EUR (limit -900.00)",
    ]


def test_risk_alerts_of_a_big_demo_run_through(tmp_path: Path) -> None:
    done = ran(EXAMPLES / "risk_alerts.py", folder=tmp_path, environ=DEMO)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(word in done.stdout for word in ("WARNING: account", "CRITICAL: account"))


@SOURCES
def test_the_quick_start_shows_one_account_and_the_book(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    login = logins(tmp_path, environ)[0]
    done = ran(EXAMPLES / "quick_start.py", login, folder=tmp_path, environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    if environ is MANAGER:
        assert done.stdout.splitlines() == [
            "Balance: 10000.0",
            "Positions: 1",
            "EURUSD: 1001 buy 0.2",
            "EURUSD: 0.2 lots of 1 accounts",
        ]
    else:
        assert done.stdout.startswith("Balance: ")
        assert "lots of 1 accounts" in done.stdout


@SOURCES
def test_the_quick_start_takes_the_first_account_where_none_is_given(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    done = ran(EXAMPLES / "quick_start.py", folder=tmp_path, environ=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Balance: ")


def test_the_quick_start_says_which_account_the_server_has_not(tmp_path: Path) -> None:
    done = ran(EXAMPLES / "quick_start.py", "7", folder=tmp_path, environ=DEMO)
    assert (done.returncode, done.stderr) == (1, "add_account: account 7 is not on the server\n")


def test_no_connection_is_said_in_words(tmp_path: Path) -> None:
    wrong = {**MANAGER, "MT5_MANAGER_PASS": "hunter2"}
    done = ran(EXAMPLES / "monitor_accounts.py", folder=tmp_path, environ=wrong)
    assert done.returncode == 1
    assert "no connection: " in done.stderr
    assert "hunter2" not in done.stderr
    assert "Traceback" not in done.stderr
