"""`secrets init|rotate|status`: keys for an operator, with what to back up and what to copy."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest
from bson.binary import Binary
from fleet_console import Run, console

from rms_tui.store.database import Rms
from rms_tui.store.secrets import data_keys

SERVER = "Broker-Live"
PASSWORD = "correct horse"


@pytest.fixture
def rms(
    server_uri: str,
    database: Rms,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Run:
    return console(server_uri, database, tmp_path, monkeypatch, capfdbinary)


@pytest.fixture
def file(rms: Run, tmp_path: Path) -> Path:
    assert rms("secrets", "init").status == 0
    assert rms("element", "add", "5001", SERVER, typed=PASSWORD.encode()).status == 0
    return tmp_path / "data" / "master.key"


def test_init_says_what_to_back_up_and_a_second_one_is_refused(rms: Run, tmp_path: Path) -> None:
    done = rms("secrets", "init")
    assert "Back up this file now" in done.out
    file = tmp_path / "data" / "master.key"
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    key = file.read_text().splitlines()[-1]
    assert key not in done.out + done.err
    again = rms("secrets", "init")
    assert again.status == 2
    assert "has data keys already" in again.err
    assert f"{file} opens them: nothing is to be done" in again.err
    assert file.read_text().splitlines()[-1] == key


def test_the_key_file_may_stand_elsewhere(
    rms: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RMS_MASTER_KEY_FILE", str(tmp_path / "safe" / "m.key"))
    shape = rms("secrets", "init", "--json").json
    assert shape == {"master_key_file": str(tmp_path / "safe" / "m.key")}
    assert (tmp_path / "safe" / "m.key").is_file()
    assert not (tmp_path / "data" / "master.key").exists()


def test_status_counts_by_key_and_shows_no_password(rms: Run, file: Path, database: Rms) -> None:
    rms("element", "add", "5002", SERVER, "--no-password")
    done = rms("secrets", "status")
    assert done.status == 0
    assert "1 password can be read, 1 element without one" in done.out
    shape = rms("secrets", "status", "--json").json
    (key,) = shape["data_keys"]
    assert (key["current"], key["opens"], key["passwords"]) == (True, True, 1)
    assert key["id"] == str(data_keys(database)[0].id)
    assert (shape["readable"], shape["without_password"], shape["unreadable"]) == (1, 1, [])
    assert shape["master_keys"][0]["file"] == str(file)
    material = file.read_text().splitlines()[-1]
    for hidden in (PASSWORD, material, material[:20]):
        assert hidden not in done.out + str(shape)


def test_status_fails_where_a_password_cannot_be_read_and_says_whose(
    rms: Run, file: Path, database: Rms
) -> None:
    assert file.exists()
    value = bytearray(database.elements.find_one({"login": 5001})["password"])  # type: ignore[index]
    value[-1] ^= 1
    database.elements.update_one({}, {"$set": {"password": Binary(bytes(value), 6)}})
    done = rms("secrets", "status")
    assert done.status == 1
    assert "CANNOT BE READ  5001 on Broker-Live" in done.out


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
@pytest.mark.parametrize("verb", ["status", "rotate"])
def test_a_key_file_open_to_others_is_refused_with_status_2(
    rms: Run, file: Path, verb: str
) -> None:
    file.chmod(0o644)
    done = rms("secrets", verb)
    assert done.status == 2
    assert f"chmod 600 {file}" in done.err


def test_rotate_makes_a_data_key_a_master_key_or_both(rms: Run, file: Path, database: Rms) -> None:
    master = data_keys(database)[0].master
    done = rms("secrets", "rotate")
    assert (done.status, len(data_keys(database))) == (0, 2)
    assert {key.master for key in data_keys(database)} == {master}
    done = rms("secrets", "rotate", "--master")
    assert "Every other host needs the new key file now" in done.out
    assert len(data_keys(database)) == 2
    assert master not in {key.master for key in data_keys(database)}
    done = rms("secrets", "rotate", "--master", "--data", "--json")
    assert done.json["readable"] == 1
    assert data_keys(database)[0].generation == 3
    assert rms("secrets", "status").status == 0
    assert file.exists()


def test_prepare_only_makes_the_next_file_and_says_where_to_copy_it(
    rms: Run, file: Path, database: Rms
) -> None:
    before = [key.document for key in data_keys(database)]
    done = rms("secrets", "rotate", "--master", "--prepare")
    assert done.status == 0
    assert "Copy the .new file" in done.out
    assert [key.document for key in data_keys(database)] == before
    following = file.with_name("master.key.new")
    made = following.read_text()
    rms("secrets", "rotate", "--master")
    assert file.read_text() == made
    assert rms("secrets", "rotate", "--prepare").status == 2
    assert rms("secrets", "status").status == 0


def test_every_verb_says_no_database_with_status_6(
    rms: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert file.exists()
    monkeypatch.setenv("RMS_MONGODB_URI", "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100")
    for words in (["secrets", "status"], ["element", "list"], ["instance", "list"]):
        done = rms(*words)
        assert done.status == 6
        assert "no MongoDB answers at" in done.err
