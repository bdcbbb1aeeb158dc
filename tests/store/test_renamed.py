"""Collections that are called otherwise than here, in a database that others use too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from desk import until
from shell import Run
from tests.patience import patient

from rms_tui.settings import COLLECTIONS as SETTABLE
from rms_tui.settings import SettingsError, load
from rms_tui.store import claims, listing, rotation, upkeep
from rms_tui.store.claims import Ending, Patience
from rms_tui.store.database import Rms, connect
from rms_tui.store.fleet_view import FleetDocuments, FleetView
from rms_tui.store.fleet_watch import FleetWatch
from rms_tui.store.renamed import Names
from rms_tui.store.schema import COLLECTIONS
from rms_tui.store.secrets import open_vault

THEIRS = {"elements": "accounts", "instances": "mt5.terminals", "keys": "rms_keys"}
WRITTEN = ",".join(f"{ours}={theirs}" for ours, theirs in THEIRS.items())
FOREIGN = {"_id": "theirs", "colour": "red"}


@pytest.fixture
def renamed(server_uri: str, database: Rms) -> Iterator[Rms]:
    """The test's database by other names; what has ours in it is somebody else's."""
    for ours in THEIRS:
        database[ours].drop()
        database[ours].insert_one(dict(FOREIGN))
    found = connect(patient(server_uri), Names(database.name, THEIRS))
    yield found
    found.client.close()


def test_every_collection_has_a_name_that_can_be_set() -> None:
    assert sorted(SETTABLE) == sorted(COLLECTIONS)


def test_a_fleet_lives_in_them_and_leaves_the_others_alone(
    renamed: Rms, database: Rms, tmp_path: Path
) -> None:
    watch = FleetWatch(renamed, "one")
    known = FleetDocuments()
    view = FleetView(renamed, known)
    renamed.instances.insert_one({"_id": "i", "host": "one", "path": "C:\\1", "status": "FREE"})
    renamed.elements.insert_one({"_id": "e", "login": 1, "server": "S"})
    heard: set[tuple[str, Any]] = set()

    def both_heard() -> bool:
        change = watch.next()
        if change is not None:
            heard.add((change.collection, change.id))
        return heard == {("instances", "i"), ("elements", "e")}

    until(both_heard)
    until(lambda: view.wait(0.2) or (set(known.elements), set(known.instances)) == ({"e"}, {"i"}))
    watch.close()
    view.close()
    upkeep.fill_in(renamed)
    held = claims.claim(renamed, "e", "one")
    assert held is not None
    assert [one["_id"] for one in listing.elements(renamed)] == ["e"]
    assert claims.give_back(renamed, held, Ending.RELEASED, Patience())
    list(rotation.init(renamed, tmp_path / "master.key"))
    vault = open_vault(renamed, tmp_path / "master.key")
    assert vault.decrypt(vault.encrypt("hunter2")).get_secret_value() == "hunter2"
    vault.close()
    for ours, theirs in THEIRS.items():
        assert list(database[ours].find()) == [FOREIGN]
        assert database[theirs].count_documents({}) == 1


def test_verbs_use_them(
    rms: Run, renamed: Rms, database: Rms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RMS_MONGODB_COLLECTIONS", WRITTEN)
    assert rms("element", "add", "70001", "S", "--no-password").status == 0
    assert database.accounts.count_documents({"login": 70001}) == 1
    assert "70001" in rms("element", "list").out
    assert database.elements.count_documents({}) == 1
    assert renamed.elements.name == "accounts"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("element=accounts", "no collection 'element': expected one of alerts, audit"),
        ("elements", "elements=: expected the name of a collection"),
        ("elements=a$b", "elements=a$b: expected the name of a collection"),
        ("elements=system.users", "expected the name of a collection"),
        ("elements=a,elements=b", "elements is named twice"),
        ("elements=alerts", "two collections would be called alerts"),
        ("elements=x,instances=x", "two collections would be called x"),
    ],
)
def test_names_that_cannot_be_are_refused(given: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load({}, environ={"RMS_MONGODB_COLLECTIONS": given}, folder=tmp_path)
    assert told in str(refused.value)
    assert "RMS_MONGODB_COLLECTIONS" in str(refused.value)


def test_two_may_change_places(tmp_path: Path) -> None:
    made = load(
        {}, environ={"RMS_MONGODB_COLLECTIONS": " elements = keys , keys=elements,"},
        folder=tmp_path,
    )  # fmt: skip
    assert made.settings.rms_mongodb_collections
