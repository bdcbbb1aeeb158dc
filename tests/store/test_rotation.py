"""Keys are changed while readers read, and a kill between any two steps loses nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rms_tui.store import rotation
from rms_tui.store.database import Rms
from rms_tui.store.master_key import beside, keys_in, write_new
from rms_tui.store.secrets import KEYS, SecretsError, Vault, data_keys, key_of, open_vault

PASSWORDS = {1001: "first-hunter2", 1002: "zweites-Paßwört", 1003: "третий \U0001f511"}
SERVER = "Broker-Live"
ROTATE_AND_DIE = Path(__file__).with_name("rotate_and_die.py")


def all_of(steps: Iterator[str]) -> list[str]:
    return list(steps)


@pytest.fixture
def file(tmp_path: Path, database: Rms) -> Path:
    """A host's key file, with three passwords in the database."""
    found = tmp_path / "host" / "master.key"
    all_of(rotation.init(database, found))
    vault = open_vault(database, found)
    for login, password in PASSWORDS.items():
        database.elements.insert_one(
            {"login": login, "server": SERVER, "source": "terminal", "status": "PENDING",
             "password": vault.encrypt(password)}
        )  # fmt: skip
    vault.close()
    return found


def read_by(vault: Vault, database: Rms) -> dict[int, str]:
    return {
        element["login"]: vault.decrypt(element["password"]).get_secret_value()
        for element in database.elements.find({"password": {"$exists": True}})
    }


def read(database: Rms, file: Path) -> dict[int, str]:
    vault = open_vault(database, file)
    try:
        return read_by(vault, database)
    finally:
        vault.close()


def test_init_makes_one_master_key_and_one_data_key_and_never_a_second(
    database: Rms, tmp_path: Path
) -> None:
    file = tmp_path / "master.key"
    all_of(rotation.init(database, file))
    assert [key.generation for key in data_keys(database)] == [1]
    before = file.read_bytes()
    with pytest.raises(SecretsError, match="has data keys already"):
        all_of(rotation.init(database, file))
    with pytest.raises(SecretsError, match="copy that key file to"):
        all_of(rotation.init(database, tmp_path / "another host" / "master.key"))
    assert file.read_bytes() == before
    assert not (tmp_path / "another host").exists()


def test_an_interrupted_init_is_finished_by_the_next_with_the_key_file_it_made(
    database: Rms, tmp_path: Path
) -> None:
    file = tmp_path / "master.key"
    next(rotation.init(database, file))
    made = file.read_bytes()
    all_of(rotation.init(database, file))
    assert file.read_bytes() == made
    assert data_keys(database)[0].master == keys_in(file)[0].name


def test_a_new_data_key_encrypts_every_password_again(database: Rms, file: Path) -> None:
    before = {element["login"]: element["password"] for element in database.elements.find()}
    all_of(rotation.change_data_key(database, file))
    newest, former = data_keys(database)
    assert (newest.generation, former.generation) == (2, 1)
    for element in database.elements.find():
        assert key_of(element["password"]) == newest.id
        assert element["password"] != before[element["login"]]
    assert read(database, file) == PASSWORDS


def test_data_keys_that_no_password_needs_go_but_for_the_last_one(
    database: Rms, file: Path
) -> None:
    for _ in range(4):
        all_of(rotation.change_data_key(database, file))
    assert [key.generation for key in data_keys(database)] == [5, 4]


def test_a_password_that_nobody_can_read_stops_nothing_and_is_reported(
    database: Rms, file: Path
) -> None:
    broken = bytearray(database.elements.find_one({"login": 1002})["password"])  # type: ignore[index]
    broken[-1] ^= 1
    from bson.binary import Binary

    database.elements.update_one({"login": 1002}, {"$set": {"password": Binary(bytes(broken), 6)}})
    said = all_of(rotation.change_data_key(database, file))
    assert any(step.startswith("1 password nobody can read") for step in said)
    found = rotation.state(database, file)
    assert (found.readable, len(found.unreadable)) == (2, 1)
    login, server, why = found.unreadable[0]
    assert (login, server) == (1002, SERVER)
    assert "enter the password again" in why
    for _ in range(3):
        all_of(rotation.change_data_key(database, file))
    generations = [key.generation for key in data_keys(database)]
    assert 1 in generations, "the key of the unreadable password was deleted"


def test_a_new_master_key_wraps_every_data_key_and_takes_the_files_place(
    database: Rms, file: Path
) -> None:
    all_of(rotation.change_data_key(database, file))
    (former,) = keys_in(file)
    all_of(rotation.change_master(database, file, "ann@desk"))
    (present,) = keys_in(file)
    assert present.name != former.name
    assert {key.master for key in data_keys(database)} == {present.name}
    assert read(database, file) == PASSWORDS
    kept = file.with_name(f"master.key.{former.name}")
    assert keys_in(kept)[0].material == former.material
    assert not beside(file).exists()
    assert database.leases.count_documents({}) == 0


def test_readers_of_this_host_read_through_every_step_of_both_rotations(
    database: Rms, file: Path
) -> None:
    since_before = open_vault(database, file)
    for steps in (
        rotation.change_master(database, file, "ann"),
        rotation.change_data_key(database, file),
        rotation.change_master(database, file, "ann"),
    ):
        for said in steps:
            assert read_by(since_before, database) == PASSWORDS, said
            assert read(database, file) == PASSWORDS, said


