"""The verbs as a user runs them: real processes, real exit statuses, JSON alone on stdout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKES = ROOT / "tests" / "fakes"
PRICES = Path(os.environ.get("RMS_SHARED_DATA", ROOT.parent / "shared" / "data")) / "nautilus_fx"
MANAGER = {"MT5_HOST": "prod-1", "MT5_MANAGER_USER": "1000", "MT5_MANAGER_PASS": "manager-secret"}


@pytest.fixture
def run(tmp_path):
    def rms(*words, fakes=False, **environ):
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("RMS_", "MT5_", "WS_")) and name != "PYTHONPATH"
        }
        clean |= {"RMS_DATA_DIR": str(tmp_path / "data"), **environ}
        if fakes:
            clean["PYTHONPATH"] = str(FAKES)
        return subprocess.run(
            [sys.executable, "-m", "rms_tui", *words],
            cwd=tmp_path, env=clean, capture_output=True, text=True, timeout=120, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    return rms


SIMULATOR = ("--source", "simulator", "--accounts", "20", "--seed", "7")


def test_a_snapshot_has_rmss_shape_and_its_sums_hold_to_the_cent(run):
    done = run("snapshot", *SIMULATOR, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    snapshots = json.loads(done.stdout)
    assert len(snapshots) == 20
    for login, snapshot in snapshots.items():
        account, positions, trades = (snapshot[k] for k in ("account", "positions", "trades"))
        assert account["login_id"] == positions["login_id"] == trades["login_id"] == int(login)
        total = account["balance"] + account["credit"] + account["profit"]
        assert round(total - account["equity"], 2) == 0
        assert {"free_margin", "group", "leverage", "status", "last_update"} <= account.keys()
        assert positions["position_count"] == len(positions["positions"])
        assert set(positions["symbols"]) == {p["symbol"] for p in positions["positions"]}
        assert trades["daily_stats"].keys() == {
            "trade_count", "total_volume", "total_profit", "date",
        }  # fmt: skip
        assert len(trades["trades"]) == min(100, trades["trade_count"])
        if account["margin"] == 0:
            assert account["margin_level"] is None


def test_the_same_seed_gives_the_same_output_and_another_one_another(run):
    first, again = (run("snapshot", *SIMULATOR, "--json").stdout for _ in range(2))
    other = run("snapshot", "--source", "simulator", "--accounts", "20", "--seed", "8", "--json")
    assert first == again
    assert other.stdout != first


@pytest.mark.skipif(not PRICES.is_dir(), reason=f"no recorded prices in {PRICES}")
def test_recorded_prices_drive_the_simulated_broker(run):
    words = ("snapshot", *SIMULATOR, "--prices", str(PRICES), "--json")
    first, again = run(*words), run(*words)
    assert (first.returncode, first.stdout) == (0, again.stdout)
    prices = {
        position["price_current"]
        for snapshot in json.loads(first.stdout).values()
        for position in snapshot["positions"]["positions"]
        if position["symbol"] == "GBPUSD"
    }
    assert prices <= {1.57597, 1.57608}


def test_options_may_stand_before_the_verb_too(run):
    before = run(*SIMULATOR, "exposure", "--json")
    after = run("exposure", *SIMULATOR, "--json")
    assert (before.returncode, before.stdout) == (0, after.stdout)


def test_one_account_and_one_symbol_can_be_asked_for(run):
    login = next(iter(json.loads(run("snapshot", *SIMULATOR, "--json").stdout)))
    one = json.loads(run("snapshot", *SIMULATOR, "--login-id", login, "--json").stdout)
    assert one["account"]["login_id"] == int(login)
    symbols = json.loads(run("exposure", *SIMULATOR, "--symbol", "EURUSD", "--json").stdout)
    assert symbols.keys() <= {"EURUSD"}
    missing = run("snapshot", *SIMULATOR, "--login-id", "1")
    assert missing.returncode == 2
    assert "account 1 is not among the 20 watched" in missing.stderr


def test_people_get_tables(run):
    for verb, word in (("snapshot", "Equity"), ("exposure", "Symbol"), ("stats", "accounts")):
        done = run(verb, *SIMULATOR)
        assert done.returncode == 0
        assert word in done.stdout or verb == "stats"
        assert "\x1b" not in done.stdout


def test_stats_count_what_was_polled(run):
    stats = json.loads(run("stats", *SIMULATOR, "--json").stdout)
    assert (stats["monitored_count"], stats["total_updates"], stats["errors"]) == (20, 1, 0)
    assert {"last_update", "running", "update_interval"} <= stats.keys()


def test_the_manager_gives_the_worlds_own_numbers(run):
    done = run("snapshot", "--source", "manager", "--json", fakes=True, **MANAGER)
    assert (done.returncode, done.stderr) == (0, "")
    account = json.loads(done.stdout)["1001"]["account"]
    assert (account["balance"], account["equity"], account["profit"]) == (10_000, 10_082.5, 82.5)


def test_doctor_warns_of_groups_that_no_account_is_in(run):
    away = ("--mongodb", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50")
    words = ("doctor", "--json", "--source", "manager", *away)
    lines = json.loads(run(*words, fakes=True, RMS_GROUPS="raal\\*", **MANAGER).stdout)
    line = next(line for line in lines if line["what"] == "MT5 Manager prod-1:443")
    assert line["grade"] == "WARN"
    assert line["found"].startswith("0 accounts in ")
    assert "RMS_GROUPS (raal\\*)" in line["mend"]


def test_the_terminal_gives_the_worlds_own_numbers(run):
    done = run("snapshot", "--source", "terminal", "--json", fakes=True, MT5_PATH=r"C:\mt5\t.exe")
    assert (done.returncode, done.stderr) == (0, "")
    account = json.loads(done.stdout)["5001"]["account"]
    assert (account["balance"], account["equity"]) == (10_000, 10_039.5)


@pytest.mark.skipif(sys.platform == "win32", reason="the packages are installed on Windows")
@pytest.mark.parametrize("source", ["manager", "terminal"])
def test_without_the_package_there_is_one_clear_line_and_status_3(run, source):
    done = run("snapshot", "--source", source, "--json", MT5_PATH="x", **MANAGER)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert "Windows" in done.stderr


def test_a_service_without_its_package_ends_with_status_3_instead_of_looking_alive(run):
    away = ("--mongodb", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50")
    done = run("start", "--source", "manager", *away, **MANAGER)
    assert done.returncode == 3
    last = done.stderr.splitlines()[-1]
    assert last.startswith("rms-tui: Source `manager` needs the MT5Manager package")
    assert "Traceback" not in done.stderr


def test_a_service_on_prices_that_cannot_be_ends_with_status_2(run, tmp_path):
    (tmp_path / "EURUSD_M1.csv").write_text("time,open\n")
    away = ("--mongodb", "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50")
    done = run("start", "--source", "replay", "--prices", str(tmp_path), *away)
    assert done.returncode == 2
    assert "EURUSD_M1.csv, line 1" in done.stderr.splitlines()[-1]


def test_a_refused_login_is_status_4_and_repeats_no_password(run):
    wrong = {**MANAGER, "MT5_MANAGER_PASS": "hunter2"}
    done = run("snapshot", "--source", "manager", fakes=True, **wrong)
    assert done.returncode == 4
    assert "hunter2" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("snapshot",), "Three ways to start"),
        ((), "Three ways to start"),
        (("start",), "Three ways to start"),
        (("snapshot", "--source", "mt4"), "expected one of manager, terminal"),
        (("snapshot", "--source", "manager"), "MT5_HOST"),
        (("snapshot", "--source", "terminal"), "MT5_PATH"),
        (("snapshot", "--source", "replay"), "--prices"),
        (("snapshot", "--demo", "--accounts", "0"), "expected 1 to 100000"),
        (("snapshot", "--demo", "--prices", "/nope"), "expected a folder"),
        (("snapshot", "--demo", "--interval", "nan"), "finite"),
        (("--env-file", "nope", "stats", "--demo"), "no such file"),
        (("add", "bob", "--demo"), "expected a login"),
        (("start", "--demo", "-a", "7-"), "expected a login"),
        (("--demo",), "needs a terminal"),
        (("alerts", "--rule", "dayly_loss"), "--rule dayly_loss: expected one of"),
        (("export", "--demo", "-o", "-", "--format", "json"), "expected a file"),
        (("assess", "nope.json"), "nope.json: cannot be read: No such file"),
        (("assess", sys.executable), "expected a timeline, JSON in UTF-8"),
        (("profiles", "show", "nope"), "profile nope: no such profile in rms.toml"),
        (("websocket", "--demo", "--cert", __file__, "--key", __file__), "not a certificate"),
    ],
)
def test_a_users_mistake_is_one_message_and_status_2(run, words, said):
    done = run(*words)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("snapshot --login-id bob", "--login-id 'bob': expected a whole number (from option)"),
        ("--accounts 1.5 stats", "--accounts '1.5': expected a whole number (from option)"),
        ("start -i fast", "--interval 'fast': expected a number (from option)"),
        ("replay x.rec --speed fast", "--speed 'fast': expected a number (from option)"),
        ("peak bob", "LOGIN 'bob': expected a whole number (from argument)"),
        ("websocket --port \x1b[2J", "--port '\\x1b[2J': expected a whole number (from option)"),
        (
            "alerts --login 99999999999999999999",
            "--login '99999999999999999999': expected a whole number up to 9223372036854775807 "
            "(from option)",
        ),
        ("worker --term x", "--term 'x': expected a whole number (from option)"),
    ],
)
def test_a_word_that_is_no_number_is_said_as_every_wrong_setting_is(run, words, said):
    done = run(*words.split())
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"rms-tui: {said}\n")


def test_a_bad_price_file_is_refused_with_file_and_line(run, tmp_path):
    (tmp_path / "EURUSD.csv").write_text("timestamp,bid,ask\n1,1.1,1.2\n2,x,1.2\n")
    done = run("snapshot", "--demo", "--prices", str(tmp_path))
    assert done.returncode == 2
    assert "EURUSD.csv" in done.stderr
    assert "3" in done.stderr


def test_the_version_and_the_help_teach(run):
    from rms_tui import __version__

    assert run("--version").stdout.strip() == f"rms-tui {__version__}"
    words = run("--help").stdout
    for word in ("snapshot", "--demo", "Exit status"):
        assert word in words


def test_a_headless_program_needs_no_screen_library(tmp_path):
    code = (
        "import sys; sys.modules['textual'] = sys.modules['rich'] = None\n"
        "from rms_tui.cli import main; main(['snapshot', '--demo', '--accounts', '3', '--json'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == 3


@pytest.mark.skipif(os.name == "nt", reason="a Windows console is drawn on stdout")
def test_a_console_whose_stderr_goes_into_a_file_says_that_nothing_would_be_seen(tmp_path):
    import pty

    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "rms_tui", "--demo"],
            cwd=tmp_path, env={**os.environ, "RMS_DATA_DIR": str(tmp_path)}, stdin=theirs,
            stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert done.stderr.startswith(
        "rms-tui: the console is drawn on stderr, which is not a terminal"
    )
