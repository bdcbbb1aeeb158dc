"""What `doctor` finds of what a desk serves and sends, before it does."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.api.scripts import environment
from tests.certificates import certificate

from rms_tui.cli.doctor import certificate_line, no_source
from rms_tui.settings import load
from rms_tui.store.diagnosis import Terminals

NOWHERE = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200"


def found(folder: Path, toml: str = "", **environ: str) -> dict[str, tuple[str, str]]:
    """Grade and finding of each line."""
    (folder / "rms.toml").write_text(toml)
    done = subprocess.run(
        [sys.executable, "-m", "rms_tui", "doctor", "--json"],
        cwd=folder,
        env=environment(RMS_DATA_DIR=str(folder / "data"), RMS_MONGODB_URI=NOWHERE, **environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, ""), "there is no MongoDB"
    assert "s3cret" not in done.stdout
    return {line["what"]: (line["grade"], line["found"]) for line in json.loads(done.stdout)}


def test_a_desk_that_serves_and_sends_nothing_is_sound(tmp_path: Path) -> None:
    lines = found(tmp_path)
    assert lines["WebSocket"] == ("OK", "ws://127.0.0.1:8765, this machine only, no token")
    assert lines["notifications"] == ("OK", "none: no [[notify]] in rms.toml")
    assert lines["MongoDB"][0] == "FAIL"


def test_an_address_that_would_not_be_served_and_a_url_that_would_not_be_taken_fail(
    tmp_path: Path,
) -> None:
    table = '[[notify]]\nname = "desk"\nurl = "fax://s3cret"\n'
    lines = found(tmp_path, table, WS_HOST="0.0.0.0", RMS_WS_TOKEN="s3cret-0123456789")
    assert lines["WebSocket"][0] == "FAIL"
    assert "without TLS" in lines["WebSocket"][1]
    assert lines["notifications"][0] == "FAIL"
    assert "notify.desk.url: not a URL of a service" in lines["notifications"][1]


NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
MAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "grade", "found"),
    [
        (NEW_YEAR - timedelta(seconds=1), "FAIL", "valid from 2026-01-01 on"),
        (NEW_YEAR, "OK", "valid until 2026-05-01 (120 days)"),
        (MAY - timedelta(days=30), "OK", "valid until 2026-05-01 (30 days)"),
        (MAY - timedelta(days=30, seconds=-1), "WARN", "valid until 2026-05-01 (29 days)"),
        (MAY - timedelta(seconds=1), "WARN", "valid until 2026-05-01 (0 days)"),
        (MAY, "FAIL", "expired on 2026-05-01"),
    ],
)
def test_a_certificate_fails_where_clients_refuse_it_and_warns_a_month_before(
    tmp_path: Path, now: datetime, grade: str, found: str
) -> None:
    path, _ = certificate(tmp_path, NEW_YEAR, MAY)
    line = certificate_line(path, now.timestamp())
    assert (line.grade, line.found) == (
        grade, f"{path}: for desk.example.com, 127.0.0.1, {found}"
    )  # fmt: skip
    assert bool(line.mend) == (grade != "OK")


def test_a_chain_holds_as_long_as_the_first_of_it_to_end(tmp_path: Path) -> None:
    own, _ = certificate(tmp_path, NEW_YEAR, MAY)
    other, _ = certificate(tmp_path, NEW_YEAR, MAY - timedelta(days=60), name="authority")
    own.write_bytes(own.read_bytes() + other.read_bytes())
    line = certificate_line(own, NEW_YEAR.timestamp())
    assert line.found == f"{own}: for desk.example.com, 127.0.0.1, valid until 2026-03-02 (60 days)"


def test_the_certificate_that_is_served_is_looked_at(tmp_path: Path) -> None:
    day = timedelta(days=1)
    path, key = certificate(tmp_path, datetime.now(UTC) - 9 * day, datetime.now(UTC) - day)
    lines = found(tmp_path, WS_CERT=str(path), WS_KEY=str(key))
    assert lines["WebSocket"][0] == "OK"
    assert lines["certificate"][0] == "FAIL"
    assert "expired on" in lines["certificate"][1]


def test_a_certificate_that_cannot_be_served_fails_with_its_files_and_why(tmp_path: Path) -> None:
    path, _ = certificate(tmp_path, NEW_YEAR, MAY)
    _, another = certificate(tmp_path, NEW_YEAR, MAY, name="another")
    _, locked = certificate(tmp_path, NEW_YEAR, MAY, name="locked", secret=b"s3cret")
    for wrong, why in ((another, "the key is another certificate's"), (locked, "key is encrypted"),
                       (tmp_path / "none", "no such file")):  # fmt: skip
        lines = found(tmp_path, WS_CERT=str(path), WS_KEY=str(wrong))
        assert lines["WebSocket"][0] == "FAIL"
        assert str(wrong) in lines["WebSocket"][1]
        assert why in lines["WebSocket"][1]
        assert "certificate" not in lines


def test_a_given_uri_that_nobody_answers_at_is_to_be_corrected_not_set(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rms_tui", "doctor", "--json"],
        cwd=tmp_path,
        env=environment(RMS_DATA_DIR=str(tmp_path / "data"), RMS_MONGODB_URI=NOWHERE),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    (line,) = [one for one in json.loads(done.stdout) if one["what"] == "MongoDB"]
    assert line["grade"] == "FAIL"
    assert line["mend"].startswith("correct RMS_MONGODB_URI")


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="files have no such modes on Windows")


@POSIX
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_with_a_password_that_others_can_read_warns_and_says_chmod(
    tmp_path: Path, mode: int
) -> None:
    env = tmp_path / ".env"
    env.write_text("MT5_MANAGER_PASS=s3cret\nRMS_LOG_LEVEL=INFO\n")
    env.chmod(mode)
    grade, text = found(tmp_path)["secrets"]
    assert grade == "WARN"
    assert text == f"{env}: other users can read MT5_MANAGER_PASS (mode {mode:04o})"


@POSIX
def test_what_to_do_about_it_can_be_pasted_into_a_shell(tmp_path: Path) -> None:
    folder = tmp_path / "a desk's"
    folder.mkdir()
    env = folder / ".env"
    env.write_text("RMS_WS_TOKEN=s3cret-0123456789\n")
    env.chmod(0o644)
    done = subprocess.run(
        [sys.executable, "-m", "rms_tui", "doctor"],
        cwd=folder,
        env=environment(RMS_DATA_DIR=str(tmp_path / "data"), RMS_MONGODB_URI=NOWHERE),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    (mend,) = [line.strip() for line in done.stdout.splitlines() if "chmod" in line]
    command = mend.partition(";")[0]
    subprocess.run(command, shell=True, check=True)
    assert env.stat().st_mode & 0o777 == 0o600
    assert "secrets" not in found(folder)


@POSIX
@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("MT5_MANAGER_PASS=s3cret\n", 0o600),
        ("RMS_LOG_LEVEL=INFO\nMT5_MANAGER_PASS=\n", 0o644),
        ("RMS_MONGODB_URI=mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200\n", 0o644),
    ],
)
def test_a_file_of_ones_own_or_without_a_password_does_not_warn(
    tmp_path: Path, text: str, mode: int
) -> None:
    (tmp_path / ".env").write_text(text)
    (tmp_path / ".env").chmod(mode)
    assert "secrets" not in found(tmp_path)


@POSIX
def test_passwords_in_addresses_and_in_rms_toml_are_seen_too(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text(
        "RMS_MONGODB_URI=mongodb://rms:s3cret@127.0.0.1:9/\nDESK_URL=mailto://a:s3cret@b.example\n"
    )
    env.chmod(0o644)
    lines = found(tmp_path)
    assert "can read DESK_URL, RMS_MONGODB_URI (" in lines["secrets"][1]
    env.unlink()
    lines = found(tmp_path, '[[notify]]\nname = "desk"\nurl = "mailto://a:s3cret@b.example"\n')
    assert "can read notify.desk.url (" in lines["secrets"][1]


@pytest.mark.parametrize(
    ("environ", "terminals", "grade", "said", "mend"),
    [
        ({}, None, "WARN", "none configured", "rms-tui --demo"),
        ({}, Terminals(0, 0), "WARN", "none configured", "rms-tui instance add PATH"),
        ({"RMS_FLEET_HOST": "vps-1"}, Terminals(1, 4), "OK",
         "none needed: the fleet has 1 terminal of this host (vps-1), run by", ""),
        ({"RMS_FLEET_HOST": "vps-1"}, Terminals(2, 0), "OK", "2 terminals of this host", ""),
        ({"RMS_FLEET_HOST": "vps-1"}, Terminals(0, 4), "WARN",
         "a fleet's host (vps-1) without a terminal yet", "rms-tui instance add PATH"),
        ({"RMS_FLEET_HOST": "vps-1"}, None, "WARN", "not known without MongoDB", "see MongoDB"),
        ({}, Terminals(0, 4), "OK", "none here; the fleet has 4 terminals, all on other hosts",
         "RMS_SOURCE=fleet shows it"),
    ],
)  # fmt: skip
def test_a_host_without_a_source_is_said_to_be_what_it_is(
    tmp_path: Path,
    environ: dict[str, str],
    terminals: Terminals | None,
    grade: str,
    said: str,
    mend: str,
) -> None:
    line = no_source(load(environ=environ, folder=tmp_path), terminals)
    assert line.grade == grade
    assert said in line.found
    assert mend in line.mend
