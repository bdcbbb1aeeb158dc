"""A read of all a fleet leaves behind holds no password: database, oplog, logs, processes."""

from __future__ import annotations

import base64
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bson
import psutil
import pytest
from bson.raw_bson import RawBSONDocument
from tests.faults.fleet import FIRST, SERVER, Fleet, until

from rms_tui.store.master_key import keys_in
from rms_tui.store.secrets import open_vault

PASSWORDS = {
    FIRST: "Gr8-investor-hunter2",
    FIRST + 1: "пароль-Ω-☃-7351",
    FIRST + 2: "refused-Sesame-0042",
}
ANOTHER = "edited-Sesame-9917"


def forms(text: str) -> list[bytes]:
    """How a text may stand in bytes."""
    plain, wide = text.encode(), text.encode("utf-16-le")
    escaped = text.encode("ascii", "backslashreplace")
    return [plain, wide, escaped, plain.hex().encode(), base64.b64encode(plain)[:-4]]


def everything_in(fleet: Fleet) -> Iterator[tuple[str, bytes]]:
    """Each document of each collection of each database, and of the oplog, as raw BSON."""
    client = fleet.database.client
    raw: Any = fleet.database.codec_options.with_options(document_class=RawBSONDocument)
    for name in client.list_database_names():
        for collection in client[name].list_collection_names():
            for document in client[name].get_collection(collection, raw).find():
                yield f"{name}.{collection}", document.raw


def files_of(fleet: Fleet, mongod_log: Path) -> Iterator[tuple[str, bytes]]:
    for file in (*fleet.folder.rglob("*"), mongod_log):
        if file.is_file() and file.name != "world.json":
            yield str(file), file.read_bytes()


@contextmanager
def processes_seen(seen: dict[str, bytes]) -> Iterator[None]:
    """What `ps` and /proc show of this machine's processes meanwhile, looked at all the time."""
    over = threading.Event()

    def look() -> None:
        me = psutil.Process()
        while not over.is_set():
            for process in me.children(recursive=True):
                try:
                    command = " ".join(process.cmdline())
                    environment = "\n".join(f"{k}={v}" for k, v in process.environ().items())
                except psutil.Error:
                    continue
                seen[command] = (command + "\n" + environment).encode("utf-8", "replace")
            over.wait(0.05)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join(10)


class Shell:
    """Runs verbs as an operator does, and keeps all that they printed."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self.printed: list[tuple[str, bytes]] = []

    def __call__(self, *words: str, typed: str = "", status: int = 0, **more: str) -> None:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "rms_tui", *words],
            input=typed.encode(),
            capture_output=True,
            cwd=self._fleet.folder,
            env=self._fleet.environment(RMS_LOG_LEVEL="DEBUG", **more),
            timeout=60,
            check=False,
        )
        self.printed.append((" ".join(words), done.stdout + done.stderr))
        assert done.returncode == status, done.stderr.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="environments of other processes are POSIX")
def test_nothing_that_a_fleet_writes_logs_prints_or_shows_holds_a_password(
    fleet: Fleet, mongod_log: Path
) -> None:
    run, seen = Shell(fleet), dict[str, bytes]()
    fleet.instances(3)
    for login in PASSWORDS:
        fleet.world.account(login)
    fleet.world.terminal["accounts"][str(FIRST + 2)]["password"] = ANOTHER
    fleet.world.push()
    with processes_seen(seen):
        run("secrets", "init")
        fleet.supervise(RMS_LOG_LEVEL="DEBUG")
        for login, password in PASSWORDS.items():
            run("element", "add", str(login), SERVER, "--max-daily-loss", "5%", typed=password)
        fleet.active(FIRST, FIRST + 1)
        until(lambda: fleet.read(FIRST + 2)["status"] == "ERROR", 60)
        run("element", "edit", str(FIRST + 2), "--password", typed=ANOTHER)
        fleet.active(*PASSWORDS)
        before = [fleet.worker_of(login).pid for login in PASSWORDS]
        run("secrets", "rotate")
        run("secrets", "rotate", "--master", "--data")
        assert [fleet.worker_of(login).pid for login in PASSWORDS] == before
        run("secrets", "status", "--json")
        run("element", "list")
        run("element", "show", str(FIRST), "--json")
        run("element", "add", str(FIRST), SERVER, typed=PASSWORDS[FIRST], status=2)
        run("element", "add", "1", SERVER, "--profile", "no", typed=PASSWORDS[FIRST], status=2)
        run("element", "add", "1", SERVER, typed=PASSWORDS[FIRST], status=2,
            RMS_MASTER_KEY_FILE=str(fleet.folder / "nowhere"))  # fmt: skip
        fleet.active(*PASSWORDS)
        until(lambda: any("worker" in command for command in seen))
        fleet.worker_of(FIRST).kill()
        fleet.active(*PASSWORDS)
    key_file = fleet.folder / "data" / "master.key"
    vault = open_vault(fleet.database, key_file)
    for login, password in {**PASSWORDS, FIRST + 2: ANOTHER}.items():
        assert vault.decrypt(fleet.read(login)["password"]).get_secret_value() == password
    vault.close()
    control = "a control that the search must find ☃"
    fleet.database.audit.insert_one(
        {"_id": "control", "action": control, "operator": "x", "at": fleet.read()["updated_at"]}
    )

    documents = list(everything_in(fleet))
    places = [*documents, *files_of(fleet, mongod_log), *run.printed, *seen.items()]
    names = {name for name, _ in documents}
    assert {"local.oplog.rs", f"{fleet.database.name}.elements"} <= names
    found_in = {name for name, content in documents if control.encode() in content}
    assert found_in >= {"local.oplog.rs", f"{fleet.database.name}.audit"}
    files = [name for name, _ in places]
    assert any(name.endswith("rms.log") for name in files), files
    for password in (*PASSWORDS.values(), ANOTHER):
        for form in forms(password):
            assert [name for name, content in places if form in content] == []
    material = keys_in(key_file)[0].material
    outside = [place for place in places if not Path(place[0]).name.startswith("master.key")]
    for form in (material, base64.b64encode(material), material.hex().encode()):
        assert [name for name, content in outside if form in content] == []
    print(
        f"searched {len(documents)} documents of {len(names)} collections, "
        f"{len(places) - len(documents)} files, outputs and processes"
    )
    assert bson.decode(documents[0][1]) is not None


@pytest.fixture
def mongod_log(fleet: Fleet) -> Path:
    """Where the server of the fleet logs."""
    options = fleet.database.client.admin.command("getCmdLineOpts")["parsed"]
    return Path(options["systemLog"]["path"])
