"""Servers as firms run them: users with few privileges, TLS, standalone; each said in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from guarded_servers import ADMIN, ADMIN_PASSWORD, Server, running, with_tls, with_users
from shell import Done, Run
from tests.patience import patient

from rms_tui.cli import main
from rms_tui.store import database as databases
from rms_tui.store.database import connect
from rms_tui.store.diagnosis import NEEDED, Finding, of_keys, of_server
from rms_tui.store.errors import StoreError
from rms_tui.store.master_key import beside, write_new
from rms_tui.store.renamed import Names
from rms_tui.store.rotation import init
from rms_tui.store.secrets import open_vault

MEND = "set RMS_MONGODB_URI"
FULL = [{"role": "readWrite", "db": "rms"}, {"role": "dbAdmin", "db": "rms"}]


@pytest.fixture(scope="module")
def guarded(mongod_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with with_users(mongod_path, tmp_path_factory.mktemp("guarded") / "mongod") as server:
        yield server


@pytest.fixture(scope="module")
def tls(
    mongod_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    with with_tls(mongod_path, tmp_path_factory.mktemp("tls") / "mongod") as made:
        yield made


@pytest.fixture
def doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RMS_DATA_DIR", str(tmp_path / "data"))

    def run(uri: str, *words: str) -> Done:
        monkeypatch.setenv("RMS_MONGODB_URI", uri)
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["doctor", *words])
        out, err = capfdbinary.readouterr()
        return Done(int(ended.value.code or 0), out.decode(), err.decode())

    return run


def findings(uri: str, name: str = "rms") -> list[Finding]:
    return list(of_server(uri, name, "MongoDB", MEND))


def said(uri: str, name: str = "rms") -> str:
    return "\n".join(
        f"{one.grade} {one.what}: {one.found} {one.mend}" for one in findings(uri, name)
    )


def test_a_user_with_read_write_and_admin_of_one_database_is_enough(guarded: Server) -> None:
    uri = guarded.user("full", FULL)
    database = connect(uri, "rms")
    database.client.close()
    (only,) = findings(uri)
    assert only.grade == "OK"
    assert "replica set, change streams" in only.found
    assert ADMIN_PASSWORD not in only.found
    assert uri.partition("@")[0].rpartition(":")[2] not in only.found


def test_each_missing_privilege_is_named_with_its_collections(guarded: Server) -> None:
    text = said(guarded.user("reader", [{"role": "read", "db": "rms"}]))
    for action in ("insert", "update", "createCollection", "createIndex"):
        assert f"FAIL MongoDB privilege: missing: {action} on rms.elements, rms.instances" in text
    assert "missing: remove on rms.instances, rms.keys, rms.leases, rms.streams" in text
    assert "WARN MongoDB privilege: missing: collMod on rms.elements" in text
    assert "missing: find" not in text
    assert "missing: changeStream" not in text
    assert 'grant its user {role: "readWrite", db: "rms"}' in text


def test_a_missing_privilege_is_named_with_the_collection_as_it_is_called_there(
    guarded: Server,
) -> None:
    names = Names("rms", {"elements": "accounts"})
    found = of_server(guarded.user("other", [{"role": "read", "db": "rms"}]), names, "MongoDB", "")
    text = "\n".join(one.found for one in found)
    assert "missing: insert on rms." in text
    assert "rms.accounts" in text
    assert "rms.elements" not in text


@pytest.mark.parametrize("action", sorted({action for action, _ in NEEDED}))
def test_a_single_action_that_one_collection_lacks_is_found(guarded: Server, action: str) -> None:
    """A user who may do all else everywhere: nothing but this is reported."""
    place = next((name for one, name in NEEDED if one == action and name), "")
    whole = [one for one, collection in NEEDED if not collection]
    if action in whole:
        privileges = [
            {"resource": {"db": "rms", "collection": name},
             "actions": [one for one, at in NEEDED if at == name]}
            for name in {collection for _, collection in NEEDED if collection}
        ]  # fmt: skip
        privileges.append(
            {"resource": {"db": "rms", "collection": ""}, "actions": sorted({*whole} - {action})}
        )
        expected = "the database rms"
    else:
        privileges = [
            {"resource": {"db": "rms", "collection": name},
             "actions": [one for one, at in NEEDED if at == name and (one, at) != (action, place)]}
            for name in {collection for _, collection in NEEDED if collection}
        ]  # fmt: skip
        privileges.append({"resource": {"db": "rms", "collection": ""}, "actions": whole})
        expected = f"rms.{place}"
    name = f"all_but_{action}"
    uri = guarded.user(name, [{"role": guarded.role(name, privileges), "db": "admin"}])
    failed = [one.found for one in findings(uri) if one.what == "MongoDB privilege"
              and one.grade == "FAIL"]  # fmt: skip
    assert failed == [f"missing: {action} on {expected}"]


def test_wrong_credentials_and_none_at_all_are_told_apart(guarded: Server) -> None:
    wrong = said(guarded.uri(ADMIN, "not it"))
    assert "refused the login" in wrong
    assert "not it" not in wrong
    assert "wants a login: put user and password into RMS_MONGODB_URI" in said(guarded.uri())


def test_a_verb_without_privileges_says_which_and_shows_no_validator(guarded: Server) -> None:
    uri = guarded.user("reader2", [{"role": "read", "db": "other"}])
    with pytest.raises(StoreError, match="does not allow create on elements") as refused:
        connect(uri, "other")
    assert "bsonType" not in refused.value.text
    assert "rms-tui doctor" in refused.value.text


def test_doctor_fails_with_status_1_and_gives_programs_each_line(
    guarded: Server, doctor: Run
) -> None:
    uri = guarded.user("reader3", [{"role": "read", "db": "rms"}])
    done = doctor(uri)
    assert done.status == 1
    assert "FAIL  MongoDB privilege: missing: insert on rms.elements" in done.out
    shape = {line["found"].partition(" on ")[0] for line in doctor(uri, "--json").json
             if line["what"] == "MongoDB privilege"}  # fmt: skip
    assert "missing: update" in shape
    password = uri.partition("@")[0].rpartition(":")[2]
    assert password not in done.out + done.err


def test_passwords_are_encrypted_on_a_server_with_users_and_few_privileges(
    guarded: Server, tmp_path: Path
) -> None:
    database = connect(guarded.user("fleet", FULL), "rms")
    for _said in init(database, tmp_path / "master.key"):
        continue
    vault = open_vault(database, tmp_path / "master.key")
    assert vault.decrypt(vault.encrypt("hunter2")).get_secret_value() == "hunter2"
    vault.close()
    database["keys"].delete_many({})
    database.client.close()


def test_tls_with_a_certificate_of_the_firms_own_works_and_so_does_encryption(
    tls: tuple[Server, Path], tmp_path: Path
) -> None:
    server, _ = tls
    assert [one.grade for one in findings(server.uri())] == ["OK"]
    database = connect(server.uri(), "rms")
    for _said in init(database, tmp_path / "master.key"):
        continue
    vault = open_vault(database, tmp_path / "master.key")
    assert vault.decrypt(vault.encrypt("hunter2")).get_secret_value() == "hunter2"
    vault.close()
    database.client.close()


def test_every_way_that_tls_fails_says_what_to_change(tls: tuple[Server, Path]) -> None:
    server, authority = tls
    assert "add tlsCAFile=FILE" in said(server.uri(more="&tls=true"))
    assert "add tls=true" in said(server.uri(more=""))
    other = server.uri().replace("127.0.0.1", "localhost")
    assert "its certificate is not for this name" in said(other)
    nowhere = server.uri(more="&tls=true&tlsCAFile=/nowhere.pem")
    assert "/nowhere.pem: No such file or directory" in said(nowhere)
    assert authority.is_file()


def test_tls_to_a_server_without_it_says_so(guarded: Server) -> None:
    assert "does not speak TLS" in said(guarded.uri(ADMIN, ADMIN_PASSWORD, more="&tls=true"))


def test_a_standalone_server_is_refused_with_the_way_out(
    mongod_path: Path, tmp_path: Path, doctor: Run
) -> None:
    with running(mongod_path, tmp_path / "alone") as server:
        done = doctor(server.uri())
        assert done.status == 1
        assert "is a standalone server: rms-tui needs a replica set" in done.out
        assert "--replSet" in done.out
    with running(mongod_path, tmp_path / "waiting", "--replSet", "rs") as server:
        assert "waits for its replica set: run rs.initiate()" in doctor(server.uri()).out


def test_a_server_that_is_too_old_is_told_the_least_version(
    server_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "OLDEST", (99, 1))
    text = said(server_uri)
    assert "rms-tui needs 99.1 or newer" in text


def test_nobody_at_home_and_no_such_name_are_told_apart() -> None:
    assert "nothing listens there" in said("mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=300")
    nowhere = said("mongodb://nowhere.invalid/?serverSelectionTimeoutMS=300")
    assert "no such host name" in nowhere
    assert MEND in nowhere


def test_doctor_knows_every_state_of_the_master_key(server_uri: str, tmp_path: Path) -> None:
    name, file = f"doctor_{tmp_path.name[:20]}", tmp_path / "master.key"

    def state() -> tuple[str, str]:
        (only,) = of_keys(server_uri, name, file)
        return only.grade, f"{only.found} {only.mend}"

    assert state()[0] == "OK"
    assert "none, and nothing is encrypted yet" in state()[1]
    write_new(file)
    assert state()[0] == "WARN"
    database = connect(patient(server_uri), name)
    for _said in init(database, file):
        continue
    assert state()[0] == "OK"
    assert "opens 1 data key" in state()[1]
    if sys.platform != "win32":
        file.chmod(0o644)
        assert state()[0] == "FAIL"
        assert "chmod 600" in state()[1]
        file.chmod(0o600)
    write_new(beside(file))
    assert state()[0] == "WARN"
    assert "secrets rotate --master" in state()[1]
    beside(file).replace(file)
    assert state()[0] == "FAIL"
    assert "does not open 1 of 1 data key" in state()[1]
    file.write_text("nonsense")
    assert "is not a master key" in state()[1]
    file.unlink()
    assert "no master key at" in state()[1]
    database.client.drop_database(name)
    database.client.close()
