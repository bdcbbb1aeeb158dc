"""Passwords: what goes in comes out, and nothing of it is anywhere else."""

from __future__ import annotations

import gc
import logging
import stat
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import bson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rms_tui.store.database import Rms
from rms_tui.store.master_key import MasterKey, beside, keys_in, write_new
from rms_tui.store.secrets import KEYS, SecretsError, Vault, data_keys, key_of, open_vault

PASSWORD = "Tr0ub4dor&3-hunter2"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "keys" / "master.key"
    write_new(file)
    return file


@pytest.fixture
def vault(database: Rms, key_file: Path) -> Iterator[Vault]:
    made = open_vault(database, key_file)
    made.create_key(1, made.masters[0])
    yield made
    made.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(st.characters(exclude_categories=())))
@example("")
@example("nul\x00nul")
@example("\ud800 lone")
@example("\U0001f600" * 300)
@example(" leading and trailing ")
def test_any_password_comes_back_as_it_was_given(vault: Vault, password: str) -> None:
    value = vault.encrypt(password)
    assert value.subtype == 6
    assert vault.decrypt(value).get_secret_value() == password
    assert vault.decrypt(bytes(value)).get_secret_value() == password


def test_the_same_password_twice_gives_two_different_values(vault: Vault) -> None:
    first, second = vault.encrypt(PASSWORD), vault.encrypt(PASSWORD)
    assert first != second
    assert key_of(first) == key_of(second)


def test_another_process_with_the_same_file_reads_it(
    vault: Vault, database: Rms, key_file: Path
) -> None:
    other = open_vault(database, key_file)
    assert other.decrypt(vault.encrypt(PASSWORD)).get_secret_value() == PASSWORD
    other.close()


def test_nothing_of_a_password_or_the_master_key_is_in_the_database(
    vault: Vault, database: Rms, key_file: Path
) -> None:
    database.elements.insert_one(
        {"login": 1, "server": "S", "source": "terminal", "status": "PENDING",
         "password": vault.encrypt(PASSWORD)}
    )  # fmt: skip
    written = b"".join(
        bson.encode(document)
        for name in database.list_collection_names()
        for document in database[name].find()
    )
    material = keys_in(key_file)[0].material
    for hidden in (PASSWORD.encode(), PASSWORD.encode("utf-16-le"), material, material[:16]):
        assert hidden not in written


def shown(error: BaseException) -> str:
    """All that a crash reporter could print, with the local variables of every frame but ours."""
    told, seen = [], error
    while seen is not None:
        frames = seen.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
            frames = frames.tb_next
        stack = traceback.StackSummary.extract(traceback.walk_tb(frames), capture_locals=True)
        told += [repr(seen), *(repr(frame.locals) for frame in stack)]
        told += [repr(frame.f_locals) for frame, _line in traceback.walk_tb(frames)]
        seen = seen.__cause__ or seen.__context__
    return "".join(told)