def test_a_host_that_got_the_next_key_beforehand_reads_through_every_step(
    database: Rms, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other host" / "master.key"
    other.parent.mkdir()
    other.touch(0o600)
    other.write_bytes(file.read_bytes())
    all_of(rotation.prepare_master(database, file))
    beside(other).touch(0o600)
    beside(other).write_bytes(beside(file).read_bytes())
    there = open_vault(database, other)
    for said in rotation.change_master(database, file, "ann"):
        assert read_by(there, database) == PASSWORDS, said
    all_of(rotation.change_master(database, other, "ann"))
    assert keys_in(other)[0].name == keys_in(file)[0].name
    assert len(keys_in(other)) == 1
    assert read(database, other) == PASSWORDS


def test_a_host_with_the_former_key_alone_says_which_file_it_needs(
    database: Rms, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "master.key"
    other.parent.mkdir()
    other.touch(0o600)
    other.write_bytes(file.read_bytes())
    all_of(rotation.change_master(database, file, "ann"))
    with pytest.raises(SecretsError, match="copy the key file"):
        read(database, other)
    with pytest.raises(SecretsError, match="which is not on this host"):
        all_of(rotation.change_master(database, other, "ann"))
    assert not beside(other).exists()
    found = rotation.state(database, other)
    assert found.readable == 0
    assert [use.opens for use in found.uses] == [False]


def test_two_changes_of_the_master_key_at_once_are_refused_and_lose_nothing(
    database: Rms, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "master.key"
    other.parent.mkdir()
    other.touch(0o600)
    other.write_bytes(file.read_bytes())
    steps = rotation.change_master(database, file, "ann@desk")
    while "wrapped" not in next(steps):
        continue
    with pytest.raises(SecretsError):
        all_of(rotation.change_master(database, other, "bob@desk"))
    assert read(database, file) == PASSWORDS
    all_of(steps)
    assert read(database, file) == PASSWORDS


def test_a_host_whose_file_was_replaced_by_hand_only_loses_the_spare_one(
    database: Rms, file: Path
) -> None:
    all_of(rotation.prepare_master(database, file))
    spare = beside(file).read_bytes()
    all_of(rotation.change_master(database, file, "ann"))
    beside(file).touch(0o600)
    beside(file).write_bytes(spare)
    assert read(database, file) == PASSWORDS
    all_of(rotation.change_data_key(database, file))
    all_of(rotation.change_master(database, file, "ann"))
    assert not beside(file).exists()
    assert file.read_bytes() == spare
    file.rename(beside(file))
    assert read(database, file) == PASSWORDS
    all_of(rotation.change_master(database, file, "ann"))
    assert file.read_bytes() == spare


def test_a_prepared_master_key_is_not_used_before_its_time(
    database: Rms, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "master.key"
    other.parent.mkdir()
    other.touch(0o600)
    other.write_bytes(file.read_bytes())
    all_of(rotation.prepare_master(database, file))
    all_of(rotation.change_data_key(database, file))
    assert read(database, other) == PASSWORDS
    assert read(database, file) == PASSWORDS


def test_no_data_key_is_made_while_the_master_key_changes(database: Rms, file: Path) -> None:
    steps = rotation.change_master(database, file, "ann@desk")
    while "taking over" not in next(steps):
        continue
    before = len(data_keys(database))
    with pytest.raises(SecretsError, match="is taking over, begun by ann@desk"):
        all_of(rotation.change_data_key(database, file))
    assert len(data_keys(database)) == before
    all_of(steps)
    all_of(rotation.change_data_key(database, file))
    assert read(database, file) == PASSWORDS


def test_a_password_given_during_a_rotation_is_kept(database: Rms, file: Path) -> None:
    steps = rotation.change_data_key(database, file)
    next(steps)
    vault = open_vault(database, file)
    database.elements.update_one({"login": 1002}, {"$set": {"password": vault.encrypt("another")}})
    all_of(steps)
    assert read(database, file) == {**PASSWORDS, 1002: "another"}


def test_without_a_first_key_nothing_is_rotated(database: Rms, tmp_path: Path) -> None:
    with pytest.raises(SecretsError, match="no master key at"):
        all_of(rotation.change_data_key(database, tmp_path / "master.key"))
    write_new(tmp_path / "master.key")
    for steps in (
        rotation.change_data_key(database, tmp_path / "master.key"),
        rotation.change_master(database, tmp_path / "master.key", "ann"),
    ):
        with pytest.raises(SecretsError, match="run `rms-tui secrets init`"):
            all_of(steps)
    assert not beside(tmp_path / "master.key").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
@pytest.mark.parametrize("what", ["data", "master"])
def test_kill_9_after_any_step_leaves_everything_readable_and_the_next_run_finishes(
    database: Rms, server_uri: str, file: Path, what: str
) -> None:
    steps = 0
    while True:
        steps += 1
        done = subprocess.run(
            [sys.executable, str(ROTATE_AND_DIE), server_uri, database.name, str(file), what,
             str(steps)],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert read(database, file) == PASSWORDS, f"killed after step {steps}"
        for password in PASSWORDS.values():
            assert password not in done.stdout + done.stderr
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
    assert steps > 4
    assert not beside(file).exists()
    assert database.leases.count_documents({}) == 0
    newest = data_keys(database)[0]
    assert newest.master == keys_in(file)[0].name
    if what == "data":
        assert {key_of(found["password"]) for found in database.elements.find()} == {newest.id}


def test_the_collection_of_keys_holds_no_master_key(database: Rms, file: Path) -> None:
    import bson

    material = keys_in(file)[0].material
    for document in database[KEYS].find():
        assert material[:12] not in bson.encode(document)
