"""Connecting: what is refused is refused in words that help, and never with a password in them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote_plus

import psutil
import pytest
from bson import Binary
from hypothesis import example, given
from hypothesis import strategies as st
from pymongo.errors import DuplicateKeyError, WriteError
from tests.patience import patient

from rms_tui.store import mongod
from rms_tui.store.database import Document, Rms, connect, prepare
from rms_tui.store.errors import StoreError, cleaned, redacted
from rms_tui.store.schema import COLLECTIONS

GOOD: dict[str, Document] = {
    "elements": {"login": 1001, "server": "S", "source": "manager", "status": "ACTIVE"},
    "instances": {"host": "h", "path": "/t", "status": "FREE"},
    "alerts": {
        "_id": "a", "login": 1, "server": "S", "rule": "max_loss", "severity": "breach",
        "stage": "raised",
    },
    "audit": {"_id": "a", "action": "add", "operator": "ann"},
}  # fmt: skip

BAD: list[tuple[str, Document]] = [
    ("elements", {"login": "1001"}),
    ("elements", {"login": -1}),
    ("elements", {"server": ""}),
    ("elements", {"server": None}),
    ("elements", {"source": "ftp"}),
    ("elements", {"status": "active"}),
    ("elements", {"password": "in clear text"}),
    ("elements", {"account": {"equity": "10 000"}}),
    ("elements", {"risk": {"rule": "max_loss"}}),
    ("elements", {"last_ping": 1_772_460_202}),
    ("instances", {"status": "BUSY"}),
    ("alerts", {"severity": "dire"}),
    ("audit", {"operator": ""}),
]


@contextmanager
def standalone(program: Path, folder: Path) -> Iterator[int]:
    """A mongod that is no replica set."""
    port = mongod.free_port(None, threading.Event())
    child = mongod.spawn(program, folder, port, alone=True)
    try:
        process = psutil.Process(child.pid)
        mongod.make_ready(process, folder, port, 10, threading.Event())
        yield port
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize(("collection", "wrong"), BAD)
def test_a_document_that_breaks_the_schema_is_refused(
    database: Rms, collection: str, wrong: Document
) -> None:
    with pytest.raises(WriteError) as refused:
        database[collection].insert_one({**GOOD[collection], **wrong})
    assert refused.value.code == 121


def test_fields_of_older_and_newer_writers_are_kept(database: Rms) -> None:
    fields = {**GOOD["elements"], "adm_notes": ["x"], "password": Binary(b"\x00\x01")}
    database.elements.insert_one(fields)
    database.elements.update_one({"login": 1001}, {"$set": {"status": "BREACHED"}})
    found = database.elements.find_one({"login": 1001})
    assert found is not None
    assert found["adm_notes"] == ["x"]


def test_a_login_stands_once_for_each_server(database: Rms) -> None:
    database.elements.insert_one(dict(GOOD["elements"]))
    database.elements.insert_one({**GOOD["elements"], "server": "Other"})
    with pytest.raises(DuplicateKeyError):
        database.elements.insert_one(dict(GOOD["elements"]))


def test_many_processes_may_prepare_one_database_at_once(server_uri: str) -> None:
    name = "rms_prepared_at_once"
    with ThreadPoolExecutor(8) as starters:
        found = list(starters.map(lambda _: connect(patient(server_uri), name), range(8)))
    assert set(found[0].list_collection_names()) == set(COLLECTIONS)
    assert len(found[0].elements.index_information()) == len(COLLECTIONS["elements"].indexes) + 1
    found[0].client.drop_database(name)
    for database in found:
        database.client.close()


def test_an_older_schema_is_brought_up_to_date(database: Rms) -> None:
    database.command("collMod", "elements", validator={})
    database.elements.insert_one({"anything": "goes"})
    prepare(database)
    with pytest.raises(WriteError):
        database.elements.insert_one({"anything": "goes"})


def test_a_standalone_server_is_refused_with_what_to_do(mongod_path: Path, tmp_path: Path) -> None:
    with standalone(mongod_path, tmp_path) as port, pytest.raises(StoreError) as refused:
        connect(f"mongodb://127.0.0.1:{port}", "rms")
    assert "standalone" in refused.value.text
    assert "--replSet" in refused.value.text
    assert refused.value.final


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        (
            "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50",
            "no MongoDB answers at mongodb://127.0",
        ),
        ("mongodb://ann:hunter2@127.0.0.1:99999/", "Port must be"),
        ("mongodb://ann:hun@ter2@127.0.0.1:27017/", "must be escaped"),
        ("http://ann:hunter2@127.0.0.1/", "Invalid URI scheme"),
        ("mongodb://ann:hunter2@127.0.0.1:1/?tls=maybe", "tls must be 'true' or 'false'"),
        ("mongodb://ann:hunter2@127.0.0.1:1/?replicaSte=rms", "Unknown option"),
    ],
)
def test_what_is_wrong_with_a_uri_is_said_without_its_password(uri: str, words: str) -> None:
    with pytest.raises(StoreError) as refused:
        connect(uri, "rms")
    assert words in refused.value.text
    assert "ter2" not in refused.value.text
    assert refused.value.__cause__ is None


def test_a_refused_login_names_user_and_server_only(server_uri: str) -> None:
    uri = server_uri.replace("mongodb://", "mongodb://ann:hunter2@")
    with pytest.raises(StoreError, match=r"ann:\*\*\*@127\.0\.0\.1.* refused the login"):
        connect(uri, "rms")


@given(
    st.text(st.characters(codec="utf-8"), min_size=4).filter(
        lambda p: p not in "mongodb://ann:***@h:1/rms"
    )
)
@example("p@ss:w/rd?x=1&y#")
@example("%2F%40")
def test_no_password_survives_redaction(password: str) -> None:
    for written in (password, quote_plus(password)):
        uri = f"mongodb://ann:{written}@h:1/rms"
        assert redacted(uri) == "mongodb://ann:***@h:1/rms" or "@" in written or "?" in written
        assert written not in redacted(uri)
        assert written not in cleaned(f"cannot use {uri}: bad {written!s}", uri)


def test_secrets_in_options_are_redacted_too() -> None:
    uri = (
        "mongodb+srv://h/?tlsCertificateKeyFilePassword=abc123&w=1"
        "&authMechanismProperties=AWS_SESSION_TOKEN:xyz789"
    )
    assert redacted(uri) == (
        "mongodb+srv://h/?tlsCertificateKeyFilePassword=***&w=1&authMechanismProperties=***"
    )