def test_no_exception_shows_a_password_or_a_key_even_with_local_variables(
    vault: Vault, database: Rms, key_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    value = vault.encrypt(PASSWORD)
    write_new(tmp_path / "other.key")
    strange = open_vault(database, tmp_path / "other.key")
    told = [repr(vault), repr(strange), repr(vault.masters), repr(vault.__dict__)]
    encoded = PASSWORD[3:12]
    with pytest.raises(SecretsError, match="is wrapped by master key") as undecided:
        strange.encrypt(PASSWORD)
    told.append(shown(undecided.value))
    with pytest.raises(SecretsError, match="copy the key file") as closed:
        strange.decrypt(value)
    told.append(shown(closed.value))
    database[KEYS].delete_many({})
    vault.close()
    again = open_vault(database, key_file)
    with pytest.raises(SecretsError, match=r"no data key in .* `rms-tui secrets init`") as empty:
        again.encrypt(PASSWORD)
    told.append(shown(empty.value))
    with pytest.raises(SecretsError, match="restore that collection") as lost:
        again.decrypt(value)
    told.append(shown(lost.value))
    material = repr(keys_in(key_file)[0].material)[2:12]
    everything = "".join(told) + caplog.text
    assert encoded not in everything
    assert material not in everything


def test_a_value_that_was_tampered_with_does_not_open(vault: Vault) -> None:
    value = bytearray(vault.encrypt(PASSWORD))
    value[-1] ^= 1
    with pytest.raises(SecretsError, match="does not open"):
        vault.decrypt(bytes(value))


@pytest.mark.parametrize("value", [b"", b"plain text password", b"\x02short", PASSWORD.encode()])
def test_what_is_not_an_encrypted_value_is_refused_without_being_shown(
    vault: Vault, value: bytes
) -> None:
    with pytest.raises(SecretsError) as refused:
        vault.decrypt(value)
    assert PASSWORD not in shown(refused.value).replace(repr(value), "")


def test_a_database_that_is_gone_is_told_apart_from_a_wrong_key(
    vault: Vault, database: Rms, key_file: Path
) -> None:
    from pymongo import MongoClient

    nowhere: MongoClient[dict[str, object]] = MongoClient(
        "mongodb://127.0.0.1:9", serverSelectionTimeoutMS=50
    )
    lonely = open_vault(nowhere[database.name], key_file)
    for attempt in (lambda: lonely.encrypt(PASSWORD), lambda: lonely.decrypt(vault.encrypt("x"))):
        with pytest.raises(SecretsError) as absent:
            attempt()
        assert absent.value.transient
        assert PASSWORD not in shown(absent.value)
    nowhere.close()


def test_a_running_process_picks_up_a_master_key_that_was_changed(
    vault: Vault, database: Rms, key_file: Path
) -> None:
    value = vault.encrypt(PASSWORD)
    running = open_vault(database, key_file)
    following = write_new(beside(key_file))
    vault.reload()
    vault.rewrap(data_keys(database)[0].id, following)
    assert data_keys(database)[0].master == following.name
    assert running.decrypt(value).get_secret_value() == PASSWORD
    beside(key_file).replace(key_file)
    assert open_vault(database, key_file).decrypt(value).get_secret_value() == PASSWORD


def test_a_key_file_is_made_for_its_owner_alone_and_never_overwritten(key_file: Path) -> None:
    before = key_file.read_bytes()
    if sys.platform != "win32":
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
    with pytest.raises(SecretsError, match="never overwritten"):
        write_new(key_file)
    assert key_file.read_bytes() == before
    assert [file.name for file in key_file.parent.iterdir()] == ["master.key"]


@pytest.mark.skipif(sys.platform == "win32", reason="file modes are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o601])
def test_a_key_file_open_to_others_is_refused_with_the_way_out(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    with pytest.raises(SecretsError, match=f"mode {mode:04o}.*chmod 600"):
        keys_in(key_file)
    key_file.chmod(0o400)
    assert len(keys_in(key_file)) == 1


def test_a_missing_key_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SecretsError, match=r"no master key at .*`rms-tui secrets init`.*copy the"):
        keys_in(tmp_path / "nowhere" / "master.key")


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=120))
@example(b"")
@example(b"A" * 124)
@example(b"\xff" * 96)
def test_any_other_content_is_not_a_master_key_and_is_not_repeated(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "master.key"
    file.unlink(missing_ok=True)
    file.touch(0o600)
    file.write_bytes(content)
    with pytest.raises(SecretsError, match="is not a master key") as refused:
        keys_in(file)
    assert len(content) < 9 or content.decode("latin-1") not in shown(refused.value)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "master.key").mkdir(mode=0o700)
    with pytest.raises(SecretsError, match="master"):
        keys_in(tmp_path / "master.key")


def test_a_master_key_does_not_show_itself(key_file: Path) -> None:
    (key,) = keys_in(key_file)
    assert isinstance(key, MasterKey)
    assert repr(key.material)[2:10] not in repr(key)
    gc.collect()
